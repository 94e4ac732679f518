"""Finite layers: the formula of ``forward``, and draws that are standard Gaussian and reproducible."""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.nn import Linear, Pointwise


def linear(fan_in=3, fan_out=4, sigma_w=1.3, sigma_b=0.2, seed=0, **options) -> Linear:
    return Linear(fan_in, fan_out, sigma_w, sigma_b, generator=torch.Generator().manual_seed(seed), **options)


def test_forward_is_the_formula():
    """h_j = σ_w/√n Σ_i W_ji a_i + σ_b b_j, entry by entry, with unequal fan-in and fan-out."""
    layer, a = linear(), inputs(5, 3)
    h, weight, bias = layer(a).detach(), layer.weight.detach(), layer.bias.detach()
    assert h.shape == (5, 4)
    for row in range(5):
        for j in range(4):
            products = [float(weight[j, i] * a[row, i]) for i in range(3)]
            expected = 1.3 / math.sqrt(3) * math.fsum(products) + 0.2 * float(bias[j])
            assert float(h[row, j]) == pytest.approx(expected, rel=1e-13)


def test_without_a_bias_scale_there_is_no_bias():
    """σ_b = 0 has no bias parameter, so nothing untouched is ever counted or moved."""
    layer = linear(sigma_b=0.0)
    assert layer.bias is None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert torch.equal(layer(torch.zeros(1, 3, dtype=torch.float64)), torch.zeros(1, 4, dtype=torch.float64))


def test_every_parameter_is_a_standard_gaussian():
    """Mean, variance and fourth moment of 90 000 weights and 300 biases are 0, 1 and 3 within five standard errors,
    whatever the scales: these stand in ``forward``."""
    layer = linear(300, 300, sigma_w=0.3, sigma_b=0.1)
    for draws in (layer.weight.detach().flatten(), layer.bias.detach()):
        error = 5 / math.sqrt(len(draws))
        assert abs(float(draws.mean())) <= error
        assert abs(float(draws.square().mean()) - 1) <= error * math.sqrt(2)
        assert abs(float(draws.pow(4).mean()) - 3) <= error * math.sqrt(96)


def test_trained_says_which_parameters_require_a_gradient():
    """trained=False freezes weight and bias."""
    assert all(p.requires_grad for p in linear().parameters())
    assert not any(p.requires_grad for p in linear(trained=False).parameters())


def test_one_generator_is_one_layer_and_the_global_one_is_left_alone():
    """The same seed draws the same layer, another seed another; torch's global generator is not touched."""
    state = torch.get_rng_state()
    assert torch.equal(linear(seed=3).weight, linear(seed=3).weight)
    assert not torch.equal(linear(seed=3).weight, linear(seed=4).weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_pointwise_applies_its_function():
    """Pointwise is φ, unit by unit, without parameters; its repr says which."""
    layer, u = Pointwise(torch.tanh, "tanh"), inputs(2, 3)
    assert torch.equal(layer(u), torch.tanh(u))
    assert list(layer.parameters()) == []
    assert "tanh" in repr(layer)


@pytest.mark.boundary
@pytest.mark.parametrize(
    ("layers", "made_for", "given", "words"),
    [
        ((ntk.Dense(),), (4, 3), (4, 5), r"Linear: expected inputs \[n, units\] with 3 units .* received \[4, 5\]"),
        ((ntk.Conv2d(3), ntk.Flatten(), ntk.Dense()), (4, 6, 6, 3), (4, 3, 6, 6), r"Convolution: .* 3 units"),
        ((ntk.Conv2d(3), ntk.Flatten(), ntk.Dense()), (4, 6, 6, 3), (6, 6, 3), r"Convolution: .* images \[n, h"),
        ((ntk.Recurrent(ntk.tanh), ntk.LastStep(), ntk.Dense()), (4, 7, 2), (4, 2, 7), r"Recurrence: .* 2 units"),
    ],
)
def test_other_inputs_than_those_of_the_network_are_refused_in_words(layers, made_for, given, words):
    """The layer, what it expects and what it received, in the place of torch's sizes of two matrices."""
    network = ntk.serial(*layers).network(width=8, like=torch.ones(made_for), seed=0)
    assert len(network(torch.ones(made_for))) == 4
    with pytest.raises(ntk.errors.ShapeError, match=words):
        network(torch.ones(given))
