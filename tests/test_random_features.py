"""Random features: the step by hand, the identity with kernel gradient descent, the limit as a slope in P."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles.limit import by_quadrature
from strategies import batches, inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError, DtypeError, ShapeError
from ntk_teach.random_features import RandomFeatures

X = inputs(5, 3, seed=1)
Y = X[:, 0] * X[:, 1]
PROBE = inputs(4, 3, seed=2)


def drawn(count: int = 40, seed: int = 0, activation=ntk.relu, like=X, **scales) -> RandomFeatures:
    return RandomFeatures.of_activation(activation, count=count, like=like, seed=seed, **scales)


def start(count: int = 40) -> torch.Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def test_the_gram_matrix_is_an_inner_product_over_features():
    """K̃(x, x') = 1/P Σ_p f^(p)(x) f^(p)(x'), entry by entry; f_θ(x) = 1/√P Σ_p θ_p f^(p)(x)."""
    model, theta = drawn(), start()
    f1, f2 = model.features(X), model.features(PROBE)
    gram, values = model.gram(X, PROBE), model.predict(theta, PROBE)
    for j in range(4):
        assert float(values[j]) == pytest.approx(sum(float(t * f) for t, f in zip(theta, f2[j], strict=True)) / 40**0.5)
        for i in range(5):
            assert float(gram[i, j]) == pytest.approx(sum(float(a * b) for a, b in zip(f1[i], f2[j], strict=True)) / 40)
    torch.testing.assert_close(model.gram(X), model.gram(X, X), rtol=1e-14, atol=1e-15)


def test_its_tangent_kernel_is_the_gram_matrix_at_every_theta():
    """Σ_p ∂f/∂θ_p ∂f/∂θ_p = K̃, by automatic differentiation, at two different θ."""
    model = drawn()
    for theta in (start(), 100 * start()):
        jacobian = torch.func.jacrev(lambda t: model.predict(t, X))(theta)
        torch.testing.assert_close(jacobian @ jacobian.T, model.gram(X), rtol=1e-12, atol=1e-13)


def test_one_step_is_the_gradient_of_the_cost():
    """θ − lr ∂C/∂θ with C = 1/(2N) Σ_i (f_θ(x_i) − y_i)², by automatic differentiation; θ₀ is not changed."""
    model, theta = drawn(), start()
    kept = theta.clone()

    def cost(t):
        return (model.predict(t, X) - Y).square().sum() / (2 * len(X))

    moved = model.gradient_descent(theta, X, Y, lr=0.3, steps=1)
    torch.testing.assert_close(moved, theta - 0.3 * torch.func.grad(cost)(theta), rtol=1e-12, atol=1e-13)
    assert torch.equal(theta, kept)
    assert torch.equal(model.gradient_descent(theta, X, Y, lr=0.3, steps=0), theta)


@pytest.mark.parametrize("count", [3, 40])  # fewer features than data, and more
@pytest.mark.parametrize("lr, steps", [(0.1, 1), (0.5, 30)])
def test_gradient_descent_is_kernel_gradient_descent(count, lr, steps):
    """f ← f − lr/N K̃ (f − y) on and off the data equals the outputs of the trained parameters, to 1e-12."""
    model, theta = drawn(count, activation=ntk.erf), start(count)
    points = torch.cat([X, PROBE])
    f = model.predict(theta, points)
    kernel = model.gram(points, X)
    for _ in range(steps):
        f = f - lr / 5 * kernel @ (f[:5] - Y)
    trained = model.gradient_descent(theta, X, Y, lr=lr, steps=steps)
    torch.testing.assert_close(model.predict(trained, points), f, rtol=1e-12, atol=1e-12)


def test_long_training_projects_onto_the_data():
    """θ_∞ = θ₀ + F⁺(√P y − F θ₀): what the data do not see of θ₀ stays (least squares by numpy's pseudo-inverse)."""
    model, theta = drawn(30, activation=ntk.erf, sigma_w=2.0, sigma_b=1.0), start(30)
    trained = model.gradient_descent(theta, X, Y, lr=1.0, steps=20000)
    features = model.features(X).numpy() / math.sqrt(30)
    expected = theta.numpy() + np.linalg.pinv(features) @ (Y.numpy() - features @ theta.numpy())
    np.testing.assert_allclose(trained.numpy(), expected, rtol=1e-6, atol=1e-8)


@given(x=batches(), seed=st.integers(0, 5))
def test_the_gram_matrix_is_symmetric_and_positive_semidefinite(x, seed):
    """For any inputs, zeros and repetitions among them, and of rank at most P."""
    gram = drawn(3, seed=seed, sigma_b=0.5).gram(x)
    eigenvalues = torch.linalg.eigvalsh(gram)
    scale = 1e-12 * (1 + float(eigenvalues[-1]))
    assert torch.equal(gram, gram.T)
    assert eigenvalues[0] >= -scale
    assert eigenvalues[-4] <= scale


POINTS = torch.tensor([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], dtype=torch.float64)


def mean_error(count: int, master: int, draws: int) -> float:
    limit = ntk.serial(ntk.Dense(math.sqrt(2)), ntk.relu).kernel(POINTS).nngp
    seeds = range(1000 * master, 1000 * master + draws)
    models = (drawn(count, seed, like=POINTS, sigma_w=math.sqrt(2)) for seed in seeds)
    return float(np.mean([float((model.gram(POINTS) - limit).norm()) for model in models]))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_error_falls_like_one_over_the_root_of_the_features(master):
    """‖K̃ − E[K̃]‖ has slope −1/2 in P: 64 draws each at P = 100 and 10 000."""
    errors = [mean_error(count, master, 64) for count in (100, 10_000)]
    assert np.log10(errors[1] / errors[0]) / 2 == pytest.approx(-0.5, abs=0.05)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("activation, phi", [(ntk.relu, lambda u: max(u, 0.0)), (ntk.erf, math.erf)])
@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_limit_is_the_dual_of_the_activation(activation, phi, master):
    """The mean over 400 draws is E[φ(u)φ(u')] by quadrature, within five standard errors."""
    models = [drawn(200, 1000 * master + s, activation, sigma_w=1.3, sigma_b=0.4) for s in range(400)]
    grams = torch.stack([model.gram(X[:2]) for model in models])
    sigma = 1.3**2 * X[:2] @ X[:2].T / 3 + 0.4**2
    for i, j in ((0, 0), (0, 1), (1, 1)):
        expected = by_quadrature(phi)(float(sigma[i, j]), float(sigma[i, i]), float(sigma[j, j]))
        error = float(grams[:, i, j].std()) / math.sqrt(400)
        assert abs(float(grams[:, i, j].mean()) - expected) <= 5 * error


def test_features_of_ones_own():
    """Any function to [n, P] makes a model: with 1, x₁, x₂, x₃ it is linear regression."""
    model = RandomFeatures(lambda x: torch.cat([torch.ones_like(x[:, :1]), x], dim=1), count=4)
    torch.testing.assert_close(model.gram(X), (1 + X @ X.T) / 4, rtol=1e-14, atol=1e-14)
    theta = torch.tensor([2.0, 1.0, 0.0, -1.0], dtype=torch.float64)
    torch.testing.assert_close(model.predict(theta, X), 1 + (X[:, 0] - X[:, 2]) / 2, rtol=1e-13, atol=1e-13)


def test_one_seed_is_one_draw():
    """Same seed, same features, in float32 the rounded ones."""
    assert torch.equal(drawn(seed=3).features(X), drawn(seed=3).features(X))
    assert not torch.equal(drawn(seed=3).features(X), drawn(seed=4).features(X))
    single = drawn(like=X.float(), sigma_b=1.0).features(X.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), drawn(sigma_b=1.0).features(X), rtol=1e-5, atol=1e-5)


BAD = {
    "no feature": (DomainError, lambda: drawn(0), "count"),
    "negative scale": (DomainError, lambda: drawn(sigma_w=-1.0), "-1.0"),
    "negative seed": (DomainError, lambda: drawn(seed=-1), "-1"),
    "inputs with one axis": (ShapeError, lambda: drawn().features(X[0]), r"received \[3\]"),
    "features of another number": (
        ShapeError,
        lambda: RandomFeatures(lambda x: x, count=4).gram(X),
        r"\[5, 4\], received \[5, 3\]",
    ),
    "parameters of another number": (ShapeError, lambda: drawn().predict(start(39), X), r"\[40\], received \[39\]"),
    "targets of another number": (
        ShapeError,
        lambda: drawn().gradient_descent(start(), X, Y[:3]),
        r"\[5\], received \[3\]",
    ),
    "targets in a column": (
        ShapeError,
        lambda: drawn().gradient_descent(start(), X, Y[:, None]),
        r"\[5\], received \[5, 1\]",
    ),
    "targets of float32": (DtypeError, lambda: drawn().gradient_descent(start(), X, Y.float()), "float32"),
    "lr too large": (DomainError, lambda: drawn().gradient_descent(start(), X, Y, lr=1e3, steps=500), "lr=1000"),
    "lr negative": (DomainError, lambda: drawn().gradient_descent(start(), X, Y, lr=-1.0), "-1.0"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind
