"""Polynomials, exact at every variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.kernel import Dual

__all__ = ["PolynomialDual"]


@dataclass(frozen=True)
class PolynomialDual:
    """φ(u) = Σ_j c_j u^j, the coefficients in ascending order.

    With A_k(v) = E[φ^(k)(u)] = Σ_m c_{k+2m} (k + 2m)!/(2^m m!) v^m, u ~ 𝒩(0, v):

    E[φ(u)φ(v)] = Σ_k A_k(v₁) A_k(v₂) cov^k/k!,   E[φ̇(u)φ̇(v)] = Σ_k A_{k+1}(v₁) A_{k+1}(v₂) cov^k/k!.

    This is the Hermite series with the powers of √v divided out, so it is finite and needs no quadrature, and a zero
    variance is not special.

    Source: Price's theorem applied k times; the sums end because φ^(k) does.
    """

    coefficients: tuple[float, ...]

    def phi(self, u: Tensor) -> Tensor:
        """φ itself, by Horner's rule."""
        return _horner([torch.full_like(u, c) for c in self.coefficients], u)

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        first, second = self._means(var1), self._means(var2)
        products = [a * b for a, b in zip(first, second, strict=True)]
        zero = torch.zeros_like(cov + var1 + var2)  # of the shape that all three broadcast to
        value, slope = (
            _horner([c / math.factorial(k) for k, c in enumerate(terms)] or [zero], cov) + zero
            for terms in (products, products[1:])
        )
        return Dual(value, slope)

    def moments(self, var: Tensor) -> Dual:
        """The same sums at cov = var, all of whose terms are positive."""
        return self(var, var, var)

    def _means(self, var: Tensor) -> list[Tensor]:
        """A_k(var) for k = 0, 1, …, degree."""
        c, degree = self.coefficients, len(self.coefficients) - 1
        return [
            _horner(
                [
                    torch.full_like(var, c[k + 2 * m] * math.factorial(k + 2 * m) / (2**m * math.factorial(m)))
                    for m in range((degree - k) // 2 + 1)
                ],
                var,
            )
            for k in range(degree + 1)
        ]


def _horner(coefficients: list[Tensor], x: Tensor) -> Tensor:
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total
