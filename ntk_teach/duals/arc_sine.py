"""The error function, scaled and shifted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.kernel import Dual

__all__ = ["ArcSine"]


@dataclass(frozen=True)
class ArcSine:
    """φ(u) = a·erf(b u) + c.

    With s = 2b² cov and D = (1 + 2b² v₁)(1 + 2b² v₂) − s²:

    E[φ(u)φ(v)] = (2a²/π) arcsin(s/√(D + s²)) + c²,   E[φ̇(u)φ̇(v)] = (4a²b²/π)/√D.

    The arcsine is written as the arctangent of the same triangle, which keeps its digits near ±1.

    Source: Williams 1996, eq. 11, for a = b = 1 and c = 0; E[erf] = 0 leaves no product of c with the rest.
    """

    a: float
    b: float
    c: float

    def phi(self, u: Tensor) -> Tensor:
        """φ itself."""
        return self.a * torch.erf(self.b * u) + self.c

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        s, s1, s2 = (2 * self.b**2 * value for value in (cov, var1, var2))
        return self._triangle(s, (1 + s1 + s2 + (s1 * s2 - s.square())).sqrt())

    def moments(self, var: Tensor) -> Dual:
        """At u = v, where D = 1 + 4b² var."""
        s = 2 * self.b**2 * var
        return self._triangle(s, (1 + 2 * s).sqrt())

    def _triangle(self, s: Tensor, root: Tensor) -> Dual:
        value = 2 * self.a**2 / math.pi * torch.atan2(s, root) + self.c**2
        return Dual(value, 4 * (self.a * self.b) ** 2 / math.pi / root)
