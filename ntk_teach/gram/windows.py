"""Sums over the window of a convolution, the same for both pixels of a pair: as views that add to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product

import torch
from torch import Tensor

__all__ = ["Box", "Sum", "carry_out"]

Move = tuple[int, int, int]  # to where, from where, how many
Sum = tuple[Tensor, Tensor, Tensor | None]  # views: into the first, the second and, if it is there, the third


@dataclass(frozen=True)
class Box:
    """The sum over a window of q × q offsets, the same for both pixels; stride 1."""

    window: int
    circular: bool

    def sums(self, cov: Tensor, spare: Tensor, rows: int, columns: tuple[int, ...], shift: int = 0) -> list[Sum]:
        """All that makes the sum over the window along these axes, in place, with room for another one."""
        seams = () if self.circular else tuple(sorted({0, cov.shape[rows] - shift}))
        across = self._slid(spare, cov, columns, () if self.circular else (0,))
        return [*self._slid(cov, spare, (rows,), seams), *across]

    def total(self, values: Tensor) -> Tensor:
        """The sum at the pixels of single images, [w, h, n]."""
        across, along = (
            _band(self.window, self.circular, size, values.dtype, values.device) for size in values.shape[:2]
        )
        return torch.matmul(along, (across @ values.flatten(1)).view(values.shape))

    def _slid(self, cov: Tensor, out: Tensor, axes: tuple[int, ...], seams: tuple[int, ...]) -> Iterator[Sum]:
        """out[i] = Σ_a cov[i + a], on all axes at once. Pieces between seams do not see each other; without seams the
        ends are joined."""
        size = cov.shape[axes[0]]
        moves = [*_moves(self.window, seams, size, len(axes))]
        if len(axes) == 1 and moves:  # the first sum with the copy of what it adds to
            (axis,), ((target, source, length),) = axes, moves.pop(0)
            yield out.narrow(axis, target, length), cov.narrow(axis, target, length), cov.narrow(axis, source, length)
            for start, end in ((0, target), (target + length, size)):
                if start < end:
                    yield out.narrow(axis, start, end - start), cov.narrow(axis, start, end - start), None
        else:
            yield out, cov, None
        for move in moves:
            into, what = out, cov
            for axis, (target, source, length) in zip(axes, move, strict=True):
                into, what = into.narrow(axis, target, length), what.narrow(axis, source, length)
            yield into, into, what


def carry_out(sums: list[Sum]) -> None:
    for into, one, two in sums:
        into.copy_(one) if two is None else torch.add(one, two, out=into)


@lru_cache(maxsize=1024)
def _moves(window: int, seams: tuple[int, ...], size: int, axes: int) -> list[tuple[Move, ...]]:
    """All that a sum over a window adds to the middle, as moves along each of the axes, the longest first."""
    offsets = [a for a in range(-((window - 1) // 2), window // 2 + 1) if a]
    if not seams:
        found = [moves for a in offsets for moves in product(_around(a % size, size), repeat=axes)]
    else:
        pieces = [(low, high, a) for a in offsets for low, high in pairwise([*seams, size]) if high - low > abs(a)]
        found = [((low + max(-a, 0), low + max(a, 0), high - low - abs(a)),) * axes for low, high, a in pieces]
    return sorted(found, key=lambda moves: -moves[0][2])


@lru_cache(maxsize=64)
def _band(window: int, circular: bool, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix of a sum over a window along one axis: 1 where the sum at i takes in j."""
    band = torch.eye(size, dtype=dtype, device=device)
    for ((target, source, length),) in _moves(window, () if circular else (0,), size, 1):
        band[target : target + length].add_(torch.eye(size, dtype=dtype, device=device)[source : source + length])
    return band


def _around(a: int, size: int) -> list[Move]:
    """A step by a around a circle."""
    return [(0, a, size - a), (size - a, 0, a)] if a else [(0, 0, size)]
