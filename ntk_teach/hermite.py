"""The dual of any smooth activation, by a Hermite series that knows its own error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.errors import ConvergenceError, DomainError, sentence
from ntk_teach.kernel import Dual
from ntk_teach.quadrature import gaussian_mean_square, hermite_coefficients, power_series

__all__ = ["HermiteDual"]

TERMS = (16, 32, 64, 128, 256, 512, 1024, 2048)


@dataclass(frozen=True)
class HermiteDual:
    """E[φ(u)φ(v)] = Σ_k a_k(var1) a_k(var2) ρ^k; the same series of φ̇ gives the slope, finite also at var = 0.

    The terms left out are at most √(tail(var1) tail(var2)) with tail = E[φ²] − Σ_{k<K} a_k² (Cauchy–Schwarz), so K
    is the first of 16, 32, …, 2048 whose relative tail, of φ and of φ̇, is within ``tolerance`` at every variance.
    """

    phi: Callable[[Tensor], Tensor]
    tolerance: float

    def derivative(self, u: Tensor) -> Tensor:
        """φ̇, differentiated by torch so that the caller need not give it."""
        slope: Tensor = torch.func.grad(lambda t: self.phi(t).sum())(u)
        return slope

    def moments(self, var: Tensor) -> Dual:
        """E[φ(u)²] and E[φ̇(u)²] for u ~ 𝒩(0, var), by quadrature: no series, no truncation."""
        flat = var.reshape(-1)
        value = gaussian_mean_square(self.phi, flat)
        slope = gaussian_mean_square(self.derivative, flat)
        if not bool((torch.isfinite(value) & torch.isfinite(slope)).all()):
            received = f"NaN or infinity for variances up to {float(flat.max()):.3g}"
            do = "check the function, or reduce sigma_w"
            raise DomainError(sentence("Hermite series", "finite E[φ²] and E[φ̇²] under a Gaussian", received, do))
        return Dual(value.to(var).reshape(var.shape), slope.to(var).reshape(var.shape))

    def dual(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        """Both series at ρ = cov/√(var1 var2); evaluated in float64, returned in the dtype of ``cov``."""
        terms = max(self.terms(var1), self.terms(var2))
        root = var1.double().sqrt() * var2.double().sqrt()
        rho = torch.where(root > 0, cov / torch.where(root > 0, root, 1.0), 0.0).clamp(-1, 1)
        value, slope = (
            power_series(self._coefficients(f, var1, terms), self._coefficients(f, var2, terms), rho)
            for f in (self.phi, self.derivative)
        )
        return Dual(value.to(cov), slope.to(cov))

    def terms(self, var: Tensor) -> int:
        """How many terms reach the tolerance at all these variances; raises ConvergenceError if 2048 do not."""
        flat = var.reshape(-1)
        tail = float("inf")
        for terms in TERMS:
            tail = max(self._tail(f, flat, terms) for f in (self.phi, self.derivative))
            if tail <= self.tolerance:
                return terms
        do = (
            "a kinked function needs its closed form, Activation(name, phi, dual, moments); a steep one, more tolerance"
        )
        expected = f"a relative tail of the Hermite series within {self.tolerance:.0e} in {TERMS[-1]} terms"
        received = f"{tail:.1e} at variances up to {float(flat.max()):.3g}"
        raise ConvergenceError(sentence("Hermite series", expected, received, do))

    def _tail(self, f: Callable[[Tensor], Tensor], var: Tensor, terms: int) -> float:
        total = gaussian_mean_square(f, var)
        rest = total - hermite_coefficients(f, var, terms).square().sum(1)
        return float((rest / torch.where(total > 0, total, 1.0)).max())

    def _coefficients(self, f: Callable[[Tensor], Tensor], var: Tensor, terms: int) -> Tensor:
        return hermite_coefficients(f, var.reshape(-1), terms).reshape(*var.shape, terms)
