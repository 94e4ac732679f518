"""Activations: a function φ with its dual, the two Gaussian expectations that the infinite-width rules need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntk_teach.errors import check_scale
from ntk_teach.hermite import HermiteDual
from ntk_teach.kernel import Dual, Kernel
from ntk_teach.nn import Pointwise

__all__ = ["Activation", "relu", "erf"]


@dataclass(frozen=True)
class Activation:
    """A pointwise nonlinearity φ and its dual.

    Args:
        name: how it is called in messages.
        phi: φ, pointwise on a tensor.
        dual: (cov, var1, var2) ↦ E[φ(u)φ(v)], E[φ̇(u)φ̇(v)] for (u, v) ~ 𝒩(0, [[var1, cov], [cov, var2]]);
            the arguments broadcast.
        moments: var ↦ E[φ(u)²], E[φ̇(u)²] for u ~ 𝒩(0, var): the dual at coincident points, free of cancellation.

    Source: Cho & Saul 2009; Daniely, Frostig & Singer 2016. Chapter: 05_neural_tangent_kernel.
    """

    name: str
    phi: Callable[[Tensor], Tensor]
    dual: Callable[[Tensor, Tensor, Tensor], Dual]
    moments: Callable[[Tensor], Dual]
    random = False  # it has no width of its own: as many units leave as enter

    @classmethod
    def from_function(
        cls, function: Callable[[Tensor], Tensor], *, name: str | None = None, tolerance: float = 1e-10
    ) -> Activation:
        """Any smooth φ, by its Hermite series: E[φ(u)φ(v)] = Σ_k a_k(var1) a_k(var2) ρ^k, and φ̇ likewise.

        Args:
            function: φ, a pointwise function of a tensor that torch can differentiate.
            name: how it is called in messages; by default the function's own name.
            tolerance: largest relative tail 1 − Σ_k a_k² / E[φ²], for φ and for φ̇, at every variance met.

        Returns: an activation whose duals are within ``tolerance`` · √(E[φ(u)²] E[φ(v)²]), and exact at u = v.

        Raises: ConvergenceError, when used, if 2048 terms do not reach the tolerance. A kinked function never does:
            give its closed form with ``Activation(name, phi, dual, moments)``.

        Cost: 8 · terms operations for each pair of inputs; terms are chosen from the tail (sin 16, gelu 32,
            tanh 128 at unit variance).

        Source: Daniely, Frostig & Singer 2016, section 4. Chapter: 05_neural_tangent_kernel.
        """
        check_scale(tolerance, name="tolerance", where="Activation.from_function", minimum=1e-14)
        called = name or str(getattr(function, "__name__", "function"))
        series = HermiteDual(function, tolerance)
        return cls(called, function, series.dual, series.moments)

    def kernel(self, k: Kernel) -> Kernel:
        """Infinite width: rule 2."""
        return k.activated(self.dual, self.moments)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        """Finite width: φ itself."""
        return Pointwise(self.phi, self.name)

    def __repr__(self) -> str:
        return self.name


def _correlation(cov: Tensor, var1: Tensor, var2: Tensor) -> tuple[Tensor, Tensor]:
    """ρ = cov/√(var1 var2) and the root. Where rounding alone separates |ρ| from 1 it is 1: the angle of
    collinear points is 0 or π, and arccos would turn a last digit into 1e-8. A zero variance gives ρ = 0."""
    root = var1.sqrt() * var2.sqrt()  # their product first would underflow in a deep float32 network
    rho = torch.where(root > 0, cov / torch.where(root > 0, root, 1.0), 0.0)
    collinear = rho.abs() > 1 - 8 * torch.finfo(rho.dtype).eps
    return torch.where(collinear, rho.sign(), rho), root


def _relu_dual(cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
    """√(v₁v₂)/2π · (sin θ + (π − θ) cos θ)  and  (π − θ)/2π,  θ = arccos ρ  (Cho & Saul 2009, eqs 3 and 6)."""
    rho, root = _correlation(cov, var1, var2)
    opening = math.pi - torch.arccos(rho)
    sine = ((1 - rho) * (1 + rho)).sqrt()
    return Dual(root * (sine + opening * rho) / (2 * math.pi), opening / (2 * math.pi))


def _relu_moments(var: Tensor) -> Dual:
    """Half of the Gaussian is positive: v/2 and 1/2."""
    return Dual(var / 2, torch.full_like(var, 0.5))


def _erf_dual(cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
    """(2/π) arcsin(2c/√((1+2v₁)(1+2v₂)))  and  (4/π)/√((1+2v₁)(1+2v₂) − 4c²)  (Williams 1996, eq. 11).

    The arcsine is written as an arctangent of the same triangle, which keeps its digits near ±1.
    """
    root = (1 + 2 * var1 + 2 * var2 + 4 * (var1 * var2 - cov.square())).sqrt()
    return Dual(2 / math.pi * torch.atan2(2 * cov, root), 4 / math.pi / root)


def _erf_moments(var: Tensor) -> Dual:
    root = (1 + 4 * var).sqrt()
    return Dual(2 / math.pi * torch.atan2(2 * var, root), 4 / math.pi / root)


relu = Activation("relu", torch.relu, _relu_dual, _relu_moments)
erf = Activation("erf", torch.erf, _erf_dual, _erf_moments)
