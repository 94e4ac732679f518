"""The first correction in 1/width: exact identities, quadrature by another rule, and thousands of small networks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles.expectations import gaussian
from strategies import inputs, perceptron

import ntk_teach as ntk
from ntk_teach.errors import DomainError, RuleError, ShapeError
from ntk_teach.finite_width import (
    exact_excess_kurtosis,
    exact_ntk_deviation,
    excess_kurtosis,
    first_order,
    ntk_fluctuation,
    variance_fluctuation,
)
from ntk_teach.finite_width.stack import Block

X = torch.tensor([[0.8, -0.5, 1.3]], dtype=torch.float64)
TANH = ntk.Activation.from_function(torch.tanh)
# Slopes 1 and 0.2: E[φ̇²] = (1 + 0.2²)/2 = 0.52. Only the moments are used here, not the dual.
LEAKY = ntk.Activation(
    "leaky",
    lambda u: torch.nn.functional.leaky_relu(u, 0.2),
    ntk.relu.dual,
    lambda var: ntk.Dual(0.52 * var, torch.full_like(var, 0.52)),
)
ABSOLUTE = ntk.Activation("abs", torch.abs, ntk.relu.dual, lambda var: ntk.Dual(var, torch.ones_like(var)))
SLOPES = {
    "relu": lambda u: (u > 0).to(u),
    "erf": lambda u: 2 / math.sqrt(math.pi) * torch.exp(-u.square()),
    "tanh": lambda u: 1 - torch.tanh(u).square(),
}
ACTIVATIONS = {"relu": ntk.relu, "erf": ntk.erf, "tanh": TANH}
DENSE = (1.3, 0.3)  # (sigma_w, sigma_b)


def sampled(name: str, depth: int, width: int, draws: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(Θ(x, x), f(x)) of so many networks, each from weights of its own: the layerwise formula in batches."""
    phi, slope = ACTIVATIONS[name].phi, SLOPES[name]
    generator = torch.Generator().manual_seed(seed)
    kernels, outputs = [], []
    for start in range(0, draws, 200):
        batch = min(200, draws - start)

        def normal(*shape, batch=batch):
            return torch.randn(batch, *shape, generator=generator, dtype=torch.float64)

        posts, pres, weights = [X.expand(batch, 3)], [], []
        for units in [width] * (depth - 1) + [1]:
            fan_in = posts[-1].shape[1]
            weights.append(DENSE[0] / math.sqrt(fan_in) * normal(units, fan_in))
            pres.append((weights[-1] @ posts[-1][:, :, None])[:, :, 0] + DENSE[1] * normal(units))
            posts.append(phi(pres[-1]))
        delta, theta = torch.ones(batch, 1, dtype=torch.float64), 0.0
        for layer in reversed(range(depth)):
            post = posts[layer]
            theta = theta + (DENSE[0] ** 2 * post.square().mean(1) + DENSE[1] ** 2) * delta.square().sum(1)
            if layer:
                delta = (delta[:, None] @ weights[layer])[:, 0] * slope(pres[layer - 1])
        kernels.append(theta)
        outputs.append(pres[-1][:, 0])
    return torch.cat(kernels), torch.cat(outputs)


@pytest.mark.usefixtures("unchecked")
def test_the_oracle_is_the_empirical_kernel_of_the_library():
    """The sampler of these tests has the same law as arch.network: equal means and variances over 600 networks."""
    arch = ntk.zoo.mlp(3, ntk.erf, sigma_w=DENSE[0], sigma_b=DENSE[1])
    ours = torch.stack([ntk.empirical_ntk(arch.network(width=8, like=X, seed=s), X)[0, 0] for s in range(600)])
    theirs, _ = sampled("erf", 3, 8, 20000, seed=1)
    assert abs(float(ours.mean() - theirs.mean())) <= 5 * float(ours.std()) / math.sqrt(600)
    spread = float(((ours - ours.mean()) ** 2).std()) / math.sqrt(600)
    assert abs(float(ours.var() - theirs.var())) <= 5 * spread


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("master", [1, 2, 3])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("name", ["relu", "erf"])
def test_the_variance_of_the_kernel_has_the_coefficient(name, depth, master):
    """n Var Θ_n(x, x) → c². What is left at finite n is of order 1/n, and extrapolating from two widths, 2v(2n) − v(n),
    removes it: within five standard errors of c²."""
    arch = ntk.zoo.mlp(depth, ACTIVATIONS[name], sigma_w=DENSE[0], sigma_b=DENSE[1])
    expected = float(ntk_fluctuation(arch, X).coefficient) ** 2
    scaled, errors = [], []
    for width, draws in ((32, 3000), (64, 3000)):
        theta, _ = sampled(name, depth, width, draws, seed=100 * master + width)
        squares = width * (theta - theta.mean()).square()
        scaled.append(float(squares.mean()))
        errors.append(float(squares.std()) / math.sqrt(draws))
    error = math.hypot(2 * errors[1], errors[0])
    assert abs(2 * scaled[1] - scaled[0] - expected) <= 5 * error
    assert 5 * error < expected  # a band that could see a wrong coefficient


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_limits_are_those_of_the_infinite_network(name):
    """The recursion's own limits equal arch.nngp and arch.ntk on the diagonal, learning-rate factors included."""
    x = inputs(4, 3)
    layers = [
        ntk.Dense(1.2, 0.3),
        ntk.Dense(0.7, 0.0, eta_w=0.5),
        ntk.Dense(1.4, 0.5, trained=False),
        ntk.Dense(1.0, 1.0),
    ]
    arch = ntk.serial(*[part for dense in layers for part in (dense, ACTIVATIONS[name])][:-1])
    torch.testing.assert_close(variance_fluctuation(arch, x).limit, arch.nngp(x).diagonal(), rtol=1e-12, atol=0)
    torch.testing.assert_close(ntk_fluctuation(arch, x).limit, arch.ntk(x).diagonal(), rtol=1e-12, atol=0)


def test_two_layers_of_relu_by_hand():
    """L = 2: Θ = σ_b² + σ_w²/n Σ_k (φ_k² + W_k² φ̇_k² q) is a sum of independent terms. For relu each is q (z² + W²) for
    z > 0 and 0 otherwise, with mean q (1 + 1)/2 and mean square q² (3 + 2 + 3)/2."""
    for sigma_w, sigma_b in ((1.0, 0.0), (1.3, 0.4)):
        arch = ntk.zoo.mlp(2, sigma_w=sigma_w, sigma_b=sigma_b)
        q = sigma_w**2 * float(X.square().mean()) + sigma_b**2
        expected = sigma_w**4 * q**2 * ((3 + 2 + 3) / 2 - 1)
        assert float(ntk_fluctuation(arch, X).coefficient) ** 2 == pytest.approx(expected, rel=1e-12)
        spread = sigma_w**4 * q**2 * (3 / 2 - 1 / 4)
        assert float(variance_fluctuation(arch, X).coefficient) ** 2 == pytest.approx(spread, rel=1e-12)


def test_two_layers_of_erf_by_quadrature():
    """The same sum for erf, its moments by adaptive quadrature: Var(φ² + W² φ̇² q) with E[W²] = 1, E[W⁴] = 3."""
    arch = ntk.zoo.mlp(2, ntk.erf, sigma_w=DENSE[0], sigma_b=DENSE[1])
    q = DENSE[0] ** 2 * float(X.square().mean()) + DENSE[1] ** 2

    def slope(u):
        return 2 / math.sqrt(math.pi) * math.exp(-u * u)

    mean = gaussian(lambda u: math.erf(u) ** 2 + slope(u) ** 2 * q, 0.0, q)
    square = gaussian(
        lambda u: math.erf(u) ** 4 + 2 * math.erf(u) ** 2 * slope(u) ** 2 * q + 3 * slope(u) ** 4 * q * q, 0.0, q
    )
    expected = DENSE[0] ** 4 * (square - mean**2)
    assert float(ntk_fluctuation(arch, X).coefficient) ** 2 == pytest.approx(expected, rel=1e-10)


def test_a_linear_network_by_its_moments():
    """φ(u) = u without biases, L = 3: q is a product of averages of squares, E[q²]/E[q]² = (1 + 2/n)²."""
    identity = ntk.Activation.from_function(lambda u: u, name="identity")
    arch = ntk.zoo.mlp(3, identity, sigma_b=0.0)
    for width in (4, 50):
        exact = exact_excess_kurtosis(arch, X, width=width)[:, 0]
        expected = torch.tensor([0, 6 / width, 3 * ((1 + 2 / width) ** 2 - 1)], dtype=torch.float64)
        torch.testing.assert_close(exact, expected, rtol=1e-12, atol=1e-13)


def test_the_kurtosis_of_relu_networks():
    """L = 4, β = 0.1, x = (1, 0): 20.18, 2.533, 0.516, 0.122 for n = 4, 16, 64, 256; 0 in the first layer."""
    arch, x = ntk.zoo.mlp(4), torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    for width, expected in ((4, 20.18), (16, 2.533), (64, 0.516), (256, 0.122)):
        layers = exact_excess_kurtosis(arch, x, width=width)
        assert layers.shape == (4, 1)
        assert float(layers[0]) == 0.0
        assert float(layers[-1]) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("layers", [2, 5, 9])
def test_depth_over_width_is_what_counts(layers):
    """Without biases E[q²]/E[q]² = (1 + 5/n)^(L−1) for relu and (1 + 2/n)^(L−1) for |u|, at any σ_w."""
    for width in (3, 40):
        for activation, growth in ((ntk.relu, 5), (ABSOLUTE, 2), (LEAKY, 1.5 * (1 + 0.2**4) / 0.52**2 - 1)):
            arch = ntk.zoo.mlp(layers, activation, sigma_w=1.7, sigma_b=0.0)
            ratio = 1 + float(exact_excess_kurtosis(arch, X, width=width)[-1]) / 3
            assert ratio == pytest.approx((1 + growth / width) ** (layers - 1), rel=1e-12)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_kurtosis_against_networks(master):
    """E[f⁴]/E[f²]² − 3 of 40 000 relu networks of width 8 and depth 3: through the moments m₂ = E[f⁴]/3 and m₁ = E[f²],
    each within five standard errors of the recursion."""
    arch = ntk.zoo.mlp(3, sigma_w=DENSE[0], sigma_b=DENSE[1])
    _, f = sampled("relu", 3, 8, 40000, seed=master)
    first = float(arch.nngp(X))
    fourth = (3 + float(exact_excess_kurtosis(arch, X, width=8)[-1])) * first**2
    for power, expected in ((2, first), (4, fourth)):
        values = f**power
        assert abs(float(values.mean()) - expected) <= 5 * float(values.std()) / 200


@given(
    dense=st.lists(
        st.tuples(st.sampled_from([0.6, 1.0, 1.5]), st.sampled_from([0.0, 0.1, 1.0])), min_size=2, max_size=5
    )
)
def test_the_first_order_is_the_derivative_of_the_exact_recursion(dense):
    """relu: the relative difference of the two falls like 1/n, a tenth for ten times the widths, equal or not; after
    one hidden layer there is none but rounding."""
    arch = perceptron(dense, ntk.relu)
    shape = [2, 3, 5, 7][: len(dense) - 1]
    gaps = []
    for scale in (1e3, 1e4):
        widths = [int(scale * units) for units in shape]
        exact, linear = (k(arch, X, width=widths)[-1, 0] for k in (exact_excess_kurtosis, excess_kurtosis))
        gaps.append(float(exact - linear) / float(linear))
    assert gaps[0] == pytest.approx(10 * gaps[1], rel=0.05, abs=1e-7)
    assert abs(gaps[0]) < 0.02


LAYERS = st.tuples(
    st.sampled_from([0.6, 1.0, 1.5]), st.sampled_from([0.0, 0.1, 1.0]), st.sampled_from([0.0, 1.0, 2.5]), st.booleans()
)


@given(layers=st.lists(LAYERS, min_size=2, max_size=5), name=st.sampled_from(["relu", "abs", "leaky"]))
def test_the_coefficient_is_the_limit_of_the_exact_deviation(layers, name):
    """n Var Θ_n → c² like 1/n: two derivations, first order for any φ and all orders for homogeneous φ, with biases and
    learning-rate factors, agree; the difference falls to a tenth for ten times the width."""
    activation = {"relu": ntk.relu, "abs": ABSOLUTE, "leaky": LEAKY}[name]
    dense = [ntk.Dense(w, b, eta_w=eta, eta_b=1.0 if both else 0.3) for w, b, eta, both in layers]
    arch = ntk.serial(*[part for layer in dense for part in (layer, activation)][:-1])
    expected = float(ntk_fluctuation(arch, X).coefficient) ** 2
    exact = [n * float(exact_ntk_deviation(arch, X, width=n)) ** 2 for n in (1000, 10000)]
    if expected == 0:  # only the first layer is trained, or none, and nothing reaches the output
        assert exact == [0, 0]
        return
    gaps = [value / expected - 1 for value in exact]
    assert gaps[0] == pytest.approx(10 * gaps[1], rel=0.1, abs=1e-6)
    assert abs(gaps[0]) < 0.05


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_exact_deviation_against_networks(master):
    """Var Θ of 20 000 relu networks of width 8 and depth 4, where first order is a quarter off: within five standard
    errors of the exact recursion."""
    arch = ntk.zoo.mlp(4, sigma_w=DENSE[0], sigma_b=DENSE[1])
    theta, _ = sampled("relu", 4, 8, 20000, seed=master)
    squares = (theta - float(arch.ntk(X))).square()
    expected = float(exact_ntk_deviation(arch, X, width=8)) ** 2
    assert abs(float(squares.mean()) - expected) <= 5 * float(squares.std()) / math.sqrt(20000)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_fluctuation_is_carried_on_by_the_derivative_of_the_limit(name):
    """What δq at one layer becomes at the next is (∂Σ/∂q, ∂Θ/∂q) of the infinite network, by central differences in
    the length of the input; the fluctuation that the layer adds is the same with and without it."""
    arch = ntk.zoo.mlp(2, ACTIVATIONS[name], sigma_w=1.6, sigma_b=0.0)
    q = 1.6**2 * X.square().mean(1)
    zero, one = torch.zeros_like(q), torch.ones_like(q)
    block = Block(arch.layers[1], arch.layers[2])
    quiet, moved = (first_order._next(first_order._State(q, q, v, v, v, zero), block) for v in (zero, one))
    above, below = (arch.kernel(X * math.sqrt(1 + step)) for step in (1e-4, -1e-4))
    dq, dt = (
        float((a - b).squeeze()) / (2e-4 * float(q)) for a, b in ((above.nngp, below.nngp), (above.ntk, below.ntk))
    )
    for part, expected in (("qq", dq * dq), ("qt", dq * dt), ("tt", dt * dt), ("own", 0.0)):
        assert float(getattr(moved, part) - getattr(quiet, part)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_three_layers_of_width_one_by_hand():
    """relu, q₁ = 1: Θ = s₁s₂ (w₂²z² + w₃²z² + w₃²w₂²) with signs s that are 0 or 1, so E[Θ] = 3/4 and E[Θ²] = 45/4."""
    unit = torch.full((1, 3), 1.0, dtype=torch.float64)
    variance = float(exact_ntk_deviation(ntk.zoo.mlp(3, sigma_b=0.0), unit, width=1)) ** 2
    assert variance == pytest.approx(45 / 4 - 9 / 16, rel=1e-12)


@pytest.mark.parametrize("widths", [(2, 2), (1, 2, 2), (1, 2, 2, 1)])
def test_linear_networks_by_exhaustive_quadrature(widths):
    """φ(u) = u: Θ² has degree 4 in every weight, so three Gauss–Hermite nodes for each weight, in all combinations,
    give E[Θ] and E[Θ²] exactly, by the layerwise formula of a finite network."""
    shapes = list(zip((*widths, 1), (0, *widths), strict=True))[1:]
    count = widths[0] + sum(rows * columns for rows, columns in shapes)
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    grid = torch.cartesian_prod(*[torch.from_numpy(nodes)] * count)  # [3^count, count]
    mass = torch.cartesian_prod(*[torch.from_numpy(weights / weights.sum())] * count).prod(1)
    q, used = float(X.square().mean()), widths[0]
    post = math.sqrt(q) * grid[:, :used]
    posts, matrices = [post], []
    for rows, columns in shapes:
        matrices.append(grid[:, used : used + rows * columns].reshape(-1, rows, columns) / math.sqrt(columns))
        used += rows * columns
        posts.append((matrices[-1] @ posts[-1][:, :, None])[:, :, 0])
    theta, delta = 0.0, torch.ones(len(grid), 1, dtype=torch.float64)
    for matrix, post in zip(reversed(matrices), reversed(posts[:-1]), strict=True):
        theta = theta + post.square().mean(1) * delta.square().sum(1)
        delta = (delta[:, None] @ matrix)[:, 0]
    theta = theta + q * delta.square().sum(1)
    identity = ntk.Activation.from_function(lambda u: u, name="identity")
    arch = ntk.zoo.mlp(len(widths) + 1, identity, sigma_b=0.0)
    mean = float(mass @ theta)
    assert mean == pytest.approx(float(arch.ntk(X)), rel=1e-10)
    variance = float(exact_ntk_deviation(arch, X, width=widths)) ** 2
    assert variance == pytest.approx(float(mass @ theta.square()) - mean**2, rel=1e-9)


def test_unequal_widths_are_taken_in_their_order():
    """L = 3, relu: without biases E[q²]/E[q]² = Π (1 + 5/n_ℓ) in any order; with biases the order counts, for Θ too."""
    arch = ntk.zoo.mlp(3, sigma_b=0.0)
    for width in ((4, 9), (9, 4)):
        ratio = 1 + float(exact_excess_kurtosis(arch, X, width=width)[-1]) / 3
        assert ratio == pytest.approx((1 + 5 / 4) * (1 + 5 / 9), rel=1e-12)
    arch = ntk.zoo.mlp(3, sigma_b=0.8)
    one, other = (float(exact_ntk_deviation(arch, X, width=width)) for width in ((4, 9), (9, 4)))
    assert one != pytest.approx(other, rel=1e-3)
    assert float(exact_ntk_deviation(arch, X, width=4)) > max(one, other)


def test_the_kurtosis_is_three_times_the_relative_variance():
    """3 (c/q)²/n with c of variance_fluctuation, at equal widths, for any activation."""
    for activation in ACTIVATIONS.values():
        arch = ntk.zoo.mlp(4, activation, sigma_w=1.2, sigma_b=0.2)
        spread = variance_fluctuation(arch, X)
        expected = 3 * (spread.coefficient / spread.limit).square() / 37
        torch.testing.assert_close(excess_kurtosis(arch, X, width=37)[-1], expected, rtol=1e-12, atol=0)


def test_one_layer_does_not_fluctuate():
    """L = 1: the output is Gaussian and Θ is fixed at any width; the limit never breaks."""
    arch = ntk.zoo.mlp(1)
    for fluctuation in (ntk_fluctuation(arch, X), variance_fluctuation(arch, X)):
        assert float(fluctuation.coefficient) == 0.0
        assert float(fluctuation.breaks_at(0.1)) == math.inf
    assert exact_excess_kurtosis(arch, X, width=()).tolist() == [[0.0]]
    assert exact_ntk_deviation(arch, X, width=()).tolist() == [0.0]


def test_a_zero_input_without_biases_is_always_zero():
    """0 ± 0, not NaN."""
    arch, zero = ntk.zoo.mlp(3, sigma_b=0.0), torch.zeros(1, 3, dtype=torch.float64)
    for fluctuation in (ntk_fluctuation(arch, zero), variance_fluctuation(arch, zero)):
        assert float(fluctuation.limit) == float(fluctuation.coefficient) == 0.0
    assert exact_excess_kurtosis(arch, zero, width=4).tolist() == [[0.0]] * 3
    assert excess_kurtosis(arch, zero, width=4).tolist() == [[0.0]] * 3


def test_where_the_limit_breaks():
    """At L/n = breaks_at(fraction) the deviation is that fraction of the limit; deep relu networks: √(L/n) · const."""
    for depth in (3, 30):
        fluctuation = ntk_fluctuation(ntk.zoo.mlp(depth, sigma_w=math.sqrt(2), sigma_b=0.0), X)
        width = depth / float(fluctuation.breaks_at(0.25))
        assert float(fluctuation.coefficient) / math.sqrt(width) == pytest.approx(0.25 * float(fluctuation.limit))
        torch.testing.assert_close(fluctuation.deviation(100), fluctuation.coefficient / 10)
    ratios = [
        float(ntk_fluctuation(ntk.zoo.mlp(depth, sigma_w=math.sqrt(2), sigma_b=0.0), X).breaks_at())
        for depth in (200, 400)
    ]
    assert ratios[1] == pytest.approx(ratios[0], rel=0.01)


def test_float32_is_computed_in_float64():
    """Inputs of float32 give the rounded numbers of float64."""
    arch, single = ntk.zoo.mlp(3), X.float()
    for quantity in (ntk_fluctuation, variance_fluctuation):
        ours = quantity(arch, single)
        assert ours.coefficient.dtype == torch.float32
        torch.testing.assert_close(ours.coefficient.double(), quantity(arch, X).coefficient, rtol=1e-6, atol=0)
    assert excess_kurtosis(arch, single, width=9).dtype == torch.float32


BAD = {
    "a residual network": (
        RuleError,
        lambda: ntk_fluctuation(ntk.serial(ntk.Dense(), ntk.Dense()), X),
        "Dense, activation, Dense",
    ),
    "an activation at the end": (
        RuleError,
        lambda: variance_fluctuation(ntk.serial(ntk.Dense(), ntk.relu), X),
        "Dense, activation, Dense",
    ),
    "erf, exactly": (RuleError, lambda: exact_excess_kurtosis(ntk.zoo.mlp(3, ntk.erf), X, width=5), "received erf"),
    "tanh, exactly": (RuleError, lambda: exact_ntk_deviation(ntk.zoo.mlp(3, TANH), X, width=5), "received tanh"),
    "a width too few": (ShapeError, lambda: excess_kurtosis(ntk.zoo.mlp(3), X, width=(5,)), r"received \[5\]"),
    "width zero": (DomainError, lambda: exact_excess_kurtosis(ntk.zoo.mlp(3), X, width=0), "received 0"),
    "one axis": (ShapeError, lambda: ntk_fluctuation(ntk.zoo.mlp(3), X[0]), r"received \[3\]"),
    "negative fraction": (DomainError, lambda: ntk_fluctuation(ntk.zoo.mlp(3), X).breaks_at(-1.0), "-1.0"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind


def test_the_panels_integrate_polynomials_and_kinks():
    """Moments E[z^2k] = (2k − 1)!! and half-moments E[z; z > 0] = 1/√(2π) to the last digits."""
    z, w = first_order._half_lines()
    for k in range(6):
        assert float((w * z ** (2 * k)).sum()) == pytest.approx(float(np.prod(np.arange(1, 2 * k, 2))), rel=1e-13)
    assert float((w * z.clamp(min=0)).sum()) == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-13)
