"""What chapter 10 says, with the library from outside: identities and bounds exactly, networks in bands."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import ntk_teach as ntk

pytestmark = pytest.mark.usefixtures("unchecked")

MASTERS = pytest.mark.parametrize("master", [0, 1000, 2000])
SAVED = Path(__file__).parents[2] / "book" / "results" / "time_series_laptop.npz"


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def network(sigma_w=1.3, sigma_u=0.9, sigma_b=0.2, read=None, activation=ntk.relu):
    layer = ntk.Recurrent(activation, sigma_w, sigma_u, sigma_b)
    return ntk.serial(layer, ntk.LastStep() if read is None else read, ntk.Dense())


# ---- identities


def test_a_dense_kernel_does_not_see_the_order_of_time() -> None:
    """And a recurrent one does."""
    x = drawn(4, 9, 2)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    dense = ntk.zoo.mlp(3)
    torch.testing.assert_close(dense.ntk(x[:, order].flatten(1)), dense.ntk(x.flatten(1)), rtol=1e-12, atol=1e-12)
    recurrent = ntk.zoo.rnn()
    assert float((recurrent.ntk(x[:, order]) - recurrent.ntk(x)).norm() / recurrent.ntk(x).norm()) > 0.05


def test_the_kernel_is_a_double_sum_over_time_at_any_width() -> None:
    """Σ (δ_t·δ'_t')(σ_w²/n h·h' + σ_u²/m x·x' + σ_b²) + h_T·h'_T'/n is the empirical kernel, for unequal lengths."""
    arch, x = network(), drawn(2, 5, 3)
    net = arch.network(width=12, like=x, seed=0)
    cell, read = net[0], net[2]

    def passes(series):
        h, states, pre = torch.zeros(12, dtype=torch.float64), [], []
        for step in series:
            states.append(h)
            pre.append(cell.w * cell.recurrent @ h + cell.u * cell.input @ step + cell.sigma_b * cell.bias)
            h = pre[-1].relu()
        output = (read.weight @ h).sum() / math.sqrt(12)
        return torch.stack(torch.autograd.grad(output, pre)), torch.stack(states).detach(), h.detach()

    one, two = x[0], x[1, 2:]
    (d1, s1, h1), (d2, s2, h2) = passes(one), passes(two)
    inner = cell.w**2 * s1 @ s2.T + cell.u**2 * one @ two.T + cell.sigma_b**2
    total = (h1 @ h2) / 12 + ((d1 @ d2.T) * inner).sum()
    parameters = list(net.parameters())
    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(net(s[None])[0, 0], parameters)]) for s in (one, two)]
    torch.testing.assert_close(total, rows[0] @ rows[1], rtol=1e-10, atol=1e-12)


def test_the_average_is_the_mean_over_all_beginnings() -> None:
    """Of unequal series too, for both kernels."""
    one, two = drawn(5, 2), drawn(3, 2, seed=1)
    both = ntk.Ragged.sequences([one, two])
    average = network(read=ntk.AverageSteps())
    for kernel in ("ntk", "nngp"):
        starts = [
            getattr(network(), kernel)(ntk.Ragged.sequences([one[:t], two[:s]]))[0, 1]
            for t in range(1, 6)
            for s in range(1, 4)
        ]
        torch.testing.assert_close(
            getattr(average, kernel)(both)[0, 1], torch.stack(starts).mean(), rtol=1e-11, atol=1e-12
        )


def test_zeros_in_front_are_nothing_only_without_biases() -> None:
    one, two = drawn(5, 2), drawn(3, 2, seed=1)
    both = ntk.Ragged.sequences([one, two])
    filled = torch.stack([one, torch.cat([torch.zeros(2, 2, dtype=torch.float64), two])])
    torch.testing.assert_close(network(sigma_b=0).ntk(filled), network(sigma_b=0).ntk(both), rtol=1e-12, atol=1e-12)
    assert float((network().ntk(filled) - network().ntk(both)).abs().max()) > 1e-3


def test_fresh_weights_by_distance_from_the_end_have_the_same_last_state_kernel() -> None:
    """A deep network in which every layer hears an input: its recursion, written out, along the last diagonal."""
    one, two = drawn(6, 2), drawn(4, 2, seed=1)
    sw, su, sb = 1.3, 0.9, 0.2

    def own(x):
        found, half = [], 0.0
        for step in x:
            found.append(sw**2 * half + su**2 * step.square().mean() + sb**2)
            half = found[-1] / 2
        return found

    q, r = own(one), own(two)
    covariance = tangent = torch.zeros((), dtype=torch.float64)  # of the layer below, after its activation
    for s in range(-4, 0):
        pre = sw**2 * covariance + su**2 * (one[s] * two[s]).mean() + sb**2
        theta = pre + sw**2 * tangent
        covariance, slope = ntk.relu.dual(pre, q[s], r[s])
        tangent = slope * theta
    found = network(sw, su, sb).ntk(ntk.Ragged.sequences([one, two]))[0, 1]
    torch.testing.assert_close(covariance + tangent, found, rtol=1e-11, atol=1e-12)


# ---- memory


@pytest.mark.parametrize("sigma_w", [0.8, 1.2, 1.4])
def test_the_bounds_of_the_theorem_on_memory(sigma_w) -> None:
    """Series that agree in their last s steps: ‖g_T − g̃_T‖² ≤ 4qχ^s and falls by χ at least with each step."""
    chi, su, sb = sigma_w**2 / 2, 0.9, 0.3
    past, future = drawn(2, 8, 2), drawn(1, 10, 2, seed=1)
    limit = max(float(x.square().mean(-1).max()) for x in (past, future))
    q = (su**2 * limit + sb**2) / (1 - chi)
    gaps = []
    for s in range(11):
        x = torch.cat([past, future[:, :s].expand(2, -1, -1)], 1)
        k = ntk.Recurrent(ntk.identity, 0.0, su, sb).kernel(ntk.Kernel.of(x))  # what enters the last step
        cov, own = k.nngp[..., -1, -1], k.self1[:, -1, -1]
        if x.shape[1] > 1:
            states = ntk.Recurrent(ntk.relu, sigma_w, su, sb).kernel(ntk.Kernel.of(x[:, :-1]))
            cov = cov + sigma_w**2 * states.nngp[..., -1, -1]
            own = own + sigma_w**2 * states.self1[:, -1, -1]
        gaps.append(float(own[0] + own[1] - 2 * cov[0, 1]))
        assert gaps[-1] <= 4 * q * chi**s
        assert float(own.max()) <= q
    assert all(after <= chi * before * (1 + 1e-9) for before, after in itertools.pairwise(gaps))


def test_at_the_edge_every_use_of_the_weights_counts() -> None:
    """χ = 1, steps of one size, no bias: Σ_tt = t and the uses add 1 + 2 + … + T to Θ_TT; the read-out adds T/2."""
    x = torch.ones(1, 12, 1, dtype=torch.float64)
    found = float(network(math.sqrt(2), 1.0, 0.0).ntk(x))
    assert found == pytest.approx(12 / 2 + 78 / 2, rel=1e-12)


def test_memory_against_the_scale() -> None:
    """A change at hour 1 counts less than one at hour 24 below the edge, about as much at it, more above."""
    generator = torch.Generator().manual_seed(0)
    day = torch.randn(1, 24, 1, dtype=torch.float64, generator=generator)
    changed = day.repeat(2, 1, 1)
    changed[[0, 1], [0, 23]] += 1
    ratios = {False: [], True: []}
    for average in ratios:
        for sigma_w in (1.0, 1.2, math.sqrt(2), 1.7):
            k = ntk.zoo.rnn(average=average, sigma_w=sigma_w).ntk(torch.cat([day, changed]))
            gap = k[0, 0] + k.diagonal()[1:] - 2 * k[0, 1:]
            ratios[average].append(float(gap[0] / gap[1]))
    values, averaged = ratios.values()
    assert 1 < averaged[0] < averaged[1] < averaged[2] < averaged[3]  # late hours stand in few beginnings
    assert values == sorted(values)
    assert values[0] < 1e-2
    assert values[0] ** (1 / 23) == pytest.approx(math.sqrt(0.5), abs=0.05)  # √χ an hour, as the squared distance goes
    assert values[1] < 0.3
    assert 0.3 < values[2] < 30 < values[3]


def test_a_bounded_activation_goes_from_order_to_chaos() -> None:
    """erf: two series that differ at the first of 24 steps end alike in order and unlike in chaos."""
    x = drawn(1, 24, 1).repeat(2, 1, 1)
    x[1, 0] += 1
    correlations = []
    for sigma_w in (0.8, 5.0):
        k = ntk.zoo.rnn(activation=ntk.erf, sigma_w=sigma_w, sigma_u=0.5).nngp(x)
        correlations.append(float(k[0, 1] / (k[0, 0] * k[1, 1]).sqrt()))
    assert correlations[0] > 0.9999
    assert correlations[1] < 0.2


# ---- networks


@MASTERS
def test_gradients_at_unequal_distances_from_the_end_vanish(master) -> None:
    """The share off the diagonal of δ_t·δ'_t' falls with the width, at a power near −1/2 between 32 and 512."""
    x, arch, shares = drawn(2, 6, 3, seed=master), network(), []
    for width in (32, 512):
        found = []
        for seed in range(master, master + 12):
            net = arch.network(width=width, like=x, seed=seed)
            cell, read = net[0], net[2]
            deltas = []
            for series in x:
                h, pre = torch.zeros(width, dtype=torch.float64), []
                for step in series:
                    pre.append(cell.w * cell.recurrent @ h + cell.u * cell.input @ step + cell.sigma_b * cell.bias)
                    h = pre[-1].relu()
                deltas.append(torch.stack(torch.autograd.grad((read.weight @ h).sum() / math.sqrt(width), pre)))
            products = deltas[0] @ deltas[1].T
            off = products - torch.diag(products.diagonal())
            found.append(float(off.norm() / products.norm()))
        shares.append(np.mean(found))
    slope = math.log(shares[1] / shares[0]) / math.log(16)
    assert -0.7 < slope < -0.2, f"shares {shares}"


@MASTERS
def test_networks_decide_which_average_is_theirs(master) -> None:
    """All pairs of times lie within five standard errors of 40 networks; equal times with the last twice do not."""
    x = drawn(2, 4, 2, seed=2)
    edge = ntk.Recurrent(ntk.relu, math.sqrt(2), 1.0, 0.1)
    ours = ntk.serial(edge, ntk.AverageSteps(), ntk.Dense())
    equal = ntk.serial(edge, ntk.Flatten(), ntk.Dense()).ntk(x) + network(math.sqrt(2), 1.0, 0.1).ntk(x) / 4
    values = torch.stack(
        [ntk.empirical_ntk(ours.network(width=128, like=x, seed=s), x)[0, 1] for s in range(master, master + 40)]
    )
    error = float(values.std()) / math.sqrt(40)
    assert abs(float(values.mean() - ours.ntk(x)[0, 1])) < 5 * error
    assert abs(float(values.mean() - equal[0, 1])) > 5 * error


@MASTERS
@pytest.mark.parametrize("average", [False, True], ids=["last", "average"])
def test_the_distance_of_networks_falls_like_one_over_the_root(master, average) -> None:
    """Series of unequal length: from width 16 to 256 the median distance of 40 networks falls by a factor of 4. The
    logarithm of such a median scatters by 0.6/√40, the slope so by 0.05, and four times that is allowed.
    """
    series = drawn(12, 4, 2, seed=2)
    x = ntk.Ragged.sequences([each[place % 3 :] for place, each in enumerate(series)])
    arch, medians = ntk.zoo.rnn(average=average), []
    limit = arch.ntk(x)
    for width in (16, 256):
        nets = [arch.network(width=width, like=x, seed=seed) for seed in range(master, master + 40)]
        medians.append(float(torch.stack([(ntk.empirical_ntk(net, x) - limit).norm() for net in nets]).median()))
    assert math.log(medians[1] / medians[0]) / math.log(16) == pytest.approx(-0.5, abs=0.2)


# ---- the table


def test_what_the_chapter_says_about_the_table() -> None:
    """Who wins and who loses, by more than two standard errors where it says so."""
    saved = ntk.experiments.Result.load(SAVED)

    def accuracy(name, family):
        return float(saved[f"{name}_{family}"][0])

    gun, arrow, power, vowels = "GunPoint", "ArrowHead", "ItalyPowerDemand", "JapaneseVowels"
    assert accuracy(gun, "average") > max(accuracy(gun, family) for family in ("last", "dense", "rbf"))
    noise = 2 * math.sqrt(2 * 0.25 / 175)
    assert min(accuracy(arrow, f) for f in ("dense", "rbf", "average", "shuffled")) - accuracy(arrow, "last") > noise
    assert accuracy(power, "shuffled") < accuracy(power, "last")
    ranked = [accuracy(power, family) for family in ("last", "average", "dense", "rbf")]
    assert min(ranked) == accuracy(power, "average") > max(ranked) - 0.02
    speakers = [accuracy(vowels, family) for family in ("last", "average", "dense", "rbf")]
    assert (min(speakers), max(speakers)) == (accuracy(vowels, "dense"), accuracy(vowels, "average"))
    assert max(speakers) - min(speakers) < 2 * 2 * math.sqrt(0.97 * 0.03 / 370)
