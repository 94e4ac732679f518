"""What the chapter on the loss landscape claims, asked of the library from outside."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch.func import functional_call, hessian, jacrev

import ntk_teach as ntk
from ntk_teach import landscape

SEEDS = [0, 1, 2]
IMAGES, LABELS = ntk.data.digits(200, seed=0)
TARGETS = 1.0 - 2.0 * (LABELS % 2)
Z, Z_TARGET = ntk.data.circle(12)
SHALLOW = ntk.zoo.mlp(depth=2)


def digit_cost(f) -> torch.Tensor:
    return ntk.squared_error.value(f(IMAGES)[:, 0], TARGETS)


@pytest.fixture(scope="module")
def trained():
    """Networks of depth 3 that learned the digits, by seed; trained in float32, kept in float64."""
    networks = {}
    for seed in (*SEEDS, 3):
        network = ntk.zoo.mlp(depth=3).network(width=32, like=IMAGES.float(), seed=seed)
        ntk.gradient_descent(network, IMAGES.float(), TARGETS.float(), lr=2.0, steps=400)
        networks[seed] = network.double()
    return networks


def on_segment(network, other, points: int = 21) -> torch.Tensor:
    """Height of the path between parameters above its chord."""
    s = torch.linspace(0, 1, points, dtype=torch.float64)
    ends = [dict(n.named_parameters()) for n in (network, other)]
    step = {name: (ends[1][name] - p).detach() for name, p in ends[0].items()}
    path = landscape.loss_surface(network, digit_cost, [step], s)
    return path - ((1 - s) * path[0] + s * path[-1])


def permuted(network, seed: int):
    """The same function with the units of every hidden layer renumbered."""
    twin, generator = copy.deepcopy(network), torch.Generator().manual_seed(seed)
    layers = [m for m in twin if isinstance(m, ntk.nn.Linear)]
    with torch.no_grad():
        for layer, after in pairwise(layers):
            order = torch.randperm(layer.fan_out, generator=generator)
            layer.weight.copy_(layer.weight[order])
            layer.bias.copy_(layer.bias[order])
            after.weight.copy_(after.weight[:, order])
    return twin


def rescaled(network, factor: torch.Tensor):
    """The same function with the first hidden layer's units multiplied by factors [n] or [1]."""
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin[0].weight.mul_(factor[:, None])
        twin[0].bias.mul_(factor)
        twin[2].weight.div_(factor)
    return twin


def curvatures(network, x, y) -> tuple[torch.Tensor, torch.Tensor]:
    """Hessian of the squared error by all parameters, and its Gauss-Newton part."""
    named = {name: p.detach() for name, p in network.named_parameters()}
    theta = torch.cat([p.reshape(-1) for p in named.values()])

    def outputs(t):
        parts = t.split([p.numel() for p in named.values()])
        moved = {name: part.reshape(p.shape) for part, (name, p) in zip(parts, named.items(), strict=True)}
        return functional_call(network, moved, (x,))

    h = hessian(lambda t: ntk.squared_error.value(outputs(t), y))(theta)
    j = jacrev(outputs)(theta).flatten(0, 1)
    return h, j.T @ j / len(x)


# ---- convexity in the outputs


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_are_convex_along_outputs_and_the_squared_error_is_a_parabola(seed):
    """No second difference below rounding for three costs; for the squared error the height below the chord is
    s(1 − s)‖u − v‖²/(2N), whatever the targets.
    """
    generator = torch.Generator().manual_seed(seed)
    u, v, y = torch.randn(3, 7, 4, generator=generator, dtype=torch.float64) * 3
    s = torch.linspace(0, 1, 31, dtype=torch.float64)
    classes = torch.randint(4, (7,), generator=generator)
    for cost, targets in ((ntk.squared_error, y), (ntk.logistic, y.sign()), (ntk.cross_entropy, classes)):
        path = torch.stack([cost.value((1 - a) * u + a * v, targets) for a in s])
        assert float(path.diff(n=2).min()) > -1e-12
        if cost is ntk.squared_error:
            chord = (1 - s) * path[0] + s * path[-1]
            expected = chord - s * (1 - s) * (u - v).square().sum() / (2 * len(u))
            torch.testing.assert_close(path, expected, rtol=1e-12, atol=1e-12)


# ---- the same function at many addresses


def test_barriers_between_networks_and_to_renumbered_copies(trained):
    """Both climb well above the chord; the copy is the same function on inputs it never saw."""
    unseen = torch.rand(20, 64, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    for seed in SEEDS:
        twin = permuted(trained[seed], seed)
        torch.testing.assert_close(twin(unseen), trained[seed](unseen), rtol=1e-10, atol=1e-12)
        assert float(on_segment(trained[seed], twin).max()) > 0.1
        assert float(on_segment(trained[seed], trained[seed + 1]).max()) > 0.1


def test_width_does_not_level_the_hill_to_a_copy():
    """At width 128 it is still more than twice as high as the cost at its ends."""
    network = ntk.zoo.mlp(depth=3).network(width=128, like=IMAGES.float(), seed=0)
    costs = ntk.gradient_descent(network, IMAGES.float(), TARGETS.float(), lr=2.0, steps=400)
    network = network.double()
    assert float(on_segment(network, permuted(network, 0)).max()) > 2 * float(costs[-1])


def test_the_symmetrized_network_is_worse():
    """All units equal: several times the cost, so the cost is not convex in the parameters."""
    for seed in SEEDS:
        network = SHALLOW.network(width=32, like=IMAGES, seed=seed)
        ntk.gradient_descent(network, IMAGES, TARGETS.double(), lr=2.0, steps=400)
        with torch.no_grad():
            before = float(digit_cost(network))
            for p, axis in ((network[0].weight, 0), (network[0].bias, 0), (network[2].weight, 1)):
                p.copy_(p.mean(axis, keepdim=True).expand_as(p))
            assert float(digit_cost(network)) > 2 * before


# ---- where the bending comes from


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_gauss_newton_has_the_spectrum_of_the_kernel(seed, outputs):
    """N n_L positive eigenvalues, those of the block Gram matrix over N; the others are zero."""
    network = SHALLOW.network(width=20, like=Z, out_features=outputs, seed=seed)
    y = Z_TARGET[:, None].expand(-1, outputs)
    _, g = curvatures(network, Z, y)
    theta = ntk.empirical_ntk(network, Z)
    gram = theta if outputs == 1 else ntk.block_gram(theta)
    expected = torch.linalg.eigvalsh(gram / len(Z)).flip(0)
    values = torch.linalg.eigvalsh(g).flip(0)
    torch.testing.assert_close(values[: len(expected)], expected, rtol=1e-9, atol=1e-13)
    assert float(values[len(expected) :].abs().max()) < 1e-13


@pytest.mark.parametrize("seed", SEEDS)
def test_without_residuals_gauss_newton_is_everything(seed):
    """At targets that the network meets, R = 0 and no curvature is negative."""
    network = SHALLOW.network(width=16, like=Z, seed=seed)
    h, g = curvatures(network, Z, network(Z).detach())
    torch.testing.assert_close(h, g, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("width", [4, 16, 64])
@pytest.mark.parametrize("steps", [0, 100])
def test_negative_curvature_is_bounded_by_width_and_cost(width, steps):
    """λ_min ≥ −√(2qC/n) at the start and after training, also for inputs of unequal norm; R comes in pairs ±."""
    first = ntk.zoo.mlp(depth=1)
    for seed in SEEDS:
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(10, 3, generator=generator, dtype=torch.float64)
        y = torch.randn(10, generator=generator, dtype=torch.float64)
        network = SHALLOW.network(width=width, like=x, seed=seed)
        cost = float(ntk.gradient_descent(network, x, y, lr=0.3, steps=steps)[-1])
        h, g = curvatures(network, x, y[:, None])
        bound = math.sqrt(2 * float(first.nngp(x).diagonal().mean()) * cost / width)
        of_r = torch.linalg.eigvalsh(h - g)
        assert -bound <= float(of_r[0]) <= float(torch.linalg.eigvalsh(h)[0]) < 0
        torch.testing.assert_close(of_r, -of_r.flip(0), rtol=1e-8, atol=1e-12)


def test_negative_curvature_fades_while_the_kernel_stays():
    """Sixteen times the width: λ_min shrinks more than twofold in the mean over 12 networks, λ_max does not."""
    means = []
    for width in (8, 128):
        found = []
        for seed in range(12):
            values = torch.linalg.eigvalsh(
                curvatures(SHALLOW.network(width=width, like=Z, seed=seed), Z, Z_TARGET[:, None])[0]
            )
            found.append((-values[0], values[-1]))
        means.append(torch.tensor(found).mean(0))
    assert float(means[0][0] / means[1][0]) > 2
    assert 0.5 < float(means[0][1] / means[1][1]) < 2


def test_the_midpoint_of_two_functions_is_a_network_of_twice_the_width():
    """Units side by side, outgoing weights halved, on inputs anywhere."""
    one, other = (SHALLOW.network(width=16, like=Z, seed=s) for s in (1, 2))
    both = SHALLOW.network(width=32, like=Z, seed=0)
    with torch.no_grad():
        both[0].weight.copy_(torch.cat([one[0].weight, other[0].weight]))
        both[0].bias.copy_(torch.cat([one[0].bias, other[0].bias]))
        both[2].weight.copy_(torch.cat([one[2].weight, other[2].weight], dim=1) / math.sqrt(2))
        both[2].bias.copy_((one[2].bias + other[2].bias) / 2)
        torch.testing.assert_close(both(3 * Z), (one(3 * Z) + other(3 * Z)) / 2, rtol=1e-12, atol=1e-13)


# ---- pictures


def test_normalized_slices_do_not_see_a_layer_but_do_see_single_units(trained):
    """Times 7: the raw slices part and the normalized ones agree to 1e-12. Unit by unit: the normalized ones part."""
    line = torch.linspace(-1, 1, 9, dtype=torch.float64)
    for seed in SEEDS:
        network = trained[seed]
        d = landscape.random_direction(network, seed=3)
        uneven = torch.randn(32, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).exp()
        layer, units = rescaled(network, torch.tensor([7.0], dtype=torch.float64)), rescaled(network, uneven)
        torch.testing.assert_close(units(IMAGES), network(IMAGES), rtol=1e-10, atol=1e-12)
        raw = [landscape.loss_surface(n, digit_cost, [d], line) for n in (network, layer)]
        fair = [
            landscape.loss_surface(n, digit_cost, [landscape.filter_normalized(d, n)], line)
            for n in (network, layer, units)
        ]
        assert float((raw[0] - raw[1]).abs().max()) > 1
        torch.testing.assert_close(fair[0], fair[1], rtol=1e-12, atol=1e-13)
        assert float((fair[0] - fair[2]).abs().max()) > 0.1 * float(fair[0].max())


def test_sharpness_grows_without_the_function(trained):
    """λ_max(Θ/N) rises with the factor, tenfold by 7, for one and the same function."""
    for seed in SEEDS:
        tops = []
        for factor in (1.0, 3.0, 7.0):
            twin = rescaled(trained[seed], torch.tensor([factor], dtype=torch.float64))
            tops.append(float(torch.linalg.eigvalsh(ntk.empirical_ntk(twin, IMAGES) / len(IMAGES))[-1]))
        assert tops == sorted(tops)
        assert tops[2] > 10 * tops[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_slices_see_the_trace(seed):
    """Mean curvature over random directions: tr H/P within five standard errors. Fewer slices bend down than
    eigenvectors do, and none of a thousand comes near the steepest.
    """
    h, _ = curvatures(SHALLOW.network(width=32, like=Z, seed=seed), Z, Z_TARGET[:, None])
    d = torch.randn(1000, len(h), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    d = d / d.norm(dim=1, keepdim=True)
    seen = torch.einsum("kp,pq,kq->k", d, h, d)
    assert abs(float(seen.mean() - h.trace() / len(h))) < 5 * float(seen.std()) / math.sqrt(1000)
    values = torch.linalg.eigvalsh(h)
    assert (seen < 0).double().mean() < (values < -1e-12).double().mean()
    assert float(seen.max()) < 0.5 * float(values[-1])


def test_some_cuts_of_the_bowl_are_not_convex(trained):
    """The surface of the chapter has cuts with a negative second difference, and cuts without."""
    network = trained[0]
    ways = [landscape.filter_normalized(landscape.random_direction(network, seed=s), network) for s in (2, 3)]
    offsets = torch.linspace(-1, 1, 25, dtype=torch.float64)
    bends = landscape.loss_surface(network, digit_cost, ways, offsets).diff(n=2, dim=1).amin(1)
    assert 3 < int((bends < -1e-4).sum()) < 22
