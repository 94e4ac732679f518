"""Expectations over two correlated Gaussians by adaptive quadrature, slow and independent of the library.

(u, v) ~ N(0, [[q, c], [c, r]]):   E[f(u) g(v)] = ∫ f(u) N(u; 0, q) ∫ g(v) N(v; c u/q, r − c²/q) dv du.
Kinks and jumps of f and g at 0 are breakpoints of both integrals, so that kinked activations lose no digits.
"""

import math
from collections.abc import Callable

from scipy.integrate import quad

Scalar = Callable[[float], float]

REACH = 9.0  # standard deviations; what lies beyond weighs exp(-40), under every tolerance of these tests


def gaussian(f: Scalar, mean: float, variance: float) -> float:
    """∫ f(v) N(v; mean, variance) dv."""
    deviation = math.sqrt(max(variance, 0.0))
    if deviation < 1e-14:
        return f(mean)

    def integrand(z: float) -> float:
        return f(mean + deviation * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    kink = -mean / deviation
    points = [kink] if -REACH < kink < REACH else None
    return quad(integrand, -REACH, REACH, points=points, epsabs=1e-13, epsrel=1e-12, limit=200)[0]


def pair(f: Scalar, g: Scalar, cov: float, var1: float, var2: float) -> float:
    """E[f(u) g(v)] for (u, v) centered Gaussian with covariance [[var1, cov], [cov, var2]]."""
    slope, rest = cov / var1, var2 - cov * cov / var1
    return gaussian(lambda u: f(u) * gaussian(g, slope * u, rest), 0.0, var1)
