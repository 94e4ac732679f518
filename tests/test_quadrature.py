"""Expectations over one Gaussian: coefficients known in closed form, Parseval, and adaptive quadrature."""

import cmath
import math

import pytest
import torch
from oracles.expectations import gaussian
from scipy.special import eval_hermitenorm

from ntk_teach.quadrature import gaussian_mean_square, hermite_coefficients, power_series

VARIANCES = torch.tensor([0.04, 1.0, 2.5], dtype=torch.float64)


def hermite(k: int):
    """The orthonormal h_k, from scipy's probabilists' polynomials."""
    return lambda u: torch.from_numpy(eval_hermitenorm(k, u.numpy())) / math.sqrt(math.factorial(k))


@pytest.mark.parametrize("k", [0, 1, 2, 5, 12, 20])
def test_the_polynomials_are_orthonormal(k):
    """E[h_j(z) h_k(z)] is 1 for j = k and 0 otherwise."""
    coefficients = hermite_coefficients(hermite(k), torch.ones(1, dtype=torch.float64), 24)[0]
    expected = torch.zeros(24, dtype=torch.float64)
    expected[k] = 1
    assert (coefficients - expected).abs().max() <= 1e-13


def test_high_coefficients_keep_their_digits():
    """a_k of sin(3u + 1/2) = Im e^{i/2} (3i√v)^k e^{−9v/2}/√k!, for all k < 200, where Gauss–Hermite nodes fail."""
    v = 2.5
    coefficients = hermite_coefficients(lambda u: torch.sin(3 * u + 0.5), torch.tensor([v], dtype=torch.float64), 200)[
        0
    ]
    logs = [k * cmath.log(3j * math.sqrt(v)) - math.lgamma(k + 1) / 2 - 4.5 * v + 0.5j for k in range(200)]
    expected = torch.tensor([cmath.exp(log).imag for log in logs], dtype=torch.float64)
    assert (coefficients - expected).abs().max() <= 1e-14
    assert expected[100:].abs().max() < 1e-10


CLOSED_FORMS = {
    "u³": (lambda u: u**3, lambda v: {1: 3 * v**1.5, 3: math.sqrt(6) * v**1.5}),
    "exp(u/2)": (
        lambda u: torch.exp(u / 2),
        lambda v: {k: math.exp(v / 8) * (v / 4) ** (k / 2) / math.sqrt(math.factorial(k)) for k in range(24)},
    ),
    "sin": (
        torch.sin,
        lambda v: {
            k: (-1) ** (k // 2) * math.exp(-v / 2) * v ** (k / 2) / math.sqrt(math.factorial(k))
            for k in range(1, 24, 2)
        },
    ),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_coefficients_equal_their_closed_forms(name):
    """a_k(v) = E[f(√v z) h_k(z)] of powers, exponentials and sines, at several variances at once."""
    function, closed = CLOSED_FORMS[name]
    coefficients = hermite_coefficients(function, VARIANCES, 24)
    assert coefficients.shape == (3, 24)
    for row, variance in zip(coefficients, VARIANCES.tolist(), strict=True):
        known = closed(variance)
        expected = torch.tensor([known.get(k, 0.0) for k in range(24)], dtype=torch.float64)
        assert (row - expected).abs().max() <= 1e-13 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("name, scalar", [("tanh", math.tanh), ("sin", math.sin), ("square", lambda u: u * u)])
def test_the_mean_square_equals_adaptive_quadrature(name, scalar):
    """E[f(√v z)²] by the trapezoidal rule equals scipy's adaptive integral."""
    ours = gaussian_mean_square(getattr(torch, name), VARIANCES)
    theirs = torch.tensor([gaussian(lambda u: scalar(u) ** 2, 0.0, v) for v in VARIANCES.tolist()], dtype=torch.float64)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=0)


def test_coefficients_carry_the_whole_mean_square():
    """Parseval: Σ_k a_k² = E[f²] once the series has converged."""
    coefficients = hermite_coefficients(torch.tanh, VARIANCES[:2], 512)
    torch.testing.assert_close(
        coefficients.square().sum(1), gaussian_mean_square(torch.tanh, VARIANCES[:2]), rtol=1e-12, atol=0
    )


def test_the_power_series_is_the_sum_of_its_terms():
    """Σ_k a_k b_k ρ^k, broadcast over pairs, including ρ = 0 and ρ = ±1."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(4, 1, 7, generator=generator, dtype=torch.float64)
    b = torch.randn(1, 5, 7, generator=generator, dtype=torch.float64)
    rho = torch.rand(4, 5, generator=generator, dtype=torch.float64) * 2 - 1
    rho[0, :3] = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
    expected = sum(a[..., k] * b[..., k] * rho**k for k in range(7))
    torch.testing.assert_close(power_series(a, b, rho), expected, rtol=1e-13, atol=1e-14)
