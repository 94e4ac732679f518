"""Functions with one kink at 0: relu, leaky relu, the absolute value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.kernel import Dual

__all__ = ["ArcCosine"]


@dataclass(frozen=True)
class ArcCosine:
    """φ(u) = a·min(u, 0) + b·max(u, 0), with a = ``negative`` and b = ``positive``.

    With (u, v) ~ 𝒩(0, [[v₁, c], [c, v₂]]), ρ = cos θ = c/√(v₁v₂) and p = (b − a)²/2π:

    E[φ(u)φ(v)] = ab c + p (√(v₁v₂) sin θ + c (π − θ)),   E[φ̇(u)φ̇(v)] = ab + p (π − θ).

    For relu ab = 0, and with π − θ = arccos(−ρ) both are exactly 0 at antipodal points.

    Source: Cho & Saul 2009, eqs 3 and 6, for relu; φ = a u + (b − a) relu(u) gives the rest.
    """

    negative: float
    positive: float

    def phi(self, u: Tensor) -> Tensor:
        """φ itself, with φ̇(0) = a as torch has it for relu."""
        return torch.where(u > 0, self.positive * u, self.negative * u)

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        product, p = self.negative * self.positive, (self.positive - self.negative) ** 2 / (2 * math.pi)
        sine, opening, root = _angle(cov, var1, var2)
        return Dual(product * cov + p * (root * sine + cov * opening), product + p * opening)

    def moments(self, var: Tensor) -> Dual:
        """Half of the Gaussian lies on each side: (a² + b²)/2 · var and (a² + b²)/2."""
        half = (self.negative**2 + self.positive**2) / 2
        return Dual(half * var, torch.full_like(var, half))


def _angle(cov: Tensor, var1: Tensor, var2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """sin θ, π − θ and √(var1 var2). A zero variance counts as ρ = 0.

    Where rounding alone separates |ρ| from 1 it is 1: the angle of collinear points is 0 or π, and arccos would turn
    a last digit into 1e-8. There the angle is a constant, so that gradients are those of c and not 0 · ∞.
    """
    root = var1.sqrt() * var2.sqrt()  # their product first would underflow in a deep float32 network
    rho = torch.where(root > 0, cov / torch.where(root > 0, root, 1.0), 0.0)
    collinear = rho.abs() > 1 - 8 * torch.finfo(rho.dtype).eps
    inside = torch.where(collinear, 0.0, rho)
    sine = torch.where(collinear, 0.0, ((1 - inside) * (1 + inside)).sqrt())
    opening = torch.where(collinear, math.pi * (rho > 0).to(rho), torch.arccos(-inside))
    return sine, opening, root
