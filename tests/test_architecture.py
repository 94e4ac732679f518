"""One description, two readings: the limiting kernels against the paper's loops, and the networks that are drawn."""

import math

import pytest
import torch
from oracles import limit
from strategies import inputs, perceptron

import ntk_teach as ntk
from ntk_teach.errors import RuleError

SCALARS = {
    "relu": (lambda u: max(u, 0.0), lambda u: 1.0 if u > 0 else 0.0),
    "erf": (math.erf, lambda u: 2 / math.sqrt(math.pi) * math.exp(-u * u)),
}
ACTIVATIONS = {"relu": ntk.relu, "erf": ntk.erf}
MOMENTS = {"relu": limit.relu_moments, "erf": limit.erf_moments}
SCALES = [(1.0, 0.1), (1.4, 0.0), (0.8, 0.5)]  # (sigma_w, sigma_b) of each layer, in turn


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_both_kernels_equal_the_paper_by_quadrature(name, depth):
    """Proposition 1 and Theorem 1, every expectation a two-dimensional integral, unequal layers and norms: 1e-12."""
    x1, x2 = inputs(2, 3, seed=3), inputs(2, 3, seed=4)
    dense = SCALES[:depth]
    value, slope = (limit.by_quadrature(f) for f in SCALARS[name])
    k = perceptron(dense, ACTIVATIONS[name]).kernel(x1, x2)
    for i, x in enumerate(x1.tolist()):
        for j, y in enumerate(x2.tolist()):
            size = [math.prod(limit.diagonal(z, dense, MOMENTS[name])[kind] for z in (x, y)) ** 0.5 for kind in (0, 1)]
            sigma = limit.covariance(x, y, dense, value, depth)
            theta = limit.tangent(x, y, dense, value, slope)
            assert abs(float(k.nngp[i, j]) - sigma) <= 1e-12 * size[0]
            assert abs(float(k.ntk[i, j]) - theta) <= 1e-12 * size[1]


# Rows (x0, ·) of Σ and Θ for X = (1,0), (0,1), (−1,0), (.6,.8), rounded; computed apart from this library.
TABLE = {
    ("relu", 1): ([0.51, 0.01, -0.49, 0.31], [0.51, 0.01, -0.49, 0.31]),
    ("relu", 2): ([0.265, 0.093685, 0.010595, 0.184187], [0.52, 0.096216, -0.011317, 0.293922]),
    ("relu", 3): ([0.1425, 0.078261, 0.054859, 0.108898], [0.4025, 0.107849, 0.051957, 0.218327]),
    ("relu", 4): ([0.08125, 0.055760, 0.048097, 0.066927], [0.2825, 0.092702, 0.064354, 0.151732]),
    ("relu", 5): ([0.050625, 0.040058, 0.037296, 0.044374], [0.191875, 0.074393, 0.059872, 0.105682]),
    ("erf", 3): ([0.27871, 0.022255, -0.230546, 0.168424], [0.871465, 0.03925, -0.768865, 0.489424]),
}


@pytest.mark.parametrize("name, depth", TABLE)
def test_the_table_of_the_conventions(name, depth):
    """Jacot's convention (σ_w = 1, β = 0.1, ReLU without a factor 2) gives these numbers, to their last digit."""
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]], dtype=torch.float64)
    arch = ntk.zoo.mlp(depth, ACTIVATIONS[name])
    for ours, row in zip((arch.nngp(x)[0], arch.ntk(x)[0]), TABLE[name, depth], strict=True):
        torch.testing.assert_close(ours, torch.tensor(row, dtype=torch.float64), rtol=0, atol=6e-7)


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 20])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_diagonal_is_exact(name, depth):
    """Σ(x, x) and Θ(x, x) equal the recursion for a single input to 1e-13, at any depth and norm."""
    x = inputs(12, 5, seed=5) * torch.logspace(-3, 2, 12, dtype=torch.float64)[:, None]
    for sigma_w, sigma_b in ((1.0, 0.1), (1.5, 0.0), (math.sqrt(2), 0.4)):
        k = ntk.zoo.mlp(depth, ACTIVATIONS[name], sigma_w=sigma_w, sigma_b=sigma_b).kernel(x)
        expected = [limit.diagonal(row, [(sigma_w, sigma_b)] * depth, MOMENTS[name]) for row in x.tolist()]
        sigma, theta = torch.tensor(expected, dtype=torch.float64).T
        torch.testing.assert_close(k.nngp.diagonal(), sigma, rtol=1e-13, atol=0)
        torch.testing.assert_close(k.ntk.diagonal(), theta, rtol=1e-13, atol=0)
        assert torch.equal(k.nngp.diagonal(), k.self1)


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_collinear_inputs_keep_their_digits(depth):
    """x and cx, and x and its copy in another batch, meet at ρ = 1 up to a last digit, which arccos must not turn into
    1e-8: both kernels equal the recursion for one input to 1e-13, opposite inputs included."""
    x = inputs(60, 5, seed=5)
    for c, sigma_b in ((1.0, 0.4), (1.7, 0.0), (1 / 3, 0.0)):
        k = ntk.zoo.mlp(depth, sigma_w=1.3, sigma_b=sigma_b).kernel(x, c * x)
        expected = [limit.diagonal(row, [(1.3, sigma_b)] * depth, limit.relu_moments) for row in x.tolist()]
        sigma, theta = torch.tensor(expected, dtype=torch.float64).T
        torch.testing.assert_close(k.nngp.diagonal(), c * sigma, rtol=1e-13, atol=0)
        torch.testing.assert_close(k.ntk.diagonal(), c * theta, rtol=1e-13, atol=0)
    opposite = ntk.zoo.mlp(2, sigma_b=0.0).kernel(x, -x)
    assert opposite.nngp.diagonal().abs().max() <= 1e-13
    assert opposite.ntk.diagonal().abs().max() <= 1e-13


def test_dense_after_dense_is_the_deep_linear_network():
    """Without activations Σ ← σ_w² Σ + σ_b² and Θ ← σ_w² Θ + Σ_new, so all is linear in x·x'."""
    x1, x2 = inputs(4, 3, seed=6), inputs(5, 3, seed=7)
    sigma, theta = x1 @ x2.T / 3, torch.zeros(4, 5, dtype=torch.float64)
    for sigma_w, sigma_b in SCALES:
        sigma = sigma_w**2 * sigma + sigma_b**2
        theta = sigma_w**2 * theta + sigma
    k = ntk.serial(*[ntk.Dense(*scales) for scales in SCALES]).kernel(x1, x2)
    torch.testing.assert_close(k.nngp, sigma, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(k.ntk, theta, rtol=1e-14, atol=1e-14)


def test_serial_nests():
    """An architecture inside another is laid in flat: same layers, same kernels, same network."""
    flat = ntk.serial(ntk.Dense(), ntk.relu, ntk.Dense(1.2, 0.1), ntk.erf, ntk.Dense())
    block = ntk.serial(ntk.relu, ntk.Dense(1.2, 0.1))
    nested = ntk.serial(ntk.serial(ntk.Dense(), block), ntk.erf, ntk.Dense())
    x = inputs(3, 2)
    assert nested == flat
    assert len(nested.layers) == 5
    assert torch.equal(nested.ntk(x), flat.ntk(x))
    assert torch.equal(nested.network(width=7, like=x)(x), flat.network(width=7, like=x)(x))


@pytest.mark.parametrize(
    "layers, place",
    [
        ((ntk.relu, ntk.Dense()), r"layer 1 of 2, relu: "),
        ((ntk.Dense(), ntk.erf, ntk.relu, ntk.Dense()), r"layer 3 of 4, relu: "),
        ((ntk.Dense(), ntk.serial(ntk.relu, ntk.erf, ntk.Dense())), r"layer 3 of 4, erf: "),
    ],
    ids=["activation on raw inputs", "activation after activation", "inside a nested part"],
)
def test_what_the_rules_do_not_cover_is_refused(layers, place):
    """relu∘relu would silently give .25 for .50: an activation of what is not Gaussian is an error with its place."""
    arch, x = ntk.serial(*layers), inputs(3, 2)
    for reading in (arch.kernel, arch.ntk, arch.nngp):
        with pytest.raises(RuleError, match=place + "expected Gaussian units.*put a Dense layer before"):
            reading(x)


def test_only_a_random_last_layer_makes_an_output():
    """An architecture that ends in an activation has kernels of its units, but no output: ntk and nngp refuse."""
    body, x = ntk.serial(ntk.Dense(1.1, 0.2), ntk.relu), inputs(3, 2)
    for reading in (body.ntk, body.nngp):
        with pytest.raises(RuleError, match=r"layer 2 of 2, relu: expected a random layer at the end.*Dense\(\)"):
            reading(x)
    whole = ntk.serial(body, ntk.Dense(1.0, 0.0))
    torch.testing.assert_close(whole.nngp(x), body.kernel(x).nngp, rtol=1e-14, atol=1e-14)


def test_only_the_last_layer_trained_gives_the_nngp_kernel():
    """With every other layer frozen at its draw Θ = Σ; with all frozen Θ = 0."""
    x = inputs(5, 3)
    frozen = [ntk.Dense(1.2, 0.3, trained=False), ntk.relu, ntk.Dense(1.2, 0.3, trained=False), ntk.erf]
    k = ntk.serial(*frozen, ntk.Dense(1.2, 0.3)).kernel(x)
    assert torch.equal(k.ntk, k.nngp)
    assert torch.equal(ntk.serial(*frozen, ntk.Dense(trained=False)).ntk(x), torch.zeros_like(k.ntk))


def test_the_ntk_is_the_sum_of_what_each_layer_adds():
    """Training one layer at a time gives the summands of Θ, which add up to it; Σ is the same for all."""
    x = inputs(5, 3)

    def training(layer: int | None) -> ntk.Architecture:
        dense = [ntk.Dense(1.2, 0.3, trained=layer in (None, number)) for number in range(3)]
        return ntk.serial(dense[0], ntk.relu, dense[1], ntk.erf, dense[2])

    whole = training(None)
    torch.testing.assert_close(sum(training(layer).ntk(x) for layer in range(3)), whole.ntk(x), rtol=1e-13, atol=0)
    assert torch.equal(training(1).nngp(x), whole.nngp(x))


def test_float32_stays_float32_and_near():
    """In float32 the kernels are float32, within 1e-5 of √(K_ii K_jj) in general position and 1e-6 on the diagonal."""
    x = inputs(30, 6, seed=8)
    for activation in (ntk.relu, ntk.erf, ntk.Activation.from_function(torch.tanh, tolerance=1e-6)):
        arch = ntk.zoo.mlp(4, activation)
        single, double = arch.kernel(x.float()), arch.kernel(x.float().double())
        for ours, exact in ((single.nngp, double.nngp), (single.ntk, double.ntk)):
            assert ours.dtype == torch.float32
            size = exact.diagonal().sqrt()
            error = (ours.double() - exact).abs() / size[:, None] / size[None, :]
            assert error.max() <= 1e-5
            assert error.diagonal().max() <= 1e-6


def test_repr_is_how_it_is_written():
    """An architecture prints as the call that makes it."""
    assert repr(ntk.zoo.mlp(2)) == "serial(Dense(sigma_w=1, sigma_b=0.1), relu, Dense(sigma_w=1, sigma_b=0.1))"
