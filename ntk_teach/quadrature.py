"""Expectations over one Gaussian, and Hermite series for expectations over two.

For u = √v z with z ~ 𝒩(0, 1), the coefficients a_k(v) = E[f(√v z) h_k(z)] in the orthonormal Hermite
polynomials h_k turn a two-dimensional expectation into a power series in the correlation ρ:
E[f(u) f(u')] = Σ_k a_k(v) a_k(v') ρ^k   (Daniely, Frostig & Singer 2016, section 4; Mehler's formula).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["hermite_coefficients", "gaussian_mean_square", "nodes_for", "power_series"]

# The trapezoidal rule converges exponentially for smooth integrands with Gaussian tails, and unlike
# Gauss–Hermite nodes it does not lose the high coefficients. At |z| = 14 the weight is 1e-43.
RANGE, NODES = 14.0, 4097
# So many nodes tell the first 256 polynomials apart, and integrate what these can represent to the last digit.
FEWER_NODES, FEWER_TERMS = 1025, 256
CHUNK = 256  # variances at a time: 8 MB of values at the nodes


@lru_cache(maxsize=2)
def _nodes(count: int) -> Tensor:
    return torch.linspace(-RANGE, RANGE, count, dtype=torch.float64)


@lru_cache(maxsize=6)
def _weighted_hermite(terms: int, count: int) -> Tensor:
    """h_k(z) φ(z) dz at the nodes, [terms, count]; only products with √(φ dz) are formed, so nothing overflows."""
    z = _nodes(count)
    root = torch.exp(-z.square() / 4) * math.sqrt((z[1] - z[0]).item() / math.sqrt(2 * math.pi))
    rows = [root, z * root]
    for k in range(1, terms - 1):
        rows.append((z * rows[k] - math.sqrt(k) * rows[k - 1]) / math.sqrt(k + 1))
    return torch.stack(rows[:terms]) * root


def nodes_for(terms: int) -> int:
    """How many nodes the coefficients of so many terms are integrated with."""
    return FEWER_NODES if terms <= FEWER_TERMS else NODES


def _table(terms: int, count: int, device: torch.device) -> Tensor:
    """The first rows of a table that has a power of two of them, so that a few tables serve every number of terms."""
    return _weighted_hermite(max(64, 1 << (terms - 1).bit_length()), count)[:terms].to(device)


def _over_nodes(
    f: Callable[[Tensor], Tensor],
    variance: Float[Tensor, " n"],
    count: int,
    integrated: Callable[[Tensor], Tensor],
) -> Tensor:
    """``integrated`` of the values f(√v z) at the nodes, some variances at a time."""
    moving = variance > 0  # a unit that never moves has no derivative by √v
    deviation = torch.where(moving, torch.where(moving, variance, 1.0).double().sqrt(), 0.0)
    nodes = _nodes(count).to(variance.device)
    parts = torch.split(deviation, CHUNK)
    return torch.cat([integrated(f(part[:, None] * nodes)) for part in parts])


def hermite_coefficients(
    f: Callable[[Tensor], Tensor], variance: Float[Tensor, " n"], terms: int
) -> Float[Tensor, "n terms"]:
    """a_k(v) = E[f(√v z) h_k(z)], k < ``terms``, in float64. Cost: n · nodes · terms operations, nodes 1025 or 4097."""
    count = nodes_for(terms)
    table = _table(terms, count, variance.device)
    return _over_nodes(f, variance, count, lambda values: values @ table.T)


def gaussian_mean_square(
    f: Callable[[Tensor], Tensor], variance: Float[Tensor, " n"], nodes: int = NODES
) -> Float[Tensor, " n"]:
    """E[f(√v z)²] for each variance v, in float64."""
    density = _table(1, nodes, variance.device)[0]
    return _over_nodes(f, variance, nodes, lambda values: values.square() @ density)


def power_series(first: Tensor, second: Tensor, rho: Tensor) -> Tensor:
    """Σ_k first[..., k] second[..., k] ρ^k by Horner's rule; all arguments broadcast."""
    # With the terms first each coefficient's numbers lie side by side, which is three times as fast.
    one, two = first.movedim(-1, 0).contiguous(), second.movedim(-1, 0).contiguous()
    total = one[-1] * two[-1] + torch.zeros_like(rho)
    for k in range(len(one) - 2, -1, -1):
        total = torch.addcmul(total * rho, one[k], two[k])
    return total
