"""Limiting kernels of convolutional networks on a GPU, the whole depth in one kernel.

The covariance of two images has an entry for each pair of pixels, h²w² of them, and every layer of the plain algebra
reads and writes them all. But a convolution couples (i, j) to (i + a, j + a) only: pairs with one offset j − i never
meet pairs with another. Each offset is a problem of h·w numbers that stays in a processor's registers from the inputs
to the mean over pixels; ``fused_convolutions.cu`` does that, and this module tells it the constants.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.duals import ArcCosine
from ntk_teach.errors import DomainError, RuleError
from ntk_teach.inputs import Inputs
from ntk_teach.kernel import Kernel
from ntk_teach.layers import Conv2d, Dense, GlobalAvgPool, Layer

__all__ = ["Grid", "Stage", "cntk_gram", "fused", "source", "stages_of", "supported", "tables", "variances_of"]

LARGEST = 32  # pixels on a side: a column is a lane of a warp
DEEPEST = 16
PITCH = 32  # numbers from one row of a table to the next
TINY = 1e-18  # stands for a standard deviation of 0
TOGETHER = 2**17  # pairs of images of one launch, below a second

Progress = Callable[[int, int], None]
Size = tuple[int, int, int]
Launch = Callable[[Size, Size, Sequence[Tensor | int]], None]  # grid, block, arguments


@dataclass(frozen=True)
class Stage:
    """A convolution, Σ ← w Σ_a Σ(i + a, j + a) + b and Θ ← w Σ_a Θ(i + a, j + a) + η_w (Σ − b) + η_b b, and the
    activation φ(u) = ``negative``·min(u, 0) + ``positive``·max(u, 0) behind it."""

    w: float
    b: float
    eta_w: float
    eta_b: float
    negative: float
    positive: float

    @property
    def p(self) -> float:
        return (self.positive - self.negative) ** 2 / (2 * math.pi)


@dataclass(frozen=True)
class Grid:
    """How a launch is laid out. ``rowwise`` takes row after row through all layers, and zero padding only; without it
    all rows stand in registers. ``warps`` of a block, and ``blocks`` of them that must fit on a multiprocessor."""

    rowwise: bool = True
    warps: int = 8
    blocks: int = 3

    @classmethod
    def suited(cls, depth: int, window: int, circular: bool) -> Grid:
        """As many warps as the registers allow: a row of every layer, or all rows of one."""
        if circular:
            return cls(False, 8, 2)  # measured: 4 warps are three to five times slower
        registers = 48 + 4 * (window // 2) * depth  # of a lane, as the compiler counts them
        return cls(True, 8, max(1, 2**16 // (256 * registers)))


def supported(layers: Sequence[Layer], x: Inputs) -> str | None:
    """Why the kernel cannot do this network on inputs like ``x``, or None where it can.

    It can do (Conv2d, an activation with one kink) any number of times up to 16, all with one odd window and one
    padding that keeps the size, then GlobalAvgPool, then any number of Dense; on images up to 32 × 32 pixels.
    """
    if not isinstance(x, Tensor) or x.ndim != 4:
        return "inputs are no images [n, h, w, c]"
    pool = next((i for i, layer in enumerate(layers) if isinstance(layer, GlobalAvgPool)), None)
    if pool is None or pool == 0 or pool % 2 or not all(isinstance(layer, Dense) for layer in layers[pool + 1 :]):
        return "the layers are not (Conv2d, activation) several times, GlobalAvgPool, and Dense behind it"
    convolutions = layers[:pool:2]
    for convolution, activation in zip(convolutions, layers[1:pool:2], strict=True):
        if not isinstance(convolution, Conv2d) or not isinstance(activation, Activation):
            return "the layers are not (Conv2d, activation) several times, GlobalAvgPool, and Dense behind it"
        dual = activation.dual
        if not isinstance(dual, ArcCosine) or dual.negative == dual.positive:
            return f"{activation.name} is not a function with one kink at 0"
        if convolution.stride != 1 or convolution.padding == "valid" or convolution.window % 2 == 0:
            return f"{convolution!r} changes the size, or its window has no center"
        if convolution.sigma_w == 0:
            return f"{convolution!r} has no weights"
    if len({(c.window, c.padding) for c in convolutions if isinstance(c, Conv2d)}) > 1:
        return "the convolutions have several windows or paddings"
    if pool // 2 > DEEPEST:
        return f"more than {DEEPEST} convolutions"
    height, width, channels = x.shape[1:]
    window = convolutions[0].window if isinstance(convolutions[0], Conv2d) else 1
    if max(height, width) > LARGEST or min(height, width) < max(window, 2) or channels > LARGEST:
        return f"images of {height}x{width} with {channels} channels are beyond {LARGEST}, or smaller than the window"
    if window not in (3, 5):
        return f"a window of {window}"
    return None


def cntk_gram(
    layers: Sequence[Layer],
    x1: Tensor,
    x2: Tensor | None = None,
    *,
    grid: Grid | None = None,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """NNGP and NTK of a convolutional network with a global mean, in float32 on a CUDA device.

    Args:
        layers: of the network; see ``supported``.
        x1, x2: images [n, h, w, c] and [m, h, w, c] on one CUDA device; x2 None means x1, and computes half.
        grid: how the work is laid out, where the default should not be fast.
        progress: called with (rows done, rows in all).

    Returns: Σ [n, m] and Θ [n, m], on the device. Against the plain algebra in float64 entries agree to 2e-5 of
        √(Θ_ii Θ_jj) or better, since the arccosine is a polynomial of accuracy 3e-7 and the rest is rounding.

    Raises: RuleError for a network that ``supported`` does not know; DomainError where there is no CUDA device.

    Cost: some 45 instructions for each pair of pixels and layer; memory of the result and 10 kB (depth + channels)
        for each image.
    """
    if (reason := supported(layers, x1)) is not None:
        raise RuleError(f"expected a network that the fused kernel knows, received another: {reason}; use ntk()")
    if x2 is not None and x2.shape[1:] != x1.shape[1:]:
        raise RuleError(f"expected images of one size, received {list(x1.shape)} and {list(x2.shape)}; resize them")
    pool = next(i for i, layer in enumerate(layers) if isinstance(layer, GlobalAvgPool))
    stages = stages_of(layers[:pool])
    first = layers[0]
    assert isinstance(first, Conv2d)
    sides = [variances_of(layers[:pool], x) for x in ((x1,) if x2 is None else (x1, x2))]
    nngp, ntk = fused(
        x1,
        x1 if x2 is None else x2,
        sides[0],
        sides[-1],
        stages,
        window=first.window,
        circular=first.padding == "circular",
        symmetric=x2 is None,
        grid=grid,
        progress=progress,
    )
    for layer in layers[pool + 1 :]:
        assert isinstance(layer, Dense)
        w, b = layer.sigma_w**2, layer.sigma_b**2
        ntk.mul_(w).add_(nngp, alpha=layer.trained * layer.eta_w * w).add_(layer.trained * layer.eta_b * b)
        nngp.mul_(w).add_(b)
    return nngp, ntk


def stages_of(layers: Sequence[Layer]) -> list[Stage]:
    """The constants of convolutions and the activations behind them."""
    stages = []
    for conv, activation in zip(layers[::2], layers[1::2], strict=True):
        assert isinstance(conv, Conv2d) and isinstance(activation, Activation)
        assert isinstance(activation.dual, ArcCosine)
        w, b, dual = conv.sigma_w**2 / conv.window**2, conv.sigma_b**2, activation.dual
        etas = float(conv.eta_w * conv.trained), float(conv.eta_b * conv.trained)
        stages.append(Stage(w, b, *etas, dual.negative, dual.positive))
    return stages


def variances_of(layers: Sequence[Layer], x: Tensor, *, together: int = 256) -> Tensor:
    """Σ(i, i) of every pixel in front of every activation, [depth, n, h, w] in float64, by the layers' own algebra."""
    chunks = []
    for start in range(0, len(x), together):
        chunk = x[start : start + together].double()
        k = Kernel.of(chunk, chunk[:1], paired=True)
        found = []
        for layer in layers:
            if isinstance(layer, Activation):
                found.append(k.self1)
            k = layer.kernel(k)
        chunks.append(torch.stack(found).view(len(found), *chunk.shape[:3]))
    return torch.cat(chunks, dim=1)


def fused(
    x1: Tensor,
    x2: Tensor,
    variances1: Tensor,
    variances2: Tensor,
    stages: Sequence[Stage],
    *,
    window: int,
    circular: bool,
    symmetric: bool,
    grid: Grid | None = None,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """Means over all pairs of pixels of Σ and Θ behind the last of ``stages``.

    Args:
        x1, x2: images [n, h, w, c], [m, h, w, c] on a CUDA device, up to 32 × 32.
        variances1, variances2: of every pixel in front of every activation, [depth, n, h, w] and [depth, m, h, w].
        stages: constants of the layers.
        window: 3 or 5, of all convolutions.
        circular: do windows go on at the image's other end, or over zeros?
        symmetric: is x2 the same list as x1? Then half is computed, and coincident pixels have correlation 1 exactly.
        grid, progress: as for ``cntk_gram``.

    Returns: Σ and Θ, [n, m] in float32.
    """
    (n, height, width, channels), m = x1.shape, len(x2)
    grid = grid or Grid.suited(len(stages), window, circular)
    launch = _launcher(source(height, width, channels, window, circular, stages, grid), x1.device)
    one, two = tables(x1, variances1, stages), tables(x2, variances2, stages, twice=True)
    nngp, ntk = (torch.zeros(n, m, dtype=torch.float32, device=x1.device) for _ in range(2))
    rows = min(max(1, TOGETHER // m), 2**15)
    for first in range(0, n, rows):
        begin = first if symmetric else 0
        size = (m - begin, min(rows, n - first), 1)
        launch(size, (32 * grid.warps, 1, 1), (one, two, nngp, ntk, first, begin, m, int(symmetric)))
        if progress is not None:
            progress(min(first + rows, n), n)
    factor = stages[-1].p * _scales(stages)[-1] / (height * width) ** 2
    for kernel in (nngp, ntk):
        kernel.mul_(factor)
        if symmetric:
            kernel.copy_(kernel.triu() + kernel.triu(1).T)
    return nngp, ntk


def _scales(stages: Sequence[Stage]) -> list[float]:
    """k of each layer: in front of its activation the kernel holds Σ/k and Θ/k, so that window sums need no factor."""
    scales, factor = [], 1.0
    for stage in stages:
        factor *= stage.w
        scales.append(factor)
        factor *= stage.p
    return scales


def tables(x: Tensor, variances: Tensor, stages: Sequence[Stage], *, twice: bool = False) -> Tensor:
    """x/√c of each channel and √(v/k) of each layer, [n, c + depth, h, 32]; with ``twice`` all rows stand twice, so
    that an offset needs no modulus."""
    n, height, width, channels = x.shape
    scales = torch.tensor(_scales(stages), dtype=torch.float64, device=x.device)
    out = torch.zeros(n, channels + len(stages), height, PITCH, device=x.device)
    out[:, :channels, :, :width] = x.permute(0, 3, 1, 2) / math.sqrt(channels)
    roots = (variances / scales[:, None, None, None]).sqrt().clamp(min=TINY)
    out[:, channels:, :, :width] = roots.transpose(0, 1)
    return torch.cat((out, out), dim=2) if twice else out


def source(
    height: int, width: int, channels: int, window: int, circular: bool, stages: Sequence[Stage], grid: Grid
) -> str:
    """The text of the kernel for these sizes and constants."""
    if circular and grid.rowwise:
        raise DomainError("expected rowwise=False with circular padding, received True; choose Grid(rowwise=False)")
    scaled = [(stage, stage.b / k) for stage, k in zip(stages, _scales(stages), strict=True)]
    numbers = {
        "HEIGHT": height,
        "WIDTH": width,
        "CHANNELS": channels,
        "REACH": window // 2,
        "CIRCULAR": int(circular),
        "DEPTH": len(stages),
        "WARPS": grid.warps,
        "BLOCKS": grid.blocks,
        "ROWWISE": int(grid.rowwise),
        "BIASED": int(any(b for _, b in scaled)),
        "BIAS": _initializer([b for _, b in scaled]),
        "ETA": _initializer([stage.eta_w for stage in stages]),
        "EXTRA": _initializer([(stage.eta_b - stage.eta_w) * b for stage, b in scaled]),
        "SHIFT": _initializer([stage.negative * stage.positive / stage.p for stage in stages]),
    }
    defined = "".join(f"#define {name} {value}\n" for name, value in numbers.items())
    return defined + Path(__file__).with_suffix(".cu").read_text(encoding="utf-8")


def _initializer(values: Sequence[float]) -> str:
    return "{" + ", ".join(f"{value:.9e}f" for value in values) + "}"


@lru_cache(maxsize=64)
def _launcher(text: str, device: torch.device) -> Launch:
    """Compiles the kernel, by torch, or by CuPy where torch cannot; the function launches it and waits."""
    if device.type != "cuda":
        raise DomainError(f"expected images on a CUDA device, received {device}; move them there, or use ntk()")
    kernel = _compiled(text, device)

    def launch(grid: Size, block: Size, arguments: Sequence[Tensor | int]) -> None:
        with torch.cuda.device(device):
            kernel(grid, block, arguments)
            torch.cuda.synchronize()

    return launch


def _compiled(text: str, device: torch.device) -> Launch:
    reasons = []
    for compiler in (_by_torch, _by_cupy):
        try:
            with torch.cuda.device(device):
                return compiler(text)
        except Exception as fault:  # whatever an optional package or a private function may raise
            reasons.append(f"{compiler.__name__[4:]}: {type(fault).__name__}: {str(fault)[:300]}")
    raise DomainError(f"expected a compiler of CUDA kernels, received none ({'; '.join(reasons)}); install cupy")


def _by_torch(text: str) -> Launch:
    kernel = torch.cuda._compile_kernel(text, "fused", nvcc_options=["--use_fast_math"])
    return lambda grid, block, arguments: kernel(grid=grid, block=block, args=list(arguments))


def _by_cupy(text: str) -> Launch:
    cupy = importlib.import_module("cupy")
    kernel = cupy.RawKernel(text, "fused", options=("--use_fast_math",))
    kernel.compile()

    def launch(grid: Size, block: Size, arguments: Sequence[Tensor | int]) -> None:
        plain = tuple(a.data_ptr() if isinstance(a, Tensor) else cupy.int32(a) for a in arguments)
        with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
            kernel(grid, block, plain)

    return launch
