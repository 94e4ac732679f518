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
from ntk_teach.ragged import Ragged
from ntk_teach.shapes import OtherVariances, PairGram, Variances
from ntk_teach.sites import Sided, Sites, check_summands, sites_of

__all__ = ["Dual", "Kernel", "Linear", "check_gaussian"]


Linear = Callable[[Tensor], Tensor] | Sided  # the same on all pairs of inputs, or with a matrix for each input


class Dual(NamedTuple):
    """The two Gaussian expectations of an activation φ, for (u, v) ~ 𝒩(0, [[var1, cov], [cov, var2]])."""

    value: Tensor  # E[φ(u) φ(v)]
    slope: Tensor  # E[φ̇(u) φ̇(v)], which is also ∂ value / ∂ cov


@dataclass(frozen=True, slots=True)
class Kernel:
    """Two kernels on a block of input pairs, with the variances that the activation rule needs.

    Units may sit at sites: pixels, time steps, nodes. Then both kernels have an entry for each pair of sites,
    [n, m, p, q] and [n, p, p] for one list, or, where the network compares like with like only (``paired``), for each
    site, [n, m, p] and [n, p].

    Args:
        nngp: Σ(x, x'), covariance of one unit at x and x'. [n, m, *sites]
        ntk: Θ(x, x'), inner product of the gradients of one unit at x and x'. [n, m, *sites]
        self1, self2: Σ(x, x) and Σ(x', x'). [n, *sites], [m, *sites]
        gaussian: are the units jointly Gaussian, so that an activation may follow?
        symmetric: is x' the same list as x? Then the diagonal is kept exact.
        sites: of both lists; None where units have none.
        paired: are only equal sites kept?

    Source: Jacot, Gabriel & Hongler 2018, Proposition 1 and Theorem 1. Chapter: 05_neural_tangent_kernel.
    """

    nngp: PairGram
    ntk: PairGram
    self1: Variances
    self2: OtherVariances
    gaussian: bool
    symmetric: bool
    sites: tuple[Sites, Sites] | None = None
    paired: bool = False

    @classmethod
    def of(cls, x1: Tensor | Ragged, x2: Tensor | Ragged | None = None, *, paired: bool = False) -> Kernel:
        """Σ(x, x') = x·x'/d of the raw inputs. No parameter has been met yet, hence Θ = 0.

        Inputs are vectors [n, d], sequences [n, t, d], images [n, h, w, d] or ``Ragged``; with sites, x·x' is taken
        between the features at each pair of sites.
        """
        other = x1 if x2 is None else x2
        (one, sites1), (two, sites2) = _laid_out(x1), _laid_out(other)
        if paired and sites1 is not None and sites2 is not None and sites1.grid != sites2.grid:
            (one, sites1), (two, sites2) = _end_to_end((one, sites1), (two, sites2))
        root = math.sqrt(one.shape[-1])
        one, two = one / root, two / root
        if sites1 is None or sites2 is None:
            self1, self2 = one.square().sum(1), two.square().sum(1)
            nngp = inner_products(one, two)  # [n, m]
        elif paired:
            self1, self2 = one.square().sum(2), two.square().sum(2)  # [n, p]
            nngp = torch.einsum("ipd,jpd->ijp", one, two)
        else:
            self1, self2 = _own_products(one), _own_products(two)  # [n, p, p]
            flat = inner_products(one.flatten(0, 1), two.flatten(0, 1))
            nngp = flat.view(len(one), one.shape[1], len(two), two.shape[1]).transpose(1, 2)
        if x2 is None:
            # A matrix product rounds x·x differently from the sum of squares. What is a last digit here
            # becomes 1e-8 in √(Σ(x,x)Σ(x',x') − Σ(x,x')²), so the diagonal is the same number from the start.
            nngp = _with_diagonal(nngp, self1)
        sites = None if sites1 is None or sites2 is None else (sites1, sites2)
        paired = paired and sites is not None
        return cls(nngp, torch.zeros_like(nngp), self1, self2, False, x2 is None, sites, paired)

    @property
    def variances(self) -> tuple[Tensor, Tensor]:
        """Variance of a unit at each input, or at each of its sites: [n], [m], or [n, p], [m, q]."""
        if self.sites is None or self.paired:
            return self.self1, self.self2
        return self.self1.diagonal(dim1=-2, dim2=-1), self.self2.diagonal(dim1=-2, dim2=-1)

    def random(
        self,
        linear: Linear,
        sigma_b: float = 0.0,
        eta_w: float = 1.0,
        eta_b: float = 1.0,
        *,
        sites: tuple[Sites, Sites] | None = None,
    ) -> Kernel:
        """Rule 1, a random linear map L with a bias: Σ ← LΣ + σ_b²,  Θ ← LΘ + η_w LΣ + η_b σ_b².

        The map makes its outputs Gaussian; each of its own parameters adds its gradient to Θ, times its
        learning-rate factor η (0: random, but not trained). ``sites`` are those of the outputs, where they change.
        """
        moved, bias = self.fixed(linear, sites=sites or self.sites), sigma_b**2
        return replace(
            moved,
            nngp=moved.nngp + bias,
            ntk=moved.ntk + eta_w * moved.nngp + eta_b * bias,
            self1=moved.self1 + bias,
            self2=moved.self2 + bias,
            gaussian=True,
        )

    def activated(self, dual: Callable[[Tensor, Tensor, Tensor], Dual], moments: Callable[[Tensor], Dual]) -> Kernel:
        """Rule 2, an activation φ: Σ ← E[φ(u) φ(v)],  Θ ← Θ ⊙ E[φ̇(u) φ̇(v)],  (u, v) ~ 𝒩(0, Σ).

        ``moments`` gives the same two expectations at u = v. Raises RuleError where the units are not Gaussian.
        """
        check_gaussian(self.gaussian)
        v1, v2 = self.variances
        all_pairs = self.sites is not None and not self.paired
        if all_pairs:  # of sites: [n, m, p, q] and, of one list, [n, p, p]
            value, slope = dual(self.nngp, v1[:, None, :, None], v2[None, :, None, :])
            own1, own2 = (
                Dual(*map(_with_own_diagonal, dual(own, v[:, :, None], v[:, None, :]), moments(v)))
                for own, v in ((self.self1, v1), (self.self2, v2))
            )
        else:
            value, slope = dual(self.nngp, v1[:, None], v2[None, :])
            own1, own2 = moments(v1), moments(v2)
        if self.symmetric:
            value, slope = _with_diagonal(value, own1.value), _with_diagonal(slope, own1.slope)
        return replace(self, nngp=value, ntk=self.ntk * slope, self1=own1.value, self2=own2.value, gaussian=False)

    def plus(self, other: Kernel) -> Kernel:
        """The sum of two uncorrelated summands, a residual connection: Σ ← Σ + Σ',  Θ ← Θ + Θ'."""
        check_summands(self.nngp.shape[2:], other.nngp.shape[2:])
        return replace(
            self,
            nngp=self.nngp + other.nngp,
            ntk=self.ntk + other.ntk,
            self1=self.self1 + other.self1,
            self2=self.self2 + other.self2,
            gaussian=self.gaussian and other.gaussian,
        )

    def fixed(self, linear: Linear, *, sites: tuple[Sites, Sites] | None = None) -> Kernel:
        """Rule 3, a fixed linear map P without parameters: Σ ← PΣ,  Θ ← PΘ. Gaussian units stay Gaussian.

        ``sites`` are those of the outputs; by default those of the inputs.
        """
        maps = (linear.pair, linear.own1, linear.own2) if isinstance(linear, Sided) else (linear,) * 3
        pair, own1, own2 = maps
        return replace(
            self,
            nngp=pair(self.nngp),
            ntk=pair(self.ntk),
            self1=own1(self.self1),
            self2=own2(self.self2),
            sites=sites or self.sites,
        )

    def read(self, linear: Linear) -> Kernel:
        """Rule 3 where it leaves no sites: a mean, a sum, a last step. ``linear`` leaves [n, m] and [n]."""
        return replace(self.fixed(linear), sites=None, paired=False)

    def weighted(self, weights: Callable[[Tensor], Tensor]) -> Kernel:
        """Rule 3, a weighted sum over sites: Σ ← Σ_{pq} w_p Σ(p, q) w_q; the weights [n, p] from who is present."""
        assert self.sites is not None and not self.paired
        sides = []
        for side, own in zip(self.sites, (self.self1, self.self2), strict=True):
            present = own.new_ones(own.shape[:2]) if side.present is None else side.present
            sides.append(weights(present)[:, None])
        return self.fixed(Sided(*sides)).read(lambda cov: cov[..., 0, 0])


def check_gaussian(gaussian: bool) -> None:
    """Raises RuleError where units are not Gaussian, so that no activation may follow."""
    if not gaussian:
        raise RuleError(
            "expected Gaussian units (the output of a random layer), received raw inputs or the output of "
            "another activation; put a Dense layer before this activation"
        )


def _laid_out(x: Tensor | Ragged) -> tuple[Tensor, Sites | None]:
    """Features [n, d], or [n, p, d] with the sites."""
    values = x.values if isinstance(x, Ragged) else x
    return values if values.ndim <= 3 else values.flatten(1, -2), sites_of(x)


def _end_to_end(*sides: tuple[Tensor, Sites]) -> list[tuple[Tensor, Sites]]:
    """Two lists of sequences of different length with as many steps: missing ones are put in front."""
    most = max(sites.count for _, sites in sides)
    found = []
    for x, sites in sides:
        more = most - sites.count
        present = x.new_ones(x.shape[:2]) if sites.present is None else sites.present
        x, present = torch.nn.functional.pad(x, (0, 0, more, 0)), torch.nn.functional.pad(present, (more, 0))
        found.append((x, Sites((most,), present)))
    return found


def _own_products(x: Tensor) -> Tensor:
    """x·x' between the sites of each input, with exact squares. [n, p, p]"""
    products = torch.stack([inner_products(one, one) for one in x])
    return _with_own_diagonal(products, x.square().sum(2))


def _with_diagonal(pairs: Tensor, own: Tensor) -> Tensor:
    """[n, n, *sites] with [n, *sites] on the diagonal."""
    return torch.diagonal_scatter(pairs, own.movedim(0, -1))


def _with_own_diagonal(own: Tensor, variances: Tensor) -> Tensor:
    """[n, p, p] with [n, p] on the diagonals."""
    return torch.diagonal_scatter(own, variances, dim1=-2, dim2=-1)
