"""The wide limit between two layers, and the three rules that carry it through a network.

Everything that an infinitely wide network does to a pair of inputs is here: a covariance Σ (NNGP), a
tangent kernel Θ (NTK), and how a random linear map, an activation and a fixed linear map change them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.errors import RuleError
from ntk_teach.inner_products import inner_products
from ntk_teach.shapes import OtherVariances, OtherVectors, PairGram, Variances, Vectors

__all__ = ["Dual", "Kernel"]


class Dual(NamedTuple):
    """The two Gaussian expectations of an activation φ, for (u, v) ~ 𝒩(0, [[var1, cov], [cov, var2]])."""

    value: Tensor  # E[φ(u) φ(v)]
    slope: Tensor  # E[φ̇(u) φ̇(v)], which is also ∂ value / ∂ cov


@dataclass(frozen=True, slots=True)
class Kernel:
    """Two kernels on a block of input pairs, with the variances that the activation rule needs.

    Args:
        nngp: Σ(x, x'), covariance of one unit at x and x'. [n, m, *sites]
        ntk: Θ(x, x'), inner product of the gradients of one unit at x and x'. [n, m, *sites]
        self1, self2: Σ(x, x) and Σ(x', x'). [n, *sites], [m, *sites]
        gaussian: are the units jointly Gaussian, so that an activation may follow?
        symmetric: is x' the same list as x? Then the diagonal is kept exact.

    Source: Jacot, Gabriel & Hongler 2018, Proposition 1 and Theorem 1. Chapter: 05_neural_tangent_kernel.
    """

    nngp: PairGram
    ntk: PairGram
    self1: Variances
    self2: OtherVariances
    gaussian: bool
    symmetric: bool

    @classmethod
    def of(cls, x1: Vectors, x2: OtherVectors | None = None) -> Kernel:
        """Σ(x, x') = x·x'/d of the raw inputs. No parameter has been met yet, hence Θ = 0."""
        other = x1 if x2 is None else x2
        fan_in = x1.shape[1]
        self1, self2 = x1.square().sum(1) / fan_in, other.square().sum(1) / fan_in
        root = math.sqrt(fan_in)
        nngp = inner_products(x1 / root, other / root)  # [n, m]
        if x2 is None:
            # A matrix product rounds x·x differently from the sum of squares. What is a last digit here
            # becomes 1e-8 in √(Σ(x,x)Σ(x',x') − Σ(x,x')²), so the diagonal is the same number from the start.
            nngp = torch.diagonal_scatter(nngp, self1)
        return cls(nngp, torch.zeros_like(nngp), self1, self2, gaussian=False, symmetric=x2 is None)

    def random(
        self, linear: Callable[[Tensor], Tensor], sigma_b: float = 0.0, eta_w: float = 1.0, eta_b: float = 1.0
    ) -> Kernel:
        """Rule 1, a random linear map L with a bias: Σ ← LΣ + σ_b²,  Θ ← LΘ + η_w LΣ + η_b σ_b².

        The map makes its outputs Gaussian; each of its own parameters adds its gradient to Θ, times its
        learning-rate factor η (0: random, but not trained).
        """
        moved, bias = linear(self.nngp), sigma_b**2
        return replace(
            self,
            nngp=moved + bias,
            ntk=linear(self.ntk) + eta_w * moved + eta_b * bias,
            self1=linear(self.self1) + bias,
            self2=linear(self.self2) + bias,
            gaussian=True,
        )

    def activated(self, dual: Callable[[Tensor, Tensor, Tensor], Dual], moments: Callable[[Tensor], Dual]) -> Kernel:
        """Rule 2, an activation φ: Σ ← E[φ(u) φ(v)],  Θ ← Θ ⊙ E[φ̇(u) φ̇(v)],  (u, v) ~ 𝒩(0, Σ).

        ``moments`` gives the same two expectations at u = v. Raises RuleError where the units are not Gaussian.
        """
        if not self.gaussian:
            raise RuleError(
                "expected Gaussian units (the output of a random layer), received raw inputs or the output of "
                "another activation; put a Dense layer before this activation"
            )
        value, slope = dual(self.nngp, self.self1[:, None], self.self2[None, :])
        own1, own2 = moments(self.self1), moments(self.self2)
        if self.symmetric:
            value = torch.diagonal_scatter(value, own1.value)
            slope = torch.diagonal_scatter(slope, own1.slope)
        return replace(self, nngp=value, ntk=self.ntk * slope, self1=own1.value, self2=own2.value, gaussian=False)

    def plus(self, other: Kernel) -> Kernel:
        """The sum of two uncorrelated summands, a residual connection: Σ ← Σ + Σ',  Θ ← Θ + Θ'."""
        return replace(
            self,
            nngp=self.nngp + other.nngp,
            ntk=self.ntk + other.ntk,
            self1=self.self1 + other.self1,
            self2=self.self2 + other.self2,
            gaussian=self.gaussian and other.gaussian,
        )

    def fixed(self, linear: Callable[[Tensor], Tensor]) -> Kernel:
        """Rule 3, a fixed linear map P without parameters: Σ ← PΣ,  Θ ← PΘ. Gaussian units stay Gaussian."""
        return replace(
            self,
            nngp=linear(self.nngp),
            ntk=linear(self.ntk),
            self1=linear(self.self1),
            self2=linear(self.self2),
        )
