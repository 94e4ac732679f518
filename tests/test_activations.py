"""Activations under their public names: what they are called, what they refuse; smooth functions by their series."""

import math
import pickle

import pytest
import torch

import ntk_teach as ntk
from ntk_teach import activations
from ntk_teach.activations import Activation
from ntk_teach.errors import ConvergenceError, DomainError

double = {"dtype": torch.float64}
MEMBERS = [name for name in activations.__all__ if isinstance(getattr(activations, name), Activation)]
FAMILIES = {
    "leaky_relu(0.1)": lambda: activations.leaky_relu(0.1),
    "abrelu(-0.5, 2)": lambda: activations.abrelu(-0.5, 2.0),
    "monomial(3)": lambda: activations.monomial(3),
    "Polynomial([1, 0, -0.5])": lambda: activations.Polynomial([1.0, 0.0, -0.5]),
    "Erf(1, 2, 0)": lambda: activations.Erf(1.0, 2.0, 0.0),
    "Sin(2, 0.5, 0.1)": lambda: activations.Sin(2.0, 0.5, 0.1),
    "Cos(2, 0.5, 0.1)": lambda: activations.Cos(2.0, 0.5, 0.1),
    "Rbf(0.3)": lambda: activations.Rbf(0.3),
    "Exp(0.5, -0.2)": lambda: activations.Exp(0.5, -0.2),
    "Gaussian(2, -0.3)": lambda: activations.Gaussian(2.0, -0.3),
}
# (cov, var1, var2): in general position, independent, anticorrelated, nearly collinear, of very unequal size
PAIRS = [
    (0.3, 1.0, 1.0),
    (0.0, 1.0, 2.0),
    (-0.9, 1.3, 0.8),
    (0.99 * math.sqrt(2.4), 1.2, 2.0),
    (-0.99, 1.0, 1.0),
]


@pytest.mark.parametrize("name", MEMBERS)
def test_members_are_called_as_they_are_imported(name):
    """repr and name are the public name, in architectures, too."""
    activation = getattr(activations, name)
    assert repr(activation) == activation.name == name
    assert f", {name}, " in repr(ntk.serial(ntk.Dense(), activation, ntk.Dense()))


@pytest.mark.parametrize("called", FAMILIES)
def test_members_of_families_are_called_as_they_are_written(called):
    """repr shows the numbers."""
    assert repr(FAMILIES[called]()) == called


@pytest.mark.parametrize("name", MEMBERS)
def test_phi_is_the_function_of_that_name(name):
    """The finite network computes torch's function of the same name, or the one that the table writes out."""
    written = {
        "absolute": torch.abs,
        "identity": lambda u: u,
        "sigmoid_like": lambda u: (1 + torch.erf(u / 2.4020563531719796)) / 2,
        "gelu": torch.nn.functional.gelu,
        "silu": torch.nn.functional.silu,
        "softplus": torch.nn.functional.softplus,
        "rbf": lambda u: torch.sin(math.sqrt(2) * u) + torch.cos(math.sqrt(2) * u),
        "gaussian": lambda u: torch.exp(-u * u),
    }
    u = torch.linspace(-4, 4, 17, **double)
    function = written.get(name) or getattr(torch, name)
    torch.testing.assert_close(getattr(activations, name).phi(u), function(u), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "silu", "softplus", "gelu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_zero_variance_gives_numbers_by_the_series_too(name, dtype):
    """A unit that is always 0 has value φ(0)² and slope φ̇(0)², in pairs and alone."""
    activation, zero = getattr(activations, name), torch.zeros(1, dtype=dtype)
    u = torch.zeros((), **double, requires_grad=True)
    value = activation.phi(u)
    (slope,) = torch.autograd.grad(value, u)
    for dual in (activation.dual(zero, zero, zero), activation.moments(zero)):
        assert float(dual.value) == pytest.approx(float(value.detach()) ** 2, rel=1e-6, abs=1e-13)
        assert float(dual.slope) == pytest.approx(float(slope) ** 2, rel=1e-6, abs=1e-13)
    mixed = activation.dual(zero, zero, zero + 1)
    assert torch.isfinite(mixed.value).all()
    assert torch.isfinite(mixed.slope).all()


@pytest.mark.parametrize("name", MEMBERS)
def test_every_activation_travels_to_other_processes(name):
    """An architecture is pickled and gives the same kernel at the other end."""
    arch = ntk.serial(ntk.Dense(0.5), getattr(activations, name), ntk.Dense())
    x = torch.tensor([[1.0, 0.2], [-0.3, 0.8]], **double)
    copy = pickle.loads(pickle.dumps(arch))
    assert torch.equal(copy.kernel(x).ntk, arch.kernel(x).ntk)


@pytest.mark.boundary
@pytest.mark.parametrize(
    "build, words",
    [
        pytest.param(lambda: activations.leaky_relu(math.nan), r"leaky_relu.*slope.*nan", id="NaN"),
        pytest.param(lambda: activations.Erf(1.0, math.inf), r"Erf.*b a finite number.*inf", id="infinite"),
        pytest.param(lambda: activations.abrelu(True, 1.0), r"abrelu.*a a finite number.*True", id="a truth value"),
        pytest.param(lambda: activations.Sin("2"), r"Sin.*a a finite number", id="a string"),
        pytest.param(lambda: activations.Rbf(-1.0), r"Rbf.*gamma", id="negative gamma"),
        pytest.param(lambda: activations.Polynomial([]), r"Polynomial.*at least one coefficient", id="no coefficients"),
        pytest.param(lambda: activations.Polynomial([0.0, math.nan]), r"coefficients\[1\]", id="a NaN coefficient"),
        pytest.param(lambda: activations.monomial(-1), r"monomial.*degree", id="negative degree"),
    ],
)
def test_numbers_that_make_no_activation_are_refused(build, words):
    """Where, what was expected, what was received."""
    with pytest.raises(DomainError, match=words):
        build()


@pytest.mark.boundary
def test_variances_without_a_mean_square_are_refused():
    """exp(b u²) with b > 0 needs var < 1/(4b); exp(u) must not overflow. Both say so, with the layer's name."""
    x = torch.tensor([[3.0, 1.0]], **double)
    for activation, words in (
        (activations.Gaussian(1.0, 0.1), r"layer 2 of 3, Gaussian\(1, 0.1\).*variances below 1/\(4b\) = 2.5"),
        (activations.Exp(1.0, 10.0), r"layer 2 of 3, Exp\(1, 10\).*finite E\[φ²\]"),
    ):
        with pytest.raises(DomainError, match=words):
            ntk.serial(ntk.Dense(), activation, ntk.Dense()).ntk(x)


@pytest.mark.parametrize("name, steep", [("tanh", 30.0), ("sigmoid", 120.0), ("silu", 130.0), ("softplus", 200.0)])
def test_a_series_is_refused_where_the_variance_makes_its_function_steep(name, steep):
    """Each reaches 1e-10 up to some variance; above it an error says so, and no number is wrong."""
    dual = getattr(activations, name).dual
    gentle, var = torch.tensor([0.75 * steep], **double), torch.tensor([steep], **double)
    assert torch.isfinite(dual(gentle / 2, gentle, gentle).value).all()
    with pytest.raises(ConvergenceError, match="tail of the Hermite series"):
        dual(var / 2, var, var)


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
    for numbers in PAIRS:
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
