"""diagnose: every number against a direct computation, the verdict where it is known, and a network left alone."""

import copy
import dataclasses
import math

import pytest
import torch
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.diagnosis.report import COLUMNS, LAZY, TURNED
from ntk_teach.errors import DomainError, DtypeError, NTKError, ShapeError

# torch itself still calls torch.jit.script when its forward mode is used for the first time.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

X = inputs(8, 3, seed=1)
Y = X[:, 0] * X[:, 1]
ORDER = ["lazy", "between", "feature learning"]


def drawn(width=20, depth=2, outputs=1, seed=0, parametrization="ntk"):
    arch = ntk.zoo.mlp(depth, ntk.erf)
    return arch.network(width=width, like=X, out_features=outputs, seed=seed, parametrization=parametrization)


@pytest.fixture(scope="module")
def found():
    """One diagnosis of a small network with two outputs, and what it was made of."""
    network, y = drawn(outputs=2), torch.stack([Y, X[:, 2]], 1)
    return network, y, ntk.diagnose(network, X, y, steps=60)


def test_numbers_before_training_are_those_of_the_library(found):
    """κ, the spectrum of Θ/N over inputs and outputs, the critical step, the alignment."""
    network, y, d = found
    theta = ntk.empirical_ntk(network, X)
    rates = torch.linalg.eigvalsh(ntk.block_gram(theta) / len(X))
    torch.testing.assert_close(d.rates, rates.flip(0), rtol=1e-9, atol=1e-12)
    assert d.critical_lr == pytest.approx(2 / rates[-1].item(), rel=1e-12)
    assert d.lr == pytest.approx(d.critical_lr / 4, rel=1e-12)
    assert d.condition == pytest.approx((rates[-1] / rates[0]).item(), rel=1e-6)
    assert d.effective_rank == pytest.approx((rates.sum() ** 2 / (rates @ rates)).item(), rel=1e-12)
    assert d.kappa == pytest.approx(ntk.lazy.relative_scale(network, X, y, iterations=12, starts=1).kappa, rel=1e-6)
    thorough = ntk.lazy.relative_scale(network, X, y, iterations=60, starts=3).kappa
    assert 0.8 * thorough < d.kappa <= thorough * (1 + 1e-6)
    mean = theta.diagonal(dim1=2, dim2=3).mean(-1)
    wanted = ntk.centered_alignment(mean, (y - y.mean(0)) @ (y - y.mean(0)).T).item()
    assert d.alignment_before == pytest.approx(wanted, rel=1e-9)


def test_the_forecast_is_the_training_of_the_linearized_network(found):
    """The closed form against gradient descent on the tangent; the rest against the same steps on a copy."""
    network, y, d = found
    linear, after = ntk.linearize(network), copy.deepcopy(network)
    forecast = ntk.gradient_descent(linear, X, y, lr=d.lr, steps=60)
    actual = ntk.gradient_descent(after, X, y, lr=d.lr, steps=60)
    torch.testing.assert_close(d.forecast, forecast, rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(d.actual, actual, rtol=1e-9, atol=1e-14)
    assert d.forecast_error == pytest.approx(((actual - forecast).abs().max() / actual[0]).item(), rel=1e-6)
    assert d.kernel_drift == pytest.approx(ntk.lazy.kernel_drift(network, after, X).item(), rel=1e-8)
    assert d.parameter_drift == pytest.approx(ntk.lazy.parameter_drift(network, after).item(), rel=1e-9)
    with torch.no_grad():
        gap = (after(X) - linear(X)).norm() / (linear(X) - network(X)).norm()
    assert d.function_gap == pytest.approx(gap.item(), rel=1e-6)
    theta0, theta1 = (ntk.empirical_ntk(f, X) for f in (network, after))
    scale = (theta0 * theta1).sum() / theta0.square().sum()
    turned = (theta1 - scale * theta0).norm() / theta1.norm()
    assert d.kernel_turn == pytest.approx(turned.item(), rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_linear_model_is_its_own_tangent(outputs):
    """κ = 0, forecast = actual, nothing drifts but the parameters."""
    torch.manual_seed(0)
    y = Y if outputs == 1 else torch.stack([Y, X[:, 2]], 1)
    d = ntk.diagnose(nn.Linear(3, outputs).double(), X, y, steps=50)
    torch.testing.assert_close(d.actual, d.forecast, rtol=1e-6, atol=1e-12)
    assert d.kappa == d.kernel_drift == 0.0
    assert d.kernel_turn < 1e-6 and d.function_gap < 1e-9 and d.parameter_drift > 0.01
    assert d.verdict == "lazy"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_wide_network_is_lazy_and_its_mean_field_twin_is_not(seed):
    """The same weights and the same width; only the factor in front of the last layer differs."""
    wide = ntk.diagnose(drawn(1000, seed=seed), X, Y, steps=100)
    twin = ntk.diagnose(drawn(1000, seed=seed, parametrization="mean_field"), X, Y, steps=100)
    assert wide.verdict == "lazy" and twin.verdict != "lazy"
    assert wide.kernel_drift < 0.1 * twin.kernel_drift
    assert wide.kappa < 0.5 * twin.kappa


def test_the_verdict_is_monotone_in_the_scale():
    """α (f − f₀) from rich to lazy: the verdict never turns back, and every measure falls."""
    network = drawn()
    path = [ntk.diagnose(ntk.lazy.scaled(network, a), X, Y, steps=100) for a in (1 / 8, 1, 8, 64)]
    verdicts = [ORDER.index(d.verdict) for d in path]
    assert verdicts == sorted(verdicts, reverse=True)
    assert verdicts[0] > 0 and verdicts[-1] == 0
    for measure in ("kappa", "kernel_drift", "kernel_turn", "forecast_error", "parameter_drift", "function_gap"):
        values = [getattr(d, measure) for d in path]
        assert values == sorted(values, reverse=True), measure


def test_thresholds_are_the_documented_ones(found):
    """Each case of the rule, a kernel that only grew among them."""
    d = found[2]

    def verdict(drift, turn, gap):
        actual = d.forecast.clone()
        actual[1] += gap * d.forecast[0]
        return dataclasses.replace(d, kernel_drift=drift, kernel_turn=turn, actual=actual).verdict

    assert (LAZY, TURNED) == (0.1, 0.25)
    assert f"{TURNED:g}" in ntk.diagnose.__doc__ and f"{LAZY:g}" in ntk.diagnose.__doc__
    assert verdict(0.09, 0.09, 0.09) == "lazy"
    assert verdict(0.09, 0.09, 0.11) == "between"
    assert verdict(3.0, 0.01, 0.11) == "between"
    assert verdict(0.3, 0.26, 0.0) == "feature learning"


def test_a_convolutional_network_with_three_outputs_is_left_as_it_was():
    """Images in, [n, 3] out, float32; weights, gradients, buffers and modes bit for bit those of before."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(16, 3),
    )
    network.eval()
    network[0].train()
    network[0].bias.requires_grad_(False)
    before, modes = copy.deepcopy(network.state_dict()), [m.training for m in network.modules()]
    x, y = torch.randn(12, 1, 6, 6), ntk.data.centered_one_hot(torch.arange(12) % 3, 3).float()
    d = ntk.diagnose(network, x, y, steps=40)
    assert (d.given, d.inputs, d.outputs, len(d.rates)) == (12, 12, 3, 36)
    assert d.actual[-1] < d.actual[0] and math.isfinite(d.kappa)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert modes == [m.training for m in network.modules()]
    assert all(p.grad is None for p in network.parameters())


def test_too_many_inputs_are_drawn_from_and_the_report_says_so():
    """The draw is that of the seed; one output may come as [n]."""
    network = drawn()
    d = ntk.diagnose(network, X, Y, steps=5, inputs=6, seed=1)
    assert (d.given, d.inputs) == (8, 6)
    assert "6 inputs (of 8, drawn)" in str(d)
    chosen = torch.randperm(8, generator=torch.Generator().manual_seed(1))[:6].sort().values
    by_hand = ntk.diagnose(nn.Sequential(network, nn.Flatten(0)), X[chosen], Y[chosen], steps=5)
    torch.testing.assert_close(d.actual, by_hand.actual, rtol=1e-12, atol=1e-14)


def test_the_report_fits_a_narrow_page(found):
    """Every line within 78 columns; the verdict, the thresholds, the costs; an idle training is owned up to."""
    d = found[2]
    lines = str(d).split("\n")
    assert max(map(len, lines)) <= COLUMNS == 78
    assert f"verdict: {d.verdict}" in lines
    assert f"{d.steps:6d} {float(d.forecast[-1]):10.4g} {float(d.actual[-1]):10.4g}" in lines
    idle = dataclasses.replace(d, actual=d.actual[0].expand(len(d.actual)))
    assert "Give more steps" in " ".join(str(idle).split())
    constant = ntk.diagnose(drawn(), X, torch.full((8,), 3.0, dtype=torch.float64), steps=3)
    assert math.isnan(constant.alignment_before) and "Alignment" not in str(constant)


def blown():
    """x ↦ (p q)² x: the slope is small where it starts and steep on the way."""

    class Steep(nn.Module):
        def __init__(self):
            super().__init__()
            self.p = nn.Parameter(torch.full((6,), 0.05, dtype=torch.float64))

        def forward(self, x):
            return x[:, :1] * self.p.prod() + self.p.sum() * 1e-3

    return ntk.diagnose(Steep(), X, 1e3 * X[:, 0], steps=300)


BAD = {
    "rate of one": (DomainError, lambda: ntk.diagnose(drawn(), X, Y, rate=1.0), "rate"),
    "no rate": (DomainError, lambda: ntk.diagnose(drawn(), X, Y, rate=0.0), "rate"),
    "no step": (DomainError, lambda: ntk.diagnose(drawn(), X, Y, steps=0), "steps"),
    "no input": (DomainError, lambda: ntk.diagnose(drawn(), X, Y, inputs=0), "inputs"),
    "classes": (DtypeError, lambda: ntk.diagnose(drawn(), X, torch.arange(8)), "centered_one_hot"),
    "targets transposed": (ShapeError, lambda: ntk.diagnose(drawn(), X, Y[None]), r"received \[1, 8\]"),
    "too few targets": (ShapeError, lambda: ntk.diagnose(drawn(outputs=2), X, Y), r"\[8, 2\]"),
    "another dtype": (DtypeError, lambda: ntk.diagnose(drawn(), X, Y.float()), "float32"),
    "nothing trained": (NTKError, lambda: ntk.diagnose(drawn().requires_grad_(False), X, Y), "none"),
    "no network": (DtypeError, lambda: ntk.diagnose(lambda x: x, X, Y), "function"),
    "dropout": (DomainError, lambda: ntk.diagnose(nn.Sequential(drawn(), nn.Dropout()), X, Y), r"Dropout \(1\)"),
    "reached": (DomainError, lambda: ntk.diagnose(drawn(), X, drawn()(X)), "what the network computes"),
    "blown up": (DomainError, blown, "blow up"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says where, what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert str(caught.value).startswith("diagnose")
