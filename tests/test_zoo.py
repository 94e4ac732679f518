"""Descriptions by depth."""

import math

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


@pytest.mark.parametrize("pool", [True, False])
def test_a_cnn_is_the_network_of_arora_et_al(pool):
    """L weight layers, one of them the read-out's."""
    read = ntk.GlobalAvgPool() if pool else ntk.Flatten()
    conv = ntk.Conv2d(3, sigma_w=math.sqrt(2))
    assert ntk.zoo.cnn(3, pool=pool) == ntk.serial(conv, ntk.relu, conv, ntk.relu, read, ntk.Dense(math.sqrt(2)))


def test_an_rnn_reads_its_last_step_or_all():
    """``depth`` recurrent layers."""
    step = ntk.Recurrent(ntk.erf, 1.2, 0.7, 0.2)
    made = ntk.zoo.rnn(2, ntk.erf, average=True, sigma_w=1.2, sigma_u=0.7, sigma_b=0.2)
    assert made == ntk.serial(step, step, ntk.AverageSteps(), ntk.Dense())
    assert ntk.zoo.rnn().layers[1] == ntk.LastStep()


def test_a_gnn_scales_like_its_authors():
    """σ_w = 1 at the features, √2 behind every ReLU."""
    layers = ntk.zoo.gnn(2, 2, scale="degree").layers
    assert [layer.sigma_w for layer in layers if isinstance(layer, ntk.Dense)] == [1.0] + [math.sqrt(2)] * 4
    assert sum(layer == ntk.Aggregate("degree") for layer in layers) == 2


@pytest.mark.parametrize("make", [lambda: ntk.zoo.cnn(1), lambda: ntk.zoo.rnn(0), lambda: ntk.zoo.gnn(1, scale="mean")])
def test_what_is_no_network_is_refused(make):
    with pytest.raises(ntk.errors.DomainError, match="zoo"):
        make()
