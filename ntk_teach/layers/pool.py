"""Averages over pixels: local, global, and none at all (flattening)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntk_teach.errors import RuleError
from ntk_teach.kernel import Kernel
from ntk_teach.layers.convolution import check_images, on_grid, other_grid
from ntk_teach.layers.window import Padding, checked, summed
from ntk_teach.nn import Flattened, GlobalMean, LocalMean
from ntk_teach.sites import Sites

__all__ = ["AvgPool", "Flatten", "GlobalAvgPool"]


@dataclass(frozen=True)
class AvgPool:
    """Mean over a window of pixels, a fixed linear map:  PΣ(i, j) = q⁻⁴ Σ_{a, b} Σ(s·i + a, s·j + b).

    Unlike in a convolution the two offsets are independent, so all pairs of pixels are needed.

    Args:
        window: q, pixels on a side.
        stride: s, pixels from one window to the next; None means the window, so that windows do not overlap.
        padding: as for ``Conv2d``. A padded zero counts: at the border the sum is divided by q², too.

    Raises: as ``Conv2d``.

    Source: Arora et al. 2019, section 4; local average pooling: Li et al. 2019. Chapter: 09_convolutional_ntk.
    """

    window: int = 2
    stride: int | None = None
    padding: Padding = "valid"
    random = False
    mixes_sites = True

    def __post_init__(self) -> None:
        checked(self.window, self.step, self.padding, where="AvgPool")

    @property
    def step(self) -> int:
        return self.window if self.stride is None else self.stride

    def enters(self, sites: Sites | None) -> None:
        check_images(sites)

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return other_grid(shape, self.window, self.step, self.padding)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> LocalMean:
        return LocalMean(self.window, self.step, self.padding)

    def kernel(self, k: Kernel) -> Kernel:
        def linear(cov: Tensor, rows: tuple[int, ...], columns: tuple[int, ...]) -> Tensor:
            for axis in (*rows, *columns):
                cov = summed(cov, (axis,), self.window, self.step, self.padding)
            return cov / self.window**4

        acting, sites = on_grid(k, linear, self.leaves)
        return k.fixed(acting, sites=sites)


@dataclass(frozen=True)
class GlobalAvgPool:
    """Mean over all pixels:  Σ ← mean over pairs of pixels (i, j) of Σ(i, j), and Θ likewise.

    Source: Arora et al. 2019, section 4 (CNTK-GAP). Chapter: 09_convolutional_ntk.
    """

    random = False
    reads_sites = True
    mixes_sites = True

    def enters(self, sites: Sites | None) -> None:
        _check_equal_size(sites, "GlobalAvgPool")

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[-1],)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> GlobalMean:
        return GlobalMean()

    def kernel(self, k: Kernel) -> Kernel:
        _check_pixels(k, "GlobalAvgPool")
        return k.read(lambda cov: cov.mean((-2, -1)))


@dataclass(frozen=True)
class Flatten:
    """All pixels side by side, h·w·n units with weights of their own:  Σ ← mean over pixels i of Σ(i, i), Θ likewise.

    Source: Arora et al. 2019, section 4 (CNTK without pooling; the authors take the sum).
    Chapter: 09_convolutional_ntk.
    """

    random = False
    reads_sites = True

    def enters(self, sites: Sites | None) -> None:
        _check_equal_size(sites, "Flatten")

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        units = 1
        for size in shape:
            units *= size
        return (units,)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        return Flattened()

    def kernel(self, k: Kernel) -> Kernel:
        _check_pixels(k, "Flatten")
        if k.paired:
            return k.read(lambda cov: cov.mean(-1))
        return k.read(lambda cov: cov.diagonal(dim1=-2, dim2=-1).mean(-1))


def _check_pixels(k: Kernel, name: str) -> None:
    for side in k.sites or (None,):
        _check_equal_size(side, name)
    assert k.sites is not None
    if k.sites[0].grid != k.sites[1].grid:
        raise RuleError(f"expected inputs of one size, received {k.sites[0].grid} and {k.sites[1].grid}; resize them")


def _check_equal_size(sites: Sites | None, name: str) -> None:
    if sites is None or sites.kind == "graphs" or sites.present is not None:
        received = "units without sites" if sites is None else f"{sites.kind} of unequal size"
        do = "use it once, behind the convolutions; for graphs take GraphSum(), for sequences AverageSteps()"
        raise RuleError(f"expected images [n, height, width, channels] for {name}, received {received}; {do}")
