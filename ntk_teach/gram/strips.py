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
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ntk_teach.duals import ArcCosine
from ntk_teach.gram.steps import Affine, arc_cosine, bent
from ntk_teach.gram.tile import Tile
from ntk_teach.gram.windows import Box, Sum, carry_out
from ntk_teach.kernel import Dual

__all__ = [
    "ArcCosineStrip",
    "DualStrip",
    "Part",
    "Pixels",
    "ResidualStrip",
    "Scaled",
    "Strip",
    "StripStep",
    "Turns",
]


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

    def sum_over(self, box: Box) -> None:
        """Σ and, once a parameter has been met, Θ."""
        if (box, self.fresh) not in self.sums:
            rows, columns = (2, (1,)) if self.paired else (3, (1, 2))
            cov, spare = (self.kernels[:1], self.spare[:1]) if self.fresh else (self.kernels, self.spare)
            self.sums[box, self.fresh] = box.sums(cov, spare, rows, columns, self.shift)
        carry_out(self.sums[box, self.fresh])

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
class Scaled:
    """Rule 1: the box of a convolution, if there is one, and the scales and biases of ``Affine``."""

    affine: Affine
    box: Box | None = None

    def on(self, strip: Strip) -> None:
        if self.box is not None:
            strip.sum_over(self.box)
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
            strip.sum_over(self.linear.box)
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
