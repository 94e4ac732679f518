"""Gradient descent: its step by hand, its cost, and the lazy regime of wide networks."""

import numpy as np
import pytest
import torch
from strategies import inputs

import ntk_teach as ntk

X = inputs(6, 3, seed=1)
Y = X[:, 0] * X[:, 1]


def drawn(outputs: int = 1):
    return ntk.zoo.mlp(3).network(width=20, like=X, out_features=outputs, seed=3)


@pytest.mark.parametrize("lr", [0.1, 1.0])
@pytest.mark.parametrize("outputs", [1, 2])
def test_one_step_is_the_step_written_by_hand(outputs, lr):
    """θ ← θ − lr ∂C/∂θ with C = 1/(2N) Σ_i ‖f(x_i) − y_i‖², for every parameter, in place."""
    network, other = drawn(outputs), drawn(outputs)
    y = Y if outputs == 1 else torch.stack([Y, -2 * Y], dim=1)
    cost = sum((other(x[None])[0] - t).square().sum() for x, t in zip(X, y, strict=True)) / (2 * len(X))
    cost.backward()
    history = ntk.gradient_descent(network, X, y, lr=lr, steps=1)
    assert history.shape == (2,)
    assert float(history[0]) == pytest.approx(float(cost.detach()), rel=1e-13)
    for moved, start in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(moved.detach(), start.detach() - lr * start.grad, rtol=1e-13, atol=1e-15)
    after = (network(X) - (y[:, None] if outputs == 1 else y)).square().sum() / (2 * len(X))
    assert float(history[1]) == pytest.approx(float(after.detach()), rel=1e-13)


def test_the_cost_decreases_at_every_step_and_goes_to_zero():
    """Below 2/λ_max(Θ/N) every step lowers the cost; a network wider than the data fits it."""
    network = ntk.zoo.mlp(3, sigma_b=0.5).network(width=128, like=X, seed=1)
    history = ntk.gradient_descent(network, X, Y, lr=0.5, steps=400)
    assert (history[1:] < history[:-1]).all()
    assert history[-1] < 1e-3 * history[0]


def test_steps_can_be_taken_in_two_parts():
    """a + b steps are a steps and then b: there is no hidden state."""
    whole, parts = drawn(), drawn()
    once = ntk.gradient_descent(whole, X, Y, steps=7)
    twice = torch.cat([ntk.gradient_descent(parts, X, Y, steps=3)[:-1], ntk.gradient_descent(parts, X, Y, steps=4)])
    assert torch.equal(once, twice)
    assert torch.equal(whole(X), parts(X))


def test_frozen_parameters_do_not_move():
    """Only parameters that require a gradient are trained; with no step nothing is."""
    arch = ntk.serial(ntk.Dense(1.0, 0.1, trained=False), ntk.erf, ntk.Dense(1.0, 0.1))
    network = arch.network(width=9, like=X)
    before = [p.detach().clone() for p in network.parameters()]
    assert ntk.gradient_descent(network, X, Y, steps=0).shape == (1,)
    assert all(torch.equal(p, q) for p, q in zip(network.parameters(), before, strict=True))
    ntk.gradient_descent(network, X, Y, steps=3)
    assert [torch.equal(p, q) for p, q in zip(network.parameters(), before, strict=True)] == [True, True, False, False]


def test_a_small_step_follows_the_empirical_kernel():
    """f moves by −lr/N Σ_j Θ(x, x_j) (f(x_j) − y_j) + O(lr²): the kernel gradient, also off the data."""
    network, probe = drawn(), inputs(4, 3, seed=9)
    theta = ntk.empirical_ntk(network, probe, X)
    start, residual = network(probe).detach()[:, 0], network(X).detach()[:, 0] - Y
    predicted = -theta @ residual / len(X)
    errors = []
    for lr in (1e-3, 1e-4):
        moving = drawn()
        ntk.gradient_descent(moving, X, Y, lr=lr, steps=1)
        errors.append(float(((moving(probe).detach()[:, 0] - start) / lr - predicted).abs().max()))
    assert errors[0] <= 0.05 * float(predicted.abs().max())
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.2)


def trained_kernels(width: int, master: int, draws: int = 6) -> tuple[float, float]:
    """(inflation, relative drift) of Θ on the circle after 100 steps of the paper's section 6.1, mean over draws."""
    x, y = ntk.data.gaussian(30, seed=master)
    circle, _ = ntk.data.circle(12)
    inflation, drift = [], []
    for seed in range(draws):
        network = ntk.zoo.mlp(4).network(width=width, like=x, seed=1000 * master + seed)
        before = ntk.empirical_ntk(network, circle)
        ntk.gradient_descent(network, x, y, lr=1.0, steps=100)
        after = ntk.empirical_ntk(network, circle)
        inflation.append(float(after[0].mean() / before[0].mean()))
        drift.append(float((after - before).norm() / before.norm()))
    return float(np.mean(inflation)), float(np.mean(drift))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("master", [1, 2, 3])
def test_wide_networks_are_lazy(master):
    """Training inflates the kernel, at width 512 less than half as much as at 128; the drift falls about like 1/n,
    at least like the n^(−1/2) that is proven. Over eight master seeds the slope was −0.97 with a deviation of 0.09,
    the ratio of inflations 0.24 with 0.05: the bands are five deviations."""
    (narrow, far), (wide, near) = trained_kernels(128, master), trained_kernels(512, master)
    assert narrow > 1
    assert 0 < (wide - 1) / (narrow - 1) < 0.5
    assert -1.4 <= np.log(near / far) / np.log(512 / 128) <= -0.5


@pytest.mark.soak
def test_the_drift_over_many_seeds(record_property):
    """Ten training sets, widths 64 to 1024: the slope of the mean drift is −0.9 ± 0.2."""
    widths = (64, 128, 256, 512, 1024)
    drifts = [np.mean([trained_kernels(n, master)[1] for master in range(10, 20)]) for n in widths]
    slope = float(np.polyfit(np.log(widths), np.log(drifts), 1)[0])
    record_property("slope of the drift", f"{slope:.3f}")
    assert abs(slope + 0.9) <= 0.2
