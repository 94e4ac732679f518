"""The three rules on a strip of pixel pairs, in place.

A convolution takes the pair of pixels (i, j) to the pairs (i + a, j + a): the offset j − i never changes. So pairs
whose rows differ by one and the same number go through the whole depth on their own, small enough for the cache. A
strip holds them for some pairs of images: pixel (r, c) of the one with pixel ((r + shift) mod h, c') of the other,
[pairs, h, w, w], or [h, w, w, pairs] where the images are so small that this makes the longer rows. Where the network
compares like with like only, it is [h, w, n, m], for all pairs of two lists, and the shift is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ntk_teach.gram.steps import Affine, arc_cosine
from ntk_teach.gram.tile import Tile
from ntk_teach.kernel import Dual

__all__ = ["ArcCosineStrip", "Box", "DualStrip", "Part", "Pixels", "ResidualStrip", "Scaled", "Strip", "StripStep"]


Move = tuple[int, int, int]
Part = slice | Tensor  # images


@dataclass(kw_only=True)
class Strip(Tile):
    """A tile of pixel pairs; its ``rows`` and ``columns`` are the pairs of images.

    Args:
        kernels: what ``nngp`` and ``ntk`` are views of, so that a linear map takes both at once. [1 or 2, *shape]
        spare: as large as ``kernels``; ``room`` begins with it.
        shift: by how many rows the second pixel lies below the first, modulo the height.
        paired: are both pixels the same? Then there is one axis of columns.
        pairs_last: is the last axis that of the pairs of images, not the first?
        fresh: has no parameter been met yet? Then Θ is 0.
    """

    kernels: Tensor
    spare: Tensor
    shift: int
    paired: bool
    pairs_last: bool
    fresh: bool = True

    @classmethod
    def within(cls, arrays: Tensor, both: bool, shape: tuple[int, ...], **of: Any) -> Strip:
        """A strip in these arrays, [5, at least as many as ``shape`` holds]; four of them do for Σ alone."""
        views = arrays[:, : math.prod(shape)].view(len(arrays), *shape)
        kernels, spare = (views[:2], views[2:4]) if both else (views[:1], views[1:2])
        none = slice(0)
        room = list(views[len(kernels) :])
        return cls(none, none, views[0], views[1].zero_() if both else None, room, kernels=kernels, spare=spare, **of)

    def sides(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers at pixels, laid out as the strip with one column axis and the second with its rows twice below
        themselves, so that they broadcast."""
        rows, columns = (0, 1) if self.pairs_last else (1, 2)
        two = right.narrow(rows, self.shift, left.shape[rows])
        if self.paired:
            return left[..., None], two[..., None, :]
        return left.unsqueeze(columns + 1), two.unsqueeze(columns)

    def coincident(self, values: Tensor) -> Tensor:
        """Those of pixels with themselves, a view, where the strip has them: [h, w, n or pairs] or [pairs, h, w]."""
        if self.paired:
            return values.diagonal(dim1=2, dim2=3)
        return values.diagonal(dim1=1, dim2=2).transpose(1, 2) if self.pairs_last else values.diagonal(dim1=2, dim2=3)


def cut(values: Tensor, part: Part, pairs_last: bool) -> Tensor:
    """Numbers at the pixels of some images, out of [h, w, n]; for a strip with pairs first, [pairs, h, w]."""
    found = values[..., part] if isinstance(part, slice) else values.index_select(-1, part)
    return found if pairs_last else found.movedim(-1, 0).contiguous()


@runtime_checkable
class StripStep(Protocol):
    """One or two layers, for all images that the plan covers."""

    def on(self, strip: Strip) -> None:
        """Carry the strip through, in place."""
        ...

    def sliced(self, rows: Part, columns: Part, pairs_last: bool = True) -> StripStep:
        """The step for some images only. The tables of a plan are [h, w, n]; those of a strip lie as the strip does."""
        ...


@dataclass(frozen=True)
class Pixels:
    """Σ(x, x') of the raw pixels: products, channel by channel, of x/c and x'."""

    left: tuple[Tensor, ...]
    right: tuple[Tensor, ...]

    def on(self, strip: Strip) -> None:
        for channel, (left, right) in enumerate(zip(self.left, self.right, strict=True)):
            one, two = strip.sides(left, right)
            if channel:
                strip.nngp.addcmul_(one, two)
            else:
                torch.mul(one, two, out=strip.nngp)

    def sliced(self, rows: Part, columns: Part, pairs_last: bool = True) -> Pixels:
        left = tuple(cut(values, rows, pairs_last) for values in self.left)
        return Pixels(left, tuple(cut(values, columns, pairs_last) for values in self.right))


@dataclass(frozen=True)
class Box:
    """The sum over a window of q × q offsets, the same for both pixels; stride 1."""

    window: int
    circular: bool

    def on(self, strip: Strip) -> None:
        cov, spare = (strip.kernels[:1], strip.spare[:1]) if strip.fresh else (strip.kernels, strip.spare)
        rows = 1 if strip.pairs_last else 2
        seams = () if self.circular else tuple(sorted({0, cov.shape[rows] - strip.shift}))
        columns = (rows + 1,) if strip.paired else (rows + 1, rows + 2)
        self._slid(cov, spare, (rows,), seams)
        self._slid(spare, cov, columns, () if self.circular else (0,))

    def _slid(self, cov: Tensor, out: Tensor, axes: tuple[int, ...], seams: Sequence[int]) -> None:
        """out[i] = Σ_a cov[i + a], on all axes at once. Pieces between seams do not see each other; without seams the
        ends are joined."""
        size = cov.shape[axes[0]]
        out.copy_(cov)
        for a in range(-((self.window - 1) // 2), self.window // 2 + 1):
            if a:
                for moves in (
                    product(_moves(a % size, size), repeat=len(axes)) if not seams else _within(a, seams, size)
                ):
                    into, what = out, cov
                    for axis, (target, source, length) in zip(axes, moves, strict=False):
                        into, what = into.narrow(axis, target, length), what.narrow(axis, source, length)
                    into.add_(what)


def _moves(a: int, size: int) -> list[Move]:
    """Pieces (target, source, length) of a step by a around a circle."""
    return [(0, a, size - a), (size - a, 0, a)] if a else [(0, 0, size)]


def _within(a: int, seams: Sequence[int], size: int) -> list[tuple[Move, Move]]:
    """Pieces of a step by a that stay between two seams, the same on two axes."""
    pieces = [(low, high) for low, high in pairwise([*seams, size]) if high - low > abs(a)]
    moves = [(low + max(-a, 0), low + max(a, 0), high - low - abs(a)) for low, high in pieces]
    return [(move, move) for move in moves]


@dataclass(frozen=True)
class Scaled:
    """Rule 1: the box of a convolution, if there is one, and the scales and biases of ``Affine``."""

    affine: Affine
    box: Box | None = None

    def on(self, strip: Strip) -> None:
        if self.box is not None:
            self.box.on(strip)
        self.affine.on(strip)
        strip.fresh = False

    def sliced(self, rows: Part, columns: Part, pairs_last: bool = True) -> Scaled:
        return self


@dataclass(frozen=True)
class ArcCosineStrip:
    """Rule 2 for a kinked activation and the linear layer behind it, as ``ArcCosineStep``.

    ``left`` and ``right`` hold −(1 + 8ε)/√v₁ and w p √v₁, 1/√v₂ and √v₂. The factor 1 + 8ε makes a correlation that
    rounding alone keeps from ±1 exactly that, once it is clamped.
    """

    p: float
    q: float
    linear: Scaled
    left: tuple[Tensor, Tensor]
    right: tuple[Tensor, Tensor]

    def on(self, strip: Strip) -> None:
        cosine = strip.room[0]
        inverse, other_inverse = strip.sides(self.left[0], self.right[0])
        torch.mul(strip.nngp, inverse, out=cosine)
        cosine.mul_(other_inverse).clamp_(-1, 1)
        if strip.own and strip.shift == 0:
            same = strip.coincident(cosine)
            same.copy_(torch.where(same < 0, -1.0, 0.0))  # a pixel with itself: ρ = 1, or 0 if it never varies
        arc_cosine(strip, self.p, self.q, self.linear.affine.w, *strip.sides(self.left[1], self.right[1]))
        if self.linear.box is not None:
            self.linear.box.on(strip)
        self.linear.affine.finish(strip, self.linear.affine.w * self.p)

    def sliced(self, rows: Part, columns: Part, pairs_last: bool = True) -> ArcCosineStrip:
        (one, scale), (two, other) = self.left, self.right
        left = cut(one, rows, pairs_last), cut(scale, rows, pairs_last)
        return replace(self, left=left, right=(cut(two, columns, pairs_last), cut(other, columns, pairs_last)))


@dataclass(frozen=True)
class DualStrip:
    """Rule 2 by the activation's own dual, and by its ``moments`` where a pixel meets itself."""

    dual: Callable[[Tensor, Tensor, Tensor], Dual]
    moments: Callable[[Tensor], Dual]
    left: Tensor
    right: Tensor

    def on(self, strip: Strip) -> None:
        one, two = strip.sides(self.left, self.right)
        value, slope = self.dual(strip.nngp, one, two)
        if strip.own and strip.shift == 0:
            exact = self.moments(self.left)
            for found, right in zip((value, slope), exact, strict=True):
                strip.coincident(found).copy_(right)
        strip.nngp.copy_(value)
        if strip.ntk is not None:
            strip.ntk.mul_(slope)

    def sliced(self, rows: Part, columns: Part, pairs_last: bool = True) -> DualStrip:
        return replace(self, left=cut(self.left, rows, pairs_last), right=cut(self.right, columns, pairs_last))


@dataclass(frozen=True)
class ResidualStrip:
    """Σ ← Σ + Σ_branch,  Θ ← Θ + Θ_branch."""

    branch: tuple[StripStep, ...]

    def on(self, strip: Strip) -> None:
        nngp, ntk = strip.nngp.clone(), None if strip.ntk is None else strip.ntk.clone()
        for step in self.branch:
            step.on(strip)
        strip.nngp.add_(nngp)
        if strip.ntk is not None and ntk is not None:
            strip.ntk.add_(ntk)

    def sliced(self, rows: Part, columns: Part, pairs_last: bool = True) -> ResidualStrip:
        return ResidualStrip(tuple(step.sliced(rows, columns, pairs_last) for step in self.branch))
