"""The Gaussian error linear unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.kernel import Dual

__all__ = ["GeluDual"]


@dataclass(frozen=True)
class GeluDual:
    """φ(u) = u·P(z ≤ u), z ~ 𝒩(0, 1): gelu as it is defined, not its approximation by tanh.

    With g = 1/(1 + v₁) + 1/(1 + v₂), D = (1 + v₁)(1 + v₂) − c², B = v₁v₂ − c² + g c² and the angle
    ω = π/2 + arcsin(c/√(D + c²)):

    E[φ(u)φ(v)] = (c ω + B/√D)/2π,   E[φ̇(u)φ̇(v)] = (ω + c (2g − 1 + B/D)/√D)/2π.

    Source: integration by parts (Stein's lemma) from E[P(z ≤ u) P(z' ≤ v)] = ω/2π; the slope is the derivative in c.
    """

    def phi(self, u: Tensor) -> Tensor:
        """φ itself."""
        return torch.nn.functional.gelu(u)

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        g, square = 1 / (1 + var1) + 1 / (1 + var2), cov.square()
        rest = var1 * var2 - square  # before 1 + v₁ + v₂ is added, which would take its digits at large variances
        determinant = 1 + var1 + var2 + rest
        root = determinant.sqrt()
        omega, b = torch.atan2(root, -cov), rest + g * square
        value = cov * omega + b / root
        return Dual(value / (2 * math.pi), (omega + cov * (2 * g - 1 + b / determinant) / root) / (2 * math.pi))

    def moments(self, var: Tensor) -> Dual:
        """At u = v, where D = 1 + 2 var and B = 2 var²/(1 + var)."""
        root = (1 + 2 * var).sqrt()
        omega, ratio = torch.atan2(root, -var), var / ((1 + var) * root)
        value = var * (omega + 2 * ratio)
        slope = omega + ratio * (3 + 5 * var) / (1 + 2 * var)
        return Dual(value / (2 * math.pi), slope / (2 * math.pi))
