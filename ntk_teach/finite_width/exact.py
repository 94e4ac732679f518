"""Exact moments at any width, for activations with φ(λu) = λφ(u), λ > 0: relu, leaky relu, the absolute value.

The sign of a unit is then independent of everything else, so that expectations of even products over the units of one
layer are those of |h| and Θ times E[s²] = a or E[s⁴] = k, with s the slope on the unit's side; and products of four
Gaussian weights lead from the second moments of one layer to those of the next (Wick's theorem).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.architecture import Architecture
from ntk_teach.errors import RuleError, check_vectors, check_widths, sentence
from ntk_teach.finite_width.stack import Block, blocks_of, first_variance, ratio
from ntk_teach.shapes import Vectors

__all__ = ["exact_excess_kurtosis", "exact_ntk_deviation"]


def exact_excess_kurtosis(arch: Architecture, x: Vectors, *, width: int | Sequence[int]) -> Float[Tensor, "layers n"]:
    """3 (E[q²]/E[q]² − 1) without approximation, for activations with φ(λu) = λφ(u), λ > 0 (relu, leaky relu, |u|).

    With E[φ²] = a q and E[φ⁴] = 3k q² both moments m₁ = E[q], m₂ = E[q²] close under the layers:
    m₁ ← σ_b² + σ_w² a m₁,   m₂ ← σ_b⁴ + 2 σ_b² σ_w² a m₁ + σ_w⁴ (a² + (3k − a²)/n) m₂   (relu: a = k = 1/2).

    Without biases a layer multiplies E[q²]/E[q]² by 1 + 5/n for relu: the depth over the width is what counts.

    Arguments and shapes as ``excess_kurtosis``. Raises: also RuleError for an activation that is not homogeneous.

    Cost: a few operations for each layer and input. Chapter: 04_gaussian_process_limit.
    """
    where = "exact_excess_kurtosis"
    dense, blocks = blocks_of(arch, where)
    q = first_variance(dense, check_vectors(x, name="x", where=where))
    first, second, rows = q, q.square(), [torch.zeros_like(q)]
    for (activation, dense), units in zip(blocks, check_widths(width, len(blocks), where=where), strict=True):
        a, k = _homogeneous(activation, where)
        weights, bias = dense.sigma_w**2, dense.sigma_b**2
        second = bias**2 + 2 * bias * weights * a * first + weights**2 * (a * a + (3 * k - a * a) / units) * second
        first = bias + weights * a * first
        rows.append(3 * (ratio(second, first.square()) - (first > 0).to(first)))
    return torch.stack(rows).to(x)


class _Pairs(NamedTuple):
    """Moments of two different units k, l of one layer, each [n]."""

    variance: Tensor  # E[h²]
    tau: Tensor  # E[Θ_kk]
    hhhh: Tensor  # E[h_k² h_l²]; E[h_k⁴] is three times it
    hh_own: Tensor  # E[h_k² Θ_kk]
    hh_other: Tensor  # E[h_k² Θ_ll]
    hh_cross: Tensor  # E[h_k h_l Θ_kl]
    own: Tensor  # E[Θ_kk²]
    other: Tensor  # E[Θ_kk Θ_ll]
    cross: Tensor  # E[Θ_kl²]


def exact_ntk_deviation(arch: Architecture, x: Vectors, *, width: int | Sequence[int]) -> Float[Tensor, " n"]:
    """√Var Θ_n(x, x) over initializations at one width, one output, without approximation.

    √n times it tends to the coefficient of ``ntk_fluctuation``; for deep and narrow networks it is far above it.

    Arguments, errors and cost as ``exact_excess_kurtosis``; learning-rate factors of the layers count.

    Returns: [n], in the units of Θ.

    Source: second moments by Wick's theorem; Hanin & Nica 2020 bound the same quantity for relu.
    Chapter: 08_lazy_training.
    """
    where = "exact_ntk_deviation"
    dense, blocks = blocks_of(arch, where)
    q = first_variance(dense, check_vectors(x, name="x", where=where))
    bias = dense.sigma_b**2
    tau = dense.trained * (dense.eta_w * (q - bias) + dense.eta_b * bias)
    zero = torch.zeros_like(q)
    m = _Pairs(q, tau, q * q, q * tau, q * tau, zero, tau * tau, tau * tau, zero)
    for block, units in zip(blocks, check_widths(width, len(blocks), where=where), strict=True):
        m = _next(m, block, units, *_homogeneous(block.activation, where))
    return (m.own - m.tau.square()).clamp(min=0).sqrt().to(x)


def _next(m: _Pairs, block: Block, units: int, a: float, k: float) -> _Pairs:
    """Through one activation and one dense layer. A = Σ φ_k², B = tr M and uᵀMu with M_kl = φ̇_k φ̇_l Θ_kl, u = φ."""

    def total(same: Tensor, different: Tensor) -> Tensor:
        return units * k * same + units * (units - 1) * a * a * different

    dense, mean_a, mean_b = block.dense, units * a * m.variance, units * a * m.tau
    aa, ab, bb = total(3 * m.hhhh, m.hhhh), total(m.hh_own, m.hh_other), total(m.own, m.other)
    umu, mm = total(m.hh_own, m.hh_cross), total(m.own, m.cross)
    g, b = dense.sigma_w**2 / units, dense.sigma_b**2
    # The variance q = gA + b, and r = η_w gA + η_b b, which the layer's own parameters add to Θ.
    w, v = dense.eta_w * dense.trained, dense.eta_b * dense.trained
    qq = g * g * aa + 2 * g * b * mean_a + b * b
    qr = w * g * g * aa + (w + v) * g * b * mean_a + v * b * b
    rr = w * w * g * g * aa + 2 * w * v * g * b * mean_a + v * v * b * b
    q_b, r_b = g * ab + b * mean_b, w * g * ab + v * b * mean_b
    other = rr + 2 * g * r_b + g * g * bb
    return _Pairs(
        variance=g * mean_a + b,
        tau=w * g * mean_a + v * b + g * mean_b,
        hhhh=qq,
        hh_own=qr + g * q_b + 2 * g * g * umu,
        hh_other=qr + g * q_b,
        hh_cross=g * g * umu,
        own=other + 2 * g * g * mm,
        other=other,
        cross=g * g * mm,
    )


def _homogeneous(activation: Activation, where: str) -> tuple[float, float]:
    """(a, k) = E[s²], E[s⁴]: the means over both sides of the squares and fourth powers of the slope."""
    u = torch.tensor([1.0, -1.0, 3.7, -3.7, 0.01, -0.01], dtype=torch.float64)
    slopes = activation.phi(u) / u
    if not torch.allclose(slopes, slopes[:2].repeat(3), rtol=1e-12, atol=1e-12):
        do = "use excess_kurtosis, which is of first order in 1/width for every activation"
        raise RuleError(sentence(where, "an activation with φ(λu) = λφ(u) for λ > 0", activation.name, do))
    squares = slopes[:2].square()
    return float(squares.mean()), float(squares.square().mean())
