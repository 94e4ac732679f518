"""The three rules on a strip of pixel pairs, in place.

A convolution takes the pair of pixels (i, j) to the pairs (i + a, j + a): the offset j − i never changes. So pairs
whose rows differ by one and the same number go through the whole depth on their own, small enough for the cache. A
strip holds them for some pairs of images: pixel (r, c) of the one with pixel ((r + shift) mod h, c') of the other,
[w, w, h, pairs], an order in which all that follows goes along the memory. Where the network compares like with like
only, the shift is 0 and a strip is [w, h, n, m] for all pairs of two lists, or [w, h, turns, n] for a list with itself:
image i with image i + d, around the circle, for some turns d.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ntk_teach.duals import ArcCosine
from ntk_teach.gram.steps import Affine, arc_cosine, bent
from ntk_teach.gram.tile import Tile
from ntk_teach.kernel import Dual

__all__ = [
    "ArcCosineStrip",
    "Box",
    "DualStrip",
    "Part",
    "Pixels",
    "ResidualStrip",
    "Scaled",
    "Strip",
    "StripStep",
    "Turns",
]

Move = tuple[int, int, int]  # to where, from where, how many
Sum = tuple[Tensor, Tensor, Tensor | None]  # views: into the first, the second and, if it is there, the third


@dataclass(frozen=True)
class Turns:
    """Images on a circle, which is turned by one, time and again: nothing is copied for it but the circle."""

    images: slice
    first: int = 0
    count: int = 1

    def of(self, values: Tensor) -> Tensor:
        """Out of numbers at the pixels of all images, [w, h, n]. [w, h, count, images]"""
        if (self.first, self.count) == (0, 1):
            return values[..., None, self.images]
        some = values[..., self.images]
        return torch.cat([some, some], -1).unfold(-1, some.shape[-1], 1).narrow(-2, self.first, self.count)


Part = slice | Tensor | Turns  # images


@dataclass(kw_only=True)
class Strip(Tile):
    """A tile of pixel pairs; its ``rows`` and ``columns`` are the pairs of images.

    Args:
        kernels: what ``nngp`` and ``ntk`` are views of, so that a linear map takes both at once. [1 or 2, *shape]
        spare: as large as ``kernels``; ``room`` begins with it.
        shift: by how many rows the second pixel lies below the first, modulo the height.
        paired: are both pixels the same? Then there is one axis of columns.
        crossed: are the images all pairs of two lists?
        same: so many of the pairs, the first ones, are an image with itself.
        fresh: has no parameter been met yet? Then Θ is 0.
        sums: of the windows met so far; their views are the same in each layer.
    """

    kernels: Tensor
    spare: Tensor
    shift: int
    paired: bool
    crossed: bool = False
    same: int = 0
    fresh: bool = True
    sums: dict[tuple[Box, bool], list[Sum]] = field(default_factory=dict)

    @classmethod
    def within(cls, arrays: Tensor, both: bool, shape: tuple[int, ...], **of: Any) -> Strip:
        """A strip in these arrays, [5, at least as many as ``shape`` holds]; four of them do for Σ alone."""
        views, many = arrays[:, : math.prod(shape)].view(len(arrays), *shape), 1 + both
        kernels, spare = views.narrow(0, 0, many), views.narrow(0, many, many)
        none, (nngp, *others) = slice(0), views.unbind()
        ntk = others.pop(0).zero_() if both else None
        return cls(none, none, nngp, ntk, others, kernels=kernels, spare=spare, **of)

    def sides(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers at the pixels of the first images, [w, h, n], and of the second ones, [w, h, m], or with their rows
        twice below themselves, [w, 2h, m], so that they broadcast to a strip."""
        if self.paired:
            return (left[..., None], right[..., None, :]) if self.crossed else (left, right)
        return left[:, None], right.narrow(1, self.shift, left.shape[1])

    def coincident(self, values: Tensor) -> Tensor:
        """Those of pixels with themselves, a view: [w, h, same], with an axis of one turn before the last if paired."""
        if self.paired:
            return values.narrow(-2, 0, 1)
        return values.narrow(-1, 0, self.same).diagonal(dim1=0, dim2=1).movedim(-1, 0)


def cut(values: Tensor, part: Part) -> Tensor:
    """Numbers at the pixels of some images, out of [w, h, n]."""
    if isinstance(part, Turns):
        return part.of(values)
    return values[..., part] if isinstance(part, slice) else values.index_select(-1, part)


@runtime_checkable
class StripStep(Protocol):
    """One or two layers, for all images that the plan covers."""

    def on(self, strip: Strip) -> None:
        """Carry the strip through, in place."""
        ...

    def sliced(self, rows: Part, columns: Part) -> StripStep:
        """The step for some images only."""
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

    def sliced(self, rows: Part, columns: Part) -> Pixels:
        left = tuple(cut(values, rows) for values in self.left)
        return Pixels(left, tuple(cut(values, columns) for values in self.right))


@dataclass(frozen=True)
class Box:
    """The sum over a window of q × q offsets, the same for both pixels; stride 1."""

    window: int
    circular: bool

    def on(self, strip: Strip) -> None:
        if (self, strip.fresh) not in strip.sums:
            rows, columns = (2, (1,)) if strip.paired else (3, (1, 2))
            cov, spare = (strip.kernels[:1], strip.spare[:1]) if strip.fresh else (strip.kernels, strip.spare)
            strip.sums[self, strip.fresh] = self._sums(cov, spare, rows, columns, strip.shift)
        _carry_out(strip.sums[self, strip.fresh])

    def _sums(self, cov: Tensor, spare: Tensor, rows: int, columns: tuple[int, ...], shift: int = 0) -> list[Sum]:
        """All that makes the sum over the window along these axes, in place, with room for another one."""
        seams = () if self.circular else tuple(sorted({0, cov.shape[rows] - shift}))
        across = self.slid(spare, cov, columns, () if self.circular else (0,))
        return [*self.slid(cov, spare, (rows,), seams), *across]

    def total(self, values: Tensor) -> Tensor:
        """The sum at the pixels of single images, [w, h, n]."""
        across, along = (_band(self, size, values.dtype, values.device) for size in values.shape[:2])
        return torch.matmul(along, (across @ values.flatten(1)).view(values.shape))

    def slid(self, cov: Tensor, out: Tensor, axes: tuple[int, ...], seams: tuple[int, ...]) -> Iterator[Sum]:
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


def _carry_out(sums: list[Sum]) -> None:
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
def _band(box: Box, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix of a sum over a window along one axis, 1 where the sum at i takes in j: all moves of the identity."""
    eye = torch.eye(size, dtype=dtype, device=device)
    out = torch.empty_like(eye)
    _carry_out([*box.slid(eye, out, (0,), () if box.circular else (0,))])
    return out


def _around(a: int, size: int) -> list[Move]:
    """A step by a around a circle."""
    return [(0, a, size - a), (size - a, 0, a)] if a else [(0, 0, size)]


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

    def variance(self, before: Tensor) -> Tensor:
        """Σ(x, x) at each pixel behind the layer. [w, h, n]"""
        found = self.affine.w * before
        if self.box is not None:
            found = self.box.total(found)
        return found.add_(self.affine.b) if self.affine.b else found

    def sliced(self, rows: Part, columns: Part) -> Scaled:
        return self


@dataclass(frozen=True)
class ArcCosineStrip:
    """Rule 2 for a kinked activation and the linear layer behind it, as ``ArcCosineStep``.

    ``left`` and ``right`` hold −√v₁/(1 + 8ε) and √v₂. The factor 1 + 8ε makes a correlation that rounding alone keeps
    from ±1 exactly that, once it is clamped.
    """

    p: float
    q: float
    linear: Scaled
    still: bool
    left: Tensor
    right: Tensor

    @classmethod
    def of(cls, dual: ArcCosine, linear: Scaled, still: bool, one: Tensor, two: Tensor) -> ArcCosineStrip:
        """From the roots of the variances of both sides; ``still`` says that some are 0."""
        return cls(*bent(dual), linear, still, one / -_exactly(one.dtype), two)

    def on(self, strip: Strip) -> None:
        cosine, root = strip.room[:2]
        torch.mul(*strip.sides(self.left, self.right), out=root)
        torch.div(strip.nngp, root, out=cosine).clamp_(-1, 1)
        if strip.same and strip.shift == 0:
            equal = strip.coincident(cosine)  # a pixel with itself: ρ = 1, or 0 if it never varies
            equal.copy_(torch.where(equal < 0, -1.0, 0.0)) if self.still else equal.fill_(-1)
        scale = self.linear.affine.w * self.p
        arc_cosine(strip, self.q / self.p, scale, self.still, _exactly(cosine.dtype))
        if self.linear.box is not None:
            self.linear.box.on(strip)
        self.linear.affine.finish(strip, scale)

    def sliced(self, rows: Part, columns: Part) -> ArcCosineStrip:
        left, right = cut(self.left, rows), cut(self.right, columns)
        return ArcCosineStrip(self.p, self.q, self.linear, self.still, left, right)


def _exactly(dtype: torch.dtype) -> float:
    return 1 + 8 * torch.finfo(dtype).eps


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
        if strip.same and strip.shift == 0:
            exact = self.moments(self.left.narrow(-1, 0, strip.same))
            for found, right in zip((value, slope), exact, strict=True):
                strip.coincident(found).copy_(right)
        strip.nngp.copy_(value)
        if strip.ntk is not None:
            strip.ntk.mul_(slope)

    def sliced(self, rows: Part, columns: Part) -> DualStrip:
        return replace(self, left=cut(self.left, rows), right=cut(self.right, columns))


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

    def sliced(self, rows: Part, columns: Part) -> ResidualStrip:
        return ResidualStrip(tuple(step.sliced(rows, columns) for step in self.branch))
