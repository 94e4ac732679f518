"""What chapter 12 says, with the library from outside: the identities, the saved runs, and slopes in bands."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import ntk_teach as ntk
from ntk_teach import physics_informed as pinn
from ntk_teach.errors import DomainError, RuleError
from ntk_teach.experiments import Result

pytestmark = pytest.mark.usefixtures("unchecked")

PROBLEM = pinn.poisson(4)
Z = pinn.Standardization.of(PROBLEM.xr)
TANH = ntk.serial(ntk.Dense(1, 1), ntk.tanh, ntk.Dense(1, 1))
ERF = ntk.serial(ntk.Dense(1, 1), ntk.erf, ntk.Dense(1, 1))
SAVED = Path(__file__).parents[2] / "book" / "results" / "poisson_laptop.npz"
MASTERS = pytest.mark.parametrize("master", [0, 1000, 2000])


def network(seed=0, width=400, first=Z, arch=TANH):
    return nn.Sequential(first, arch.network(width=width, like=PROBLEM.xr, seed=seed))


def kernels(net, problem=PROBLEM):
    return pinn.pinn_kernels(net, problem.xu, problem.xr, problem.operator)


def errors_of(net, problem=PROBLEM):
    return torch.cat([net(problem.xu) - problem.g, problem.operator(net, problem.xr) - problem.f])[:, 0]


# ---- identities


def test_the_units_of_the_input() -> None:
    """u(x) = v((x − μ)/σ): K_ur takes σ^(−2) and K_rr σ^(−4), exactly; third derivatives σ^(−3) and σ^(−6)."""
    net = network(width=30)
    for order in (2, 3):
        ours = pinn.pinn_kernels(net, PROBLEM.xu, PROBLEM.xr, pinn.derivative(order))
        inner = pinn.pinn_kernels(net[1], Z(PROBLEM.xu), Z(PROBLEM.xr), pinn.derivative(order))
        for name, power in (("K_uu", 0), ("K_ur", order), ("K_rr", 2 * order)):
            expected = getattr(inner, name) * float(Z.std) ** -power
            torch.testing.assert_close(
                getattr(ours, name), expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max())
            )


def test_either_cost_may_rise_and_the_sum_may_not() -> None:
    """The formulas for both costs against the network itself, and the boundary's cost rises at the start."""
    net = network()
    k, e = kernels(net), errors_of(net).detach()
    u, r = e[:2], e[2:]
    mixed = u @ k.K_ur @ r
    rates = torch.stack([-(u @ k.K_uu @ u) - mixed, -(r @ k.K_rr @ r) - mixed])
    before = errors_of(net)
    slopes = torch.autograd.grad(before.square().sum() / 2, list(net.parameters()))
    lr = 1e-10
    with torch.no_grad():
        for parameter, slope in zip(net.parameters(), slopes, strict=True):
            parameter.sub_(lr * slope)
    after = errors_of(net).detach()
    moved = torch.stack([(after[:2] ** 2 - u**2).sum(), (after[2:] ** 2 - r**2).sum()]) / 2 / lr
    torch.testing.assert_close(moved, rates, rtol=1e-3, atol=0)
    assert float(rates.sum()) < 0
    assert abs(float(mixed)) > float(u @ k.K_uu @ u)  # for e_u or for −e_u the boundary's cost rises


def test_what_the_weights_equalize() -> None:
    """Equal traces, 1/λ_u + 1/λ_r = 1, the expected rates of random errors, and λ_max ≤ 2 tr K."""
    k = kernels(network())
    weights = pinn.adaptive_weights(k)
    u, r = weights
    whole = float(k.full().trace())
    assert u * float(k.K_uu.trace()) == pytest.approx(whole, rel=1e-12)
    assert r * float(k.K_rr.trace()) == pytest.approx(whole, rel=1e-12)
    assert 1 / u + 1 / r == pytest.approx(1, rel=1e-12)
    assert float(torch.linalg.eigvalsh(k.weighted(weights))[-1]) <= 2 * whole
    e = torch.randn(20_000, 62, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pulled = e * torch.cat([torch.full((2,), u), torch.full((60,), r)]).double() @ k.full()
    for part in (slice(0, 2), slice(2, None)):
        speeds = (e[:, part] * pulled[:, part]).sum(1)
        assert float(speeds.mean()) == pytest.approx(whole, abs=5 * float(speeds.std()) / 20_000**0.5)


def test_the_error_is_a_line_and_an_eighth() -> None:
    """For functions with known second derivative; the constant 1/8 is attained by x(1 − x)/2."""
    x = np.linspace(0, 1, 2001)
    parabola = x * (1 - x) / 2
    assert parabola.max() == pytest.approx(1 / 8, rel=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        c, d, s = rng.normal(size=5), rng.uniform(1, 12, size=5), rng.normal(size=2)
        e = (c * np.sin(np.outer(x, d))).sum(1) + s[0] + s[1] * x
        bend = np.abs((c * d**2 * np.sin(np.outer(x, d))).sum(1)).max()
        line = (1 - x) * e[0] + x * e[-1]
        assert np.abs(e - line).max() <= bend / 8 * (1 + 1e-9)


def test_the_limit_is_the_differentiated_kernel() -> None:
    """𝓛𝓛′Θ∞ by finite differences of the kernel itself, at points that coincide and at points that do not."""
    x = torch.tensor([[0.2], [0.7]], dtype=torch.float64)
    limit = pinn.limiting_pinn_kernels(ERF, x, x, pinn.derivative(2))
    h = 1e-2
    offsets = torch.arange(-3, 4, dtype=torch.float64) * h
    stencil = torch.tensor([1 / 90, -3 / 20, 3 / 2, -49 / 18, 3 / 2, -3 / 20, 1 / 90], dtype=torch.float64) / h**2
    for i in range(2):
        for j in range(2):
            theta = ERF.ntk(x[i] + offsets[:, None], x[j] + offsets[:, None])
            assert float(stencil @ theta @ stencil) == pytest.approx(float(limit.K_rr[i, j]), rel=1e-4)
            single = ERF.ntk(x[i : i + 1], x[j] + offsets[:, None])[0]
            assert float(single @ stencil) == pytest.approx(float(limit.K_ur[i, j]), rel=1e-5)


def test_relu_is_refused() -> None:
    """At finite and at infinite width; and u″ of such a network is 0."""
    kinked = ntk.zoo.mlp(2, ntk.relu)
    net = network(arch=kinked, width=20)
    assert not bool(pinn.derivative(2)(net, PROBLEM.xr).any())
    with pytest.raises(DomainError):
        kernels(net)
    with pytest.raises(RuleError):
        pinn.limiting_pinn_kernels(kinked, PROBLEM.xu, PROBLEM.xr, pinn.derivative(2))


def test_weights_leave_the_spectrum_of_a_block() -> None:
    """The rates along sines relative to the largest; they fall by orders of magnitude towards high frequencies."""
    wide = pinn.limiting_pinn_kernels(ERF, PROBLEM.xu, PROBLEM.xr, pinn.derivative(2), inputs=Z)
    weights = pinn.adaptive_weights(wide)
    block = wide.weighted(weights)[2:, 2:]
    torch.testing.assert_close(block, weights.r * wide.K_rr)
    waves = torch.sin(torch.pi * torch.arange(1, 21) * PROBLEM.xr)
    waves = waves / waves.norm(dim=0)
    rates = (waves * (wide.K_rr @ waves)).sum(0)
    assert 2 <= int(rates.argmax()) + 1 <= 5
    assert float(rates.max() / rates[-1]) > 300


# ---- the saved runs


def test_the_saved_runs_reproduce_the_notebook() -> None:
    """The authors' 4.21e-2 and 4.88e-3 lie within the range of the three seeds; one seed, and one only, is more than
    30 % off in u and none is in u″; adaptive errors are below in u; the boundary rises first, the kernel drifts.
    """
    saved = Result.load(SAVED)
    assert (saved.settings["width"], saved.settings["frequency"], saved.settings["steps"]) == (512, 4.0, 40_000)
    plain_u, plain_r = saved["error_u_plain"][:, -1], saved["error_r_plain"][:, -1]
    assert saved.settings["seeds"] == [0, 1, 2]
    assert len(plain_u) == len(plain_r) == 3
    assert plain_u.min() < 4.21e-2 < plain_u.max()
    assert plain_r.min() < 4.88e-3 < plain_r.max()
    assert (np.abs(plain_u / 4.21e-2 - 1) > 0.3).tolist() == [False, True, False]
    assert (np.abs(plain_r / 4.88e-3 - 1) < 0.2).all()
    assert (np.abs(saved["error_r_adaptive"][:, -1] / plain_r - 1) < 0.2).all()
    assert (saved["error_u_adaptive"][:, -1] < 0.3 * plain_u).all()
    rise = saved["loss_u_plain"].max(1) / saved["loss_u_plain"][:, 0]  # over a random start: 8 to 37 squared
    assert rise[0] > 100
    assert (rise > 50).all()
    for name in ("plain", "adaptive"):
        assert (saved[f"drift_{name}"][:, -1] > 0.2).all()
        ratio = saved[f"trace_rr_{name}"][:, 0] / saved[f"trace_uu_{name}"][:, 0]
        assert (ratio > 50).all()
        assert (saved[f"eigenvalues_uu_{name}"][:, 0, 2] < 1e-4 * saved[f"eigenvalues_uu_{name}"][:, 0, 0]).all()


def test_the_error_of_the_plain_run_is_a_straight_line() -> None:
    saved = Result.load(SAVED)
    x = saved["x"].astype(float)
    line = np.stack([1 - x, x], axis=1)
    for seed in range(len(saved.settings["seeds"])):
        error = saved["u_plain"][seed, 7].astype(float) - saved["solution"]
        fitted = line @ np.linalg.lstsq(line, error, rcond=None)[0]
        assert (fitted**2).sum() > 0.95 * (error**2).sum()


# ---- observations, on three master seeds


@MASTERS
def test_the_imbalance_is_one_of_units(master) -> None:
    """Mean diagonals of K_rr and K_uu, eight networks: about 2 with raw inputs, and 100 to 300 standardized."""
    for first, low, high in ((nn.Identity(), 1.2, 3.2), (Z, 80, 300)):
        blocks = [kernels(network(master + seed, first=first)) for seed in range(6)]
        ratio = np.mean([float(k.K_rr.diagonal().mean()) for k in blocks])
        ratio /= np.mean([float(k.K_uu.diagonal().mean()) for k in blocks])
        assert low < ratio < high


@MASTERS
def test_the_blocks_approach_their_limit(master) -> None:
    """Slope −1/2 between widths 64 and 4096; 15 networks give each rms within a fifth, 5 · 0.26/log 64 = 0.3."""
    x = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None]
    limit = pinn.limiting_pinn_kernels(ERF, PROBLEM.xu, x, pinn.derivative(2), inputs=Z)
    rms = []
    for width in (64, 4096):
        found = [
            pinn.pinn_kernels(network(master + s, width, arch=ERF), PROBLEM.xu, x, pinn.derivative(2))
            for s in range(15)
        ]
        rms.append(
            [
                np.sqrt(np.mean([float((a - b).square().sum()) for a in each]))
                for each, b in zip(zip(*found, strict=True), limit, strict=True)
            ]
        )
    slopes = np.log(np.divide(rms[1], rms[0])) / np.log(64)
    assert slopes == pytest.approx(-0.5, abs=0.3)
