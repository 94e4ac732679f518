"""Training: gradient descent by hand, the step that the kernel allows, and what the weights are worth."""

import copy

import pytest
import torch
from torch import nn

import ntk_teach as ntk
from ntk_teach.errors import DomainError
from ntk_teach.physics_informed import Standardization, adaptive_weights, pinn_kernels, poisson, train_pinn
from ntk_teach.physics_informed.descent import largest_rate

PROBLEM = poisson(1.0)
SMALL = poisson(1.0, interior=12, test=21)


def drawn(problem, seed, width=200):
    arch = ntk.serial(ntk.Dense(1, 1), ntk.tanh, ntk.Dense(1, 1))
    return nn.Sequential(Standardization.of(problem.xr), arch.network(width=width, like=problem.xr, seed=seed))


@pytest.mark.parametrize("weights", ["ntk", None])
def test_the_steps_are_those_of_gradient_descent_by_hand(weights):
    """θ ← θ − lr ∂C/∂θ with lr = 0.8/λ_max by eigenvalues and the weights by traces, renewed every third step."""
    net = drawn(SMALL, seed=1, width=12)
    by_hand = copy.deepcopy(net)
    history = train_pinn(net, SMALL, weights=weights, steps=7, refresh=3)
    for step in range(7):
        if step % 3 == 0:
            kernels = pinn_kernels(by_hand, SMALL.xu, SMALL.xr, SMALL.operator)
            scales = adaptive_weights(kernels) if weights else (1.0, 1.0)
            diagonal = torch.tensor([scales[0]] * 2 + [scales[1]] * 12, dtype=torch.float64)
            lr = 0.8 / torch.linalg.eigvals(kernels.full() * diagonal).real.max()
        x = SMALL.xr.clone().requires_grad_()
        (slope,) = torch.autograd.grad(by_hand(x).sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
        parts = (by_hand(SMALL.xu) - SMALL.g, bend - SMALL.f)
        cost = sum(scale * part.square().sum() / 2 for scale, part in zip(scales, parts, strict=True))
        if step % 3 == 0:
            row = [float(part.detach().square().sum() / 2) for part in parts]
            assert [float(history.loss_u[step // 3]), float(history.loss_r[step // 3])] == pytest.approx(row, rel=1e-4)
        slopes = torch.autograd.grad(cost, list(by_hand.parameters()))
        with torch.no_grad():
            for parameter, moved in zip(by_hand.parameters(), slopes, strict=True):
                parameter.sub_(lr * moved)
    assert history.steps.tolist() == [0, 3, 6, 7]
    for ours, expected in zip(net.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_the_history_is_that_of_the_network():
    """Traces, drift and error of the kernel and the function before the first and after the last step."""
    net = drawn(SMALL, seed=2, width=30)
    start = copy.deepcopy(net)
    history = train_pinn(net, SMALL, steps=20, refresh=10)
    first, last = (pinn_kernels(each, SMALL.xu, SMALL.xr, SMALL.operator) for each in (start, net))
    for place, kernels in ((0, first), (-1, last)):
        assert float(history.trace_uu[place]) == pytest.approx(float(kernels.K_uu.trace()))
        assert float(history.trace_rr[place]) == pytest.approx(float(kernels.K_rr.trace()))
        weights = adaptive_weights(kernels)
        assert (float(history.weight_u[place]), float(history.weight_r[place])) == pytest.approx(weights)
    drift = (last.full() - first.full()).norm() / first.full().norm()
    assert float(history.drift[0]) == 0 and float(history.drift[-1]) == pytest.approx(float(drift))
    with torch.no_grad():
        error = (net(SMALL.x_test) - SMALL.solution).norm() / SMALL.solution.norm()
    assert float(history.error[-1]) == pytest.approx(float(error))


def test_a_network_without_an_axis_of_outputs_trains_alike():
    """[n] is [n, 1]."""
    net = drawn(SMALL, seed=3, width=8)
    flat = nn.Sequential(copy.deepcopy(net), nn.Flatten(0))
    one, other = (train_pinn(each, SMALL, steps=4, refresh=2) for each in (net, flat))
    torch.testing.assert_close(one.loss_r, other.loss_r)
    torch.testing.assert_close(one.error, other.error)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_adaptive_weights_solve_what_equal_weights_do_not(seed):
    """After 150 steps on u″ = −π² sin πx the error is below 0.05 with weights of the kernel, and above 0.5 without;
    without them it is the boundary that is missing, not the equation."""
    adaptive = train_pinn(drawn(PROBLEM, seed), PROBLEM, steps=150)
    plain = train_pinn(drawn(PROBLEM, seed), PROBLEM, weights=None, steps=150)
    assert float(adaptive.error[-1]) < 0.05 and float(plain.error[-1]) > 0.5
    assert float(plain.loss_r[-1] / plain.loss_r[0]) < 0.01 < float(plain.loss_u[-1] / plain.loss_u[0])
    assert float(adaptive.drift[-1]) > 0.05  # not lazy: the kernel moves, and the weights with it


def test_power_iteration_finds_the_largest_rate():
    """Of matrices with a gap exactly, of any never more."""
    for seed in range(5):
        rows = torch.randn(9, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        k = rows @ rows.T
        largest = float(torch.linalg.eigvalsh(k)[-1])
        assert 0.99 * largest <= largest_rate(k) <= largest * (1 + 1e-12)


@pytest.mark.boundary
def test_bad_arguments_are_refused():
    """Other weights, no step size, and a step that is too large for the kernel."""
    with pytest.raises(DomainError, match=r"weights .* received 'adam'"):
        train_pinn(drawn(SMALL, 1, 5), SMALL, weights="adam")
    with pytest.raises(DomainError, match=r"safety between 0 and 2, received 2.5"):
        train_pinn(drawn(SMALL, 1, 5), SMALL, safety=2.5)
    with pytest.raises(DomainError, match="refresh"):
        train_pinn(drawn(SMALL, 1, 5), SMALL, refresh=0)
