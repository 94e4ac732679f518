"""Every dual in closed form: against adaptive quadrature, its Hermite series, automatic differentiation, and itself."""

import math
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles.expectations import gaussian, pair

from ntk_teach.activations import (
    Activation,
    Cos,
    Erf,
    Exp,
    Gaussian,
    Polynomial,
    Rbf,
    Sin,
    abrelu,
    absolute,
    cos,
    erf,
    exp,
    gelu,
    identity,
    leaky_relu,
    monomial,
    rbf,
    relu,
    sigmoid_like,
    sin,
)
from ntk_teach.activations import gaussian as bump
from ntk_teach.duals import HermiteDual

double = {"dtype": torch.float64}
ROOT = math.sqrt(math.pi)


def kink(a, b):
    return lambda u: b * u if u > 0 else a * u, lambda u: b if u > 0 else a


def error_function(a, b, c):
    return lambda u: a * math.erf(b * u) + c, lambda u: 2 * a * b / ROOT * math.exp(-((b * u) ** 2))


def sine(a, b, c):
    return lambda u: a * math.sin(b * u + c), lambda u: a * b * math.cos(b * u + c)


def exponential(a, b):
    return lambda u: a * math.exp(b * u), lambda u: a * b * math.exp(b * u)


def gaussian_bump(a, b):
    return lambda u: a * math.exp(b * u * u), lambda u: 2 * a * b * u * math.exp(b * u * u)


def polynomial(*c):
    return (
        lambda u: sum(a * u**j for j, a in enumerate(c)),
        lambda u: sum(j * a * u ** (j - 1) for j, a in enumerate(c) if j),
    )


def unit(u):
    return u / 2 * (1 + math.erf(u / math.sqrt(2)))


def unit_slope(u):
    return (1 + math.erf(u / math.sqrt(2))) / 2 + u * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)


KINKED = {
    "relu": (relu, *kink(0.0, 1.0)),
    "leaky_relu(0.1)": (leaky_relu(0.1), *kink(0.1, 1.0)),
    "abrelu(-0.5, 2)": (abrelu(-0.5, 2.0), *kink(-0.5, 2.0)),
    "absolute": (absolute, *kink(-1.0, 1.0)),
}
SMOOTH = {
    "identity": (identity, *polynomial(0.0, 1.0)),
    "monomial(3)": (monomial(3), *polynomial(0.0, 0.0, 0.0, 1.0)),
    "Polynomial([0.3, -1, 0.5, 0.2, 0.05])": (
        Polynomial([0.3, -1.0, 0.5, 0.2, 0.05]),
        *polynomial(0.3, -1.0, 0.5, 0.2, 0.05),
    ),
    "erf": (erf, *error_function(1.0, 1.0, 0.0)),
    "Erf(1.5, -0.7, 0.3)": (Erf(1.5, -0.7, 0.3), *error_function(1.5, -0.7, 0.3)),
    "sigmoid_like": (sigmoid_like, *error_function(0.5, 1 / 2.4020563531719796, 0.5)),
    "gelu": (gelu, unit, unit_slope),
    "sin": (sin, *sine(1.0, 1.0, 0.0)),
    "Sin(2, 1.3, 0.4)": (Sin(2.0, 1.3, 0.4), *sine(2.0, 1.3, 0.4)),
    "cos": (cos, *sine(1.0, 1.0, math.pi / 2)),
    "Cos(0.5, 1.2, -0.3)": (Cos(0.5, 1.2, -0.3), *sine(0.5, 1.2, math.pi / 2 - 0.3)),
    "rbf": (rbf, *sine(math.sqrt(2), math.sqrt(2), math.pi / 4)),
    "Rbf(0.4)": (Rbf(0.4), *sine(math.sqrt(2), math.sqrt(0.8), math.pi / 4)),
    "Exp(1.2, -0.5)": (Exp(1.2, -0.5), *exponential(1.2, -0.5)),
    "gaussian": (bump, *gaussian_bump(1.0, -1.0)),
    "Gaussian(0.7, 0.02)": (Gaussian(0.7, 0.02), *gaussian_bump(0.7, 0.02)),
}
CLOSED = KINKED | SMOOTH
UNBOUNDED = ("monomial(3)", "Polynomial([0.3, -1, 0.5, 0.2, 0.05])", "Exp(1.2, -0.5)", "Gaussian(0.7, 0.02)")

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


def tensors(*numbers: float, **options) -> list[torch.Tensor]:
    return [torch.tensor(value, **(double | options)) for value in numbers]


def general_pairs(n: int = 40) -> tuple[torch.Tensor, ...]:
    """n pairs of unequal variances between 0.05 and 2.5, of correlations between −0.99 and 0.99."""
    draws = torch.rand(3, n, generator=torch.Generator().manual_seed(0), **double)
    var1, var2 = 0.05 + 2.45 * draws[0], 0.05 + 2.45 * draws[1]
    return (1.98 * draws[2] - 0.99) * (var1 * var2).sqrt(), var1, var2


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_equal_quadrature(name):
    """E[φ(u)φ(v)] and E[φ̇(u)φ̇(v)] to 1e-12 of √(E[f(u)²] E[f(v)²])."""
    activation, *functions = CLOSED[name]
    for numbers in PAIRS if name in KINKED else PAIRS[:3] if name in UNBOUNDED else PAIRS[2:6:3]:
        for ours, f in zip(activation.dual(*tensors(*numbers)), functions, strict=True):
            one, two = (gaussian(lambda u, f=f: f(u) ** 2, 0.0, var) for var in numbers[1:])
            assert abs(float(ours) - pair(f, f, *numbers)) <= 1e-12 * math.sqrt(one * two), numbers


@pytest.mark.parametrize("name", CLOSED)
def test_moments_equal_quadrature(name):
    """E[φ(u)²] and E[φ̇(u)²], from small variances to large ones: no digit is lost where they nearly vanish."""
    activation, *functions = CLOSED[name]
    for var in (1e-3, 0.5, 1.0) if name in UNBOUNDED else (1e-3, 0.5, 1.0, 7.0):
        for ours, f in zip(activation.moments(*tensors(var)), functions, strict=True):
            assert float(ours) == pytest.approx(gaussian(lambda u, f=f: f(u) ** 2, 0.0, var), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", CLOSED)
def test_phi_is_the_function_whose_dual_it_is(name):
    """phi, its derivative by torch, and the two scalar functions that the quadrature integrated are one."""
    activation, *functions = CLOSED[name]
    u = torch.tensor([-3.0, -1.2, -0.3, 0.4, 1.0, 2.5], **double, requires_grad=True)
    value = activation.phi(u)
    (slope,) = torch.autograd.grad(value.sum(), u)
    for ours, f in zip((value, slope), functions, strict=True):
        expected = torch.tensor([f(point) for point in u.tolist()], **double)
        torch.testing.assert_close(ours.detach(), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", SMOOTH)
def test_closed_forms_equal_their_hermite_series(name):
    """The series of φ, which knows nothing of the closed form, gives the same numbers to 1e-12."""
    activation = SMOOTH[name][0]
    cov, var1, var2 = general_pairs()
    closed, series = activation.dual(cov, var1, var2), HermiteDual(activation.phi, 1e-13)(cov, var1, var2)
    for ours, theirs, one, two in zip(closed, series, activation.moments(var1), activation.moments(var2), strict=True):
        assert ((ours - theirs).abs() <= 1e-12 * (one * two).sqrt()).all()


@pytest.mark.parametrize("name", CLOSED)
def test_slope_is_the_derivative_of_value_in_the_covariance(name):
    """∂E[φ(u)φ(v)]/∂cov = E[φ̇(u)φ̇(v)] (Price's theorem), by automatic differentiation."""
    cov, var1, var2 = general_pairs()
    dual = CLOSED[name][0].dual(cov.requires_grad_(), var1, var2)
    (derivative,) = torch.autograd.grad(dual.value.sum(), cov)
    torch.testing.assert_close(derivative, dual.slope.detach(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_duals_are_differentiable_twice_in_all_arguments(name):
    """First and second derivatives in cov, var1 and var2 equal finite differences, at coincident points, too."""
    dual = SMOOTH[name][0].dual
    for numbers in ((0.4, 0.9, 1.3), (0.8, 0.8, 0.8), (-0.6, 0.6, 0.6)):
        arguments = [value.requires_grad_() for value in tensors(*numbers)]
        assert torch.autograd.gradcheck(lambda *a: tuple(dual(*a)), arguments, atol=1e-7)
        assert torch.autograd.gradgradcheck(lambda *a: tuple(dual(*a)), arguments, atol=1e-6)


@pytest.mark.parametrize("name", KINKED)
def test_kinked_duals_have_the_right_gradient_at_coincident_points(name):
    """There arccos has an infinite derivative; value must have the slope, never 0 or NaN."""
    dual = KINKED[name][0].dual
    for numbers in ((0.7, 0.7, 0.7), (-0.7, 0.7, 0.7), (1.3, 1.0, 1.69), (0.0, 0.0, 1.0)):
        cov, var1, var2 = (value.requires_grad_() for value in tensors(*numbers))
        value, slope = dual(cov, var1, var2)
        in_cov, in_var = torch.autograd.grad(value, (cov, var1))
        assert float(in_cov) == pytest.approx(float(slope.detach()), abs=1e-15)
        assert math.isfinite(in_var) or numbers[1] == 0


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7, 123.0])
@pytest.mark.parametrize("name", KINKED)
def test_kinked_duals_at_collinear_points_are_exact(name, scale):
    """u = ±scale·v: (a² + b²)/2 of the variance, or −ab of it; no digit is lost to √(1 − ρ²)."""
    activation, phi, _ = KINKED[name]
    a, b = -phi(-1.0), phi(1.0)
    cov, var1, var2 = tensors(scale, 1.0, scale**2)
    same, opposite = activation.dual(cov, var1, var2), activation.dual(-cov, var1, var2)
    half, product = (a * a + b * b) / 2, a * b
    for dual, slope, size in ((same, half, scale), (opposite, product, -scale)):
        assert float(dual.value) == pytest.approx(slope * size, rel=1e-15, abs=1e-15 * scale)
        assert float(dual.slope) == pytest.approx(slope, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("name", KINKED)
def test_a_unit_that_never_moves_is_independent_of_every_other(name):
    """Of the slopes a and b each is met half of the time: E[φ̇(u)φ̇(v)] = ((a + b)/2)² where a variance is 0."""
    activation, phi, _ = KINKED[name]
    zero, one = tensors(0.0, 1.0)
    for variances in ((zero, zero), (zero, one), (one, zero)):
        expected = ((phi(1.0) - phi(-1.0)) / 2) ** 2
        assert float(activation.dual(zero, *variances).slope) == pytest.approx(expected, rel=1e-15, abs=1e-16)


@pytest.mark.parametrize("power", [10, 20, 30, 40, 48])
def test_relu_near_collinear_points_follows_its_expansion(power):
    """At ρ = ±(1 − δ) the slope is 1/2 − √(2δ)(1 + δ/12 + …)/2π or the small rest of it, to 1e-15."""
    delta = 2.0**-power
    angle = math.sqrt(2 * delta) * (1 + delta / 12 + 3 * delta**2 / 160 + 5 * delta**3 / 896)
    one = torch.ones(1, **double)
    same, opposite = (relu.dual(sign * (one - delta), one, one) for sign in (1, -1))
    assert float(same.slope) == pytest.approx(0.5 - angle / (2 * math.pi), abs=1e-13 * angle + 1e-16)
    assert float(opposite.slope) == pytest.approx(angle / (2 * math.pi), rel=1e-13, abs=0)
    assert float(same.value) == pytest.approx(0.5 - delta / 2 + angle**3 / (6 * math.pi), abs=1e-15 + delta**2)
    assert float(opposite.value) == pytest.approx(angle**3 / (6 * math.pi), abs=1e-15 + delta**2)


@pytest.mark.parametrize("name", CLOSED)
def test_moments_are_the_dual_at_coincident_points(name):
    """dual(v, v, v) = moments(v), and collinear points of nearly equal variance come as near."""
    activation = CLOSED[name][0]
    var = torch.tensor([1e-6, 0.01, 0.3, 1.0, 2.0], **double)
    own = activation.moments(var)
    for nearly in (1.0, 1 + 1e-13):
        for ours, exact in zip(activation.dual(var * math.sqrt(nearly), var, var * nearly), own, strict=True):
            torch.testing.assert_close(ours, exact, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_small_variances_keep_their_digits(name):
    """At variances of 1e-12 value and slope are φ(0)² and φ̇(0)² plus a little, relative to themselves."""
    activation, phi, slope = SMOOTH[name]
    dual, own = activation.dual(*tensors(0.3e-12, 1e-12, 1e-12)), activation.moments(*tensors(1e-12))
    first, second = phi(0.0), slope(0.0)
    if first:
        assert float(dual.value) == pytest.approx(first**2, rel=1e-10, abs=0)
    elif second:
        assert float(dual.value) == pytest.approx(0.3e-12 * second**2, rel=1e-10, abs=0)
        assert float(own.value) == pytest.approx(1e-12 * second**2, rel=1e-10, abs=0)
    if second and abs(second) > 1e-12:
        assert float(dual.slope) == pytest.approx(second**2, rel=1e-10, abs=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", CLOSED)
def test_zero_variance_gives_numbers(name, dtype):
    """A unit that is always 0 has value φ(0) E[φ(v)] and a finite slope, in pairs and alone."""
    activation, phi, _ = CLOSED[name]
    zero, one = tensors([0.0], [1.0], dtype=dtype)
    for var1, var2 in ((zero, zero), (zero, one), (one, zero)):
        dual = activation.dual(zero, var1, var2)
        assert torch.isfinite(dual.value).all()
        assert torch.isfinite(dual.slope).all()
        assert dual.value.dtype == dual.slope.dtype == dtype
    both, alone = activation.dual(zero, zero, zero), activation.moments(zero)
    assert float(both.value) == pytest.approx(phi(0.0) ** 2, rel=1e-6, abs=1e-13)
    assert float(alone.value) == pytest.approx(phi(0.0) ** 2, rel=1e-6, abs=1e-13)
    assert torch.isfinite(alone.slope).all()


@pytest.mark.parametrize("name", CLOSED)
def test_float32_keeps_six_digits(name):
    """Away from collinear points a float32 dual is within 2e-6 of √(E[f(u)²] E[f(v)²]) of the float64 one."""
    activation = CLOSED[name][0]
    arguments = [value.float() for value in general_pairs(400)]
    wide = [value.double() for value in arguments]
    for single, exact, one, two in zip(
        activation.dual(*arguments),
        activation.dual(*wide),
        activation.moments(wide[1]),
        activation.moments(wide[2]),
        strict=True,
    ):
        assert single.dtype == torch.float32
        assert float(((single - exact).abs() / (one * two).sqrt()).max()) <= 2e-6


@pytest.mark.parametrize("name", CLOSED)
def test_arguments_broadcast(name):
    """Covariances [n, m] with variances [n, 1] and [1, m] give [n, m], entry by entry the same numbers."""
    activation = CLOSED[name][0]
    cov = torch.linspace(-0.4, 0.4, 6, **double).reshape(2, 3)
    var1, var2 = torch.tensor([[0.5], [1.0]], **double), torch.tensor([[0.4, 0.7, 1.1]], **double)
    together = activation.dual(cov, var1, var2)
    for i in range(2):
        for j in range(3):
            alone = activation.dual(cov[i, j], var1[i, 0], var2[0, j])
            assert float(together.value[i, j]) == pytest.approx(float(alone.value), rel=1e-14, abs=1e-16)
            assert float(together.slope[i, j]) == pytest.approx(float(alone.slope), rel=1e-14, abs=1e-16)
    flat = activation.dual(cov[0, 0], var1[:, 0], var1[:, 0])
    assert flat.value.shape == flat.slope.shape == (2,)
    same = activation.dual(cov, var1[0, 0], var1[0, 0])
    assert same.value.shape == same.slope.shape == cov.shape


@given(st.sampled_from(sorted(CLOSED)), st.floats(-1, 1), st.floats(0.01, 4), st.floats(0.01, 4))
def test_duals_are_symmetric_and_within_cauchy_schwarz(name, rho, var1, var2):
    """E[φ(u)φ(v)] does not change when u and v change places, and is at most √(E[φ(u)²] E[φ(v)²])."""
    activation = CLOSED[name][0]
    cov, q, r = tensors(rho * math.sqrt(var1 * var2), var1, var2)
    there, back = activation.dual(cov, q, r), activation.dual(cov, r, q)
    for one, other, mine, yours in zip(there, back, activation.moments(q), activation.moments(r), strict=True):
        bound = math.sqrt(float(mine * yours))
        assert float(one) == pytest.approx(float(other), rel=1e-13, abs=1e-14 * bound)
        assert abs(float(one)) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_form_travels_to_other_processes(name):
    """An activation is pickled and works at the other end, under the name by which it was called."""
    activation = CLOSED[name][0]
    copy = pickle.loads(pickle.dumps(activation))
    assert isinstance(copy, Activation)
    assert repr(copy) == repr(activation) == name
    assert copy.dual(*tensors(*PAIRS[0])) == activation.dual(*tensors(*PAIRS[0]))


def test_lower_case_names_are_members_of_their_families():
    """exp, gaussian, rbf, sin, cos, erf, relu, absolute and identity are the families at their default numbers."""
    members = [(exp, Exp()), (bump, Gaussian()), (rbf, Rbf()), (sin, Sin()), (cos, Cos()), (erf, Erf())]
    members += [(relu, abrelu(0.0, 1.0)), (absolute, leaky_relu(-1.0)), (identity, monomial(1))]
    u = torch.linspace(-2, 2, 9, **double)
    for member, family in members:
        assert member.dual == family.dual
        torch.testing.assert_close(member.phi(u), family.phi(u), rtol=1e-15, atol=1e-15)
