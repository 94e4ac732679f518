"""How one block of pairs is computed: steps in place, or the layers' own algebra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ntk_teach.gram.steps import Step
from ntk_teach.gram.tile import Tile, mirror
from ntk_teach.inner_products import refined
from ntk_teach.inputs import Inputs
from ntk_teach.kernel import Kernel
from ntk_teach.layers import Layer
from ntk_teach.layers.layer import compares_equal_sites
from ntk_teach.ragged import Ragged

__all__ = ["FusedPlan", "LayerPlan", "Plan", "rows_in_cache"]

CACHE = 5 * 2**20  # bytes that the five blocks of a tile may fill: 352 rows of float64, 512 of float32
SITES = 256 * 2**20  # bytes that the covariances between sites of one tile may fill
DEVICE_TILE = 4096  # rows on an accelerator, which wants many pairs at a time


@runtime_checkable
class Plan(Protocol):
    """How one block of pairs is computed. It can be cut to the rows and columns that a worker needs."""

    @property
    def x1(self) -> Inputs: ...

    @property
    def x2(self) -> Inputs: ...

    @property
    def height(self) -> int:
        """Rows of a tile, and its columns, that suit the plan and its device."""
        ...

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        """Σ and, if ``both``, Θ of these pairs, [rows, columns]; ``buffers`` are five blocks of the same shape."""
        ...

    def sliced(self, rows: slice, columns: slice) -> Plan: ...

    def signature(self) -> object:
        """Numbers that tell two plans apart whose layers have the same names."""
        ...


def rows_in_cache(x: Tensor) -> int:
    """Rows of a tile whose five blocks fit the cache; an accelerator wants many pairs at a time."""
    return math.isqrt(CACHE // 5 // x.element_size()) // 32 * 32 if x.device.type == "cpu" else DEVICE_TILE


@dataclass(frozen=True)
class FusedPlan:
    """Steps in place, one tile after the other."""

    x1: Tensor
    x2: Tensor
    steps: tuple[Step, ...]
    sides: tuple[tuple[Tensor, Tensor], ...]  # exact Σ(x, x) and Θ(x, x) of each list of inputs
    symmetric: bool

    @property
    def height(self) -> int:
        return rows_in_cache(self.x1)

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        own = self.symmetric and rows == columns
        tile = self._carried(rows, columns, buffers, both, own, careful=False)
        if tile.collinear:
            tile = self._carried(rows, columns, buffers, both, own, careful=True)
        if own:
            for kernel, diagonal in zip((tile.nngp, tile.ntk), self.sides[0], strict=True):
                if kernel is not None:
                    mirror(kernel, diagonal[rows])
        return tile.nngp, tile.ntk

    def _carried(
        self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool, own: bool, careful: bool
    ) -> Tile:
        x1, x2 = self.x1[rows], self.x2[columns]
        nngp, ntk, *room = buffers
        torch.mm(x1, x2.T, out=nngp)
        if careful:
            nngp = refined(nngp, x1, x2, *(torch.linalg.vector_norm(x, dim=1) for x in (x1, x2)))
        if both:
            ntk.zero_()
        tile = Tile(rows, columns, nngp, ntk if both else None, room, own, careful)
        for step in self.steps:
            step.on(tile)
            if tile.collinear:
                break
        return tile

    def sliced(self, rows: slice, columns: slice) -> FusedPlan:
        steps = tuple(step.sliced(rows, columns) for step in self.steps)
        sides = tuple((v[part], t[part]) for (v, t), part in zip(self.sides, (rows, columns), strict=False))
        return FusedPlan(self.x1[rows], self.x2[columns], steps, sides, self.symmetric and rows == columns)

    def signature(self) -> object:
        return [float(v.sum()) for side in self.sides for v in side]


@dataclass(frozen=True)
class LayerPlan:
    """The layers' own algebra on each block: for any layer that the fused steps do not know."""

    x1: Inputs
    x2: Inputs
    layers: tuple[Layer, ...]
    symmetric: bool

    @property
    def height(self) -> int:
        one, two = (x.values if isinstance(x, Ragged) else x for x in (self.x1, self.x2))
        sites, others = (math.prod(x.shape[1:-1]) for x in (one, two))
        entries = sites if compares_equal_sites(self.layers) else sites * others
        if entries == 1:
            return rows_in_cache(one)
        return max(1, math.isqrt(SITES // (10 * one.element_size() * entries)))  # some ten arrays at a time

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        second = None if self.symmetric and rows == columns else self.x2[columns]
        k = Kernel.of(self.x1[rows], second, paired=compares_equal_sites(self.layers))
        for layer in self.layers:
            k = layer.kernel(k)
        return k.nngp, k.ntk if both else None

    def sliced(self, rows: slice, columns: slice) -> LayerPlan:
        return replace(self, x1=self.x1[rows], x2=self.x2[columns], symmetric=self.symmetric and rows == columns)

    def signature(self) -> object:
        k = Kernel.of(self.x1[:1], paired=compares_equal_sites(self.layers))
        for layer in self.layers:
            k = layer.kernel(k)
        return float(k.nngp), float(k.ntk)
