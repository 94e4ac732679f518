"""Sines and cosines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.kernel import Dual

__all__ = ["SineDual"]


@dataclass(frozen=True)
class SineDual:
    """φ(u) = a·sin(b u + c). A cosine is a sine with c + π/2.

    With x = b² cov, h = b² (v₁ + v₂)/2 and e± = exp(−h ± x), the characteristic functions of u − v and of u + v:

    E[φ(u)φ(v)] = a²/2 (e₊ − cos(2c) e₋),   E[φ̇(u)φ̇(v)] = a²b²/2 (e₊ + cos(2c) e₋).

    For small variances e₊ − e₋ cancels; it is written as (e₊ + e₋) tanh x, and the rest with 1 ∓ cos 2c = 2 sin² c
    or 2 cos² c.

    Source: E[cos(u)] = exp(−v/2) for u ~ 𝒩(0, v); φ with c = π/4 is the kernel of Rahimi & Recht 2007.
    """

    a: float
    b: float
    c: float

    def phi(self, u: Tensor) -> Tensor:
        """φ itself."""
        return self.a * torch.sin(self.b * u + self.c)

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        x, h = self.b**2 * cov, self.b**2 * (var1 + var2) / 2
        plus, minus = torch.exp(x - h), torch.exp(-x - h)
        return self._shifted((plus + minus) * torch.tanh(x), minus)

    def moments(self, var: Tensor) -> Dual:
        """At u = v, where e₊ = 1 and e₋ = exp(−2b² var)."""
        exponent = -2 * self.b**2 * var
        return self._shifted(-torch.expm1(exponent), torch.exp(exponent))

    def _shifted(self, difference: Tensor, minus: Tensor) -> Dual:
        value = difference + 2 * math.sin(self.c) ** 2 * minus
        slope = difference + 2 * math.cos(self.c) ** 2 * minus
        return Dual(self.a**2 / 2 * value, (self.a * self.b) ** 2 / 2 * slope)
