"""relu and erf in closed form, any smooth function by its series: against adaptive quadrature in two dimensions."""

import math

import pytest
import torch
from oracles.expectations import gaussian, pair

import ntk_teach as ntk
from ntk_teach.errors import ConvergenceError

SCALARS = {
    "relu": (lambda u: max(u, 0.0), lambda u: 1.0 if u > 0 else 0.0),
    "erf": (math.erf, lambda u: 2 / math.sqrt(math.pi) * math.exp(-u * u)),
}
ACTIVATIONS = {"relu": ntk.relu, "erf": ntk.erf}
# (cov, var1, var2): in general position, independent, anticorrelated, nearly collinear, of very unequal size
PAIRS = [
    (0.3, 1.0, 1.0),
    (0.0, 1.0, 2.0),
    (-0.9, 1.3, 0.8),
    (0.99 * math.sqrt(2.4), 1.2, 2.0),
    (-0.99, 1.0, 1.0),
    (0.02, 0.01, 9.0),
    (4.0, 25.0, 1.0),
]
double = {"dtype": torch.float64}


@pytest.mark.parametrize("cov, var1, var2", PAIRS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_closed_forms_equal_quadrature(name, cov, var1, var2):
    """E[φ(u)φ(v)] and E[φ'(u)φ'(v)] to 1e-12 of their size at u = v."""
    dual = ACTIVATIONS[name].dual(*(torch.tensor(value, **double) for value in (cov, var1, var2)))
    for ours, f in zip(dual, SCALARS[name], strict=True):
        size = math.sqrt(pair(f, f, var1, var1, var1) * pair(f, f, var2, var2, var2))
        assert abs(float(ours) - pair(f, f, cov, var1, var2)) <= 1e-12 * size


@pytest.mark.parametrize("var", [1e-3, 0.5, 1.0, 7.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_moments_equal_quadrature(name, var):
    """E[φ(u)²] and E[φ'(u)²], the dual at coincident points."""
    own = ACTIVATIONS[name].moments(torch.tensor(var, **double))
    for ours, f in zip(own, SCALARS[name], strict=True):
        assert float(ours) == pytest.approx(gaussian(lambda u, f=f: f(u) ** 2, 0.0, var), rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_is_the_derivative_of_value_in_the_covariance(name):
    """∂E[φ(u)φ(v)]/∂cov = E[φ'(u)φ'(v)] (Price's theorem), by automatic differentiation."""
    for numbers in PAIRS:
        cov, var1, var2 = (torch.tensor(value, **double) for value in numbers)
        dual = ACTIVATIONS[name].dual(cov.requires_grad_(), var1, var2)
        (derivative,) = torch.autograd.grad(dual.value, cov)
        torch.testing.assert_close(derivative, dual.slope.detach(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_phi_is_the_function_whose_dual_it_is(name):
    """phi and the scalar function that the quadrature integrated are one."""
    u = torch.linspace(-3, 3, 13, **double)
    expected = torch.tensor([SCALARS[name][0](value) for value in u.tolist()], **double)
    torch.testing.assert_close(ACTIVATIONS[name].phi(u), expected, rtol=1e-14, atol=1e-15)
    assert ACTIVATIONS[name].name == name


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7, 123.0])
def test_relu_at_collinear_points_is_exact(scale):
    """u = ±scale·v: no digit is lost to √(1 − ρ²); E[φφ] = scale/2 and slope 1/2, or 0 and 0 for opposite points."""
    cov, var1, var2 = (torch.tensor(value, **double) for value in (scale, 1.0, scale**2))
    same, opposite = ntk.relu.dual(cov, var1, var2), ntk.relu.dual(-cov, var1, var2)
    assert float(same.value) == pytest.approx(scale / 2, rel=1e-15)
    assert float(same.slope) == pytest.approx(0.5, rel=1e-15)
    assert float(opposite.value) == pytest.approx(0.0, abs=1e-15 * scale)
    assert float(opposite.slope) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "tanh by its series"])
def test_zero_variance_gives_numbers(name):
    """A unit that is always 0 has value φ(0)² = 0 and a finite slope, in pairs and alone."""
    activation = ACTIVATIONS.get(name) or ntk.Activation.from_function(torch.tanh)
    zero, one = torch.zeros(1, **double), torch.ones(1, **double)
    for var1, var2 in ((zero, zero), (zero, one), (one, zero)):
        dual = activation.dual(zero, var1, var2)
        assert float(dual.value) == pytest.approx(0.0, abs=1e-13)
        assert torch.isfinite(dual.slope).all()
    assert float(activation.moments(zero).value) == pytest.approx(0.0, abs=1e-13)
    assert torch.isfinite(activation.moments(zero).slope).all()


SERIES = {
    "erf": (torch.erf, lambda c, q, r: float(ntk.erf.dual(*(torch.tensor(v, **double) for v in (c, q, r))).value)),
    "sin": (torch.sin, lambda c, q, r: math.exp(-(q + r) / 2) * math.sinh(c)),
    "cos": (torch.cos, lambda c, q, r: math.exp(-(q + r) / 2) * math.cosh(c)),
    "exp": (torch.exp, lambda c, q, r: math.exp((q + r) / 2 + c)),
    "square": (torch.square, lambda c, q, r: q * r + 2 * c * c),
    "identity": (lambda u: u, lambda c, q, r: c),
    "constant": (torch.ones_like, lambda c, q, r: 1.0),
}


@pytest.mark.parametrize("name", SERIES)
def test_from_function_equals_closed_forms(name):
    """The series of a function whose dual is known: equal to 1e-10 of √(E[φ(u)²] E[φ(v)²])."""
    function, closed = SERIES[name]
    activation = ntk.Activation.from_function(function, name=name)
    for numbers in PAIRS[:5]:
        _, q, r = numbers
        value = activation.dual(*(torch.tensor(v, **double) for v in numbers)).value
        size = math.sqrt(closed(q, q, q) * closed(r, r, r))
        assert abs(float(value) - closed(*numbers)) <= 1e-10 * size


@pytest.mark.parametrize("function", [torch.relu, torch.abs])
def test_from_function_refuses_a_kink_where_it_is_used(function):
    """An architecture with a kinked function raises ConvergenceError that names the layer and says what to do."""
    activation = ntk.Activation.from_function(function, name="kinked")
    arch = ntk.serial(ntk.Dense(), activation, ntk.Dense())
    with pytest.raises(ConvergenceError, match=r"layer 2 of 3, kinked.*closed form"):
        arch.ntk(torch.eye(3, **double))


def test_from_function_takes_the_name_of_the_function():
    """Without a name the function's own is used, in messages and in the architecture's repr."""
    activation = ntk.Activation.from_function(torch.tanh)
    assert activation.name == "tanh"
    assert "tanh" in repr(ntk.serial(ntk.Dense(), activation, ntk.Dense()))
