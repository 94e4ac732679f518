"""Least squares in closed form: scipy's exponential, another program, the loop, and what holds for every kernel."""

import math
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from oracles.flows import circle_problem, coupled, gram, operator, values
from scipy.linalg import expm

from ntk_teach.costs import squared_error
from ntk_teach.errors import DomainError, DtypeError, ShapeError
from ntk_teach.kernel_gradient_descent import kernel_gradient_descent, kernel_gradient_flow
from ntk_teach.least_squares import LeastSquares
from ntk_teach.spectrum import kernel_pca

N, M = 6, 4
WHOLE = gram(N + M, seed=1)
K, K_TEST = WHOLE[:N, :N], WHOLE[N:, :N]
Y, F0, F0_TEST = values(N, 2, seed=2), values(N, 2, seed=3), values(M, 2, seed=4)
FLOW = LeastSquares.fit(K, Y)
TIMES = torch.tensor([0.0, 0.3, 5.0, math.inf], dtype=torch.float64)


@pytest.fixture(scope="module")
def reference() -> dict[str, torch.Tensor]:
    """Another program's predictions (tests/reference); there df/dt = −lr/(N c) K (f − y), so its t is ours times c."""
    with np.load(Path(__file__).parent / "reference" / "predict_relu_d3.npz") as stored:
        return {key: torch.tensor(stored[key]) for key in stored.files if stored[key].dtype.kind == "f"}


@pytest.mark.parametrize("lr", ["1.0", "0.1"])
@pytest.mark.parametrize("ridge", ["0.0", "0.001"])
def test_predictions_agree_with_another_program(reference, ridge, lr):
    """On and off the data, at six times and at t = ∞, with and without ridge, two learning rates: to 1e-12."""
    flow = LeastSquares.fit(reference["ntk_dd"], reference["y_train"], ridge=float(ridge))
    f0, f0_test, k_test = (reference[name] for name in ("fx_train_0", "fx_test_0", "ntk_td"))
    t, name = reference["t"] * float(lr) / 2, f"mse_reg{ridge}"
    for ours, theirs in (
        (flow.at(t, f0), f"{name}_lr{lr}_train"),
        (flow.predict(k_test, t, f0, f0_test), f"{name}_lr{lr}_test"),
        (flow.at(math.inf, f0), f"{name}_inf_train"),
        (flow.predict(k_test, f0=f0, f0_test=f0_test), f"{name}_inf_test"),
    ):
        torch.testing.assert_close(ours, reference[theirs], rtol=0, atol=1e-12)
    if ridge == "0.0":  # that program's limit is 2/λ_max of K/(N c)
        assert flow.critical_lr == pytest.approx(float(reference["max_lr"]) / 2, rel=1e-12)


def test_the_reference_values_on_the_circle():
    """Section 6.2, t = 20: .341229, −.232651 off the data; 2/λ_max = 14.74; 20 steps of lr = 1 are up to 1.2e-2 off."""
    p = circle_problem()
    flow = LeastSquares.fit(p.ntk, p.y)
    off, on = flow.predict(p.ntk_test, 20.0, p.f0, p.f0_test), flow.at(20.0, p.f0)
    np.testing.assert_allclose(off, [0.341229, -0.232651], atol=6e-7)
    np.testing.assert_allclose(on, [0.367827, -0.339379, 0.300594, -0.170178], atol=6e-7)
    assert flow.critical_lr == pytest.approx(14.74, abs=5e-3)
    gap = (flow.after_steps(20, 1.0, p.f0) - on).abs()
    assert 1e-3 < float(gap.max()) < 1.3e-2


def test_both_formulas_are_those_with_matrix_exponential_and_inverse():
    """y + e^{−tK/N}(f_0 − y) and f_0(x) + K(x, X) K⁻¹ (1 − e^{−tK/N})(y − f_0(X)) for two outputs at once."""
    for t in (0.0, 0.4, 30.0):
        left = torch.tensor(expm(-t * K.numpy() / N))
        torch.testing.assert_close(FLOW.at(t, F0), Y + left @ (F0 - Y), rtol=0, atol=1e-12)
        moved = torch.tensor(operator(K_TEST, K, t))
        torch.testing.assert_close(FLOW.predict(K_TEST, t, F0, F0_TEST), F0_TEST + moved @ (Y - F0), rtol=0, atol=1e-11)
        torch.testing.assert_close(FLOW.response(K_TEST, t), moved, rtol=0, atol=1e-11)


def test_the_flow_by_a_solver_is_the_same():
    """The differential equation, solved numerically, ends where the closed form does."""
    t = torch.tensor([0.1, 3.0, 40.0], dtype=torch.float64)
    path = kernel_gradient_flow(K, Y, t=t, f0=F0, tolerance=1e-10)
    torch.testing.assert_close(FLOW.at(t, F0), path.f, rtol=0, atol=1e-8)
    torch.testing.assert_close(FLOW.predict(K_TEST, t, F0, F0_TEST), path.predict(K_TEST, F0_TEST), rtol=0, atol=1e-8)


@pytest.mark.parametrize("lr", [0.1, 0.9, 1.1])
def test_steps_are_the_loop(lr):
    """(1 − lr K/N)^k against the loop of gradient descent, on and off the data, below and above critical_lr."""
    steps, lr = torch.tensor([0, 1, 2, 13]), lr * FLOW.critical_lr
    path = kernel_gradient_descent(K, Y, lr=lr, steps=[0, 1, 2, 13], f0=F0)
    torch.testing.assert_close(FLOW.after_steps(steps, lr, F0), path.f, rtol=1e-10, atol=1e-12)
    off = FLOW.predict_after(K_TEST, steps, lr, F0, F0_TEST)
    torch.testing.assert_close(off, path.predict(K_TEST, F0_TEST), rtol=1e-10, atol=1e-12)
    moved = F0_TEST + FLOW.response_after(K_TEST, 13, lr) @ (Y - F0)
    torch.testing.assert_close(off[-1], moved, rtol=1e-10, atol=1e-12)


def test_the_critical_step_size_parts_decay_from_growth():
    """The fastest mode decays just below 2/λ_max(K/N), keeps its size at it and grows just above."""
    lead, lr = FLOW.eigenvectors[:, 0], FLOW.critical_lr
    sizes = [float((lead @ (FLOW.after_steps(100, s * lr, F0) - Y)).norm()) for s in (0.99, 1.0, 1.01)]
    start = float((lead @ (F0 - Y)).norm())
    assert sizes[0] < 0.2 * start
    assert sizes[1] == pytest.approx(start, rel=1e-10)
    assert sizes[2] > 5 * start
    assert LeastSquares.fit(0 * K, Y).critical_lr == math.inf


@given(seed=st.integers(0, 60), t=st.floats(0, 50), s=st.floats(0, 50), rank=st.integers(1, N), ridge=st.floats(0, 0.3))
def test_the_flow_has_no_memory(seed, t, s, rank, ridge):
    """f_{t+s} = (f_t)_s on the data and off it, whatever the rank of K and the ridge."""
    whole = gram(N + M, seed, rank)
    flow = LeastSquares.fit(whole[:N, :N], Y, ridge)
    first, first_test = flow.at(t, F0), flow.predict(whole[N:, :N], t, F0, F0_TEST)
    torch.testing.assert_close(flow.at(s, first), flow.at(t + s, F0), rtol=0, atol=1e-10)
    second = flow.predict(whole[N:, :N], s, first, first_test)
    torch.testing.assert_close(second, flow.predict(whole[N:, :N], t + s, F0, F0_TEST), rtol=0, atol=1e-8)


@given(seed=st.integers(0, 60), rank=st.integers(1, N))
def test_from_the_start_to_the_end(seed, rank):
    """At t = 0 nothing has moved; at t = ∞ it is y where K sees it and f_0 where K is blind, and large t goes there."""
    whole = gram(N + M, seed, rank)
    k, k_test = whole[:N, :N], whole[N:, :N]
    flow = LeastSquares.fit(k, Y)
    torch.testing.assert_close(flow.at(0.0, F0), F0, rtol=0, atol=1e-12)
    torch.testing.assert_close(flow.predict(k_test, 0.0, F0, F0_TEST), F0_TEST, rtol=0, atol=1e-12)
    seen = torch.linalg.pinv(k, rcond=1e-12) @ k
    torch.testing.assert_close(flow.at(math.inf, F0), F0 + seen @ (Y - F0), rtol=0, atol=1e-9)
    end = flow.predict(k_test, math.inf, F0, F0_TEST)
    regression = F0_TEST + k_test @ torch.linalg.pinv(k, rcond=1e-12) @ (Y - F0)
    torch.testing.assert_close(end, regression, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(flow.predict(k_test, 1e12, F0, F0_TEST), end, rtol=0, atol=1e-9)
    torch.testing.assert_close(flow.predict_after(k_test, 10**9, flow.critical_lr / 2, F0, F0_TEST), end)


@pytest.mark.parametrize("t", [0.0, 1.0, 1e6, math.inf])
def test_repeated_inputs_are_no_trouble(t):
    """Five copies of each of two inputs, with labels that differ: the copies settle on the mean of their labels."""
    few = gram(2, seed=3)
    k = few.repeat_interleave(5, 0).repeat_interleave(5, 1)
    y = values(10, seed=5)
    means = y.reshape(2, 5).mean(1)
    alone = LeastSquares.fit(few, means)
    flow = LeastSquares.fit(k, y)
    off = flow.predict(few.repeat_interleave(5, 1), t)
    torch.testing.assert_close(off, alone.at(t), rtol=0, atol=1e-10)


@given(seed=st.integers(0, 60), ridge=st.floats(1e-3, 10))
def test_the_ridge_is_relative_to_the_mean_diagonal(seed, ridge):
    """At t = ∞ off the data it is ridge regression with ridge · mean(diag K); scaling K changes nothing there."""
    whole = gram(N + M, seed)
    k, k_test = whole[:N, :N], whole[N:, :N]
    solved = torch.linalg.solve(k + ridge * k.diagonal().mean() * torch.eye(N, dtype=torch.float64), Y)
    torch.testing.assert_close(LeastSquares.fit(k, Y, ridge).predict(k_test), k_test @ solved, rtol=1e-9, atol=1e-10)
    scaled = LeastSquares.fit(1e3 * k, Y, ridge).predict(1e3 * k_test)
    torch.testing.assert_close(scaled, k_test @ solved, rtol=1e-9, atol=1e-10)


def test_a_large_ridge_forgets_and_a_small_one_interpolates():
    """ridge → ∞: nothing is learned off the data; ridge → 0: the kernel regression, linearly in the ridge."""
    plain = FLOW.predict(K_TEST)
    assert float(LeastSquares.fit(K, Y, 1e9).predict(K_TEST).abs().max()) < 1e-7
    gaps = [float((LeastSquares.fit(K, Y, r).predict(K_TEST) - plain).abs().max()) for r in (1e-6, 1e-7)]
    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.05)


def test_shapes_follow_the_times_and_the_outputs():
    """A number for t gives no axis of times, a tensor [T] one; [n] gives [m], [n, c] gives [m, c]; K ⊗ Id."""
    assert FLOW.predict(K_TEST, TIMES).shape == (4, M, 2)
    assert FLOW.predict(K_TEST, 1).shape == (M, 2)
    assert FLOW.at(TIMES, F0).shape == (4, N, 2)
    assert FLOW.decay(TIMES).shape == (4, N)
    assert FLOW.loss(TIMES).shape == (4,)
    assert FLOW.loss(0.0).shape == ()
    one = LeastSquares.fit(K, Y[:, 1])
    assert one.predict(K_TEST, TIMES).shape == (4, M)
    torch.testing.assert_close(
        one.predict(K_TEST, TIMES, F0[:, 1], F0_TEST[:, 1]), FLOW.predict(K_TEST, TIMES, F0, F0_TEST)[..., 1]
    )
    assert FLOW.predict(K_TEST, torch.stack([TIMES, TIMES])).shape == (2, 4, M, 2)


def test_many_times_and_many_rows_are_each_by_itself():
    """All times at once are the times one by one, and any block of rows of k_test is that block of the whole."""
    whole = FLOW.predict(K_TEST, TIMES, F0, F0_TEST)
    for position, t in enumerate(TIMES.tolist()):
        torch.testing.assert_close(FLOW.predict(K_TEST, t, F0, F0_TEST), whole[position], rtol=1e-12, atol=1e-13)
    rows = [FLOW.predict(K_TEST[i : i + 2], TIMES, F0, F0_TEST[i : i + 2]) for i in (0, 2)]
    torch.testing.assert_close(torch.cat(rows, dim=1), whole, rtol=1e-12, atol=1e-13)
    many = torch.linspace(0, 9, 50, dtype=torch.float64)  # another order of the products
    torch.testing.assert_close(FLOW.predict(K_TEST, many, F0)[7], FLOW.predict(K_TEST, float(many[7]), F0))


def test_loss_decay_and_modes_are_those_of_the_flow():
    """loss(t) = C(f_t); rates are eig(K)/N of kernel PCA; along mode i the distance to y is e^{−λ_i t} of the first."""
    for t in (0.0, 2.0):
        expected = float(squared_error.value(FLOW.at(t, F0), Y))
        assert float(FLOW.loss(t, F0)) == pytest.approx(expected, rel=1e-12)
    torch.testing.assert_close(FLOW.rates, kernel_pca(K, N).eigenvalues)
    torch.testing.assert_close(FLOW.modes.square().mean(0), torch.ones(N, dtype=torch.float64))
    along = FLOW.modes.T @ (FLOW.at(3.0, F0) - Y)
    torch.testing.assert_close(along, FLOW.decay(3.0)[:, None] * (FLOW.modes.T @ (F0 - Y)), rtol=1e-10, atol=1e-12)
    times = FLOW.times(20)
    assert times.shape == (20,)
    assert times[0] == 0
    assert times[-1] == math.inf
    assert (times.diff() > 0).all()


@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_risk_is_the_mean_over_noisy_labels(master):
    """R(t) against 4000 draws of the noise, at three times, within five standard errors."""
    noise, draws = 0.7, 4000
    labels = Y[:, 0, None] + noise * values(N, draws, seed=master)  # [n, draws]
    trained = LeastSquares.fit(K, labels)
    for t in (0.5, 4.0, math.inf):
        errors = (trained.at(t, F0[:, :1].expand(N, draws)) - Y[:, :1]).square().mean(0)  # [draws]
        risk = float(FLOW.risk(t, target=Y[:, 0], noise=noise, f0=F0[:, 0]))
        assert abs(float(errors.mean()) - risk) <= 5 * float(errors.std()) / math.sqrt(draws) + 1e-12


@given(seed=st.integers(0, 60), noise=st.floats(0.05, 3))
def test_early_stopping_finds_the_lowest_risk(seed, noise):
    """No time of a fine grid is better, and the time that is returned has the risk that is returned."""
    flow, target = LeastSquares.fit(gram(N, seed), Y), values(N, seed=seed)
    best = flow.early_stopping(target=target, noise=noise)
    grid = flow.risk(flow.times(5000), target=target, noise=noise)
    assert best.risk <= float(grid.min()) * (1 + 1e-9)
    assert float(flow.risk(best.t, target=target, noise=noise)) == pytest.approx(best.risk, rel=1e-9)


@pytest.mark.parametrize("noise, b", [(0.3, 1.0), (2.0, 0.5)])
def test_one_mode_stops_at_the_logarithm_of_signal_over_noise(noise, b):
    """All rates equal λ: t* = log(1 + b²/(Nσ²))/λ with b² = ‖y* − f_0‖², and the risk is 1/N · b²Nσ²/(b² + Nσ²)."""
    target = torch.zeros(N, dtype=torch.float64)
    target[2] = b
    flow = LeastSquares.fit(1.5 * torch.eye(N, dtype=torch.float64), target)
    best, power = flow.early_stopping(target=target, noise=noise), N * noise**2
    assert best.t == pytest.approx(math.log(1 + b**2 / power) * N / 1.5, rel=1e-5)
    assert best.risk == pytest.approx(b**2 * power / (b**2 + power) / N, rel=1e-9)


def test_without_noise_one_never_stops_and_without_signal_one_never_starts():
    """σ = 0: t = ∞; f_0 = y*: t = 0 and no risk."""
    assert FLOW.early_stopping(target=Y, noise=0.0).t == math.inf
    at_start = FLOW.early_stopping(target=F0, noise=0.5, f0=F0)
    assert at_start.t == 0
    assert at_start.risk == pytest.approx(0, abs=1e-28)


def test_held_out_data_find_a_time_near_the_best():
    """On noisy data the held-out error at the returned time is that of predict there, and no time given is better."""
    whole = gram(60, seed=8)
    k, k_test, clean = whole[:40, :40], whole[40:, :40], whole @ values(60, seed=9) / 30
    flow = LeastSquares.fit(k, clean[:40] + 0.5 * values(40, seed=10))
    y_test = clean[40:] + 0.5 * values(20, seed=11)
    best = flow.held_out_stopping(k_test, y_test)
    errors = (flow.predict(k_test, flow.times(400)) - y_test).square().mean(1)
    assert best.risk == pytest.approx(float(errors.min()), rel=1e-12)
    assert 0 < best.t < math.inf
    assert float((flow.predict(k_test, best.t) - y_test).square().mean()) == pytest.approx(best.risk, rel=1e-9)


def test_small_times_lose_no_digits():
    """1 − e^{−λt} and 1 − (1 − lr λ)^k where λ t is 1e-15: f moves by t K(x, X)(y − f_0)/N, to twelve digits."""
    t = 1e-14
    expected = t * K_TEST @ Y / N
    torch.testing.assert_close(FLOW.predict(K_TEST, t), expected, rtol=1e-11, atol=0)
    torch.testing.assert_close(FLOW.predict_after(K_TEST, 10, t / 10), expected, rtol=1e-11, atol=0)


def test_single_precision_is_single_precision():
    """float32 in, float32 out, within 2e-4 of float64 on a kernel of condition 1e4."""
    flow = LeastSquares.fit(K.float(), Y.float())
    f = flow.predict(K_TEST.float(), TIMES[:3].float(), F0.float(), F0_TEST.float())
    assert f.dtype == torch.float32
    torch.testing.assert_close(f.double(), FLOW.predict(K_TEST, TIMES[:3], F0, F0_TEST), rtol=0, atol=2e-4)


NEGATIVE = K - K.trace() / N * torch.eye(N, dtype=torch.float64)
REFUSED = {
    "not square": (ShapeError, lambda: LeastSquares.fit(K_TEST, Y), r"\[4, 6\]"),
    "not symmetric": (DomainError, lambda: LeastSquares.fit(WHOLE[1:7, :6], Y), "max"),
    "not positive": (DomainError, lambda: LeastSquares.fit(NEGATIVE, Y), "λ_min"),
    "coupled outputs": (ShapeError, lambda: LeastSquares.fit(coupled(4, 2), Y[:4]), r"\[4, 4, 2, 2\]"),
    "too few targets": (ShapeError, lambda: LeastSquares.fit(K, Y[:4]), r"\[4, 2\]"),
    "targets of another dtype": (DtypeError, lambda: LeastSquares.fit(K, Y.float()), "float32"),
    "targets of numpy": (DtypeError, lambda: LeastSquares.fit(K, Y.numpy()), "ndarray"),
    "ridge negative": (DomainError, lambda: LeastSquares.fit(K, Y, -0.1), "-0.1"),
    "t negative": (DomainError, lambda: FLOW.at(-1.0), "-1.0"),
    "t not a number": (DomainError, lambda: FLOW.predict(K_TEST, math.nan), "nan"),
    "steps negative": (DomainError, lambda: FLOW.after_steps(-1), "-1"),
    "steps of a tensor, halved": (DomainError, lambda: FLOW.after_steps(torch.tensor([0.5])), "0.5"),
    "lr negative": (DomainError, lambda: FLOW.after_steps(1, lr=-1.0), "-1.0"),
    "k_test by columns": (ShapeError, lambda: FLOW.predict(K_TEST.T), r"\[6, 4\]"),
    "k_test of another dtype": (DtypeError, lambda: FLOW.predict(K_TEST.float()), "float32"),
    "f0 of one output": (ShapeError, lambda: FLOW.at(1.0, F0[:, 0]), r"\[6\]"),
    "f0_test on the data": (ShapeError, lambda: FLOW.predict(K_TEST, 1.0, F0, F0), r"\[6, 2\]"),
    "f0 not finite": (DomainError, lambda: FLOW.at(1.0, math.inf), "inf"),
    "noise negative": (DomainError, lambda: FLOW.risk(1.0, target=Y, noise=-1.0), "-1.0"),
    "a target too short": (ShapeError, lambda: FLOW.early_stopping(target=Y[:4], noise=1.0), r"\[4, 2\]"),
    "held-out targets too short": (ShapeError, lambda: FLOW.held_out_stopping(K_TEST, F0_TEST[:2]), r"\[2, 2\]"),
    "two times": (DomainError, lambda: FLOW.times(2), "2"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case):
    """What was received is in the message, and what to do."""
    kind, attempt, received = REFUSED[case]
    with pytest.raises(kind, match=f"expected .*received .*{received}.*; ."):
        attempt()
