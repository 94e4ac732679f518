"""Graphs of unequal size: the layers' own algebra, on blocks of graphs that are nearly as large as each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntk_teach.gram.blocks import tiles_of
from ntk_teach.gram.tile import mirror
from ntk_teach.kernel import Kernel
from ntk_teach.layers import Layer
from ntk_teach.layers.layer import through
from ntk_teach.ragged import Ragged

__all__ = ["GraphPlan"]

BLOCK = 2**19  # bytes of one covariance of a block on a processor: what is done to it stays in the cache
DEVICE_BLOCK = 2**27
GRAPHS = 1024  # rows of a tile, within which they are sorted


@dataclass(frozen=True)
class GraphPlan:
    """Rows and columns of a tile sorted by size, so that a block of them needs little padding."""

    x1: Ragged
    x2: Ragged
    layers: tuple[Layer, ...]
    symmetric: bool
    height = GRAPHS

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        own = self.symmetric and rows == columns
        one, two = self.x1[rows], self.x2[columns]
        first, second = _by_size(one), _by_size(two)
        nodes = one.values.shape[1] * two.values.shape[1]
        room = BLOCK if one.device.type == "cpu" else DEVICE_BLOCK
        step = max(1, math.isqrt(room // (one.values.element_size() * nodes)))
        found = buffers[: 1 + both]
        for some, others in tiles_of(len(first), len(second), step, own):
            here, there = first[some], second[others]
            same = own and some == others
            k = through(self.layers, Kernel.of(_tight(one[here]), None if same else _tight(two[there])))
            for kernel, values in zip(found, (k.nngp, k.ntk), strict=False):
                if same:
                    mirror(values, values.diagonal().clone())
                kernel[here[:, None], there] = values
                if own:
                    kernel[there[:, None], here] = values.T
        return buffers[0], buffers[1] if both else None

    def sliced(self, rows: slice, columns: slice) -> GraphPlan:
        return replace(self, x1=self.x1[rows], x2=self.x2[columns], symmetric=self.symmetric and rows == columns)

    def signature(self) -> object:
        k = through(self.layers, Kernel.of(self.x1[:1]))
        return float(k.nngp), float(k.ntk)


def _by_size(graphs: Ragged) -> Tensor:
    return torch.argsort(graphs.present.sum(1), stable=True)


def _tight(graphs: Ragged) -> Ragged:
    """Without the rows that are padding in all of them: nodes come first."""
    most = int(graphs.present.sum(1).max())
    assert graphs.edges is not None
    return Ragged(graphs.values[:, :most], graphs.present[:, :most], graphs.edges[:, :most, :most])
