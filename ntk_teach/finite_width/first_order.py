"""The first correction in 1/n to the limit of a network of width n.

One input x, dense layers. Given the units of layer ℓ, those of layer ℓ+1 are Gaussian with a variance that is itself
random, q = σ_b² + σ_w²/n Σ_k φ(h_k)²; and Θ_kl, the tangent kernel of units k and l of one layer, fluctuates about
δ_kl τ. To first order in 1/n the fluctuations δq and δτ (of the mean of Θ_kk given the layers below) are Gaussian and
are carried through layers by a linear map, to which every layer adds the fluctuation of its own average over n units:

    δq ← σ_w² (g'(q) δq + ξ),        δτ ← η_w δq + σ_w² (s δτ + τ s'(q) δq + τ ξ̇),      n Cov(ξ, ξ̇) = Cov(φ², φ̇²),

with g = E[φ²] and s = E[φ̇²] under 𝒩(0, q). Beside them each unit has a share of its own: from the weights that enter
it Θ_kl gets, for k ≠ l, the variance T/n with T ← σ_w⁴ (E[φ̇⁴] τ² + s² T), and Θ_kk twice that. The n² small entries
Θ_kl off the diagonal thus weigh as much as the n on it. The network's own Θ is that of its one output unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.architecture import Architecture
from ntk_teach.errors import check_scale, check_vectors, check_widths
from ntk_teach.finite_width.stack import Block, blocks_of, first_variance, ratio
from ntk_teach.layers import Dense
from ntk_teach.shapes import Vectors

__all__ = ["Fluctuation", "variance_fluctuation", "ntk_fluctuation", "excess_kurtosis"]


@dataclass(frozen=True)
class Fluctuation:
    """A quantity of random networks of width n, at n inputs: limit ± c/√n.

    Args:
        limit: its value at infinite width. [n]
        coefficient: c = lim √n · (standard deviation over initializations), in the units of ``limit``. [n]
        depth: L, the number of weight layers.

    Chapter: 08_lazy_training.
    """

    limit: Float[Tensor, " n"]
    coefficient: Float[Tensor, " n"]
    depth: int

    def deviation(self, width: int) -> Float[Tensor, " n"]:
        """c/√n, the standard deviation at one width to first order."""
        return self.coefficient / math.sqrt(width)

    def breaks_at(self, fraction: float = 0.5) -> Float[Tensor, " n"]:
        """L/n at which the deviation has grown to ``fraction`` of the limit: L (fraction · limit / c)².

        Below this ratio of depth to width the limit describes single networks. Infinite for c = 0 (one layer).
        """
        check_scale(fraction, name="fraction", where="Fluctuation.breaks_at")
        return self.depth * (fraction * ratio(self.limit, self.coefficient, math.inf)).square()


class _Moments(NamedTuple):
    """Expectations over u ~ 𝒩(0, q) of one activation, each [n]."""

    square: Tensor  # g = E[φ²]
    slope: Tensor  # s = E[φ̇²]
    square_rate: Tensor  # dg/dq
    slope_rate: Tensor  # ds/dq
    square_variance: Tensor  # Var φ²
    mixed: Tensor  # Cov(φ², φ̇²)
    slope_variance: Tensor  # Var φ̇²


class _State(NamedTuple):
    """Limits and fluctuations at one layer, each [n]; the covariances are times the width."""

    q: Tensor  # limit of the variance
    tau: Tensor  # limit of Θ_kk
    qq: Tensor  # n Var δq
    qt: Tensor  # n Cov(δq, δτ)
    tt: Tensor  # n Var δτ
    own: Tensor  # T, n Var Θ_kl for k ≠ l


def variance_fluctuation(arch: Architecture, x: Vectors) -> Fluctuation:
    """q = Σ(x, x) ± c/√n: the variance of an output given the hidden layers, all of width n.

    c² ← σ_w⁴ (Var(φ²) + g'(q)² c²) from layer to layer, and an output's excess kurtosis is 3 (c/q)²/n.

    Args: arch: Dense, φ, Dense, …, Dense; φ smooth but for a kink at 0. x: inputs [n, d], each on its own.

    Returns: Fluctuation [n]. Raises: RuleError for other architectures; errors of ``check_vectors`` for x.

    Cost: 1280 evaluations of φ for each layer and input. Source: Hanin & Nica 2020 for relu; here from the
    recursion of the conditional variance (module docstring). Chapter: 04_gaussian_process_limit.
    """
    state = _last(arch, x, "variance_fluctuation")
    return Fluctuation(state.q, state.qq.sqrt(), _depth(arch))


def ntk_fluctuation(arch: Architecture, x: Vectors) -> Fluctuation:
    """Θ_n(x, x) = Θ∞(x, x) ± c/√n over initializations, all hidden layers of width n, one output.

    c² = n Var δτ + 2T: what all units of the last layer share, and the output unit's own part.

    Arguments, shapes, errors and cost as ``variance_fluctuation``. Learning-rate factors of the layers count.

    Source: the first-order recursion in the module's docstring; the order 1/n is that of Hanin & Nica 2020.
    Chapter: 08_lazy_training.
    """
    state = _last(arch, x, "ntk_fluctuation")
    return Fluctuation(state.tau, (state.tt + 2 * state.own).sqrt(), _depth(arch))


def excess_kurtosis(arch: Architecture, x: Vectors, *, width: int | Sequence[int]) -> Float[Tensor, "layers n"]:
    """3 Var(q)/q², to first order in the inverse widths: how far a unit's law over initializations is from Gaussian.

    Args: arch, x: as ``variance_fluctuation``. width: units of every hidden layer, or one number for each.

    Returns: of the units entering each activation, and of the outputs; 0 in the first layer, which is Gaussian. [L, n]

    Raises, cost: as ``variance_fluctuation``. Chapter: 04_gaussian_process_limit.
    """
    where = "excess_kurtosis"
    dense, blocks = blocks_of(arch, where)
    q = first_variance(dense, check_vectors(x, name="x", where=where))
    variance, rows = torch.zeros_like(q), [torch.zeros_like(q)]
    for (activation, dense), units in zip(blocks, check_widths(width, len(blocks), where=where), strict=True):
        m = _expectations(activation, q)
        variance = dense.sigma_w**4 * (m.square_variance / units + m.square_rate.square() * variance)
        q = dense.sigma_w**2 * m.square + dense.sigma_b**2
        rows.append(3 * ratio(variance, q.square()))
    return torch.stack(rows).to(x)


def _last(arch: Architecture, x: Vectors, where: str) -> _State:
    """The recursion of the module's docstring, to the output."""
    checked = check_vectors(x, name="x", where=where)
    dense, blocks = blocks_of(arch, where)
    q = first_variance(dense, checked)
    zero = torch.zeros_like(q)
    state = _State(q, _trained(dense, q), zero, zero, zero, zero)
    for block in blocks:
        state = _next(state, block)
    return _State(*(value.to(checked) for value in state))


def _next(state: _State, block: Block) -> _State:
    """One activation and the dense layer after it, all layers of width 1: variances are linear in 1/n."""
    m = _expectations(block.activation, state.q)
    weights, eta = block.dense.sigma_w**2, block.dense.eta_w * block.dense.trained
    # δq' = grow δq + ξ_q,  δτ' = across δq + s δτ + ξ_τ,  with ξ_q = weights ξ and ξ_τ = weights (η_w ξ + τ ξ̇).
    grow = weights * m.square_rate
    across, along = eta * grow + weights * state.tau * m.slope_rate, weights * m.slope
    noise_qq = weights**2 * m.square_variance
    noise_qt = weights**2 * (eta * m.square_variance + state.tau * m.mixed)
    noise_tt = weights**2 * (
        eta**2 * m.square_variance + 2 * eta * state.tau * m.mixed + state.tau.square() * m.slope_variance
    )
    fourth = m.slope_variance + m.slope.square()  # E[φ̇⁴]
    q = weights * m.square + block.dense.sigma_b**2
    return _State(
        q=q,
        tau=_trained(block.dense, q) + along * state.tau,
        qq=grow.square() * state.qq + noise_qq,
        qt=grow * (across * state.qq + along * state.qt) + noise_qt,
        tt=across.square() * state.qq + 2 * across * along * state.qt + along.square() * state.tt + noise_tt,
        own=weights**2 * (fourth * state.tau.square() + m.slope.square() * state.own),
    )


def _trained(dense: Dense, q: Tensor) -> Tensor:
    """η_w (q − σ_b²) + η_b σ_b²: what a layer's own parameters add to Θ."""
    bias = dense.sigma_b**2
    return dense.trained * (dense.eta_w * (q - bias) + dense.eta_b * bias)


def _expectations(activation: Activation, q: Tensor) -> _Moments:
    """By quadrature in float64. A derivative in q falls on the density, not on φ:  d/dq E[F] = E[F (z² − 1)]/2q."""
    z, weight = (values.to(q.device) for values in _half_lines())
    u = q.sqrt()[:, None] * z  # [n, nodes]
    square, slope = activation.phi(u).square(), _derivative(activation.phi, u).square()

    def mean(values: Tensor) -> Tensor:
        return values @ weight

    own = activation.moments(q)  # closed forms where there are any
    rate = ratio(torch.full_like(q, 0.5), q)[:, None] * (z.square() - 1)
    g, s = own.value[:, None], own.slope[:, None]
    return _Moments(
        own.value,
        own.slope,
        mean(square * rate),
        mean(slope * rate),
        mean((square - g).square()),
        mean((square - g) * (slope - s)),
        mean((slope - s).square()),
    )


@lru_cache(maxsize=1)
def _half_lines() -> tuple[Tensor, Tensor]:
    """Nodes and weights of E[F(z)], z ~ 𝒩(0, 1): Gauss–Legendre on eight panels of each half-line, so that a kink at 0
    costs no digit. Beyond |z| = 12 the weight is 1e-32."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    edges = np.linspace(0.0, 12.0, 9)
    half = (edges[1:] - edges[:-1])[:, None] / 2
    z = (edges[:-1, None] + half * (1 + nodes)).reshape(-1)
    w = (half * weights).reshape(-1) * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return torch.from_numpy(np.concatenate([-z, z])), torch.from_numpy(np.concatenate([w, w]))


def _derivative(phi: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    slope: Tensor = torch.func.grad(lambda t: phi(t).sum())(u)
    return slope


def _depth(arch: Architecture) -> int:
    return (len(arch.layers) + 1) // 2
