"""Exponentials of a linear and of a quadratic function."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ntk_teach.errors import DomainError, sentence
from ntk_teach.kernel import Dual

__all__ = ["ExponentialDual", "GaussianDual"]


@dataclass(frozen=True)
class ExponentialDual:
    """φ(u) = a·exp(b u):   E[φ(u)φ(v)] = a² exp(b² (v₁ + v₂ + 2 cov)/2),   E[φ̇(u)φ̇(v)] = b² times that.

    Raises: DomainError, from ``moments``, where exp(2b² var) is beyond the numbers of the dtype.

    Source: the moment generating function of u + v. It is the kernel exp(x·x') of attention, up to the variances.
    """

    a: float
    b: float

    def phi(self, u: Tensor) -> Tensor:
        """φ itself."""
        return self.a * torch.exp(self.b * u)

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        value = self.a**2 * torch.exp(self.b**2 * ((var1 + var2) / 2 + cov))
        return Dual(value, self.b**2 * value)

    def moments(self, var: Tensor) -> Dual:
        """a² exp(2b² var), and b² times that."""
        value = self.a**2 * torch.exp(2 * self.b**2 * var)
        if not bool(torch.isfinite(value).all()):
            received = f"variances up to {float(var.detach().max()):.3g}"
            expected = f"finite E[φ²] = a² exp({2 * self.b**2:g} var) in {value.dtype}"
            raise DomainError(sentence("exponential", expected, received, "reduce sigma_w or b"))
        return Dual(value, self.b**2 * value)


@dataclass(frozen=True)
class GaussianDual:
    """φ(u) = a·exp(b u²).

    With D = det(1 − 2b Σ) = 1 − 2b (v₁ + v₂) + 4b² (v₁v₂ − cov²):

    E[φ(u)φ(v)] = a²/√D,   E[φ̇(u)φ̇(v)] = 4a²b² cov/D^(3/2).

    Raises: DomainError for b > 0 and a variance of 1/(4b) or more, where E[φ²] is infinite.

    Source: a Gaussian integral; the slope is its derivative in cov.
    """

    a: float
    b: float

    def phi(self, u: Tensor) -> Tensor:
        """φ itself."""
        return self.a * torch.exp(self.b * u.square())

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        self._check(var1, var2)
        s1, s2, s = (2 * self.b * value for value in (var1, var2, cov))
        return self._scaled(cov, 1 - s1 - s2 + (s1 * s2 - s.square()))

    def moments(self, var: Tensor) -> Dual:
        """At u = v, where D = 1 − 4b var."""
        self._check(var)
        return self._scaled(var, 1 - 4 * self.b * var)

    def _scaled(self, cov: Tensor, determinant: Tensor) -> Dual:
        value = self.a**2 * determinant.rsqrt()
        return Dual(value, 4 * self.b**2 * cov * value / determinant)

    def _check(self, *variances: Tensor) -> None:
        if self.b <= 0:
            return
        largest = max(float(var.detach().max()) for var in variances)
        if 4 * self.b * largest >= 1:
            expected = f"variances below 1/(4b) = {1 / (4 * self.b):.3g}, where E[φ²] is finite"
            do = "reduce sigma_w and sigma_b, or choose b <= 0"
            raise DomainError(sentence("exp(b u²)", expected, f"{largest:.3g}", do))
