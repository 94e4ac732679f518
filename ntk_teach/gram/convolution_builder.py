"""From the layers of a convolutional network to a plan: variances at every pixel, and what a pair counts at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.duals import ArcCosine
from ntk_teach.errors import NTKError
from ntk_teach.gram.convolutions import ConvolutionPlan
from ntk_teach.gram.steps import Affine, roots
from ntk_teach.gram.strips import ArcCosineStrip, DualStrip, Pixels, ResidualStrip, Scaled, StripStep
from ntk_teach.gram.windows import Box
from ntk_teach.kernel import Kernel, check_gaussian
from ntk_teach.layers import AvgPool, Conv2d, Dense, Flatten, GlobalAvgPool, Layer, Residual
from ntk_teach.layers.layer import compares_equal_sites, described_fault, through
from ntk_teach.sites import Sites

__all__ = ["convolution_plan", "convolutional"]


def convolution_plan(layers: Sequence[Layer], x1: Tensor, x2: Tensor | None) -> ConvolutionPlan | None:
    """The plan, or None where the layers are not of this kind: convolutions of stride 1 with one border rule,
    activations and residual sums of them, then means over pixels that leave a vector, then dense layers."""
    other = x1 if x2 is None else x2
    parts = _parts(layers)
    if parts is None or x1.ndim != 4 or x1.shape[1:3] != other.shape[1:3]:
        return None
    trunk, read, tail = parts
    paired = compares_equal_sites(layers)
    planes = (x1 if x2 is None else torch.cat([x1, x2])).permute(3, 2, 1, 0).contiguous()  # [c, w, h, n + m]
    builder = _Builder(len(x1), x2 is None, paired, x1.dtype)
    # In float64: these are only numbers at pixels, not at pairs of them.
    steps, _ = builder.steps(trunk, _Units(planes.double().square().mean(0), gaussian=False), layers)
    left, right = zip(*map(builder.sides, planes), strict=True)
    pixels = Pixels(tuple(plane / len(planes) for plane in left), right)
    weights = _weights(tuple(read), (x1.shape[1], x1.shape[2]), paired, x1.dtype, x1.device)
    dense = tuple(map(Affine.of, tail))
    return ConvolutionPlan(x1, other, (pixels, *steps), weights, dense, paired, symmetric=x2 is None)


def convolutional(layers: Sequence[Layer], x: object) -> bool:
    """Are these layers on images that ``convolution_plan`` knows? Then it finds what breaks a rule, too."""
    return isinstance(x, Tensor) and x.ndim == 4 and _parts(layers) is not None


def _parts(layers: Sequence[Layer]) -> tuple[Sequence[Layer], Sequence[Layer], Sequence[Dense]] | None:
    """Layers on pixels; pools, the last of which leaves a vector; dense layers. None where there is something else."""
    start = next((i for i, layer in enumerate(layers) if not _known(layer)), len(layers))
    end = next((i for i, layer in enumerate(layers) if isinstance(layer, Flatten | GlobalAvgPool)), len(layers))
    trunk, pools, read, tail = layers[:start], layers[start:end], layers[end : end + 1], layers[end + 1 :]
    dense = [layer for layer in tail if isinstance(layer, Dense)]
    paddings = {layer.padding for layer in _flat(trunk) if isinstance(layer, Conv2d)}
    fits = len(paddings) == 1 and len(read) == 1 and len(dense) == len(tail) and [*trunk, *dense][-1].random
    return (trunk, [*pools, *read], dense) if fits and all(isinstance(pool, AvgPool) for pool in pools) else None


def _flat(layers: Sequence[Layer]) -> Iterator[Layer]:
    for layer in layers:
        yield from _flat(layer.branch.layers) if isinstance(layer, Residual) else (layer,)


def _known(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return all(map(_known, layer.branch.layers))
    if isinstance(layer, Conv2d):
        return layer.stride == 1 and layer.padding != "valid"
    return isinstance(layer, Dense | Activation)


@lru_cache(maxsize=4)
def _weights(
    read: tuple[Layer, ...], grid: tuple[int, int], paired: bool, dtype: torch.dtype, device: torch.device
) -> dict[int, Tensor]:
    """What each pixel pair counts in the read-out, as a strip holds them: the derivative of the read-out's own algebra,
    which is linear."""
    h, w = grid
    shape = (h * w,) if paired else (h * w, h * w)
    with torch.enable_grad():
        cov = torch.zeros(1, 1, *shape, dtype=dtype, device=device, requires_grad=True)
        none, sites = cov.new_zeros(()).expand(1, 1, *shape), Sites(grid)  # Θ and Σ(x, x) do not enter
        k = Kernel(cov, none, none[0], none[0], True, False, (sites, sites), paired)
        (found,) = torch.autograd.grad(through(read, k).nngp.sum(), cov)
    if paired:
        return {0: found.view(h, w).T.flatten()}
    equal = float(found.flatten()[0])
    if bool((found == equal).all()):
        return dict.fromkeys(range(h), found.new_full((w * w * h,), equal))
    pairs = found.view(h, w, h, w)
    rows = torch.arange(h, device=device)
    strips = {shift: pairs[rows, :, (rows + shift) % h].permute(1, 2, 0).flatten() for shift in range(h)}
    return {shift: strip for shift, strip in strips.items() if bool(strip.any())}


@dataclass(frozen=True)
class _Units:
    """All images on their way through the layers: Σ(x, x) at each pixel, [w, h, n + m]. The rules of ``Kernel`` for
    what only one image enters."""

    variance: Tensor
    gaussian: bool

    def linear(self, layer: Scaled) -> _Units:
        return _Units(layer.variance(self.variance), gaussian=True)

    def activated(self, layer: Activation) -> _Units:
        check_gaussian(self.gaussian)
        return _Units(layer.moments(self.variance).value, gaussian=False)

    def plus(self, other: _Units) -> _Units:
        return _Units(self.variance + other.variance, self.gaussian and other.gaussian)


@dataclass(frozen=True)
class _Builder:
    """Makes steps for strips between two lists of images, ``first`` of them in the first one; in ``dtype``."""

    first: int
    symmetric: bool
    paired: bool
    dtype: torch.dtype

    def sides(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers at the pixels of both lists; of the second with the rows twice below themselves, for its shifts."""
        one, two = (values, values) if self.symmetric else (values[..., : self.first], values[..., self.first :])
        return one, two if self.paired else torch.cat([two, two], 1)

    def steps(
        self, layers: Sequence[Layer], units: _Units, network: Sequence[Layer]
    ) -> tuple[tuple[StripStep, ...], _Units]:
        """The steps of the first layers of a network, and the units behind them."""
        steps: list[StripStep] = []
        position = 0
        while position < len(layers):
            layer, behind = layers[position], layers[position + 1 : position + 2]
            position += 1
            try:
                if isinstance(layer, Residual):
                    branch, inner = self.steps(layer.branch.layers, units, layer.branch.layers)
                    steps.append(ResidualStrip(branch))
                    units = units.plus(inner)
                elif isinstance(layer, Activation):
                    before, units = units.variance, units.activated(layer)
                    merged = _linear(behind[0]) if behind and isinstance(behind[0], Conv2d | Dense) else None
                    step, merges = self._activation(layer, merged, before)
                    steps.append(step)
                    if merges and merged is not None:
                        units = units.linear(merged)
                        position += 1
                else:
                    linear = _linear(layer)
                    steps.append(linear)
                    units = units.linear(linear)
            except NTKError as fact:
                raise described_fault(fact, position, network) from None
        return tuple(steps), units

    def _activation(self, layer: Activation, merged: Scaled | None, variance: Tensor) -> tuple[StripStep, bool]:
        """The step, and whether it does the linear layer behind it, too."""
        dual = layer.dual
        if isinstance(dual, ArcCosine) and dual.negative != dual.positive:
            sides = self.sides(roots(variance, self.dtype))
            still = float(variance.amin()) == 0
            return ArcCosineStrip.of(dual, merged or Scaled(Affine()), still, *sides), True
        return DualStrip(dual, layer.moments, *self.sides(variance.to(self.dtype))), False


def _linear(layer: Layer) -> Scaled:
    if isinstance(layer, Conv2d):
        return Scaled(Affine.of(layer), Box(layer.window, layer.padding == "circular"))
    assert isinstance(layer, Dense)
    return Scaled(Affine.of(layer))
