"""Descriptions by depth."""

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_an_mlp_of_depth_l_has_l_weight_layers(depth):
    """mlp(L) is Dense, φ, Dense, …, Dense, with L dense layers and L − 1 activations."""
    layers = ntk.zoo.mlp(depth, ntk.erf).layers
    assert len(layers) == 2 * depth - 1
    assert all(isinstance(layer, ntk.Dense) for layer in layers[::2])
    assert all(layer is ntk.erf for layer in layers[1::2])


def test_the_defaults_are_those_of_the_paper():
    """ReLU, σ_w = 1, σ_b = β = 0.1."""
    by_hand = ntk.serial(ntk.Dense(1.0, 0.1), ntk.relu, ntk.Dense(1.0, 0.1), ntk.relu, ntk.Dense(1.0, 0.1))
    x = inputs(4, 3)
    assert torch.equal(ntk.zoo.mlp(3).ntk(x), by_hand.ntk(x))
    assert ntk.zoo.mlp(3) == by_hand


def test_scales_reach_every_layer():
    """sigma_w and sigma_b are those of all weights and biases."""
    dense = ntk.zoo.mlp(4, sigma_w=1.4, sigma_b=0.3).layers[::2]
    assert {(layer.sigma_w, layer.sigma_b) for layer in dense} == {(1.4, 0.3)}
