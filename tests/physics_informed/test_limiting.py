"""The infinite-width blocks: an integral over one hidden unit, differences of Θ∞, and a slope in the width."""

import math

import numpy as np
import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.physics_informed import Standardization, derivative, laplacian, limiting_pinn_kernels, wave
from ntk_teach.physics_informed.finite import kernels_of

X = torch.linspace(-0.5, 0.6, 6, dtype=torch.float64)[:, None]
S, T, OUT, BIAS = 1.1, 0.6, 1.2, 0.3  # σ_w and σ_b of the first layer, of the last
ROOT = math.sqrt(math.pi)


def one_layer(activation):
    return ntk.serial(ntk.Dense(S, T), activation, ntk.Dense(OUT, BIAS))


def erf_and_derivatives(h):
    first = 2 / ROOT * torch.exp(-h.square())
    return torch.erf(h), first, -2 * h * first, (4 * h.square() - 2) * first


def tanh_and_derivatives(h):
    t = torch.tanh(h)
    first = 1 - t.square()
    return t, first, -2 * t * first, (6 * t.square() - 2) * first


def over_one_unit(phi, count: int = 200):
    """E over (w, b) of the gradients of u = φ(h) a and r = a s²w² φ″(h), h = s w x + t b, by Gauss–Hermite.

    ∂r/∂a = s²w²φ″,  ∂r/∂w = a (2s²wφ″ + s³w²xφ‴),  ∂r/∂b = a t s²w²φ‴, with E[a²] = 1: no derivative by machine.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    nodes, weights = torch.tensor(nodes), torch.tensor(weights) / math.sqrt(2 * math.pi)
    w, b, x = nodes[:, None, None], nodes[None, :, None], X[None, None, :, 0]
    density = (weights[:, None] * weights)[..., None]  # [w, b, 1]
    zeroth, first, second, third = phi(S * w * x + T * b)
    value = (zeroth, S * x * first, T * first)
    residual = ((S * w) ** 2 * second, 2 * S**2 * w * second + S**3 * w**2 * x * third, T * (S * w) ** 2 * third)

    def inner(one, other):
        return OUT**2 * sum(torch.einsum("wbi,wbj->ij", density * p, q) for p, q in zip(one, other, strict=True))

    return inner(value, value) + BIAS**2, inner(value, residual), inner(residual, residual)


@pytest.mark.parametrize(
    "activation, phi, within",
    [(ntk.erf, erf_and_derivatives, 1e-10), (ntk.tanh, tanh_and_derivatives, 1e-6)],
    ids=["erf", "tanh"],
)
def test_the_limit_is_an_integral_over_one_hidden_unit(activation, phi, within):
    """One hidden layer, u_xx: all entries, those at x = x′ among them; a series loses some digits to its tail."""
    kernels = limiting_pinn_kernels(one_layer(activation), X, X, derivative(2))
    for ours, expected in zip(kernels, over_one_unit(phi), strict=True):
        error = float((ours - expected).abs().max() / expected.abs().max())
        assert error <= within


POINTS = torch.tensor([[0.4, -0.7], [0.4, -0.7], [1.2, 0.3], [0.0, 0.0], [-0.8, 1.4]], dtype=torch.float64)
OPERATORS = {
    # name: (operator, {(axis, order): coefficient})
    "Laplace": (laplacian, {(0, 2): 1.0, (1, 2): 1.0}),
    "wave": (wave(1.5), {(1, 2): 1.0, (0, 2): -2.25}),
    "heat": (derivative(1, 1) - 0.7 * derivative(2, 0), {(1, 1): 1.0, (0, 2): -0.7}),
}
STENCILS = {  # of fourth order, times step^order
    1: {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12},
    2: {-2: -1 / 12, -1: 4 / 3, 0: -5 / 2, 1: 4 / 3, 2: -1 / 12},
}
STEP = 0.02


def shifted(terms):
    """The operator as a sum of shifts: [(shift [1, d], factor)]."""
    return [
        (STEP * steps * torch.eye(2, dtype=torch.float64)[axis], coefficient * factor / STEP**order)
        for (axis, order), coefficient in terms.items()
        for steps, factor in STENCILS[order].items()
    ]


SMOOTH = {"erf": ntk.erf, "sin": ntk.sin, "gelu": ntk.gelu, "gaussian": ntk.gaussian, "cubic": ntk.monomial(3)}


def two_layers(activation, sigma_b=0.4):
    dense = ntk.Dense(0.9, sigma_b)
    return ntk.serial(dense, activation, dense, activation, dense)


def by_differences(arch, terms):
    """𝓛′Θ∞ and 𝓛𝓛′Θ∞ from values of Θ∞ at shifted points."""
    shifts, factors = zip(*shifted(terms), strict=True)
    moved = torch.cat([POINTS + shift for shift in shifts])
    factors, n = torch.tensor(factors, dtype=torch.float64), len(POINTS)
    once = arch.ntk(POINTS, moved).reshape(n, -1, n)
    twice = arch.ntk(moved, moved.clone()).reshape(len(factors), n, len(factors), n)
    return torch.einsum("b,ibj->ij", factors, once), torch.einsum("a,b,aibj->ij", factors, factors, twice)


@pytest.mark.parametrize(
    "activation, name",
    [("erf", "Laplace"), ("erf", "wave"), ("sin", "wave"), ("gelu", "heat"), ("gaussian", "heat"), ("cubic", "heat")],
)
def test_the_limit_equals_differences_of_the_kernel(activation, name):
    """Two hidden layers, two coordinates, a repeated point and the origin: 1e-5 of the largest entry."""
    arch = two_layers(SMOOTH[activation])
    operator, terms = OPERATORS[name]
    kernels = limiting_pinn_kernels(arch, POINTS, POINTS, operator)
    torch.testing.assert_close(kernels.K_uu, arch.ntk(POINTS), rtol=1e-13, atol=1e-13)
    for ours, expected in zip(kernels[1:], by_differences(arch, terms), strict=True):
        assert float((ours - expected).abs().max() / expected.abs().max()) <= 1e-5


def test_no_biases_and_the_origin_are_no_special_case():
    """A closed form has no square root of a variance: at x = 0 with σ_b = 0 the derivatives are finite and right."""
    arch, (operator, terms) = two_layers(ntk.erf, sigma_b=0.0), OPERATORS["heat"]
    kernels = limiting_pinn_kernels(arch, POINTS, POINTS, operator)
    for ours, expected in zip(kernels[1:], by_differences(arch, terms), strict=True):
        assert float((ours - expected).abs().max() / expected.abs().max()) <= 1e-5


def test_a_residual_network_and_standardized_inputs():
    """The limit goes through any layers; a map of the inputs acts by the chain rule, 1/σ for each derivative."""
    dense = ntk.Dense(1.1, 0.5)
    arch = ntk.serial(dense, ntk.Residual(ntk.serial(ntk.erf, dense)), ntk.erf, dense)
    standardized = Standardization.of(X)
    ours = limiting_pinn_kernels(arch, X[:2], X, derivative(2), inputs=standardized)
    plain = limiting_pinn_kernels(arch, standardized(X[:2]), standardized(X), derivative(2))
    for power, (one, other) in enumerate(zip(ours, plain, strict=True)):
        torch.testing.assert_close(one, other * float(standardized.std) ** (-2 * power), rtol=1e-11, atol=1e-11)


def test_the_whole_kernel_is_symmetric_positive_semidefinite_and_permutes():
    """In blocks of points, too; points that change places take their rows with them."""
    xr = inputs(40, 1, seed=3)
    whole = limiting_pinn_kernels(one_layer(ntk.erf), X, xr, derivative(2)).full()
    values = torch.linalg.eigvalsh(whole)
    assert torch.equal(whole, whole.T) and float(values[0]) >= -1e-12 * float(values[-1])
    order = torch.randperm(40, generator=torch.Generator().manual_seed(2))
    places = torch.cat([torch.arange(6), 6 + order])
    moved = limiting_pinn_kernels(one_layer(ntk.erf), X, xr[order], derivative(2)).full()
    torch.testing.assert_close(moved, whole[places][:, places], rtol=1e-11, atol=1e-11)


WIDTHS = (64, 256, 1024)
DRAWS = {1: (64, 4, 32), 2: (64, 4, 20)}  # by the number of hidden layers; the middle has no weight in a slope
FAR = torch.tensor([[-1.0], [0.2], [0.8]], dtype=torch.float64)


def blocks(arch, width, seed):
    return kernels_of(arch.network(width=width, like=FAR, seed=seed), FAR[:1], FAR[1:], derivative(2))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("hidden", [1, 2])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_finite_blocks_settle_on_the_limit_as_one_over_the_root_of_the_width(hidden, seed):
    """log E‖K_n − K∞‖ against log n has slope −1/2 within five standard errors, for each block; three seeds.

    The mean squared error is c/n + c'/n², so that small widths make the slope steeper: 0.03 is left for that.
    """
    dense = ntk.Dense(1.0, 0.7)
    arch = ntk.serial(*[dense, ntk.erf] * hidden, dense)
    limit = limiting_pinn_kernels(arch, FAR[:1], FAR[1:], derivative(2))
    logs, errors = [], []
    for width, draws in zip(WIDTHS, DRAWS[hidden], strict=True):
        norms = []
        for draw in range(draws):
            drawn = blocks(arch, width, 1000 * seed + draw)
            norms.append([float((a - b).norm()) for a, b in zip(drawn, limit, strict=True)])
        norms = torch.tensor(norms, dtype=torch.float64)  # [draws, blocks]
        logs.append(norms.mean(0).log())
        errors.append(norms.std(0) / norms.mean(0) / math.sqrt(draws))
    steps = torch.tensor([math.log(width) for width in WIDTHS], dtype=torch.float64)
    weights = (steps - steps.mean()) / (steps - steps.mean()).square().sum()
    slopes = weights @ torch.stack(logs)
    allowed = 5 * (weights.square() @ torch.stack(errors).square()).sqrt() + 0.03
    assert (allowed < 0.5).all(), f"the test would not tell −1/2 from 0: {allowed}"
    assert ((slopes + 0.5).abs() <= allowed).all(), f"{slopes} is not −1/2 ± {allowed}"


@pytest.mark.usefixtures("unchecked")
def test_with_one_hidden_layer_the_mean_is_the_limit_at_every_width():
    """Its units are independent and alike: E[K_n] = K∞ for n = 8, entry by entry within five standard errors."""
    arch = one_layer(ntk.erf)
    limit = limiting_pinn_kernels(arch, FAR[:1], FAR[1:], derivative(2)).full()
    drawn = torch.stack([blocks(arch, 8, seed).full() for seed in range(100)])
    assert ((drawn.mean(0) - limit).abs() <= 5 * drawn.std(0) / math.sqrt(100)).all()
