"""What the chapter on least squares claims, asked of the library from outside."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError
from ntk_teach.experiments import Result
from ntk_teach.experiments.figure2 import ANGLES

RESULTS = Path(__file__).parents[2] / "book" / "results"
ARCH = ntk.zoo.mlp(4)


def on_circle(angles):
    return torch.stack([angles.cos(), angles.sin()], dim=1)


CIRCLE = on_circle(torch.linspace(-math.pi, math.pi, 61, dtype=torch.float64))
X = on_circle(torch.tensor(ANGLES, dtype=torch.float64))
Y = X.prod(1)


def kernels(data, tests):
    own, cross = ARCH.kernel(data), ARCH.kernel(tests, data)
    found = {"ntk": own.ntk, "nngp": own.nngp, "ntk_test": cross.ntk, "nngp_test": cross.nngp}
    return found | {"nngp_test_test": ARCH.nngp(tests)}


def generic(n, seed):
    """A kernel matrix over n + 4 points of different norms, the first n of them the data."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n + 4, 3, generator=generator, dtype=torch.float64)
    return ntk.zoo.mlp(3, sigma_b=0.3).ntk(x), torch.randn(n + 4, 2, generator=generator, dtype=torch.float64)


# ---- the trained function and its modes


@pytest.mark.parametrize("seed", range(3))
def test_the_flow_solves_its_equation_and_ends_where_the_theorem_says(seed) -> None:
    """∂_t f = −1/N K (f − y) on the data and off it, by a central difference; the limit, term by term."""
    k, values = generic(7, seed)
    f0, y = values[:, 0], values[:7, 1]
    fit, rows = ntk.LeastSquares.fit(k[:7, :7], y), k[:, :7]
    t, h = 3.0, 1e-4
    now, before, after = (fit.predict(rows, s, f0[:7], f0) for s in (t, t - h, t + h))
    torch.testing.assert_close((after - before) / (2 * h), -rows @ (now[:7] - y) / 7, rtol=1e-6, atol=1e-7)
    inverse = torch.linalg.inv(k[:7, :7])
    end = rows @ inverse @ y + (f0 - rows @ inverse @ f0[:7])
    torch.testing.assert_close(fit.predict(rows, math.inf, f0[:7], f0), end, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(end[:7], y)


@pytest.mark.parametrize("seed", range(3))
def test_modes_are_eigenfunctions_with_rates_eig_over_n(seed) -> None:
    """Π f = λ f on the data and off it, f of mean square 1, at most N positive; f_t is the sum of exponentials."""
    k, values = generic(6, seed)
    pca, rows = ntk.kernel_pca(k[:6, :6], 6), k[:, :6]
    everywhere = pca.extend(rows)  # [10, 6]
    torch.testing.assert_close(rows @ everywhere[:6] / 6, everywhere * pca.eigenvalues)
    gram = pca.components.T @ pca.components / 6
    torch.testing.assert_close(gram, torch.eye(6, dtype=torch.float64), rtol=0, atol=1e-12)
    f0, target, t = values[:, 0], values[:, 1], 5.0
    sizes = pca.components.T @ (f0 - target)[:6] / 6
    rest = (f0 - target) - everywhere @ sizes  # Δ⁰
    assert rest[:6].abs().max() < 1e-9
    sum_of_exponentials = target + rest + everywhere @ (torch.exp(-pca.eigenvalues * t) * sizes)
    flow = ntk.LeastSquares.fit(k[:6, :6], target[:6]).predict(rows, t, f0[:6], f0)
    torch.testing.assert_close(flow, sum_of_exponentials)
    assert rest[6:].abs().min() > 1e-3  # f∞ ≠ f* off the data


def test_a_repeated_input_leaves_a_mode_that_never_moves() -> None:
    """K̃ singular: a function is in the kernel of Π exactly if its values are in the kernel of K̃."""
    x = torch.cat([X, X[:1]])
    k = ARCH.ntk(x)
    null = torch.tensor([1.0, 0, 0, 0, -1.0]).double()
    assert (ARCH.ntk(CIRCLE, x) @ null).abs().max() < 1e-12
    fit = ntk.LeastSquares.fit(k, null)
    torch.testing.assert_close(fit.at(1e6), torch.zeros(5).double(), atol=1e-9, rtol=0)


def test_on_equally_spaced_points_the_modes_are_waves_and_slower_with_more_periods() -> None:
    """Constant first, then pairs of sines and cosines in the order of their number of periods."""
    ring = on_circle(torch.arange(16, dtype=torch.float64) * math.pi / 8)
    pca = ntk.kernel_pca(ARCH.ntk(ring), 16)
    power = np.abs(np.fft.rfft(pca.components.numpy(), axis=0)) ** 2
    assert power.argmax(0).tolist() == [0, *[p for p in range(1, 8) for _ in range(2)], 8]
    assert (power.max(0) / power.sum(0) > 1 - 1e-12).all()


# ---- early stopping


@pytest.mark.parametrize("seed", range(3))
def test_the_risk_is_bias_plus_learned_noise_and_each_mode_has_its_best_time(seed) -> None:
    """The formula against the mean over 4000 draws (five standard errors), and the parabola's minimum."""
    k, values = generic(8, seed)
    k, target, f0, sigma = k[:8, :8], values[:8, 0], values[:8, 1], 0.5
    fit = ntk.LeastSquares.fit(k, target)
    t = float(1 / fit.rates[3])
    generator = torch.Generator().manual_seed(100 + seed)
    labels = target[:, None] + sigma * torch.randn(8, 4000, generator=generator, dtype=torch.float64)
    drawn = ntk.LeastSquares.fit(k, labels).at(t, f0[:, None].expand(-1, 4000)) - target[:, None]
    errors = drawn.square().mean(0)
    standard = errors.std() / math.sqrt(4000)
    assert abs(errors.mean() - fit.risk(t, target=target, noise=sigma, f0=f0)) < 5 * standard
    b = (fit.eigenvectors.T @ (f0 - target)).abs()
    best = torch.log1p((b / sigma) ** 2) / fit.rates
    times = torch.logspace(-3, 6, 2000, dtype=torch.float64)
    risk = fit.risk(times, target=target, noise=sigma, f0=f0)
    assert (risk[times < best.min()].diff() <= 1e-15).all()
    assert (risk[times > best.max()].diff() >= -1e-15).all()
    assert best.min() * 0.99 < fit.early_stopping(target=target, noise=sigma, f0=f0).t < best.max() * 1.01
    assert fit.early_stopping(target=target, noise=0.0, f0=f0).t == math.inf


# ---- steps


@pytest.mark.parametrize("seed", range(3))
def test_steps_follow_the_exponential_to_half_of_lr_lambda(seed) -> None:
    """0 ≤ e^{−λt} − (1 − lr λ)^k ≤ lr λ / 2 wherever lr λ ≤ 1: 200 modes that do not see each other."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.rand(200, generator=generator, dtype=torch.float64)
    fit = ntk.LeastSquares.fit(torch.diag(200 * z), torch.zeros(200).double())
    for steps in (1, 2, 5, 20, 300):
        gap = fit.at(float(steps), 1.0) - fit.after_steps(steps, 1.0, 1.0)
        assert (gap >= -1e-13).all() and (gap <= z / 2 + 1e-13).all()
        assert gap.max() > 1e-3 or steps == 300


def test_the_kernel_converges_below_the_critical_rate_and_not_above() -> None:
    """From a start with every mode in it."""
    fit = ntk.LeastSquares.fit(ARCH.ntk(X), Y)
    f0 = Y + fit.eigenvectors.sum(1)
    steps = torch.tensor([4000])
    assert (fit.after_steps(steps, 0.99 * fit.critical_lr, f0) - Y).norm() < 1e-6
    assert (fit.after_steps(steps, 1.01 * fit.critical_lr, f0) - Y).norm() > 1e6
    assert fit.critical_lr == pytest.approx(2 * 4 / torch.linalg.eigvalsh(ARCH.ntk(X))[-1].item())


def test_networks_catapult_above_it_the_wider_the_higher_and_diverge_far_above() -> None:
    """At 1.6 times the critical rate cost rises and falls, λ_max falls below 2/lr; at 20 times the cost is infinite."""
    x, y = (part.float() for part in ntk.data.circle(20))
    peaks = {}
    for width in (64, 512):
        rises = []
        for seed in range(3):
            network = ARCH.network(width=width, like=x, seed=seed)
            edge = ntk.LeastSquares.fit(ntk.empirical_ntk(network, x), y).critical_lr
            cost = ntk.gradient_descent(network, x, y, lr=1.6 * edge, steps=60)
            assert cost[-1] < 0.01 * cost[0]
            after = ntk.LeastSquares.fit(ntk.empirical_ntk(network, x), y).critical_lr
            assert after > 1.6 * edge * 0.95
            rises.append((cost.max() / cost[0]).item())
        peaks[width] = sorted(rises)[1]
    assert peaks[512] > 3 * peaks[64] > 3
    network = ARCH.network(width=64, like=x, seed=0)
    edge = ntk.LeastSquares.fit(ntk.empirical_ntk(network, x), y).critical_lr
    with pytest.raises(DomainError, match="finite cost"):
        ntk.gradient_descent(network, x, y, lr=20 * edge, steps=60)


# ---- the law


def test_the_trained_law_lies_above_the_posterior_and_is_none() -> None:
    """Gauss–Markov exactly, with the gap (A − M) Σ (A − M)ᵀ; twelve times too much variance in the "NTK posterior"."""
    both = kernels(X, CIRCLE)
    law = ntk.limit_law(Y, **both)
    posterior = ntk.nngp_posterior(
        Y, nngp=both["nngp"], nngp_test=both["nngp_test"], nngp_test_test=both["nngp_test_test"]
    )
    a = both["nngp_test"] @ torch.linalg.inv(both["nngp"]) - both["ntk_test"] @ torch.linalg.inv(both["ntk"])
    torch.testing.assert_close(law.covariance - posterior.covariance, a @ both["nngp"] @ a.T, atol=1e-10, rtol=0)
    assert (law.deviation >= posterior.deviation - 1e-7).all()
    wrong = ntk.nngp_posterior(Y, nngp=both["ntk"], nngp_test=both["ntk_test"], nngp_test_test=ARCH.ntk(CIRCLE))
    ratio = wrong.covariance.diagonal().mean() / law.covariance.diagonal().mean()
    assert 12 < ratio < 12.7
    torch.testing.assert_close(wrong.mean, law.mean)


def test_for_one_data_set_a_prior_can_be_written_down_afterwards() -> None:
    """K(X, X) = Σ, K(x, X) = M Σ, K(x, x) = C + M Σ Mᵀ is positive semidefinite, and its posterior is the law."""
    both = kernels(X, CIRCLE[::7])
    law = ntk.limit_law(Y, **both)
    m = both["ntk_test"] @ torch.linalg.inv(both["ntk"])
    on_data, cross = both["nngp"], m @ both["nngp"]
    tests = law.covariance + m @ both["nngp"] @ m.T
    prior = torch.cat([torch.cat([on_data, cross.T], 1), torch.cat([cross, tests], 1)])
    assert torch.linalg.eigvalsh(prior)[0] > -1e-12
    posterior = ntk.nngp_posterior(Y, nngp=on_data, nngp_test=cross, nngp_test_test=tests)
    torch.testing.assert_close(posterior.mean, law.mean)
    torch.testing.assert_close(posterior.covariance, law.covariance, atol=1e-10, rtol=0)


@pytest.mark.parametrize("master", range(3))
def test_the_excess_variance_of_ensembles_falls_with_the_width(master) -> None:
    """100 networks a width after 60 steps, with the law of as many steps. The variance ratio, averaged over the circle,
    has a standard error of about √(2/99)/1.5 ≈ 0.1: five of them around what was measured on many (1.5 and 1.1).
    """
    both = kernels(X, CIRCLE)
    law = ntk.limit_law_after(Y, **both, steps=60)
    lower, upper = law.percentiles()
    ratio, band = {}, {}
    for width, measured in ((32, 1.5), (96, 1.1)):
        seeds = range(1000 * master, 1000 * master + 100)
        f = (
            ntk.train_ensemble(
                ARCH,
                X.float(),
                Y.float(),
                width=width,
                seeds=seeds,
                steps=60,
                at=(60,),
                x_test=CIRCLE.float(),
                parameters_at=(),
            )
            .f_test[:, 0]
            .double()
        )
        ratio[width] = (f.var(0).mean() / law.deviation.square().mean()).item()
        band[width] = ((f > lower) & (f < upper)).double().mean().item()
        assert abs(ratio[width] - measured) < 0.5
        assert 0.55 < band[width] < 0.88


def test_the_saved_figure_2_is_judged_by_the_law_at_its_own_time() -> None:
    """The mean saved is that of t = 1000; at t = 100 the limit itself is elsewhere."""
    saved = Result.load(RESULTS / "figure2_laptop.npz")
    circle = on_circle(torch.as_tensor(saved["angles"]).double())
    both = kernels(X, circle)
    law = ntk.limit_law(Y, **both, t=float(saved.settings["steps"]))
    np.testing.assert_allclose(saved["mean"], law.mean, atol=1e-5)
    early = ntk.limit_law(Y, **both, t=100.0)
    assert (early.mean - law.mean).square().mean().sqrt() > 0.004
    for width in saved.settings["widths"]:
        assert 0.6 < (np.abs(saved[f"f_{width}"] - saved["mean"]) <= 1.2816 * saved["deviation"]).mean() < 0.95


# ---- Figure 3


def test_five_layers_on_plain_pixels_come_within_a_tenth_of_the_papers_eigenvalues() -> None:
    """L = 5 within a tenth and L = 4 and 6 beyond a half, on the digits of the saved figure."""
    digits, _ = ntk.data.mnist(512, seed=0)
    paper = np.array([0.0457, 0.00108, 0.00078])
    for depth, low, high in ((4, 1.5, 2.0), (5, 1.0, 1.1), (6, 1.5, 2.0)):
        found = ntk.kernel_pca(ntk.zoo.mlp(depth).ntk(digits), 3).eigenvalues.numpy()
        assert low < np.exp(np.abs(np.log(found / paper)).max()) < high
    saved = Result.load(RESULTS / "figure3_laptop.npz")
    np.testing.assert_allclose(saved["eigenvalues"][0] / saved["eigenvalues"][1], 40.6, atol=0.2)


def test_narrow_networks_are_ahead_along_the_mode_and_behind_at_the_end() -> None:
    """Saved runs: |g| at t = 500 and ‖f − f*‖ there are smaller for width 100, at t = 4000 the distance is larger."""
    saved = Result.load(RESULTS / "figure3_laptop.npz")
    distance = {w: np.hypot(saved[f"along_{w}"], saved[f"deviation_{w}"]) for w in (100, 1000)}
    early = int(np.flatnonzero(saved["times"] == 500)[0])
    assert distance[100][:, early].max() < distance[1000][:, early].min()
    assert distance[100][:, -1].min() > distance[1000][:, -1].max()
    assert np.abs(saved["along_100"][:, early]).max() < np.abs(saved["along_1000"][:, early]).min()


def test_the_papers_widest_network_stays_nearest_to_the_line() -> None:
    """The largest distance from the line, saved: at each tenfold width less than half of what it was."""
    saved = Result.load(RESULTS / "figure3_paper.npz")
    peaks = [saved[f"deviation_{width}"].max(1) for width in (100, 1000, 10_000)]
    assert (peaks[1].max() < 0.5 * peaks[0].max()) and (peaks[2].max() < 0.5 * peaks[1].max())
    assert peaks[2].max() < 0.02


def test_a_frozen_kernel_leaves_the_line_of_the_limit_and_not_its_own() -> None:
    """The initial kernel is a cause by itself: h is not 0 for Θ∞'s mode, and exactly 0 for the network's own."""
    digits = ntk.data.mnist(128, seed=0)[0]
    arch = ntk.zoo.mlp(5)
    limit = ntk.kernel_pca(arch.ntk(digits), 2)
    times = torch.linspace(0, 2000, 21, dtype=torch.float64)
    peaks = {}
    for width in (64, 512):
        found = []
        for seed in range(3):
            network = arch.network(width=width, like=digits.float(), seed=seed)
            theta = ntk.empirical_ntk(network, digits.float()).double()
            for mode in (limit.components[:, 1], ntk.kernel_pca(theta, 2).components[:, 1]):
                path = ntk.LeastSquares.fit(theta, 0.5 * mode).at(times)
                along, deviation = ntk.decompose(path, 0.5 * mode, mode)
                found.append(deviation.square().mean(1).sqrt().max().item())
                assert (along.abs().diff() <= 1e-12).all()
        peaks[width] = np.mean(found[::2])
        assert max(found[1::2]) < 1e-9
    assert peaks[64] > 1.5 * peaks[512] > 0.05
