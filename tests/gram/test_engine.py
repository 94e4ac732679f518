"""The engine equals the plain algebra: every architecture, tile, thread, dtype and shape."""

import math
import threading

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError
from ntk_teach.gram.builder import plan_of
from ntk_teach.gram.plan import FusedPlan, LayerPlan
from ntk_teach.nn import Pointwise

ACTIVATIONS = {
    "relu": ntk.relu,
    "leaky": ntk.leaky_relu(0.2),
    "abrelu": ntk.abrelu(-0.5, 1.5),
    "absolute": ntk.absolute,
    "identity": ntk.identity,
    "straight line": ntk.Polynomial([0.3, -0.8]),
    "erf": ntk.erf,
    "erf of three": ntk.Erf(1.2, 0.7, 0.3),
    "gelu": ntk.gelu,
    "sine": ntk.Sin(0.9, 1.1, 0.4),
    "tanh by its series, odd": ntk.tanh,
    "softplus by its series": ntk.softplus,
    "an even series": ntk.Activation.from_function(lambda u: torch.exp(-u * u / 3), name="bell"),
    "polynomial": ntk.Polynomial([0.2, 1.0, 0.3]),
}


def net(activation, depth: int = 4, sigma_w: float = 1.2, sigma_b: float = 0.1) -> ntk.Architecture:
    dense = ntk.Dense(sigma_w, sigma_b)
    return ntk.serial(dense, *[layer for _ in range(depth - 1) for layer in (activation, dense)])


def awkward(n: int, d: int = 6) -> torch.Tensor:
    """Generic inputs among which some coincide, lie on a ray, are opposite, or zero."""
    x = inputs(n, d, seed=n)
    x[1], x[2], x[n - 1], x[n // 2] = 1.7 * x[0], -x[0], x[0], 0.0
    return x


def assert_equal(ours, plain, size: torch.Tensor, tolerance: float) -> None:
    for kind in ("nngp", "ntk"):
        error = (getattr(ours, kind).double() - getattr(plain, kind)).abs() / size[kind]
        assert float(error.max()) <= tolerance, f"{kind}: {float(error.max()):.1e}"


def sizes(k1, k2) -> dict[str, torch.Tensor]:
    """√(K_ii K_jj), the scale of an entry."""
    return {
        kind: (getattr(k1, kind).diagonal()[:, None] * getattr(k2, kind).diagonal()).sqrt().clamp_min(1e-3)
        for kind in ("nngp", "ntk")
    }


@pytest.mark.parametrize("tile", [7, 16, 256])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_tiles_equal_the_plain_algebra(name, tile):
    """Σ and Θ with x2 and without, in tiles that divide the matrix and that do not: 1e-12 of √(K_ii K_jj)."""
    arch = net(ACTIVATIONS[name])
    x1, x2 = awkward(33), torch.cat([inputs(9, 6, seed=3), awkward(33)[:3]])
    plain, other = arch.kernel(x1), arch.kernel(x2)
    tolerance = 2e-10 if "series" in name else 1e-12  # the tolerance of the series itself
    assert_equal(arch.grams(x1, tile=tile), plain, sizes(plain, plain), tolerance)
    assert_equal(arch.grams(x1, x2, tile=tile), arch.kernel(x1, x2), sizes(plain, other), tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_is_within_its_bound(name):
    """Single precision: 1e-5 of √(K_ii K_jj) for pairs in general position, 1e-3 for nearly collinear ones of a kinked
    activation, 1e-6 on the diagonal."""
    arch, x = net(ACTIVATIONS[name]), torch.cat([inputs(40, 50), 1e-4 * inputs(1, 50, seed=8) + inputs(40, 50)[:1]])
    x = x.float().double()  # the same numbers on both sides
    plain, single = arch.kernel(x), arch.grams(x, dtype=torch.float32)
    size = sizes(plain, plain)
    for kind in ("nngp", "ntk"):
        error = (getattr(single, kind).double() - getattr(plain, kind)).abs() / size[kind]
        assert float(error.diagonal().max()) <= 1e-6
        near = torch.zeros_like(error, dtype=torch.bool)
        near[0, -1] = near[-1, 0] = True
        assert float(error[~near].max()) <= 1e-5
        assert float(error[near].max()) <= 1e-3


def test_duplicates_in_high_dimension_are_exact():
    """A copy of an input far away in the batch, or in x2, has the diagonal's kernel: nothing is lost to the rounding of
    a long inner product, in float64 (1e-13) and in float32 (1e-6)."""
    arch, x = net(ntk.relu), inputs(300, 784)
    x[280] = x[3]
    for dtype, tolerance in ((torch.float64, 1e-13), (torch.float32, 1e-6)):
        own, across = arch.ntk(x, dtype=dtype), arch.ntk(x, x.clone(), dtype=dtype)
        exact = own.diagonal()
        torch.testing.assert_close(own[3, 280], exact[3], rtol=tolerance, atol=0)
        torch.testing.assert_close(across.diagonal(), exact, rtol=tolerance, atol=0)
    plain = arch.kernel(x, x.clone()).ntk.diagonal()
    torch.testing.assert_close(plain, arch.kernel(x).ntk.diagonal(), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ["relu", "erf", "tanh by its series, odd"])
def test_a_symmetric_result_is_symmetric_to_the_last_digit(name):
    """Θ(x, x') and Θ(x', x) are one number, also inside the tiles on the diagonal."""
    theta = net(ACTIVATIONS[name]).ntk(awkward(40), tile=16)
    assert torch.equal(theta, theta.T)


def test_the_diagonal_is_the_recursion_of_vectors():
    """Θ(x, x) and Σ(x, x) to 1e-13 from the moments alone, whatever tile they stand in."""
    arch, x = net(ntk.relu, depth=5, sigma_b=0.3), awkward(50)
    sigma = theta = 1.44 * x.square().sum(1) / 6 + 0.09
    for _ in range(4):
        sigma, theta = 1.44 * sigma / 2 + 0.09, 1.44 / 2 * theta
        theta = theta + sigma
    grams = arch.grams(x, tile=16)
    torch.testing.assert_close(grams.nngp.diagonal(), sigma, rtol=1e-13, atol=0)
    torch.testing.assert_close(grams.ntk.diagonal(), theta, rtol=1e-13, atol=0)


D = ntk.Dense
ARCHITECTURES = {
    "residual": ntk.serial(D(1.0, 0.1), ntk.Residual(ntk.serial(ntk.relu, D(0.7, 0.2))), ntk.erf, D()),
    "a residual of raw inputs": ntk.serial(ntk.Residual(ntk.serial(D(0.5))), D(1.1, 0.3), ntk.relu, D()),
    "dense after dense": ntk.serial(D(1.1, 0.1), D(0.9, 0.4), ntk.relu, D(0.8), D(1.3, 0.2)),
    "factors": ntk.serial(D(1.1, 0.1, eta_w=0.5), ntk.relu, D(0.9, 0.4, eta_b=0.0), ntk.erf, D(eta_w=2.0)),
    "a share of the bias": ntk.serial(D(1.1, 0.1), ntk.relu, D(0.9, 0.4, eta_b=0.5), ntk.erf, D(1.0, 0.3, eta_b=0.2)),
    "frozen": ntk.serial(D(1.1, 0.1, trained=False), ntk.relu, D(0.9, 0.4, trained=False), ntk.relu, D()),
    "one layer": ntk.serial(D(1.3, 0.2)),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_other_rows_of_layers_equal_the_plain_algebra(name):
    """Residual sums, linear layers in a row, learning-rate factors and frozen layers go the same way."""
    arch, x1, x2 = ARCHITECTURES[name], awkward(33), awkward(20)
    assert isinstance(plan_of(arch.layers, x1, None), FusedPlan)
    plain = arch.kernel(x1)
    assert_equal(arch.grams(x1, tile=16), plain, sizes(plain, plain), 1e-12)
    assert_equal(arch.grams(x1, x2, tile=16), arch.kernel(x1, x2), sizes(plain, arch.kernel(x2)), 1e-12)


class Halve:
    """A layer that the engine has never seen."""

    random = False

    def kernel(self, k):
        return k.fixed(lambda cov: cov / 4)

    def module(self, fan_in, fan_out, generator):
        return Pointwise(lambda u: u / 2, "halve")


def test_a_layer_unknown_to_the_engine_is_computed_by_its_own_algebra():
    """The engine falls back to the layers' kernels, tile by tile, with the same numbers."""
    arch, x = ntk.serial(ntk.Dense(1.0, 0.2), Halve(), ntk.relu, ntk.Dense()), awkward(33)
    assert isinstance(plan_of(arch.layers, x, None), LayerPlan)
    plain = arch.kernel(x)
    assert_equal(arch.grams(x, tile=8), plain, sizes(plain, plain), 1e-13)


def test_every_number_of_threads_gives_the_same_digits():
    """Tiles do not depend on who computes them: one thread and three agree to the last digit, and torch's own setting
    is left as it was."""
    arch, x, before = net(ntk.relu), awkward(200), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(arch.ntk(x, tile=32))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_nngp_and_ntk_alone_are_what_they_are_together():
    """arch.nngp and arch.ntk are the two fields of arch.grams, and x2 = x1 is the same as no x2."""
    arch, x = net(ntk.relu), awkward(70)
    both = arch.grams(x, tile=32)
    assert torch.equal(arch.nngp(x, tile=32), both.nngp)
    assert torch.equal(arch.ntk(x, tile=32), both.ntk)
    assert torch.equal(arch.ntk(x, x, tile=32), both.ntk)


def test_gradients_flow_where_they_are_asked_for():
    """With x.requires_grad the result is differentiable: ∂Θ(x, x')/∂x against a central difference."""
    arch, x, z = net(ntk.erf), inputs(3, 4), inputs(2, 4, seed=5)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(arch.ntk(x, z).sum(), x)
    step = torch.zeros_like(x)
    step[1, 2] = 1e-5
    with torch.no_grad():
        difference = (arch.ntk(x + step, z).sum() - arch.ntk(x - step, z).sum()) / 2e-5
    torch.testing.assert_close(slope[1, 2], difference, rtol=1e-7, atol=1e-9)


def test_progress_counts_to_the_end():
    """progress(done, total) ends with done = total, never goes back, and an exception in it stops the run."""
    arch, x, seen = net(ntk.relu), awkward(100), []
    arch.ntk(x, tile=16, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] == 7 * 8 // 2

    def stop(done, total):
        raise KeyboardInterrupt

    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        arch.ntk(x, tile=16, progress=stop)
    assert threading.active_count() == threads


def test_a_given_array_is_filled():
    """out= takes a tensor or a numpy array, which then hold the result."""
    arch, x = net(ntk.relu), awkward(30)
    place, array = torch.empty(30, 30, dtype=torch.float64), torch.empty(30, 30, dtype=torch.float64).numpy()
    arch.ntk(x, out=place)
    arch.grams(x, out=(array, place))
    assert torch.equal(torch.from_numpy(array), arch.nngp(x))
    assert torch.equal(place, arch.ntk(x))


@pytest.mark.parametrize("depth", [2, 30])
def test_a_deep_or_degenerate_network_gives_numbers(depth):
    """Zero inputs, tiny inputs and great depth: finite everywhere in both precisions."""
    x = torch.cat([torch.zeros(1, 3), 1e-18 * torch.ones(1, 3), torch.ones(2, 3), 1e6 * torch.ones(1, 3)]).double()
    for sigma_b in (0.0, 0.1):
        for dtype in (torch.float64, torch.float32):
            grams = net(ntk.relu, depth, math.sqrt(2), sigma_b).grams(x, dtype=dtype)
            assert torch.isfinite(grams.nngp).all()
            assert torch.isfinite(grams.ntk).all()


def test_correlations_that_round_beyond_one_give_numbers():
    """With large biases every correlation tends to 1 from layer to layer; rounding may carry one past it. Off the
    diagonal, between inputs that are not alike: finite, and equal to the plain algebra to 1e-7."""
    arch, x1, x2 = net(ntk.relu, 40, 1.2, 3.0), inputs(200, 6, seed=1), inputs(200, 6, seed=2)
    for dtype in (torch.float64, torch.float32):
        theta = arch.ntk(x1, x2, dtype=dtype)
        assert torch.isfinite(theta).all()
    plain = arch.kernel(x1, x2).ntk
    assert float(((arch.ntk(x1, x2) - plain).abs() / plain).max()) <= 1e-7


@pytest.mark.boundary
def test_a_device_or_dtype_that_cannot_be_used_is_refused():
    """The message names what was asked and what there is."""
    arch, x = net(ntk.relu), awkward(10)
    with pytest.raises(DomainError, match=r"gram, dtype: expected float64 or float32, received torch\.float16"):
        arch.ntk(x, dtype=torch.float16)
    with pytest.raises(DomainError, match=r"gram, device: expected a device of this machine, received no-such-device"):
        arch.ntk(x, device="no-such-device")
    with pytest.raises(DomainError, match="tile"):
        arch.ntk(x, tile=0)
