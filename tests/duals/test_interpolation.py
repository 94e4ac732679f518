"""Functions of the variance through a few nodes: right where they are smooth, evaluated where they are not."""

import pytest
import torch

from ntk_teach.duals import interpolation
from ntk_teach.duals.interpolation import at_variances

VAR = torch.exp(torch.linspace(-7.0, 1.0, 1000, dtype=torch.float64))


class Counted:
    """A function of the variance [n, columns] that remembers at how many variances it was evaluated."""

    def __init__(self, *columns):
        self.columns, self.evaluated = columns, 0

    def __call__(self, var: torch.Tensor) -> torch.Tensor:
        self.evaluated += len(var)
        return torch.stack([column(var.double()) for column in self.columns], dim=1)


def smooth() -> Counted:
    return Counted(lambda v: v / (1 + v), lambda v: v.sqrt() * torch.exp(-v), lambda v: v**2)


def test_smooth_functions_are_evaluated_at_a_few_variances():
    """A thousand variances over three decades: 1e-13 of the size of the row, from fewer than 260 evaluations."""
    f = smooth()
    values, exact = at_variances(f, VAR), smooth()(VAR)
    assert f.evaluated < 260
    assert ((values - exact).abs() <= 1e-13 * exact.norm(dim=1, keepdim=True)).all()


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(lambda v: (v - 1).abs(), id="a kink"),
        pytest.param(lambda v: torch.sin(300 * v), id="too many waves"),
        pytest.param(torch.zeros_like, id="nothing"),
        pytest.param(lambda v: torch.full_like(v, torch.inf), id="infinite"),
    ],
)
def test_what_is_not_smooth_is_evaluated_everywhere(column):
    """Where the polynomial does not agree with the function, the values are the function's own."""
    assert torch.equal(at_variances(Counted(column), VAR), Counted(column)(VAR))


def test_few_variances_and_repeated_ones_are_evaluated_once_each():
    """Up to 48 distinct variances are evaluated, however often each is met, and in the order met."""
    var = VAR[::25].repeat(150)[torch.randperm(6000, generator=torch.Generator().manual_seed(0))]
    f = smooth()
    assert torch.equal(at_variances(f, var), smooth()(var))
    assert f.evaluated == 40


def test_a_zero_among_many_is_evaluated_itself():
    """log 0 is no place for a node: a variance of 0 has the value of the function there."""
    var = torch.cat([VAR, torch.zeros(3, dtype=torch.float64), VAR])
    f = Counted(lambda v: torch.where(v > 0, 1 + v, 7.0))
    values = at_variances(f, var)
    assert f.evaluated < 260
    assert values[1000:1003, 0].tolist() == [7.0, 7.0, 7.0]
    torch.testing.assert_close(values[1003:, 0], 1 + VAR, rtol=1e-13, atol=0)


def test_variances_that_nearly_agree_make_no_trouble():
    """Rows of unit norm have variances 1 ± 1e-13, many of them distinct."""
    var = 1 + 1e-13 * torch.linspace(-1, 1, 900, dtype=torch.float64)
    torch.testing.assert_close(at_variances(smooth(), var), smooth()(var), rtol=1e-12, atol=0)


def test_gradients_are_those_of_the_function():
    """Where the variance asks for gradients the function is evaluated, and torch differentiates it."""
    var = VAR.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(at_variances(smooth(), var)[:, 0].sum(), var)
    torch.testing.assert_close(gradient, 1 / (1 + VAR).square(), rtol=1e-12, atol=0)


def test_float32_variances_are_looked_at_in_float64():
    """The nodes and the values between them are float64, whatever the dtype of the variances."""
    values = at_variances(smooth(), VAR.float())
    exact = smooth()(VAR.float())
    assert values.dtype == torch.float64
    assert ((values - exact).abs() <= 1e-13 * exact.norm(dim=1, keepdim=True)).all()


def test_the_degree_is_doubled_until_unseen_nodes_agree(monkeypatch):
    """With no degree to try, nothing is interpolated."""
    monkeypatch.setattr(interpolation, "DEGREES", (2, 4))
    f = smooth()
    assert torch.equal(at_variances(f, VAR), smooth()(VAR))
    assert f.evaluated == 3 + 2 + 4 + len(VAR)
