"""From the layers of a convolutional network to a plan: variances at every pixel, and what a pair counts at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.duals import ArcCosine
from ntk_teach.errors import NTKError
from ntk_teach.gram.convolutions import ConvolutionPlan
from ntk_teach.gram.steps import Affine, bent, reciprocal
from ntk_teach.gram.strips import ArcCosineStrip, Box, DualStrip, Pixels, ResidualStrip, Scaled, StripStep
from ntk_teach.kernel import Kernel
from ntk_teach.layers import AvgPool, Conv2d, Dense, Flatten, GlobalAvgPool, Layer, Residual
from ntk_teach.layers.layer import compares_equal_sites, described_fault, through
from ntk_teach.sites import Sites

__all__ = ["convolution_plan", "convolutional"]


def convolution_plan(layers: Sequence[Layer], x1: Tensor, x2: Tensor | None) -> ConvolutionPlan | None:
    """The plan, or None where the layers are not of this kind: convolutions of stride 1 with one border rule,
    activations and residual sums of them, then means over pixels that leave a vector, then dense layers."""
    other = x1 if x2 is None else x2
    parts = _parts(layers)
    if parts is None or not convolutional(layers, x1) or x1.shape[1:3] != other.shape[1:3]:
        return None
    trunk, read, tail = parts
    paired = compares_equal_sites(layers)
    # In float64, as vectors are cheap; with one partner, as only Σ(x, x) at each pixel is wanted.
    sides = [Kernel.of(x.double(), x[:1].double(), paired=True) for x in ([x1] if x2 is None else [x1, x2])]
    steps, _ = _steps(trunk, sides, x1.dtype, layers)
    weights = _weights(read, x1, paired)
    one, two = (x1 / x1.shape[-1]).movedim(0, -1).unbind(2), torch.cat([other, other], 1).movedim(0, -1).unbind(2)
    pixels = Pixels(tuple(v.contiguous() for v in one), tuple(v.contiguous() for v in two))
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


def _weights(read: Sequence[Layer], x: Tensor, paired: bool) -> dict[int, Tensor]:
    """What each pixel pair counts in the read-out: the derivative of its own algebra, which is linear."""
    _, h, w, _ = x.shape
    shape = (h * w,) if paired else (h * w, h * w)
    with torch.enable_grad():
        cov = x.new_zeros(1, 1, *shape).requires_grad_()
        none, sites = x.new_zeros(()).expand(1, 1, *shape), Sites((h, w))  # Θ and Σ(x, x) do not enter
        k = Kernel(cov, none, none[0], none[0], True, False, (sites, sites), paired)
        (found,) = torch.autograd.grad(through(read, k).nngp.sum(), cov)
    if paired:
        return {0: found.view(h, w)}
    equal = float(found.flatten()[0])
    if bool((found == equal).all()):
        return dict.fromkeys(range(h), found.new_full((h, w, w), equal))
    pairs = found.view(h, w, h, w)
    rows = torch.arange(h, device=x.device)
    strips = {shift: pairs[rows, :, (rows + shift) % h] for shift in range(h)}
    return {shift: strip for shift, strip in strips.items() if bool(strip.any())}


def _steps(
    layers: Sequence[Layer], sides: list[Kernel], dtype: torch.dtype, network: Sequence[Layer]
) -> tuple[tuple[StripStep, ...], list[Kernel]]:
    """The steps of the first layers of a network, and the kernels of both lists behind them."""
    steps: list[StripStep] = []
    position = 0
    while position < len(layers):
        layer, behind = layers[position], layers[position + 1 : position + 2]
        position += 1
        try:
            if isinstance(layer, Residual):
                branch, inner = _steps(layer.branch.layers, sides, dtype, layer.branch.layers)
                steps.append(ResidualStrip(branch))
                sides = [side.plus(other) for side, other in zip(sides, inner, strict=True)]
            elif isinstance(layer, Activation):
                before = _on_rows(sides)
                sides = [layer.kernel(side) for side in sides]
                merged = _linear(behind[0]) if behind and not isinstance(behind[0], Activation | Residual) else None
                step, merges = _activation(layer, merged, before, dtype)
                steps.append(step)
                if merges and merged is not None:
                    sides = [behind[0].kernel(side) for side in sides]
                    position += 1
            else:
                steps.append(_linear(layer))
                sides = [layer.kernel(side) for side in sides]
        except NTKError as fact:
            raise described_fault(fact, position, network) from None
    return tuple(steps), sides


def _linear(layer: Layer) -> Scaled:
    if isinstance(layer, Conv2d):
        return Scaled(Affine.of(layer), Box(layer.window, layer.padding == "circular"))
    assert isinstance(layer, Dense)
    return Scaled(Affine.of(layer))


def _activation(
    layer: Activation, merged: Scaled | None, variances: list[Tensor], dtype: torch.dtype
) -> tuple[StripStep, bool]:
    """The step, and whether it does the linear layer behind it, too. Variances are [h, w, n] and [2h, w, m]."""
    one, two = variances
    dual = layer.dual
    if isinstance(dual, ArcCosine) and dual.negative != dual.positive:
        p, q = bent(dual)
        linear = merged or Scaled(Affine())
        exactly = 1 + 8 * torch.finfo(dtype).eps
        left = (-exactly * reciprocal(one.sqrt()), linear.affine.w * p * one.sqrt())
        right = (reciprocal(two.sqrt()), two.sqrt())
        first, second = ((a.to(dtype), b.to(dtype)) for a, b in (left, right))
        return ArcCosineStrip(p, q, linear, first, second), True
    return DualStrip(dual, layer.moments, one.to(dtype), two.to(dtype)), False


def _on_rows(sides: list[Kernel]) -> list[Tensor]:
    """Variances at the pixels of both lists, the second with its rows twice below itself."""
    assert sides[0].sites is not None
    grid = sides[0].sites[0].grid
    one, two = (side.variances[0].T.contiguous().view(*grid, -1) for side in (sides[0], sides[-1]))
    return [one, torch.cat([two, two])]
