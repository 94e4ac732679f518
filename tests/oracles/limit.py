"""The limiting kernels entry by entry, as the paper writes them (Jacot, Gabriel & Hongler 2018, arXiv:1806.07572v4).

Plain floats and loops. `dense` lists (sigma_w, sigma_b) of each weight layer; the paper has sigma_w = 1, sigma_b = β.
"""

import math
from collections.abc import Callable, Sequence

from oracles.expectations import pair

Scalar = Callable[[float], float]
Expectation = Callable[[float, float, float], float]  # (cov, var1, var2) -> E[...]


def by_quadrature(f: Scalar) -> Expectation:
    """E[f(u) f(v)] as a function of the covariance and the two variances."""
    return lambda cov, var1, var2: pair(f, f, cov, var1, var2)


def covariance(x: Sequence[float], y: Sequence[float], dense, value: Expectation, until: int) -> float:
    """Σ^(until)(x, y): Proposition 1, first layer first."""
    sigma_w, sigma_b = dense[0]
    sigma = sigma_w**2 * math.fsum(a * b for a, b in zip(x, y, strict=True)) / len(x) + sigma_b**2
    if until == 1:
        return sigma
    sigma_w, sigma_b = dense[until - 1]
    cov, var1, var2 = (covariance(a, b, dense, value, until - 1) for a, b in ((x, y), (x, x), (y, y)))
    return sigma_w**2 * value(cov, var1, var2) + sigma_b**2


def tangent(x: Sequence[float], y: Sequence[float], dense, value: Expectation, slope: Expectation) -> float:
    """Θ^(L)(x, y): Theorem 1,  Θ^(1) = Σ^(1),  Θ^(ℓ+1) = Θ^(ℓ) Σ'^(ℓ+1) + Σ^(ℓ+1)."""
    theta = covariance(x, y, dense, value, 1)
    for layer in range(2, len(dense) + 1):
        cov, var1, var2 = (covariance(a, b, dense, value, layer - 1) for a, b in ((x, y), (x, x), (y, y)))
        derivative = dense[layer - 1][0] ** 2 * slope(cov, var1, var2)
        theta = theta * derivative + covariance(x, y, dense, value, layer)
    return theta


def diagonal(x: Sequence[float], dense, moments: Callable[[float], tuple[float, float]]) -> tuple[float, float]:
    """(Σ^(L)(x, x), Θ^(L)(x, x)) by one number a layer; moments(q) = (E[φ(u)²], E[φ'(u)²]), u ~ N(0, q)."""
    sigma_w, sigma_b = dense[0]
    sigma = theta = sigma_w**2 * math.fsum(a * a for a in x) / len(x) + sigma_b**2
    for sigma_w, sigma_b in dense[1:]:
        square, slope = moments(sigma)
        sigma = sigma_w**2 * square + sigma_b**2
        theta = sigma_w**2 * slope * theta + sigma
    return sigma, theta


def relu_moments(q: float) -> tuple[float, float]:
    """Half of the Gaussian: E[relu(u)²] = q/2, P(u > 0) = 1/2."""
    return q / 2, 0.5 if q > 0 else 0.0


def erf_moments(q: float) -> tuple[float, float]:
    """Williams 1996 on the diagonal: (2/π) arcsin(2q/(1+2q)) and (4/π)/√(1+4q)."""
    return 2 / math.pi * math.asin(2 * q / (1 + 2 * q)), 4 / math.pi / math.sqrt(1 + 4 * q)
