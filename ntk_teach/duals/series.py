"""The dual of any smooth activation, by a Hermite series that knows its own error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.duals.interpolation import at_variances
from ntk_teach.errors import ConvergenceError, DomainError, sentence
from ntk_teach.kernel import Dual
from ntk_teach.quadrature import gaussian_mean_square, hermite_coefficients, nodes_for, power_series

__all__ = ["HermiteDual", "SeriesReport"]

STAGES = (32, 256, 2048)  # so many coefficients are looked at before more are computed
GRID = 33  # variances, the extremes among them, that stand for a longer list where the number of terms is chosen
VANISHES = 1e-14  # of the largest: coefficients of an odd or even function that are 0 but for rounding


class SeriesReport(NamedTuple):
    """What a Hermite series leaves out: ``terms``, and the relative tails of φ and φ̇ at each variance.

    value_tail: 1 − Σ_{k<terms} a_k²/E[φ²], which bounds the error of a value by √(tail(var1) tail(var2)) times
        √(E[φ(u)²] E[φ(v)²]); slope_tail: the same of φ̇. Both in the shape of the variances; rounding leaves some 1e-15.
    """

    terms: int
    value_tail: Tensor
    slope_tail: Tensor


@dataclass(frozen=True)
class HermiteDual:
    """E[φ(u)φ(v)] = Σ_k a_k(var1) a_k(var2) ρ^k; the same series of φ̇ gives the slope, finite also at var = 0.

    The terms left out are at most √(tail(var1) tail(var2)) with tail = E[φ²] − Σ_{k<K} a_k² (Cauchy–Schwarz), so K
    is the smallest number whose relative tail, of φ and of φ̇, is within ``tolerance`` at every variance, up to 2048.
    Evaluated in float64, returned in the dtype of ``cov``; torch differentiates it in all arguments, once and again,
    where no variance is 0.

    Source: Daniely, Frostig & Singer 2016, section 4; the tail by Parseval's identity.
    """

    phi: Callable[[Tensor], Tensor]
    tolerance: float

    def derivative(self, u: Tensor) -> Tensor:
        """φ̇, differentiated by torch so that the caller need not give it."""
        slope: Tensor = torch.func.grad(lambda t: self.phi(t).sum())(u)
        return slope

    def moments(self, var: Tensor) -> Dual:
        """E[φ(u)²] and E[φ̇(u)²] for u ~ 𝒩(0, var), by quadrature: no series, no truncation."""
        value, slope = (
            at_variances(partial(_mean_square, f), var.reshape(-1))[:, 0] for f in (self.phi, self.derivative)
        )
        if not bool((torch.isfinite(value) & torch.isfinite(slope)).all()):
            received = f"NaN or infinity for variances up to {float(var.detach().max()):.3g}"
            do = "check the function, or reduce sigma_w"
            raise DomainError(sentence("Hermite series", "finite E[φ²] and E[φ̇²] under a Gaussian", received, do))
        return Dual(value.to(var).reshape(var.shape), slope.to(var).reshape(var.shape))

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual:
        terms = max(self.terms(var1), self.terms(var2))
        first, second = self.coefficients(var1.reshape(-1), terms), self.coefficients(var2.reshape(-1), terms)
        rho = _correlation(cov, var1, var2)
        value, slope = (
            _sum(a.reshape(*var1.shape, terms), b.reshape(*var2.shape, terms), rho)
            for a, b in zip(first, second, strict=True)
        )
        return Dual(value.to(cov), slope.to(cov))

    def coefficients(
        self, var: Float[Tensor, " n"], terms: int
    ) -> tuple[Float[Tensor, "n terms"], Float[Tensor, "n terms"]]:
        """a_k(var) of φ and of φ̇, k < ``terms``, in float64, to 1e-12 of √E[φ²] and √E[φ̇²].

        Many distinct variances cost little more than some 50: the coefficients are then interpolated.
        """
        return self._coefficients(self.phi, var, terms), self._coefficients(self.derivative, var, terms)

    def terms(self, var: Tensor) -> int:
        """The smallest number within the tolerance at these variances; of many, at the extremes and 31 between.

        Raises: ConvergenceError if 2048 terms are not enough.
        """
        flat, worst = _representatives(var.detach().reshape(-1)), float("inf")
        for stage in STAGES:
            tails = torch.maximum(*(_tails(f, flat, stage) for f in (self.phi, self.derivative))).amax(0)  # [stage]
            enough = (tails <= self.tolerance).nonzero()
            if len(enough):
                return int(enough[0]) + 1
            worst = float(tails[-1])
        do = (
            "a kinked function needs its closed form, Activation(name, phi, dual, moments); a steep one, more tolerance"
        )
        expected = f"a relative tail of the Hermite series within {self.tolerance:.0e} in {STAGES[-1]} terms"
        received = f"{worst:.1e} at variances up to {float(flat.max()):.3g}"
        raise ConvergenceError(sentence("Hermite series", expected, received, do))

    def report(self, var: Tensor) -> SeriesReport:
        """How many terms are used at these variances together, and what is left out at each.

        Raises: ConvergenceError as ``terms``. Cost: some 8000 · terms operations for each variance.
        """
        terms, flat = self.terms(var), var.detach().reshape(-1)
        value, slope = (_tails(f, flat, terms)[:, -1].reshape(var.shape) for f in (self.phi, self.derivative))
        return SeriesReport(terms, value, slope)

    def _coefficients(self, f: Callable[[Tensor], Tensor], var: Tensor, terms: int) -> Tensor:
        coefficients = at_variances(partial(hermite_coefficients, f, terms=terms), var)
        return coefficients * _present(coefficients)


def _mean_square(f: Callable[[Tensor], Tensor], var: Tensor) -> Tensor:
    return gaussian_mean_square(f, var)[:, None]  # [n, 1]


def _present(coefficients: Tensor) -> Tensor:
    """1 for each k, or 0 for every second k where only rounding keeps the coefficients of an odd or even φ from 0."""
    size = coefficients.detach().abs()
    present = torch.ones_like(size[0])
    for parity in (0, 1):
        if bool((size[:, parity::2] <= VANISHES * size.amax(1, keepdim=True)).all()):
            present[parity::2] = 0
    return present


def _tails(f: Callable[[Tensor], Tensor], var: Tensor, terms: int) -> Tensor:
    """1 − Σ_{j≤k} a_j²/E[f²] for k < ``terms``: what is left out after the term k.   [n, terms]"""
    total = gaussian_mean_square(f, var, nodes_for(terms))[:, None]
    rest = total - hermite_coefficients(f, var, terms).square().cumsum(1)
    tails: Tensor = rest / torch.where(total > 0, total, 1.0)
    return tails


def _representatives(var: Tensor) -> Tensor:
    """Some variances that stand for all: each of a few; of many the extremes and a grid of logarithms between."""
    distinct: Tensor = torch.unique(var)
    if len(distinct) <= GRID:
        return distinct
    positive = distinct[distinct > 0].double()
    low, high = positive.log().aminmax()
    grid = torch.linspace(0, 1, GRID, dtype=positive.dtype, device=positive.device)
    between = torch.exp(low + (high - low) * grid)[1:-1]
    return torch.cat([distinct[:1].double(), positive[:1], between, positive[-1:]])


def _correlation(cov: Tensor, var1: Tensor, var2: Tensor) -> Tensor:
    """ρ in float64, 0 where a variance is 0. Rounding beyond ±1 is cut off, but not the gradient there."""
    alive = (var1 > 0) & (var2 > 0)
    root = torch.where(var1 > 0, var1, 1.0).double().sqrt() * torch.where(var2 > 0, var2, 1.0).double().sqrt()
    rho = torch.where(alive, cov / root, 0.0)
    return rho + (rho.clamp(-1, 1) - rho).detach()


def _sum(a: Tensor, b: Tensor, rho: Tensor) -> Tensor:
    """Σ_k a_k b_k ρ^k; of an odd or even function only the half that does not vanish, a series in ρ²."""
    if a.shape[-1] > 1 and not bool(a[..., 1::2].any()):
        return power_series(a[..., ::2], b[..., ::2], rho.square())
    if a.shape[-1] > 1 and not bool(a[..., ::2].any()):
        return power_series(a[..., 1::2], b[..., 1::2], rho.square()) * rho
    return power_series(a, b, rho)
