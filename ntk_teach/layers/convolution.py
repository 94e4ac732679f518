"""The convolutional layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ntk_teach.errors import RuleError, check_flag, check_scale
from ntk_teach.kernel import Kernel
from ntk_teach.layers.window import Padding, checked, left, summed
from ntk_teach.nn import Convolution
from ntk_teach.sites import Sites

__all__ = ["Conv2d", "check_images", "on_grid", "other_grid"]


@dataclass(frozen=True, repr=False)
class Conv2d:
    """Convolution  h_i = σ_w/√(n q²) · Σ_a W_a a_{s·i+a} + σ_b b  over the q × q offsets a of a window, W, b ~ 𝒩(0, 1).

    At infinite width a pair of pixels (i, j) sees the pairs (s·i + a, s·j + a), with one offset a for both, because the
    weight W_a is one and the same:  LΣ(i, j) = σ_w²/q² Σ_a Σ(s·i + a, s·j + a).

    Args:
        window: q, pixels on a side.
        stride: s, pixels from one window to the next.
        padding: "same", zeros around the image; "circular", the image's other end; "valid", none. A zero counts as a
            pixel: the fan-in is n q² at the border, too.
        sigma_w, sigma_b: scales of the weights and of the biases.
        trained, eta_w, eta_b: as for ``Dense``.

    Raises: DomainError for what is no window, stride, padding or scale; RuleError where inputs are no images.

    Source: Arora et al. 2019, section 4; Novak et al. 2019. Chapter: 09_convolutional_ntk.
    """

    window: int = 3
    stride: int = 1
    padding: Padding = "same"
    sigma_w: float = 1.0
    sigma_b: float = 0.0
    trained: bool = True
    eta_w: float = 1.0
    eta_b: float = 1.0
    random = True

    def __post_init__(self) -> None:
        checked(self.window, self.stride, self.padding, where="Conv2d")
        check_flag(self.trained, name="trained", where="Conv2d")
        for name in ("sigma_w", "sigma_b", "eta_w", "eta_b"):
            check_scale(getattr(self, name), name=name, where="Conv2d")

    def enters(self, sites: Sites | None) -> None:
        check_images(sites)

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return other_grid(shape, self.window, self.stride, self.padding)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> Convolution:  # width n
        window = (self.window, self.stride, self.padding)
        factors = {"eta_w": self.eta_w, "eta_b": self.eta_b}
        scales = (self.sigma_w, self.sigma_b)
        return Convolution(fan_in, fan_out, window, *scales, **factors, trained=self.trained, generator=generator)

    def kernel(self, k: Kernel) -> Kernel:  # n → ∞
        window, stride, padding = self.window, self.stride, self.padding

        def linear(cov: Tensor, rows: tuple[int, ...], columns: tuple[int, ...]) -> Tensor:
            for axes in (rows, columns):
                cov = summed(cov, axes, window, stride, padding)
            return self.sigma_w**2 / window**2 * cov

        factors = {"eta_w": self.eta_w * self.trained, "eta_b": self.eta_b * self.trained}
        acting, sites = on_grid(k, linear, self.leaves)
        return k.random(acting, self.sigma_b, **factors, sites=sites)

    def __repr__(self) -> str:
        shown = [f for f in fields(self) if getattr(self, f.name) != f.default or f.name in ("window", "sigma_w")]
        return f"Conv2d({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in shown)})"


def check_images(sites: Sites | None) -> None:
    if sites is None or sites.kind != "images":
        received = "vectors without sites" if sites is None else sites.kind
        do = "reshape the inputs, or use Dense()"
        raise RuleError(f"expected images [n, height, width, channels], received {received}; {do}")


def other_grid(shape: tuple[int, ...], window: int, stride: int, padding: str) -> tuple[int, ...]:
    """(h, w, units) behind a window."""
    return (*(left(size, window, stride, padding) for size in shape[:2]), shape[2])


def on_grid(
    k: Kernel,
    linear: Callable[[Tensor, tuple[int, ...], tuple[int, ...]], Tensor],
    leaves: Callable[[tuple[int, ...]], tuple[int, ...]],
) -> tuple[Callable[[Tensor], Tensor], tuple[Sites, Sites]]:
    """A map on (h, w, h', w'), or on (h, w) where sites are paired, as one on flat sites; and the sites behind it."""
    check_images(k.sites and k.sites[0])
    assert k.sites is not None
    (height, width), (other_height, other_width) = (side.grid for side in k.sites)
    if (height, width) != (other_height, other_width):
        raise RuleError(
            f"expected images of one size, received {height}x{width} and {other_height}x{other_width}; resize them"
        )
    rows, columns = ((-2,), (-1,)) if k.paired else ((-4, -2), (-3, -1))
    grid = tuple(leaves((height, width, 1))[:2])
    count = grid[0] * grid[1]

    def acting(cov: Tensor) -> Tensor:
        batch = cov.shape[: cov.ndim - (1 if k.paired else 2)]
        spread = cov.reshape(*batch, *((height, width) if k.paired else (height, width) * 2))
        return linear(spread, rows, columns).reshape(*batch, *((count,) if k.paired else (count, count)))

    return acting, (Sites(grid), Sites(grid))
