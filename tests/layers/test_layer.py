"""What makes something a layer."""

import torch

import ntk_teach as ntk
from ntk_teach.layers import Layer
from ntk_teach.nn import Pointwise


def test_dense_and_activations_are_layers():
    """Everything that ``serial`` accepts has ``random``, ``kernel`` and ``module``; torch modules do not."""
    for layer in (ntk.Dense(), ntk.relu, ntk.Activation.from_function(torch.tanh)):
        assert isinstance(layer, Layer)
    for other in (torch.nn.ReLU(), torch.relu, "relu", ntk.serial(ntk.Dense())):
        assert not isinstance(other, Layer)


def test_random_says_whether_a_layer_has_a_width():
    """Dense draws parameters and so has a width; an activation lets through as many units as enter."""
    assert ntk.Dense().random
    assert not ntk.relu.random
    generator = torch.Generator().manual_seed(0)
    units = torch.ones(2, 5, dtype=torch.float64)
    assert ntk.relu.module(5, 5, generator)(units).shape == units.shape


def test_a_layer_written_elsewhere_takes_its_place():
    """The protocol is all that an architecture asks: a fixed scaling, written here, works in both readings."""

    class Halve:
        random = False

        def kernel(self, k):
            return k.fixed(lambda cov: cov / 4)

        def module(self, fan_in, fan_out, generator):
            return Pointwise(lambda u: u / 2, "halve")

    x = torch.tensor([[1.0, 2.0], [0.5, -1.0]], dtype=torch.float64)
    arch, plain = (
        ntk.serial(ntk.Dense(), Halve(), ntk.relu, ntk.Dense()),
        ntk.serial(ntk.Dense(), ntk.relu, ntk.Dense()),
    )
    torch.testing.assert_close(arch.ntk(x), plain.ntk(x) / 4)
    network, same = arch.network(width=4, like=x), plain.network(width=4, like=x)
    torch.testing.assert_close(network(x), same(x) / 2)
