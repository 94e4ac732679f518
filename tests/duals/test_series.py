"""The dual of a smooth activation by its series: within the tolerance it states, or refused."""

import math

import pytest
import torch
from oracles.expectations import gaussian, pair

from ntk_teach.duals import HermiteDual
from ntk_teach.errors import ConvergenceError, DomainError
from ntk_teach.quadrature import gaussian_mean_square, hermite_coefficients

PAIRS = [(-0.7, 0.8, 1.1), (0.999, 1.0, 1.0), (0.05, 0.04, 1.5)]


def gelu(u: float) -> float:
    return u / 2 * (1 + math.erf(u / math.sqrt(2)))


def gelu_slope(u: float) -> float:
    return (1 + math.erf(u / math.sqrt(2))) / 2 + u * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)


SMOOTH = {
    "tanh": (torch.tanh, math.tanh, lambda u: 1 - math.tanh(u) ** 2),
    "gelu": (torch.nn.functional.gelu, gelu, gelu_slope),
    "sin": (lambda u: torch.sin(2 * u + 0.3), lambda u: math.sin(2 * u + 0.3), lambda u: 2 * math.cos(2 * u + 0.3)),
}


VAR = torch.tensor([0.4, 1.7], dtype=torch.float64)


def tensors(cov: float, var1: float, var2: float) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor([value], dtype=torch.float64) for value in (cov, var1, var2))


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("name", SMOOTH)
def test_the_error_is_within_the_stated_tolerance(name, tolerance):
    """|series − E| ≤ tolerance · √(E[f(u)²] E[f(v)²]) for φ and for its derivative, against adaptive quadrature."""
    function, scalar, scalar_slope = SMOOTH[name]
    series = HermiteDual(function, tolerance)
    for cov, var1, var2 in PAIRS:
        dual = series(*tensors(cov, var1, var2))
        for ours, f in ((dual.value, scalar), (dual.slope, scalar_slope)):
            size = math.sqrt(math.prod(gaussian(lambda u, f=f: f(u) ** 2, 0.0, var) for var in (var1, var2)))
            assert abs(float(ours) - pair(f, f, cov, var1, var2)) <= (tolerance + 1e-12) * size


def relative_tails(function, var: torch.Tensor, terms: int) -> tuple[float, float]:
    """The largest 1 − Σ_{k<terms} a_k²/E[f²] over the variances, of φ and of its derivative, from their definitions."""
    tails = []
    for f in (function, lambda u: torch.func.vmap(torch.func.grad(function))(u.reshape(-1)).reshape(u.shape)):
        total = gaussian_mean_square(f, var)
        tails.append(float((1 - hermite_coefficients(f, var, terms).square().sum(1) / total).max()))
    return tails[0], tails[1]


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-10])
@pytest.mark.parametrize("name", SMOOTH)
def test_the_number_of_terms_is_the_smallest(name, tolerance):
    """With it both tails are within the tolerance at every variance; with one less, one of them is not."""
    function, var = SMOOTH[name][0], torch.tensor([0.3, 1.0, 1.9], dtype=torch.float64)
    terms = HermiteDual(function, tolerance).terms(var)
    assert max(relative_tails(function, var, terms)) <= tolerance
    assert max(relative_tails(function, var, terms - 1)) > tolerance


def test_terms_grow_with_the_demand_and_with_the_variance():
    """Fewer digits or smaller variances cost less; a constant takes one term, u three at most."""
    var = torch.tensor([1.0], dtype=torch.float64)
    counts = [HermiteDual(torch.tanh, tolerance).terms(var) for tolerance in (1e-2, 1e-5, 1e-9)]
    assert counts == sorted(set(counts))
    assert HermiteDual(torch.sin, 1e-10).terms(25 * var) > HermiteDual(torch.sin, 1e-10).terms(var)
    assert HermiteDual(torch.ones_like, 1e-10).terms(var) == 1
    assert HermiteDual(lambda u: 3 * u, 1e-10).terms(var) == 2


def test_of_many_variances_the_extremes_and_a_grid_decide():
    """Thousands of variances take as many terms as the two ends and the best grid between them, not more."""
    series = HermiteDual(torch.nn.functional.gelu, 1e-10)
    var = torch.linspace(0.2, 3.0, 5000, dtype=torch.float64)
    assert series.terms(var) == max(series.terms(end) for end in (var[:1], var[-1:]))


def test_the_report_says_what_is_left_out():
    """Its tails are 1 − Σ a_k²/E[f²] at each variance, in the shape of the variances, and bound the error."""
    series = HermiteDual(torch.tanh, 1e-4)
    var = torch.tensor([[0.5], [1.5]], dtype=torch.float64)
    report = series.report(var)
    assert report.terms == series.terms(var)
    assert report.value_tail.shape == report.slope_tail.shape == var.shape
    for row in range(2):
        tails = relative_tails(torch.tanh, var[row], report.terms)
        assert float(report.value_tail[row]) == pytest.approx(tails[0], rel=1e-6, abs=1e-14)
        assert float(report.slope_tail[row]) == pytest.approx(tails[1], rel=1e-6, abs=1e-14)
    one, two = (value.reshape(()) for value in var)
    exact, short = (
        HermiteDual(torch.tanh, tolerance)(0.99 * (one * two).sqrt(), one, two) for tolerance in (1e-12, 1e-4)
    )
    bound = (report.value_tail * series.moments(var).value).prod().sqrt()
    assert 0 < float((exact.value - short.value).abs()) <= float(bound) + 1e-12


@pytest.mark.parametrize("name, kept", [("sin", 1), ("tanh", 1), ("cos", 0)])
def test_coefficients_of_odd_and_even_functions_vanish_exactly(name, kept):
    """Every second coefficient is 0, not 1e-17, so that whoever sums them may leave it out; of φ̇ the others."""
    series = HermiteDual(getattr(torch, name), 1e-10)
    values, slopes = series.coefficients(torch.tensor([0.4, 1.7], dtype=torch.float64), 16)
    assert not values[:, 1 - kept :: 2].any()
    assert not slopes[:, kept::2].any()
    assert values[:, kept::2].all()
    assert slopes[:, 1 - kept :: 2].all()


def test_neither_odd_nor_even_functions_keep_all_coefficients():
    """tanh(u) + 1e-6 cos(u) is nearly odd, and its small even part is not dropped."""
    values, _ = HermiteDual(lambda u: torch.tanh(u) + 1e-6 * torch.cos(u), 1e-10).coefficients(VAR, 8)
    expected = hermite_coefficients(lambda u: 1e-6 * torch.cos(u), VAR, 8)[:, ::2]
    assert (values[:, ::2] - expected).abs().max() <= 1e-16


@pytest.mark.parametrize("name", SMOOTH)
def test_interpolated_coefficients_equal_the_direct_ones(name):
    """Of 2000 variances between 1e-4 and 3, and 0, coefficients and moments are within 1e-12 of √E[f²]."""
    function = SMOOTH[name][0]
    series = HermiteDual(function, 1e-10)
    logs = 10.3 * torch.rand(2000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    var = torch.cat([3 * torch.exp(-logs), torch.zeros(1, dtype=torch.float64)])
    sample = torch.arange(0, 2001, 50)  # few enough to be computed directly; the 0 is among them
    for many, few in zip(series.coefficients(var, 40), series.coefficients(var[sample], 40), strict=True):
        size = few.norm(dim=1, keepdim=True)
        assert ((many[sample] - few).abs() <= 1e-12 * size).all()
    for many, few in zip(series.moments(var), series.moments(var[sample]), strict=True):
        torch.testing.assert_close(many[sample], few, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_series_is_differentiable(name):
    """∂value/∂cov is the slope; first and second derivatives in all arguments are right, at coincident points, too."""
    series = HermiteDual(SMOOTH[name][0], 1e-13)
    for numbers in ((0.3, 0.5, 0.8), (0.6, 0.6, 0.6), (1.0 + 1e-16, 1.0, 1.0), (-0.3, 0.3, 0.3)):
        cov, var1, var2 = (value.requires_grad_() for value in tensors(*numbers))
        value, slope = series(cov, var1, var2)
        in_cov, in_var = torch.autograd.grad(value, (cov, var1), create_graph=True)
        assert float((in_cov - slope).detach().abs()) <= 1e-9
        # Price's theorem: ∂value/∂var1 = E[φ̈(u) φ(v)]/2
        second, first = (series_mean(SMOOTH[name][0], f, *numbers) for f in ("second", "first"))
        assert float(in_var.detach()) == pytest.approx(second / 2, abs=1e-9)
        (twice,) = torch.autograd.grad(in_cov, var1)
        assert float(twice) == pytest.approx(first / 2, abs=1e-8)


def series_mean(function, what: str, cov: float, var1: float, var2: float) -> float:
    """E[φ̈(u) φ(v)] or E[φ⃛(u) φ̇(v)] on a grid of two independent Gaussians."""
    z = torch.linspace(-9, 9, 361, dtype=torch.float64)
    weight = torch.exp(-z.square() / 2) * 0.05 / math.sqrt(2 * math.pi)
    rho = max(-1.0, min(1.0, cov / math.sqrt(var1 * var2)))
    u = math.sqrt(var1) * z[:, None] + torch.zeros_like(z)
    v = math.sqrt(var2) * (rho * z[:, None] + math.sqrt(1 - rho * rho) * z)
    derivatives = [function]
    for _ in range(3):
        derivatives.append(lambda t, f=derivatives[-1]: torch.func.grad(lambda s: f(s).sum())(t))
    one, two = {"second": (2, 0), "first": (3, 1)}[what]
    return float(weight @ (derivatives[one](u) * derivatives[two](v)) @ weight)


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
        HermiteDual(function, 1e-10)(*tensors(0.3, 1.0, 1.0))


def test_a_function_without_a_mean_square_is_refused():
    """exp(u²) has E[f²] = ∞: the answer is an error, not inf."""
    with pytest.raises(DomainError, match="finite"):
        HermiteDual(lambda u: torch.exp(u * u), 1e-10).moments(torch.tensor([4.0e2], dtype=torch.float64))


def test_zero_variance_is_the_value_at_zero():
    """With var = 0 the units are 0: E[φφ] = φ(0)², and the slope is φ'(0)², finite."""
    dual = HermiteDual(torch.cos, 1e-10)(*tensors(0.0, 0.0, 0.0))
    assert float(dual.value) == pytest.approx(1.0, abs=1e-13)
    assert float(dual.slope) == pytest.approx(0.0, abs=1e-13)
    slope = HermiteDual(torch.sin, 1e-10)(*tensors(0.0, 0.0, 0.0)).slope
    assert float(slope) == pytest.approx(1.0, abs=1e-13)


def test_moments_are_the_dual_at_coincident_points():
    """moments(v) equals dual(v, v, v) within the tolerance, in the shape of v."""
    series = HermiteDual(torch.tanh, 1e-10)
    var = torch.tensor([[0.3, 1.0], [1.5, 0.01]], dtype=torch.float64)
    own, coincident = series.moments(var), series(var, var, var)
    torch.testing.assert_close(own.value, coincident.value, rtol=2e-10, atol=0)
    torch.testing.assert_close(own.slope, coincident.slope, rtol=2e-10, atol=0)
    assert own.value.shape == var.shape


def test_float32_arguments_give_float32_duals():
    """The series is summed in float64 and rounded once: a float32 dual is within two last digits."""
    single = HermiteDual(torch.tanh, 1e-10)(*(t.float() for t in tensors(0.25, 1.0, 0.5)))
    double = HermiteDual(torch.tanh, 1e-10)(*tensors(0.25, 1.0, 0.5))
    assert single.value.dtype == single.slope.dtype == torch.float32
    torch.testing.assert_close(single.value.double(), double.value, rtol=3e-7, atol=0)
