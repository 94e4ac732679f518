"""The three rules on one tile, in place: the same algebra as ``layers``, written for the cache.

A tile is a block of pairs small enough that all its intermediate results stay near the processor while it goes
through the whole depth. Each step holds what its rows and its columns need, computed once for all tiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ntk_teach.duals import ArcCosine
from ntk_teach.gram.tile import Tile
from ntk_teach.inner_products import nearly_collinear
from ntk_teach.kernel import Dual
from ntk_teach.layers import Conv2d, Dense

__all__ = [
    "Affine",
    "ArcCosineStep",
    "ArcSineStep",
    "DualStep",
    "ResidualStep",
    "SeriesStep",
    "Step",
    "Sides",
    "arc_cosine",
    "bent",
    "reciprocal",
    "roots",
]

Sides = tuple[Tensor, ...]
STILL = 1e3  # √(v₁v₂) of a unit that never moves, over the least root: the other one's root is hardly larger than this


@runtime_checkable
class Step(Protocol):
    """One or two layers of a plan, for all rows (``left``) and columns (``right``) that the plan covers."""

    def on(self, tile: Tile) -> None:
        """Carry the tile through, in place."""
        ...

    def sliced(self, rows: slice, columns: slice) -> Step:
        """The step for some rows and columns only, to be sent elsewhere."""
        ...


def _cut(sides: Sides, part: slice | Tensor) -> Sides:
    return tuple(side[part] for side in sides)


@dataclass(frozen=True)
class Affine:
    """Rule 1 with  LΣ = w Σ:  Σ ← w Σ + b,  Θ ← w Θ + η_w w Σ + η_b b."""

    w: float = 1.0
    b: float = 0.0
    eta_w: float = 0.0
    eta_b: float = 0.0

    @classmethod
    def of(cls, layer: Dense | Conv2d) -> Affine:
        """The scales of a random layer; of a convolution with the sum over its window left out."""
        w = layer.sigma_w**2 / (layer.window**2 if isinstance(layer, Conv2d) else 1)
        return cls(w, layer.sigma_b**2, layer.eta_w * layer.trained, layer.eta_b * layer.trained)

    def on(self, tile: Tile) -> None:
        if self.w != 1:
            tile.nngp.mul_(self.w)
        self.finish(tile, self.w)

    def finish(self, tile: Tile, scale: float) -> None:
        """The rest, where ``nngp`` holds w Σ already and ``ntk`` is still to be multiplied by ``scale``."""
        nngp, ntk = tile.nngp, tile.ntk
        if self.eta_w == self.eta_b == 1:
            if self.b:
                nngp.add_(self.b)
            if ntk is not None:
                torch.add(nngp, ntk, alpha=scale, out=ntk)
            return
        if ntk is not None:
            if scale != 1:
                ntk.mul_(scale)
            if self.eta_w:
                ntk.add_(nngp, alpha=self.eta_w)
            if self.eta_b * self.b:
                ntk.add_(self.eta_b * self.b)
        if self.b:
            nngp.add_(self.b)

    def sliced(self, rows: slice, columns: slice) -> Affine:
        return self


def bent(dual: ArcCosine) -> tuple[float, float]:
    """p and q of the arc-cosine rule: the kinked and the straight part of the activation."""
    straight, kinked = (dual.positive + dual.negative) / 2, (dual.positive - dual.negative) / 2
    return 2 * kinked**2 / math.pi, straight**2 - kinked**2


def reciprocal(x: Tensor) -> Tensor:
    """1/x, and 0 where x is 0: a unit that never moves has correlation 0 with every other."""
    return torch.where(x > 0, 1 / torch.where(x > 0, x, 1), 0)


def roots(variances: Tensor, dtype: torch.dtype) -> Tensor:
    """√v, and a number far below all others where v is 0: a unit that never moves has correlation 0/√v = 0 with every
    other. The product of two of them is still a normal number."""
    return variances.sqrt().to(dtype).clamp_(min=_least(dtype))


def _least(dtype: torch.dtype) -> float:
    return math.sqrt(torch.finfo(dtype).tiny)


def arc_cosine(tile: Tile, ratio: float, scale: float, still: bool, exactly: float = 1.0) -> None:
    """Σ ← s (√(v₁v₂) sin θ̄ + Σ (θ̄ + r)),  Θ ← Θ (θ̄ + r),  where θ̄ = arccos(−ρ).

    The first room holds −ρ, the second −√(v₁v₂)/``exactly``; ``still`` says that some variance is 0, see ``roots``.
    """
    nngp, ntk, (cosine, root, angle) = tile.nngp, tile.ntk, tile.room
    zero, one = _numbers(cosine.dtype, cosine.device)
    torch.acos(cosine, out=angle)
    if ratio:
        angle.add_(ratio)
    if ntk is not None:
        ntk.mul_(angle)
    torch.addcmul(zero, nngp, angle, value=scale, out=nngp)
    # Of torch's roots this one is the processor's own: sqrt may go through a library, rsqrt divides in addition.
    torch.addcmul(one, cosine, cosine, value=-1, out=cosine).pow_(0.5)
    nngp.addcmul_(root, cosine, value=-scale * exactly)
    if still:
        nngp.masked_fill_(root > -STILL * _least(root.dtype), 0)


@cache
def _numbers(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.zeros((), dtype=dtype, device=device), torch.ones((), dtype=dtype, device=device)


@dataclass(frozen=True)
class ArcCosineStep:
    """Rule 2 for φ(u) = a·min(u, 0) + b·max(u, 0), and the linear map behind it.

    With θ̄ = arccos(−ρ):  value = √(v₁v₂) (p (sin θ̄ + ρ θ̄) + q ρ),  slope = p θ̄ + q  (Cho & Saul 2009).
    ``left`` is −√v₁, ``right`` √v₂.
    """

    p: float
    q: float
    affine: Affine
    first: bool  # no kink has been met before: here collinear pairs are noticed
    still: bool  # some variance is 0
    left: Tensor
    right: Tensor

    def on(self, tile: Tile) -> None:
        cosine, root = tile.room[:2]
        torch.mul(self.left[tile.rows, None], self.right[tile.columns], out=root)
        torch.div(tile.nngp, root, out=cosine)  # −ρ
        if tile.own:
            cosine.fill_diagonal_(0)
        if tile.careful:
            eps = torch.finfo(cosine.dtype).eps
            cosine.copy_(torch.where(cosine.abs() > 1 - 8 * eps, cosine.sign(), cosine))
        elif self.first:
            low, high = torch.aminmax(cosine)
            if max(-float(low), float(high)) > nearly_collinear(cosine.dtype):
                tile.collinear = True
                return
        else:
            cosine.clamp_(-1, 1)
        scale = self.affine.w * self.p
        arc_cosine(tile, self.q / self.p, scale, self.still)
        self.affine.finish(tile, scale)

    def sliced(self, rows: slice, columns: slice) -> ArcCosineStep:
        return replace(self, left=self.left[rows], right=self.right[columns])


@dataclass(frozen=True)
class ArcSineStep:
    """Rule 2 for φ(u) = a·erf(b u) + c, and the linear map behind it.

    With z = 2b²Σ g₁ g₂ and g = 1/√(1 + 2b²v):  value = (2a²/π) arcsin z + c²,
    slope = (4a²b²/π) g₁ g₂ /√(1 − z²)  (Williams 1996).  ``left`` is (2b² g₁, g₁), ``right`` (g₂,).
    """

    a: float
    b: float
    c: float
    affine: Affine
    left: Sides
    right: Sides

    def on(self, tile: Tile) -> None:
        nngp, ntk, (sine, root, _) = tile.nngp, tile.ntk, tile.room
        left, right = _cut(self.left, tile.rows), _cut(self.right, tile.columns)
        torch.mul(nngp, left[0][:, None], out=sine)
        sine.mul_(right[0])
        if ntk is not None:
            torch.addcmul(sine.new_ones(()), sine, sine, value=-1, out=root)
            root.rsqrt_().mul_(left[1][:, None]).mul_(right[0])
            ntk.mul_(root)
        torch.asin(sine, out=nngp)
        nngp.mul_(2 * self.a**2 / math.pi * self.affine.w)
        if self.c:
            nngp.add_(self.c**2 * self.affine.w)
        self.affine.finish(tile, 4 * self.a**2 * self.b**2 / math.pi * self.affine.w)

    def sliced(self, rows: slice, columns: slice) -> ArcSineStep:
        return replace(self, left=_cut(self.left, rows), right=_cut(self.right, columns))


@dataclass(frozen=True)
class SeriesStep:
    """Rule 2 by a Hermite series. With b_k the coefficients of φ̇, d_k = b_k/√(k + 1) and Q(ρ) = Σ_k d_k d'_k ρ^k:

    value = a_0 a'_0 + √(v₁v₂) ρ Q(ρ),  slope = Σ_k b_k b'_k ρ^k = d/dρ (ρ Q(ρ)),  both by one Horner's rule.

    ``parity`` 1 (odd φ) or 0 (even φ) says that half of the coefficients vanish: ``d`` then holds the others, of a
    series in ρ². ``left`` and ``right`` are (1/√v, √v, a_0, d [n, terms]); ``weights`` [terms] bound d_k d'_k relative
    to the sum, so that a tile takes no more terms than its largest |ρ| needs for ``tolerance``.
    """

    parity: int | None
    weights: Tensor
    tolerance: float
    left: Sides
    right: Sides

    def on(self, tile: Tile) -> None:
        rho, q, slope = tile.room
        left, right = _cut(self.left, tile.rows), _cut(self.right, tile.columns)
        torch.mul(tile.nngp, left[0][:, None], out=rho)
        rho.mul_(right[0]).clamp_(-1, 1)
        y = rho if self.parity is None else tile.nngp.copy_(rho).square_()
        wanted = tile.ntk is not None
        self._horner(left[3], right[3], y, q, slope if wanted else None)
        if tile.ntk is not None:
            # d/dρ of ρ Q(ρ), of ρ Q(ρ²) and of ρ² Q(ρ²); here ``slope`` holds Q'
            if self.parity is None:
                torch.addcmul(q, slope, rho, out=slope)
            else:
                torch.addcmul(q, slope, y, value=2 if self.parity else 1, out=slope)
                if self.parity == 0:
                    slope.mul_(rho).mul_(2)
            tile.ntk.mul_(slope)
        torch.mul(q, y if self.parity == 0 else rho, out=tile.nngp)
        tile.nngp.mul_(left[1][:, None]).mul_(right[1]).addr_(left[2], right[2])

    def _horner(self, first: Tensor, second: Tensor, y: Tensor, q: Tensor, derivative: Tensor | None) -> None:
        """q = Σ_k d_k d'_k y^k, and its derivative in y."""
        terms = self._terms(max(map(abs, map(float, torch.aminmax(y)))))
        torch.outer(first[:, terms - 1], second[:, terms - 1], out=q)
        if derivative is not None:
            derivative.zero_()
        for k in range(terms - 2, -1, -1):
            if derivative is not None:
                torch.addcmul(q, derivative, y, out=derivative)
            q.mul_(y).addr_(first[:, k], second[:, k])

    def _terms(self, largest: float) -> int:
        """How many are needed where |y| is at most this."""
        powers = largest ** torch.arange(len(self.weights), dtype=torch.float64)
        left_out = (self.weights * powers).flip(0).cumsum(0).flip(0)  # by stopping before the term k
        return max(1, int((left_out > self.tolerance).sum()))

    def sliced(self, rows: slice, columns: slice) -> SeriesStep:
        return replace(self, left=_cut(self.left, rows), right=_cut(self.right, columns))


@dataclass(frozen=True)
class DualStep:
    """Rule 2 by the activation's own dual. ``left`` is (v₁,), ``right`` (v₂,)."""

    dual: Callable[[Tensor, Tensor, Tensor], Dual]
    left: Sides
    right: Sides

    def on(self, tile: Tile) -> None:
        value, slope = self.dual(tile.nngp, self.left[0][tile.rows, None], self.right[0][tile.columns])
        tile.nngp.copy_(value)
        if tile.ntk is not None:
            tile.ntk.mul_(slope)

    def sliced(self, rows: slice, columns: slice) -> DualStep:
        return replace(self, left=_cut(self.left, rows), right=_cut(self.right, columns))


@dataclass(frozen=True)
class ResidualStep:
    """Σ ← Σ + Σ_branch,  Θ ← Θ + Θ_branch."""

    branch: tuple[Step, ...]

    def on(self, tile: Tile) -> None:
        nngp, ntk = tile.nngp.clone(), None if tile.ntk is None else tile.ntk.clone()
        for step in self.branch:
            step.on(tile)
            if tile.collinear:
                return
        tile.nngp.add_(nngp)
        if tile.ntk is not None and ntk is not None:
            tile.ntk.add_(ntk)

    def sliced(self, rows: slice, columns: slice) -> ResidualStep:
        return ResidualStep(tuple(step.sliced(rows, columns) for step in self.branch))
