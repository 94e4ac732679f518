"""The dual of a smooth activation by its series: within the tolerance it states, or refused."""

import math

import pytest
import torch
from oracles.expectations import pair

from ntk_teach.errors import ConvergenceError, DomainError
from ntk_teach.hermite import TERMS, HermiteDual

PAIRS = [(0.3, 1.0, 1.0), (-0.7, 0.8, 1.1), (0.0, 0.5, 2.0), (0.999, 1.0, 1.0), (0.05, 0.04, 1.5)]


def gelu(u: float) -> float:
    return u / 2 * (1 + math.erf(u / math.sqrt(2)))


def gelu_slope(u: float) -> float:
    return (1 + math.erf(u / math.sqrt(2))) / 2 + u * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)


SMOOTH = {
    "tanh": (torch.tanh, math.tanh, lambda u: 1 - math.tanh(u) ** 2),
    "gelu": (torch.nn.functional.gelu, gelu, gelu_slope),
    "sin": (lambda u: torch.sin(2 * u + 0.3), lambda u: math.sin(2 * u + 0.3), lambda u: 2 * math.cos(2 * u + 0.3)),
}


def tensors(cov: float, var1: float, var2: float) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor([value], dtype=torch.float64) for value in (cov, var1, var2))


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("name", SMOOTH)
def test_the_error_is_within_the_stated_tolerance(name, tolerance):
    """|series − E| ≤ tolerance · √(E[f(u)²] E[f(v)²]) for φ and for its derivative, against adaptive quadrature."""
    function, scalar, scalar_slope = SMOOTH[name]
    series = HermiteDual(function, tolerance)
    for cov, var1, var2 in PAIRS:
        dual = series.dual(*tensors(cov, var1, var2))
        for ours, f in ((dual.value, scalar), (dual.slope, scalar_slope)):
            size = math.sqrt(pair(f, f, var1, var1, var1) * pair(f, f, var2, var2, var2))
            assert abs(float(ours) - pair(f, f, cov, var1, var2)) <= (tolerance + 1e-12) * size


def test_a_smaller_tolerance_takes_more_terms():
    """The number of terms follows the tail: it grows with the demand and with the variance, within the table."""
    var = torch.tensor([1.0], dtype=torch.float64)
    counts = [HermiteDual(torch.tanh, tolerance).terms(var) for tolerance in (1e-2, 1e-5, 1e-9)]
    assert counts == sorted(set(counts))
    assert set(counts) <= set(TERMS)
    assert HermiteDual(torch.sin, 1e-10).terms(25 * var) > HermiteDual(torch.sin, 1e-10).terms(var)


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(torch.relu, id="relu"),
        pytest.param(torch.abs, id="abs"),
        pytest.param(torch.sign, id="sign"),
        pytest.param(lambda u: torch.nn.functional.leaky_relu(u, 0.1), id="leaky relu"),
        pytest.param(lambda u: torch.clamp(u, -1, 1), id="kinks away from 0"),
        pytest.param(lambda u: torch.sin(60 * u), id="faster than 512 terms"),
        pytest.param(lambda u: torch.relu(u) ** 2, id="kink of the derivative"),
    ],
)
def test_a_function_that_the_series_does_not_reach_is_refused(function):
    """A kinked, discontinuous or too steep function is refused, never silently wrong."""
    with pytest.raises(ConvergenceError, match="tail of the Hermite series"):
        HermiteDual(function, 1e-10).dual(*tensors(0.3, 1.0, 1.0))


def test_a_function_without_a_mean_square_is_refused():
    """exp(u²) has E[f²] = ∞: the answer is an error, not inf."""
    with pytest.raises(DomainError, match="finite"):
        HermiteDual(lambda u: torch.exp(u * u), 1e-10).moments(torch.tensor([4.0e2], dtype=torch.float64))


def test_zero_variance_is_the_value_at_zero():
    """With var = 0 the units are 0: E[φφ] = φ(0)², and the slope is φ'(0)², finite."""
    dual = HermiteDual(torch.cos, 1e-10).dual(*tensors(0.0, 0.0, 0.0))
    assert float(dual.value) == pytest.approx(1.0, abs=1e-13)
    assert float(dual.slope) == pytest.approx(0.0, abs=1e-13)
    slope = HermiteDual(torch.sin, 1e-10).dual(*tensors(0.0, 0.0, 0.0)).slope
    assert float(slope) == pytest.approx(1.0, abs=1e-13)


def test_moments_are_the_dual_at_coincident_points():
    """moments(v) equals dual(v, v, v) within the tolerance, in the shape of v."""
    series = HermiteDual(torch.tanh, 1e-10)
    var = torch.tensor([[0.3, 1.0], [1.5, 0.01]], dtype=torch.float64)
    own, coincident = series.moments(var), series.dual(var, var, var)
    torch.testing.assert_close(own.value, coincident.value, rtol=2e-10, atol=0)
    torch.testing.assert_close(own.slope, coincident.slope, rtol=2e-10, atol=0)
    assert own.value.shape == var.shape


def test_float32_arguments_give_float32_duals():
    """The series is summed in float64 and rounded once: a float32 dual is within two last digits."""
    single = HermiteDual(torch.tanh, 1e-10).dual(*(t.float() for t in tensors(0.25, 1.0, 0.5)))
    double = HermiteDual(torch.tanh, 1e-10).dual(*tensors(0.25, 1.0, 0.5))
    assert single.value.dtype == single.slope.dtype == torch.float32
    torch.testing.assert_close(single.value.double(), double.value, rtol=3e-7, atol=0)
