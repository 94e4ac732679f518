"""Gradient descent in function space: by loops, by scipy's exponential, by another program, by its own energy."""

import itertools
from pathlib import Path as File

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from oracles.flows import circle_problem, coupled, gradient_by_loops, gram, operator, values
from scipy.linalg import expm

from ntk_teach.costs import Cost, cross_entropy, logistic, squared_error
from ntk_teach.errors import ConvergenceError, DomainError, DtypeError, ShapeError
from ntk_teach.kernel_gradient_descent import (
    cost_decay,
    kernel_gradient,
    kernel_gradient_descent,
    kernel_gradient_flow,
)

N = 5
WHOLE = gram(8, seed=1)
K, K_TEST = WHOLE[:N, :N], WHOLE[N:, :N]
SIGNS = torch.sign(values(N, seed=3))
CLASSES = torch.tensor([0, 2, 1, 1, 0])
quartic = Cost.from_function(lambda f, y: (f - y) ** 4, "quartic")
COSTS = {
    "squared_error": (squared_error, values(N, seed=2)),
    "logistic": (logistic, SIGNS),
    "cross_entropy": (cross_entropy, CLASSES),
    "quartic": (quartic, values(N, seed=2)),
}


def test_the_gradient_is_the_mean_over_the_data():
    """1/N Σ_j K(x, x_j) d(x_j), by loops, for coupled outputs with blocks that are not symmetric, more rows than 1."""
    whole, d = coupled(7, 2, seed=1), values(5, 2, seed=2)
    k = whole[:, :5]
    torch.testing.assert_close(kernel_gradient(k, d), gradient_by_loops(k, d), rtol=1e-13, atol=1e-14)


def test_two_axes_mean_the_same_kernel_for_every_output():
    """K stands for K ⊗ Id: the explicit block kernel gives the same, and so does each output alone."""
    d = values(N, 2, seed=2)
    blocks = K_TEST[:, :, None, None] * torch.eye(2, dtype=torch.float64)
    torch.testing.assert_close(kernel_gradient(K_TEST, d), kernel_gradient(blocks, d), rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(kernel_gradient(K_TEST, d)[:, 1], kernel_gradient(K_TEST, d[:, 1]))
    assert kernel_gradient(K_TEST, d[:, 0]).shape == (3,)


@pytest.mark.parametrize("name", COSTS)
def test_the_cost_falls_at_the_rate_of_the_kernel_norm(name):
    """dC/dt = −‖d‖²_K at t = 0.7, by central differences along the flow."""
    cost, y = COSTS[name]
    step = 1e-3
    path = kernel_gradient_flow(
        K, y, cost, t=torch.tensor([0.7 - step, 0.7, 0.7 + step], dtype=torch.float64), f0=0.3, tolerance=1e-12
    )
    before, after = (float(cost.value(f, y)) for f in (path.f[0], path.f[2]))
    decay = float(cost_decay(K, cost.gradient(path.f[1], y)))
    assert decay < 0
    assert (after - before) / (2 * step) == pytest.approx(decay, rel=1e-5)


def test_the_flow_of_the_squared_error_is_the_matrix_exponential():
    """f_t = y + e^{−tK/N}(f_0 − y) on the data and f_0 + M_t(y − f_0(X)) off it, to 1e-8 for t from 0 to 50."""
    y, f0, f0_test = values(N, seed=2).numpy(), values(N, seed=4), values(3, seed=5)
    times = [3.0, 0.0, 50.0, 0.2]
    path = kernel_gradient_flow(K, torch.tensor(y), t=torch.tensor(times, dtype=torch.float64), f0=f0)
    assert path.f.shape == (4, N)
    assert path.predict(K_TEST, f0_test).shape == (4, 3)
    for t, on, off in zip(times, path.f, path.predict(K_TEST, f0_test), strict=True):
        np.testing.assert_allclose(on, y + expm(-t * K.numpy() / N) @ (f0.numpy() - y), atol=1e-8)
        np.testing.assert_allclose(off, f0_test.numpy() + operator(K_TEST, K, t) @ (y - f0.numpy()), atol=1e-8)


def test_the_flow_on_the_circle_has_the_reference_values():
    """Section 6.2 at t = 20: .367827, −.339379, .300594, −.170178 on the data, .341229, −.232651 off it."""
    p = circle_problem()
    path = kernel_gradient_flow(p.ntk, p.y, t=20.0, f0=p.f0)
    np.testing.assert_allclose(path.f, [0.367827, -0.339379, 0.300594, -0.170178], atol=6e-7)
    np.testing.assert_allclose(path.predict(p.ntk_test, p.f0_test), [0.341229, -0.232651], atol=6e-7)


@pytest.fixture(scope="module")
def reference() -> dict[str, torch.Tensor]:
    """Another program's solutions (tests/reference); there df/dt = −η/(N c) K d, with η = 1/2 for these two."""
    with np.load(File(__file__).parent / "reference" / "predict_relu_d3.npz") as stored:
        return {key: torch.tensor(stored[key]) for key in stored.files if stored[key].dtype.kind == "f"}


@pytest.mark.parametrize("cost, name", [(squared_error, "ode"), (cross_entropy, "ce")])
def test_the_flow_agrees_with_another_program(reference, cost, name):
    """Squared error and cross entropy on and off the data, to 5e-8: that program's solver has errors of 1e-8."""
    y = reference["gd_ce_y" if name == "ce" else "y_train"]
    outputs = y.shape[1]
    t = reference["gd_ode_t"] * 0.5 / outputs
    path = kernel_gradient_flow(reference["ntk_dd"], y, cost, t=t, f0=reference["fx_train_0"])
    torch.testing.assert_close(path.f, reference[f"gd_{name}_train"], rtol=0, atol=5e-8)
    off = path.predict(reference["ntk_td"], reference["fx_test_0"])
    torch.testing.assert_close(off, reference[f"gd_{name}_test"], rtol=0, atol=5e-8)


@pytest.mark.parametrize("name", COSTS)
def test_off_the_data_is_on_the_data_for_another_list(name):
    """At the data themselves predict gives f back; the points of evaluation do not know of one another."""
    cost, y = COSTS[name]
    path = kernel_gradient_flow(K, y, cost, t=torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64))
    torch.testing.assert_close(path.predict(K), path.f, rtol=1e-12, atol=1e-12)
    parts = torch.cat([path.predict(K_TEST[:1]), path.predict(K_TEST[1:])], dim=1)
    torch.testing.assert_close(path.predict(K_TEST), parts, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", COSTS)
def test_the_flow_has_no_memory(name):
    """f_{t+s} = (f_t)_s, on the data and off it."""
    cost, y = COSTS[name]
    first = kernel_gradient_flow(K, y, cost, t=1.5, f0=0.2, tolerance=1e-11)
    second = kernel_gradient_flow(K, y, cost, t=2.0, f0=first.f, tolerance=1e-11)
    whole = kernel_gradient_flow(K, y, cost, t=3.5, f0=0.2, tolerance=1e-11)
    torch.testing.assert_close(second.f, whole.f, rtol=0, atol=1e-8)
    torch.testing.assert_close(second.predict(K_TEST, first.predict(K_TEST)), whole.predict(K_TEST), rtol=0, atol=1e-8)


def test_coupled_outputs_flow_by_the_exponential_of_the_block_matrix():
    """With K [n, n, c, c] the outputs pull at each other: e^{−tK/N} of the [nc, nc] matrix, N the number of inputs."""
    whole, y = coupled(6, 2, seed=1), values(4, 2, seed=2)
    k, k_test = whole[:4, :4], whole[4:, :4]
    path = kernel_gradient_flow(k, y, t=3.0)
    matrix = k.permute(0, 2, 1, 3).reshape(8, 8).numpy()
    left = expm(-3.0 * matrix / 4)
    np.testing.assert_allclose(path.f.reshape(-1), (np.eye(8) - left) @ y.reshape(-1).numpy(), atol=1e-8)
    cross = k_test.permute(0, 2, 1, 3).reshape(4, 8).numpy()
    off = cross @ np.linalg.solve(matrix, (np.eye(8) - left) @ y.reshape(-1).numpy())
    np.testing.assert_allclose(path.predict(k_test).reshape(-1), off, atol=1e-8)


def test_a_singular_kernel_moves_only_what_it_sees():
    """Along the null space of K the outputs stay where they are, for any cost and any time; nothing blows up."""
    k = gram(N, seed=5, rank=2)
    blind = torch.linalg.eigh(k).eigenvectors[:, :3]
    for cost, y in ((squared_error, values(N, seed=2)), (logistic, SIGNS)):
        f = kernel_gradient_flow(k, y, cost, t=1e3, f0=0.5).f
        torch.testing.assert_close(blind.T @ f, blind.T @ torch.full((N,), 0.5).double(), rtol=0, atol=1e-9)


def test_single_precision_is_single_precision():
    """float32 in, float32 out, within 1e-4 of float64: the solver does not chase digits that are not there."""
    for cost, y in ((squared_error, values(N, seed=2)), (logistic, SIGNS)):
        path = kernel_gradient_flow(K.float(), y.float(), cost, t=30.0)
        assert path.f.dtype == path.predict(K_TEST.float()).dtype == torch.float32
        exact = kernel_gradient_flow(K, y, cost, t=30.0)
        torch.testing.assert_close(path.f.double(), exact.f, rtol=0, atol=1e-4)


def test_stiff_problems_are_solved():
    """Rates from 1 to 1e-6 and t = 1e7: the solver arrives at the closed form without crawling at the fast rate."""
    rotation = torch.linalg.qr(values(N, N, seed=6)).Q
    k = N * rotation * torch.logspace(0, -6, N, dtype=torch.float64) @ rotation.T
    k, y = (k + k.T) / 2, values(N, seed=2)
    calls = []
    counted = Cost("counted", squared_error.each, lambda f, y: calls.append(1) or f - y, 1.0, squared_error.targets)
    path = kernel_gradient_flow(k, y, counted, t=1e7)
    np.testing.assert_allclose(path.f, y - torch.tensor(expm(-1e7 * k.numpy() / N)) @ y, atol=1e-6)
    assert len(calls) < 5000  # an explicit method needs some 1e7


@pytest.mark.parametrize("name", COSTS)
def test_descent_is_the_loop_written_by_hand(name):
    """f ← f − lr/N K d, three steps; every step is kept, the first is f_0, t = lr · step, and the cost falls."""
    cost, y = COSTS[name]
    path = kernel_gradient_descent(K, y, cost, lr=0.3, steps=3, f0=0.1)
    f = torch.full(path.f[0].shape, 0.1, dtype=torch.float64)
    for step in range(4):
        torch.testing.assert_close(path.f[step], f, rtol=1e-13, atol=1e-14)
        f = f - 0.3 * gradient_by_loops(
            K[:, :, None, None] * torch.eye(max(f[0].numel(), 1), dtype=torch.float64),
            cost.gradient(f, y).reshape(N, -1),
        ).reshape(f.shape)
    np.testing.assert_allclose(path.t, [0.0, 0.3, 0.6, 0.9])
    costs = [float(cost.value(f, y)) for f in path.f]
    assert all(later < earlier for earlier, later in itertools.pairwise(costs))
    torch.testing.assert_close(path.predict(K, 0.1), path.f, rtol=1e-12, atol=1e-13)


def test_chosen_steps_are_a_part_of_all_steps():
    """steps=[7, 0, 3] keeps these three of steps=7, in the order asked for."""
    every = kernel_gradient_descent(K, SIGNS, logistic, lr=0.5, steps=7)
    some = kernel_gradient_descent(K, SIGNS, logistic, lr=0.5, steps=[7, 0, 3])
    assert torch.equal(some.f, every.f[[7, 0, 3]])
    assert torch.equal(some.predict(K_TEST), every.predict(K_TEST)[[7, 0, 3]])


@pytest.mark.parametrize("name", COSTS)
def test_descent_with_small_steps_follows_the_flow(name):
    """The distance to the flow at t = 2 falls in proportion to lr: a tenth of the step, a tenth of the error."""
    cost, y = COSTS[name]
    exact = kernel_gradient_flow(K, y, cost, t=2.0, tolerance=1e-11).f
    errors = [
        float((kernel_gradient_descent(K, y, cost, lr=lr, steps=[round(2 / lr)]).f[0] - exact).abs().max())
        for lr in (0.02, 0.002)
    ]
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.1)


@given(share=st.floats(0.05, 0.98), seed=st.integers(0, 30))
@pytest.mark.parametrize("cost, y", [(squared_error, values(N, seed=2)), (logistic, SIGNS), (cross_entropy, CLASSES)])
def test_below_the_critical_step_every_step_lowers_the_cost(cost, y, share, seed):
    """For lr < 2 / (smoothness · λ_max(K/N)) the cost never grows."""
    k = gram(N, seed)
    lr = share * 2 / (cost.smoothness * float(torch.linalg.eigvalsh(k)[-1]) / N)
    costs = [float(cost.value(f, y)) for f in kernel_gradient_descent(k, y, cost, lr=lr, steps=20).f]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(costs))


CASES = {
    "divergence": (DomainError, lambda: kernel_gradient_descent(K, SIGNS, lr=1e3, steps=99), "lr = 1000"),
    "of a function": (DomainError, lambda: kernel_gradient_descent(K, SIGNS, quartic, lr=1e3, steps=99), "cost of"),
    "d of another length": (ShapeError, lambda: kernel_gradient(K_TEST, values(3)), r"\[3, 5\]"),
    "d of another dtype": (DtypeError, lambda: kernel_gradient(K, SIGNS.float()), "float64"),
    "kernel of three axes": (ShapeError, lambda: kernel_gradient(values(2, 5, 1), SIGNS), r"\[2, 5, 1\]"),
    "kernel not symmetric": (DomainError, lambda: kernel_gradient_flow(WHOLE[1:6, :5], SIGNS, t=1.0), "max"),
    "too few targets": (ShapeError, lambda: kernel_gradient_flow(K, SIGNS[:3], t=1.0), r"\[3\]"),
    "too few classes": (ShapeError, lambda: kernel_gradient_flow(K, CLASSES[:3], cross_entropy, t=1.0), r"\[3\]"),
    "f0 of another shape": (ShapeError, lambda: kernel_gradient_flow(K, SIGNS, t=1.0, f0=values(N, 1)), r"\[5, 1\]"),
    "f0 NaN": (DomainError, lambda: kernel_gradient_flow(K, SIGNS, t=1.0, f0=float("nan")), "nan"),
    "t negative": (DomainError, lambda: kernel_gradient_flow(K, SIGNS, t=-1.0), "-1.0"),
    "t infinite": (DomainError, lambda: kernel_gradient_flow(K, SIGNS, t=float("inf")), "1 NaN or infinite"),
    "no step": (DomainError, lambda: kernel_gradient_descent(K, SIGNS, lr=0.1, steps=[]), "none"),
    "half a step": (DomainError, lambda: kernel_gradient_descent(K, SIGNS, lr=0.1, steps=0.5), "0.5"),
    "lr negative": (DomainError, lambda: kernel_gradient_descent(K, SIGNS, lr=-0.1, steps=1), "-0.1"),
    "f0_test of another shape": (
        ShapeError,
        lambda: kernel_gradient_flow(K, SIGNS, t=1.0).predict(K_TEST, SIGNS),
        r"\[5\]",
    ),
    "prediction by columns": (ShapeError, lambda: kernel_gradient_flow(K, SIGNS, t=1.0).predict(K_TEST.T), r"\[5, 3\]"),
    "classes for one output": (
        ShapeError,
        lambda: kernel_gradient_flow(K, CLASSES, cross_entropy, t=1.0, f0=SIGNS),
        r"\[5\]",
    ),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", CASES)
def test_what_does_not_fit_is_refused(case):
    """What was received is in the message, and what to do."""
    kind, attempt, received = CASES[case]
    with pytest.raises(kind, match=f"expected .*received .*{received}.*; ."):
        attempt()


@pytest.mark.boundary
def test_divergence_names_the_step_size_that_would_not_diverge():
    """2/λ_max(K/N) = 14.74 on the circle for the squared error, a quarter of it for a cost four times as curved."""
    p = circle_problem()
    steep = Cost("steep", lambda f, y: 2 * (f - y).square(), lambda f, y: 4 * (f - y), 4.0, squared_error.targets)
    for cost, critical in ((squared_error, 14.74), (steep, 3.685)):
        kernel_gradient_descent(p.ntk, p.y, cost, lr=0.99 * critical, steps=2000)
        with pytest.raises(DomainError, match=f"choose lr below .*= {critical}"):
            kernel_gradient_descent(p.ntk, p.y, cost, lr=1.02 * critical, steps=2000)


@pytest.mark.boundary
def test_a_solver_that_gives_up_says_so():
    """A slope that becomes NaN on the way is an error that names the time, not an array of NaN."""
    broken = Cost("broken", squared_error.each, lambda f, y: (f - y) / (f < 0.5), 1.0, squared_error.targets)
    with pytest.raises((ConvergenceError, DomainError), match="kernel_gradient_flow"):
        kernel_gradient_flow(K, torch.ones(N).double(), broken, t=100.0)
