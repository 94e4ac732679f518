"""One function, several parametrizations: the same outputs at initialization, other kernels, other limits."""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError

X = inputs(4, 3, seed=2)
ARCH = ntk.serial(ntk.Dense(1.1, 0.2), ntk.erf, ntk.Dense(1.3, 0.3), ntk.relu, ntk.Dense(0.9, 0.4))


def drawn(kind: str, width: int = 16, seed: int = 0) -> torch.nn.Sequential:
    return ARCH.network(width=width, like=X, seed=seed, parametrization=kind)


def test_the_function_is_the_same_at_initialization():
    """One seed is one function in NTK and in standard parametrization, and 1/√n of it in mean-field."""
    f = drawn("ntk")(X)
    torch.testing.assert_close(drawn("standard")(X), f, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(drawn("mean_field")(X), f / math.sqrt(16), rtol=1e-12, atol=1e-14)


def test_standard_parameters_carry_the_scales():
    """In standard parametrization the stored weight is σ_w W/√n and the bias σ_b b; forward multiplies by 1."""
    ours, theirs = drawn("ntk"), drawn("standard")
    for plain, scaled in zip(ours, theirs, strict=True):
        if isinstance(plain, ntk.nn.Linear):
            torch.testing.assert_close(scaled.weight, plain.scale * plain.weight)
            torch.testing.assert_close(scaled.bias, plain.sigma_b * plain.bias)
            assert scaled.scale == pytest.approx(1, rel=1e-12)
            assert scaled.bias_scale == pytest.approx(1, rel=1e-12)


def test_the_kernel_of_the_standard_parametrization_is_that_of_torch_linear_layers():
    """Θ of torch.nn.Linear layers with the same numbers, by automatic differentiation."""
    network = drawn("standard")
    plain = torch.nn.Sequential()
    for module in network:
        if isinstance(module, ntk.nn.Linear):
            layer = torch.nn.Linear(module.fan_in, module.fan_out).double()
            layer.load_state_dict({"weight": module.weight.detach(), "bias": module.bias.detach()})
            plain.append(layer)
        else:
            plain.append(module)
    torch.testing.assert_close(plain(X), network(X))
    torch.testing.assert_close(ntk.empirical_ntk(network, X), ntk.empirical_ntk(plain, X))


def test_mean_field_has_the_kernel_of_ntk_at_initialization():
    """f/√n with n times the learning rate: the same Θ at t = 0. What differs is that it moves."""
    torch.testing.assert_close(ntk.empirical_ntk(drawn("mean_field"), X), ntk.empirical_ntk(drawn("ntk"), X))


@pytest.mark.usefixtures("unchecked")
def test_mean_field_kernels_move_at_every_width():
    """Relative change of Θ after training to one time: falls with the width in NTK parametrization, and stays of one
    size in mean-field (slopes between n = 32 and n = 512 over 5 seeds)."""
    y = X.prod(1)

    def change(kind: str, width: int) -> float:
        moved = []
        for seed in range(5):
            network = drawn(kind, width, seed)
            before = ntk.empirical_ntk(network, X)
            ntk.gradient_descent(network, X, y, lr=0.1, steps=100)
            moved.append(float((ntk.empirical_ntk(network, X) - before).norm() / before.norm()))
        return sum(moved) / len(moved)

    slopes = {
        kind: math.log(change(kind, 512) / change(kind, 32)) / math.log(512 / 32) for kind in ("ntk", "mean_field")
    }
    assert slopes["ntk"] < -0.6
    assert slopes["mean_field"] > -0.3


@pytest.mark.usefixtures("unchecked")
def test_the_limit_of_the_standard_parametrization_is_a_matter_of_factors():
    """Θ_n/n tends to the kernel of standard_limit: the mean of 40 networks meets it within five standard errors and a
    bias of order 1/n, at n = 100 and at n = 400."""
    limit = ntk.standard_limit(ARCH).ntk(X)
    size = limit.diagonal().sqrt()
    for width in (100, 400):
        samples = torch.stack([ntk.empirical_ntk(drawn("standard", width, seed), X) / width for seed in range(40)])
        error = 5 * samples.std(0) / math.sqrt(len(samples))
        assert ((samples.mean(0) - limit).abs() <= error + 12 / width * size[:, None] * size).all()


def test_the_limit_freezes_the_first_layer_and_the_biases():
    """η: nothing for the first layer's weights and for all biases, 1/σ_w² for the rest; frozen layers stay frozen."""
    factors = [(layer.eta_w, layer.eta_b) for layer in ntk.standard_limit(ARCH).layers if isinstance(layer, ntk.Dense)]
    assert factors == [(0.0, 0.0), (pytest.approx(1 / 1.69), 0.0), (pytest.approx(1 / 0.81), 0.0)]
    skip = ntk.serial(ntk.Residual(ntk.serial(ntk.Dense())), ntk.Dense(), ntk.relu, ntk.Dense())
    assert [layer.eta_w for layer in ntk.standard_limit(skip).layers[1::2]] == [0.0, 1.0]  # its inputs are raw still
    frozen = ntk.serial(ntk.Dense(), ntk.relu, ntk.Dense(1.3, trained=False), ntk.relu, ntk.Dense())
    assert ntk.standard_limit(frozen).layers[2].trained is False


def test_factors_weigh_the_contributions_of_the_layers():
    """Θ is linear in every η; η = 0 everywhere but in the last layer is the NNGP kernel; finite and infinite agree on
    what a factor does."""
    one = ntk.serial(ntk.Dense(1.1, 0.2, eta_w=0.0, eta_b=0.0), ntk.relu, ntk.Dense(1.3, 0.3))
    torch.testing.assert_close(one.ntk(X), one.nngp(X))
    parts = [
        ntk.serial(ntk.Dense(1.1, 0.2, eta_w=a, eta_b=b), ntk.relu, ntk.Dense(1.3, 0.3, eta_w=c, eta_b=d))
        for a, b, c, d in ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    ]
    whole = ntk.serial(ntk.Dense(1.1, 0.2, eta_w=0.5, eta_b=2.0), ntk.relu, ntk.Dense(1.3, 0.3, eta_w=3.0, eta_b=0.25))
    weights = (0.5, 2.0, 3.0, 0.25)
    torch.testing.assert_close(whole.ntk(X), sum(w * part.ntk(X) for w, part in zip(weights, parts, strict=True)))
    networks = [part.network(width=9, like=X) for part in (whole, *parts)]
    kernels = [ntk.empirical_ntk(network, X) for network in networks]
    torch.testing.assert_close(kernels[0], sum(w * k for w, k in zip(weights, kernels[1:], strict=True)))
    torch.testing.assert_close(networks[0](X), networks[1](X))


@pytest.mark.boundary
def test_an_unknown_parametrization_is_refused():
    """The message lists those that exist; σ_w = 0 has no standard parametrization."""
    with pytest.raises(DomainError, match=r"'ntk', 'standard', 'mean_field'.*'he'"):
        drawn("he")
    arch = ntk.serial(ntk.Dense(0.0, 1.0), ntk.relu, ntk.Dense())
    with pytest.raises(DomainError, match="positive sigma_w"):
        arch.network(width=3, like=X, parametrization="standard")


def test_residual_branches_take_part():
    """A branch's layers get the factors, too: the function stays, and the kernel is that of plain torch layers."""
    arch = ntk.serial(ntk.Dense(1.1), ntk.Residual(ntk.serial(ntk.erf, ntk.Dense(0.7, 0.2))), ntk.Dense(1.3))
    plain, standard = (arch.network(width=5, like=X, parametrization=kind) for kind in ("ntk", "standard"))
    torch.testing.assert_close(plain(X), standard(X))
    inner = standard[1].branch[1]
    assert inner.scale == pytest.approx(1, rel=1e-12)
