"""What stands under the filter of a convolution at each of its sites: any stride, dilation, padding and grouping."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ntk_teach.empirical.calls import Call, ConvolutionLayer
from ntk_teach.nn import Convolution
from ntk_teach.nn.convolution import padded

__all__ = ["Sizes", "sizes", "patches", "each_patch", "signals"]


class Sizes(NamedTuple):
    """Of one call of a convolution, for one input and one group of channels."""

    groups: int
    sites: int  # S, where the filter stands
    leaving: int  # C, channels that leave
    patch: int  # K, units under the filter: channels that enter times the filter's size
    entering: int  # units that enter
    padded: int  # the same with what is padded


def sizes(call: Call) -> Sizes:
    """The sizes of a call that was recorded."""
    layer = call.layer
    assert isinstance(layer, ConvolutionLayer)
    grid = _windows(layer, call.post).shape[3 : layer.weight.ndim + 1]
    groups = _groups(layer)
    entering, wider = call.post[0].numel() // groups, _padded(layer, call.post)[0].numel() // groups
    return Sizes(groups, math.prod(grid), len(layer.weight) // groups, layer.weight[0].numel(), entering, wider)


def patches(layer: ConvolutionLayer, units: Tensor) -> Tensor:
    """The patches P of all sites, copied: [b, groups, K, S]."""
    view = _windows(layer, units)  # [b, groups, fan_in, *grid, *filter]
    axes = layer.weight.ndim - 2
    grid, under = range(3, 3 + axes), range(3 + axes, 3 + 2 * axes)
    return view.permute(0, 1, 2, *under, *grid).flatten(2, 2 + axes).flatten(3)


def each_patch(layer: ConvolutionLayer, units: Tensor, group: int) -> Iterator[Tensor]:
    """The patches of one group of channels, one site at a time and in the order of ``patches``: each [b, K]."""
    view = _windows(layer, units)[:, group]  # [b, fan_in, *grid, *filter]
    grid = view.shape[2 : layer.weight.ndim]
    here = (slice(None), slice(None))
    return (view[here + place].flatten(1) for place in product(*(range(size) for size in grid)))


def signals(layer: ConvolutionLayer, slopes: Tensor) -> Tensor:
    """δ as the layer's output is laid out, [b, c, …], by groups, channels and sites: [b, c, groups, C, S]."""
    if isinstance(layer, Convolution):
        return slopes.flatten(2, 3).mT[:, :, None]
    return torch.unflatten(slopes, 2, (_groups(layer), -1)).flatten(4)


def _windows(layer: ConvolutionLayer, units: Tensor) -> Tensor:
    """[b, groups, fan_in, *grid, *filter], a view of the padded units."""
    x = _padded(layer, units)
    if isinstance(layer, Convolution):
        steps = [(layer.size, layer.stride, 1)] * 2
    else:
        steps = list(zip(layer.kernel_size, layer.stride, layer.dilation, strict=True))
    for axis, (size, stride, dilation) in enumerate(steps, 2):
        x = x.unfold(axis, dilation * (size - 1) + 1, stride)[..., ::dilation]
    return torch.unflatten(x, 1, (_groups(layer), -1))


def _padded(layer: ConvolutionLayer, units: Tensor) -> Tensor:
    """The units, channels first, with what stands around them."""
    if not isinstance(layer, Convolution):
        return pad(units, _around(layer), mode="constant" if layer.padding_mode == "zeros" else layer.padding_mode)
    x = units.movedim(-1, 1)
    for axis in (2, 3):
        x = padded(x, axis, layer.size, layer.stride, layer.padding)
    return x


def _around(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> list[int]:
    """Units to add before and after each axis, the last axis first; of an odd number the larger half comes last."""
    if layer.padding == "valid":
        return []
    if layer.padding == "same":
        more = [dilation * (size - 1) for size, dilation in zip(layer.kernel_size, layer.dilation, strict=True)]
        halves = [(total // 2, total - total // 2) for total in more]
    else:
        halves = [(int(amount), int(amount)) for amount in layer.padding]
    return [amount for pair in reversed(halves) for amount in pair]


def _groups(layer: ConvolutionLayer) -> int:
    return 1 if isinstance(layer, Convolution) else layer.groups
