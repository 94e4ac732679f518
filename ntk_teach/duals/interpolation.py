"""Functions of a variance, evaluated at many variances by a polynomial through a few."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["at_variances"]

FEW = 48  # up to so many distinct variances a polynomial is not worth its nodes
DEGREES = (16, 32, 64, 128)
AGREEMENT = 1e-13  # relative, at nodes that the polynomial has not seen


def at_variances(f: Callable[[Tensor], Tensor], var: Float[Tensor, " n"]) -> Float[Tensor, "n columns"]:
    """f(var) [n, columns], where f is smooth in log var.

    More than 48 distinct variances are reached by Chebyshev interpolation in log var between the smallest and the
    largest that is not 0. The degree is doubled until the polynomial agrees to 1e-13 of |f(var)| with f at the nodes in
    between, which it has not seen; the one of twice the degree is returned. Where degree 128 is not enough, or |f| is 0
    or infinite, f itself is evaluated; so it is where torch wants gradients with respect to ``var``.

    Cost: f at no more than 257 variances, and some n · 64 · columns operations.
    """
    if var.requires_grad and torch.is_grad_enabled():
        return f(var)
    distinct, place = torch.unique(var, return_inverse=True)
    positive = distinct[distinct > 0].double()
    coefficients = _chebyshev_series(f, positive) if len(positive) > FEW else None
    if coefficients is None:
        return f(distinct)[place]
    polynomial = _polynomials(_angles_of(positive), len(coefficients)) @ coefficients
    values = polynomial[:, :-1] * polynomial[:, -1:].exp()
    return torch.cat([f(distinct[distinct == 0]), values])[place] if len(positive) < len(distinct) else values[place]


def _chebyshev_series(f: Callable[[Tensor], Tensor], var: Tensor) -> Tensor | None:
    """f/|f| and log |f| in Chebyshev's polynomials T_k of log var, or None.   [degree + 1, columns + 1]"""

    def scaled(nodes: Tensor) -> Tensor:
        values = f(nodes)
        size = values.norm(dim=1, keepdim=True)
        return torch.cat([values / size, size.log()], dim=1)

    low, high = var.log().aminmax()
    if not bool(high > low):
        return None
    values = scaled(_variances(DEGREES[0], low, high))
    for degree in DEGREES:
        coefficients = _through(values)
        finer = values.new_empty(2 * degree + 1, values.shape[1])
        finer[::2], finer[1::2] = values, scaled(_variances(2 * degree, low, high)[1::2])
        if not bool(torch.isfinite(finer).all()):
            return None
        unseen = _angles(2 * degree, var)[1::2]
        if float((_polynomials(unseen, degree + 1) @ coefficients - finer[1::2]).abs().max()) <= AGREEMENT:
            return _through(finer)
        values = finer
    return None


def _angles(degree: int, like: Tensor) -> Tensor:
    """πj/degree, j = 0, …, degree. The nodes are their cosines; arccos of a cosine near 1 would lose digits."""
    return torch.arange(degree + 1, dtype=like.dtype, device=like.device) * (math.pi / degree)


def _variances(degree: int, low: Tensor, high: Tensor) -> Tensor:
    """The nodes between the two logarithms."""
    return torch.exp((high + low) / 2 + (high - low) / 2 * torch.cos(_angles(degree, low)))


def _angles_of(var: Tensor) -> Tensor:
    """log var, carried to [−1, 1], as an angle."""
    low, high = var.log().aminmax()
    return torch.arccos(((2 * var.log() - low - high) / (high - low)).clamp(-1, 1))


def _polynomials(angle: Tensor, count: int) -> Tensor:
    """T_k(cos θ) = cos kθ, k < count.   [n, count]"""
    return torch.cos(torch.arange(count, dtype=angle.dtype, device=angle.device) * angle[:, None])


def _through(values: Tensor) -> Tensor:
    """Coefficients of the polynomial through ``values`` at the nodes: a discrete cosine transform.  [count, columns]"""
    degree = len(values) - 1
    basis = _polynomials(_angles(degree, values), degree + 1)  # symmetric: cos(πjk/degree)
    # The straight line through the ends stays out of the sums: a power of v is one in log v, and large beside the rest.
    line = torch.stack([values[0] + values[-1], values[0] - values[-1]]) / 2
    coefficients = 2 / degree * (basis @ (values - basis[:, :2] @ line))  # 0 at both ends, which would count half
    coefficients[[0, -1]] /= 2
    coefficients[:2] += line
    return coefficients
