"""From layers to a plan: what can be computed once for all pairs is computed here, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.duals import ArcCosine, ArcSine, HermiteDual, PolynomialDual
from ntk_teach.errors import NTKError
from ntk_teach.gram.convolution_builder import convolution_plan
from ntk_teach.gram.gpu import fused_convolution_plan
from ntk_teach.gram.graphs import GraphPlan
from ntk_teach.gram.one_dimensional import sphere_plan
from ntk_teach.gram.plan import FusedPlan, LayerPlan, Plan
from ntk_teach.gram.steps import (
    Affine,
    ArcCosineStep,
    ArcSineStep,
    DualStep,
    ResidualStep,
    SeriesStep,
    Sides,
    Step,
    bent,
    reciprocal,
    roots,
)
from ntk_teach.inputs import Inputs
from ntk_teach.layers import Dense, Layer, Residual
from ntk_teach.layers.layer import described_fault
from ntk_teach.ragged import Ragged

__all__ = ["plan_of"]

# What the polynomial of ``one_dimensional`` costs in the units of ``_price``: measured, 20 ns to 2 ns a pair.
POLYNOMIAL = 10.0
# Beyond these variances 1 − z² of the arcsine form loses digits that the activation's own dual keeps.
STEEP = defaultdict(lambda: 0.0, {torch.float64: 1e3, torch.float32: 50.0})


@dataclass(frozen=True)
class _Side:
    """One list of inputs on its way through the layers: Σ(x, x) and Θ(x, x), each [n]."""

    nngp: Tensor
    ntk: Tensor

    def affine(self, step: Affine) -> _Side:
        moved = step.w * self.nngp
        return _Side(moved + step.b, step.w * self.ntk + step.eta_w * moved + step.eta_b * step.b)

    def activated(self, activation: Activation) -> _Side:
        own = activation.moments(self.nngp)
        return _Side(own.value, self.ntk * own.slope)

    def plus(self, other: _Side) -> _Side:
        return _Side(self.nngp + other.nngp, self.ntk + other.ntk)


def plan_of(layers: Sequence[Layer], x1: Inputs, x2: Inputs | None) -> Plan:
    """The cheapest way through these layers: a polynomial in the cosine where norms are equal, steps in place, strips
    of pixel pairs for convolutions, or, with layers that none of them knows, their own algebra."""
    if isinstance(x1, Ragged) or isinstance(x2, Ragged) or not all(map(_known, layers)):
        found: Plan | None = None
        if isinstance(x1, Ragged) and (x2 is None or isinstance(x2, Ragged)) and x1.edges is not None:
            return GraphPlan(x1, x1 if x2 is None else x2, tuple(layers), symmetric=x2 is None)
        if not isinstance(x1, Ragged) and not isinstance(x2, Ragged):
            found = fused_convolution_plan(layers, x1, x2) or convolution_plan(layers, x1, x2)
        return found or LayerPlan(x1, x1 if x2 is None else x2, tuple(layers), symmetric=x2 is None)
    if sum(map(_price, layers)) >= POLYNOMIAL and (plan := sphere_plan(layers, x1, x2, _own_kernels)) is not None:
        return plan
    inputs = [x1] if x2 is None else [x1, x2]
    # The mean over the coordinates is a factor of the first linear map; inputs need not be copied for it.
    mean = 1 / x1.shape[1]
    sides = []
    for x in inputs:
        # In float64 whatever the tiles are in: they are only vectors, and the diagonal is made of them.
        squares = torch.linalg.vector_norm(x, dim=1, dtype=torch.float64).square()
        sides.append(_Side(mean * squares, torch.zeros_like(squares)))
    builder = _Builder(x1.dtype)
    steps, sides = builder.steps(layers, sides)
    head = steps[0]
    steps = (replace(head, w=mean * head.w), *steps[1:]) if isinstance(head, Affine) else (Affine(mean), *steps)
    own = tuple((side.nngp.to(x1), side.ntk.to(x1)) for side in sides)
    return FusedPlan(inputs[0], inputs[-1], steps, own, symmetric=x2 is None)


def _known(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return all(map(_known, layer.branch.layers))
    return isinstance(layer, Dense | Activation)


def _price(layer: Layer) -> float:
    """Of one activation for a pair, roughly, in units of an arccosine with its products."""
    if isinstance(layer, Residual):
        return sum(map(_price, layer.branch.layers))
    if not isinstance(layer, Activation):
        return 0.0
    dual = layer.dual
    cheap = isinstance(dual, ArcCosine | ArcSine) or (isinstance(dual, PolynomialDual) and len(dual.coefficients) <= 2)
    return 1.0 if cheap else POLYNOMIAL


def _own_kernels(layers: Sequence[Layer], variance: Tensor) -> tuple[Tensor, Tensor]:
    """Σ(x, x) and Θ(x, x) from x·x/d, each [n]."""
    _, (side,) = _Builder(variance.dtype).steps(layers, [_Side(variance, torch.zeros_like(variance))])
    return side.nngp, side.ntk


class _Builder:
    """Walks through the layers with the variances of both sides, in float64; its steps compute in ``dtype``."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.kinked = False  # has an arc-cosine step been met?

    def steps(self, layers: Sequence[Layer], sides: list[_Side]) -> tuple[tuple[Step, ...], list[_Side]]:
        steps: list[Step] = []
        position = 0
        while position < len(layers):
            layer, behind = layers[position], layers[position + 1 : position + 2]
            position += 1
            try:
                if isinstance(layer, Dense):
                    step: Step = Affine.of(layer)
                    sides = [side.affine(Affine.of(layer)) for side in sides]
                elif isinstance(layer, Residual):
                    branch, inner = self.steps(layer.branch.layers, sides)
                    step = ResidualStep(branch)
                    sides = [side.plus(other) for side, other in zip(sides, inner, strict=True)]
                else:
                    assert isinstance(layer, Activation)
                    merged = Affine.of(behind[0]) if behind and isinstance(behind[0], Dense) else None
                    step, merges = self._activation(layer, merged, sides)
                    sides = [side.activated(layer) for side in sides]
                    if merges and merged is not None:
                        sides = [side.affine(merged) for side in sides]
                        position += 1
            except NTKError as fact:
                raise described_fault(fact, position, layers) from None
            steps.append(step)
        return tuple(steps), sides

    def _activation(self, layer: Activation, merged: Affine | None, sides: list[_Side]) -> tuple[Step, bool]:
        """The step, and whether it does the linear map behind it, too."""
        one, two = sides[0].nngp, sides[-1].nngp
        dual = layer.dual
        if isinstance(dual, ArcCosine):
            p, q = bent(dual)
            if p == 0:  # a straight line after all
                return Affine(q), False
            affine = merged or Affine()
            first, self.kinked = not self.kinked, True
            still = bool((one == 0).any() or (two == 0).any())
            return ArcCosineStep(p, q, affine, first, still, -roots(one, self.dtype), roots(two, self.dtype)), True
        if isinstance(dual, ArcSine) and dual.b**2 * max(float(one.max()), float(two.max())) < STEEP[self.dtype]:
            g1, g2 = (torch.rsqrt(1 + 2 * dual.b**2 * v) for v in (one, two))
            left, right = self._rounded(2 * dual.b**2 * g1, g1), self._rounded(g2)
            return ArcSineStep(dual.a, dual.b, dual.c, merged or Affine(), left, right), True
        if isinstance(dual, PolynomialDual) and len(dual.coefficients) <= 2:  # a straight line
            constant, *rest = dual.coefficients
            return Affine(sum(rest) ** 2, constant**2), False
        if isinstance(dual, HermiteDual):
            return self._series(dual, one, two), False
        return DualStep(dual, self._rounded(one), self._rounded(two)), False

    def _rounded(self, *vectors: Tensor) -> Sides:
        return tuple(vector.to(self.dtype).contiguous() for vector in vectors)

    def _series(self, dual: HermiteDual, one: Tensor, two: Tensor) -> SeriesStep:
        variances = [one] if one is two else [one, two]
        terms = max(dual.terms(torch.cat(variances)), 2)
        pairs = [dual.coefficients(v, terms) for v in variances]
        sizes = [torch.stack([_shares(c).amax(0) for c in pair]).amax(0) for pair in pairs]
        weights = torch.stack(sizes).amax(0).cpu()  # [terms]
        # Products of two coefficients enter, so what is below 1e-9 of the largest is below 1e-18 of the sum.
        even, odd = (any(bool((_shares(a)[:, k::2] > 1e-18).any()) for a, _ in pairs) for k in (0, 1))
        parity = None if even and odd else int(odd)
        kept = slice(None) if parity is None else slice(1 - parity, None, 2)  # φ̇ is even where φ is odd
        root = torch.arange(1, terms + 1, dtype=torch.float64, device=one.device).sqrt()
        sides = [
            self._rounded(reciprocal(v.sqrt()), v.sqrt(), a[:, 0], (b / root)[:, kept])
            for v, (a, b) in zip((one, two), (pairs[0], pairs[-1]), strict=True)
        ]
        return SeriesStep(parity, weights[kept], dual.tolerance, *sides)


def _shares(coefficients: Tensor) -> Tensor:
    """a_k²/Σ a_k² of each row."""
    squares = coefficients.square()
    total = squares.sum(1, keepdim=True)
    return squares / torch.where(total > 0, total, 1.0)
