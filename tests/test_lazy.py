"""Lazy training: the scaled model, its relative scale κ, and slopes −1 in α."""

import copy
import math

import numpy as np
import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError, ShapeError
from ntk_teach.lazy import RelativeScale, kernel_drift, linearization_gap, parameter_drift, relative_scale, scaled
from ntk_teach.linearize import linearize

# torch itself still calls torch.jit.script when its forward mode is used for the first time.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

X = inputs(5, 3, seed=1)
Y = X[:, 0] * X[:, 1]


def drawn(seed: int = 0, width: int = 8, outputs: int = 1):
    return ntk.zoo.mlp(3, ntk.erf).network(width=width, like=X, out_features=outputs, seed=seed)


def test_a_scaled_model_starts_at_zero():
    """h = α (f − f₀): 0 at first, then α times the change of f; the network that came in does not move."""
    network = drawn()
    h = scaled(network, 5.0)
    assert not h(X).any()
    before = network(X).detach().clone()
    ntk.gradient_descent(h, X, Y, lr=0.01, steps=4)
    assert torch.equal(network(X), before)
    torch.testing.assert_close(h(X), 5.0 * (h.network(X) - before), rtol=1e-12, atol=1e-14)
    assert h(X).any()


def test_its_kernel_is_alpha_squared_times_the_kernel():
    """Θ_h = α² Θ_f: the frozen copy adds nothing."""
    network = drawn()
    theta = ntk.empirical_ntk(scaled(network, 3.0), X)
    torch.testing.assert_close(theta, 9.0 * ntk.empirical_ntk(network, X), rtol=1e-11, atol=1e-12)


def test_a_step_is_a_step_on_the_cost_over_alpha_squared():
    """Steps of lr/α² on C(h) are steps of lr on F_α(θ) = C(α (f − f₀))/α², by hand."""
    alpha, network = 4.0, drawn()
    h, other = scaled(network, alpha), copy.deepcopy(network)
    ntk.gradient_descent(h, X, Y, lr=0.5 / alpha**2, steps=3)
    start = network(X).detach()
    for _ in range(3):
        cost = (alpha * (other(X) - start)[:, 0] - Y).square().sum() / (2 * 5) / alpha**2
        slopes = torch.autograd.grad(cost, tuple(other.parameters()))
        with torch.no_grad():
            for p, slope in zip(other.parameters(), slopes, strict=True):
                p.sub_(0.5 * slope)
    for p, q in zip(h.network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-11, atol=1e-12)


class Quadratic(torch.nn.Module):
    """h_k(θ) = g_k·θ + ½ θᵀ H_k θ at θ₀ = 0, at every input."""

    def __init__(self, linear: torch.Tensor, hessians: torch.Tensor) -> None:
        super().__init__()
        self.theta = torch.nn.Parameter(torch.zeros(linear.shape[1], dtype=torch.float64))
        self.linear, self.hessians = linear, hessians

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.linear @ self.theta + 0.5 * torch.einsum("p,kpq,q->k", self.theta, self.hessians, self.theta)
        return h.expand(len(x), -1)


def quadratic(outputs: int, seed: int = 0) -> Quadratic:
    generator = torch.Generator().manual_seed(seed)
    linear = torch.randn(outputs, 6, generator=generator, dtype=torch.float64)
    hessians = torch.randn(outputs, 6, 6, generator=generator, dtype=torch.float64)
    return Quadratic(linear, hessians + hessians.mT)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_norms_of_a_quadratic_model_are_exact(seed):
    """One output at one input: ‖Dh‖ is the length of the gradient and ‖D²h‖ the largest |eigenvalue| of the Hessian."""
    model, y = quadratic(1, seed), torch.tensor([-1.5], dtype=torch.float64)
    scale = relative_scale(model, X[:1], y, iterations=300, starts=2)
    second = float(torch.linalg.eigvalsh(model.hessians[0]).abs().max())
    assert scale.residual == pytest.approx(1.5, rel=1e-12)
    assert scale.first == pytest.approx(float(model.linear.norm()), rel=1e-10)
    assert scale.second == pytest.approx(second, rel=1e-6)
    assert scale.kappa == pytest.approx(1.5 * second / float(model.linear.square().sum()), rel=1e-6)


def test_several_outputs_have_operator_norms():
    """Two outputs: ‖Dh‖ is the largest singular value; ‖D²h‖ = max over φ of ‖cos φ H₁ + sin φ H₂‖, by a fine grid, and
    never above it."""
    model = quadratic(2, seed=3)
    scale = relative_scale(model, X[:1], torch.ones(1, 2, dtype=torch.float64), iterations=200, starts=5)
    assert scale.first == pytest.approx(float(torch.linalg.matrix_norm(model.linear, ord=2)), rel=1e-8)
    angles = torch.linspace(0, math.pi, 20001, dtype=torch.float64)
    mixed = angles.cos()[:, None, None] * model.hessians[0] + angles.sin()[:, None, None] * model.hessians[1]
    largest = float(torch.linalg.eigvalsh(mixed).abs().max())
    assert scale.second == pytest.approx(largest, rel=1e-6)


def test_repeating_the_data_leaves_kappa_alone():
    """Each input twice multiplies the three norms by √2, and κ by 1: sums or means, it is the same number."""
    network = drawn()
    once = relative_scale(network, X, Y, starts=1)
    twice = relative_scale(network, X.repeat(2, 1), Y.repeat(2), starts=1)
    assert twice.residual == pytest.approx(math.sqrt(2) * once.residual, rel=1e-12)
    assert twice.first == pytest.approx(math.sqrt(2) * once.first, rel=1e-8)
    assert twice.kappa == pytest.approx(once.kappa, rel=1e-3)


def test_kappa_is_inverse_in_alpha_where_the_model_starts_at_zero():
    """κ_{αh} = κ_h/α for h(θ₀) = 0; for f itself, with f(θ₀) ≠ 0, it tends to a number above 0 instead."""
    network = drawn()
    kappas = [relative_scale(scaled(network, alpha), X, Y, starts=1).kappa for alpha in (1.0, 10.0)]
    assert kappas[0] / kappas[1] == pytest.approx(10.0, rel=1e-6)
    assert RelativeScale(residual=2.0, first=4.0, second=3.0).kappa == 2.0 * 3.0 / 16


def trained(alpha: float, seed: int) -> tuple[float, float, float, float]:
    """(drift of θ, drift of Θ, gap to the linearization, final cost) after 40 steps with residuals that close alike."""
    x, _ = ntk.data.circle(12)
    y, probe = x[:, 0] * x[:, 1], x[::2] + 0.1
    h = scaled(ntk.zoo.mlp(3, ntk.erf).network(width=50, like=x, seed=seed), alpha)
    start, linear = copy.deepcopy(h), linearize(h)
    cost, _ = (ntk.gradient_descent(model, x, y, lr=1.0 / alpha**2, steps=40) for model in (h, linear))
    drifts = parameter_drift(start.network, h.network), kernel_drift(start, h, x)
    return *map(float, drifts), float(linearization_gap(h, linear, probe)), float(cost[-1])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_but_the_function_falls_like_one_over_alpha(seed):
    """From α = 8 to 64 the parameters, the kernel and the distance to the tangent have slope −1; the cost stays."""
    near, far = (np.array(trained(alpha, seed)) for alpha in (8.0, 64.0))
    slopes = np.log(far / near) / np.log(8)
    assert slopes[0] == pytest.approx(-1, abs=0.02)
    assert slopes[1] == pytest.approx(-1, abs=0.15)
    assert slopes[2] == pytest.approx(-1, abs=0.15)
    assert far[3] == pytest.approx(near[3], rel=0.02)


def test_drifts_are_relative_norms():
    """Parameters that double have drifted by 1; the kernel of a last layer's weights that double, by its share."""
    network, twin = drawn(), drawn()
    assert float(parameter_drift(network, twin)) == float(kernel_drift(network, twin, X)) == 0.0
    with torch.no_grad():
        for p in twin.parameters():
            p.mul_(2)
    assert float(parameter_drift(network, twin)) == pytest.approx(1.0, rel=1e-12)
    theta0, theta1 = ntk.empirical_ntk(network, X), ntk.empirical_ntk(twin, X)
    expected = math.sqrt(float((theta1 - theta0).square().sum()) / float(theta0.square().sum()))
    assert float(kernel_drift(network, twin, X)) == pytest.approx(expected, rel=1e-12)
    assert float(linearization_gap(twin, linearize(twin), X)) == 0.0


BAD = {
    "alpha zero": (DomainError, lambda: scaled(drawn(), 0.0), "alpha above 0"),
    "alpha negative": (DomainError, lambda: scaled(drawn(), -2.0), "-2.0"),
    "targets transposed": (ShapeError, lambda: relative_scale(drawn(), X, Y[None]), r"received \[1, 5\]"),
    "no iteration": (DomainError, lambda: relative_scale(drawn(), X, Y, iterations=0), "iterations"),
    "no start": (DomainError, lambda: relative_scale(drawn(), X, Y, starts=0), "starts"),
    "nothing trained": (DomainError, lambda: relative_scale(drawn().requires_grad_(False), X, Y), "none"),
    "networks of two widths": (ShapeError, lambda: parameter_drift(drawn(), drawn(width=7)), r"\[7, 3\]"),
    "other fan-in": (ShapeError, lambda: relative_scale(drawn(), X[:, :2], Y), r"\[5, 2\]"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind
