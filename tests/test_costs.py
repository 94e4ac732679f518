"""Costs: values by loops, slopes against finite differences, convexity and curvature as promised."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from oracles.flows import values

from ntk_teach.costs import Cost, cross_entropy, logistic, squared_error
from ntk_teach.errors import DomainError, DtypeError, ShapeError

N, CLASSES = 5, 3
CASES = {
    "squared_error, one output": (squared_error, values(N, seed=1), values(N, seed=2)),
    "squared_error": (squared_error, values(N, CLASSES, seed=1), values(N, CLASSES, seed=2)),
    "logistic": (logistic, values(N, seed=1), torch.sign(values(N, seed=2))),
    "logistic, several outputs": (logistic, values(N, 2, seed=1), torch.sign(values(N, 2, seed=2))),
    "cross_entropy, indices": (cross_entropy, values(N, CLASSES, seed=1), torch.tensor([0, 2, 1, 1, 0])),
    "cross_entropy, shares": (cross_entropy, values(N, CLASSES, seed=1), torch.softmax(values(N, CLASSES, seed=2), 1)),
    "a function": (
        Cost.from_function(lambda f, y: (f - y) ** 4 + (f - y).abs() ** 3),
        values(N, seed=1),
        values(N, seed=2),
    ),
}


def by_loops(name: str, f: torch.Tensor, y: torch.Tensor) -> float:
    """C by the formula of each cost, one example and one output at a time."""
    total = 0.0
    for i in range(N):
        row = f[i].reshape(-1).tolist()
        if name.startswith("squared_error"):
            total += sum((a - b) ** 2 for a, b in zip(row, y[i].reshape(-1).tolist(), strict=True)) / 2
        elif name.startswith("logistic"):
            total += sum(math.log(1 + math.exp(-a * b)) for a, b in zip(row, y[i].reshape(-1).tolist(), strict=True))
        elif name.startswith("cross_entropy"):
            shares = y[i].tolist() if y.ndim == 2 else [float(k == int(y[i])) for k in range(CLASSES)]
            size = sum(math.exp(a) for a in row)
            total -= sum(p * math.log(math.exp(a) / size) for p, a in zip(shares, row, strict=True))
        else:
            total += sum(abs(a - b) ** 4 + abs(a - b) ** 3 for a, b in zip(row, [float(y[i])], strict=True))
    return total / N


@pytest.mark.parametrize("name", CASES)
def test_the_value_is_the_mean_over_the_examples(name):
    """C(f) = 1/N Σ_i c(f(x_i), y_i), by the written formula."""
    cost, f, y = CASES[name]
    assert float(cost.value(f, y)) == pytest.approx(by_loops(name, f, y), rel=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_n_times_the_slope_of_the_value(name):
    """d|_f(x_i) = N ∂C/∂f(x_i), by central differences of the value in each output."""
    cost, f, y = CASES[name]
    d, step = cost.gradient(f, y), 1e-5
    assert d.shape == f.shape
    for place in range(f.numel()):
        shift = torch.zeros(f.numel(), dtype=f.dtype)
        shift[place] = step
        shift = shift.reshape(f.shape)
        slope = (cost.value(f + shift, y) - cost.value(f - shift, y)) / (2 * step)
        assert float(d.reshape(-1)[place]) == pytest.approx(N * float(slope), abs=1e-8)


@given(seed=st.integers(0, 50), share=st.floats(0.05, 0.95))
@pytest.mark.parametrize("name", CASES)
def test_costs_are_convex(name, seed, share):
    """C(sf + (1 − s)g) ≤ s C(f) + (1 − s) C(g)."""
    cost, f, y = CASES[name]
    g = 3 * values(*f.shape, seed=seed)
    between = cost.value(share * f + (1 - share) * g, y)
    chord = share * cost.value(f, y) + (1 - share) * cost.value(g, y)
    assert float(between) <= float(chord) + 1e-12 * max(1.0, float(chord))


@pytest.mark.parametrize("cost, y", [(squared_error, values(1, 2)), (cross_entropy, torch.tensor([1]))])
def test_the_smoothness_bounds_the_curvature_and_is_attained(cost, y):
    """λ_max(∂²c/∂f²) ≤ smoothness, with equality at f = 0 for two classes and everywhere for the squared error."""
    for f in (torch.zeros(1, 2, dtype=torch.float64), values(1, 2, seed=3)):
        hessian = torch.autograd.functional.hessian(lambda f: cost.each(f, cost.targets(f, y)).sum(), f)
        curvature = float(torch.linalg.eigvalsh(hessian.reshape(2, 2))[-1])
        assert curvature <= cost.smoothness + 1e-12
        if not f.any():
            assert curvature == pytest.approx(cost.smoothness, rel=1e-12)


def test_logistic_is_cross_entropy_of_two_classes():
    """log(1 + e^(−yf)) is the cross entropy of (0, f), and far from 0 neither overflows."""
    f, y = torch.tensor([0.3, -800.0, 900.0], dtype=torch.float64), torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    two = torch.stack([torch.zeros_like(f), f], dim=1)
    classes = (y > 0).long()
    assert float(logistic.value(f, y)) == pytest.approx(float(cross_entropy.value(two, classes)), rel=1e-14)
    torch.testing.assert_close(logistic.gradient(f, y), cross_entropy.gradient(two, classes)[:, 1])
    assert logistic.smoothness == 0.25


def test_an_unknown_curvature_is_not_a_number():
    """A cost made from a function has the name of the function and no known smoothness."""

    def quartic(f, y):
        return (f - y) ** 4

    assert math.isnan(Cost.from_function(quartic).smoothness)
    assert repr(Cost.from_function(quartic)) == "quartic"
    assert repr(Cost.from_function(quartic, "mine")) == "mine"


F = values(N, CLASSES)
REFUSED = {
    "a column for a row": (ShapeError, lambda: squared_error.value(F[:, 0], F[:, :1]), r"\[5, 1\]"),
    "classes 0 and 1": (DomainError, lambda: logistic.value(F[:, 0], torch.ones(N).double() * 0), "0 to 0"),
    "indices as floats": (DtypeError, lambda: cross_entropy.value(F, torch.ones(N)), "float32"),
    "a class too many": (DomainError, lambda: cross_entropy.value(F, torch.tensor([0, 1, 2, 3, 0])), "0 to 3"),
    "a negative class": (DomainError, lambda: cross_entropy.gradient(F, torch.tensor([0, 1, -1, 2, 0])), "-1 to 2"),
    "too few classes": (ShapeError, lambda: cross_entropy.value(F, torch.tensor([0, 1])), r"\[2\]"),
    "one output": (ShapeError, lambda: cross_entropy.value(F[:, 0], torch.zeros(N).long()), r"\[5\]"),
    "rows that are no shares": (DomainError, lambda: cross_entropy.value(F, torch.ones_like(F)), "others"),
    "a mean": (ShapeError, lambda: Cost.from_function(lambda f, y: ((f - y) ** 2).mean()).gradient(F, F), r"\[\]"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", REFUSED)
def test_targets_that_do_not_fit_are_refused(case):
    """What was received is in the message, and what to do."""
    kind, attempt, received = REFUSED[case]
    with pytest.raises(kind, match=f"expected .*received .*{received}.*; ."):
        attempt()
