"""The kernel of a finite network: two ways that must agree, against its definition and another program."""

import math

import pytest
import references
import torch
from oracles import finite
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.empirical import by_autograd, layerwise
from ntk_teach.errors import ShapeError

X1, X2 = inputs(3, 4, seed=1), inputs(5, 4, seed=2)


def erf_slope(u: torch.Tensor) -> torch.Tensor:
    return 2 / math.sqrt(math.pi) * torch.exp(-u * u)


def relu_slope(u: torch.Tensor) -> torch.Tensor:
    return (u > 0).to(u)


NETWORKS = {
    # name: (depth, activation, its slope, sigma_b, hidden widths, outputs, layers that are frozen)
    "one layer": (1, ntk.relu, relu_slope, 0.3, (), 1, ()),
    "one layer, three outputs": (1, ntk.erf, erf_slope, 0.3, (), 3, ()),
    "relu, two layers": (2, ntk.relu, relu_slope, 0.2, (7,), 1, ()),
    "relu, unequal widths, outputs": (4, ntk.relu, relu_slope, 0.1, (5, 8, 6), 2, ()),
    "erf, no bias": (3, ntk.erf, erf_slope, 0.0, (6, 9), 2, ()),
    "erf, frozen layers": (4, ntk.erf, erf_slope, 0.4, (6, 5, 7), 3, (0, 2)),
    "relu, read-out frozen": (3, ntk.relu, relu_slope, 0.2, (6, 5), 1, (2,)),
}


def drawn(name: str) -> tuple[nn.Sequential, list, tuple]:
    """The network, its layers as the oracle wants them, and (φ, φ')."""
    depth, activation, slope, sigma_b, widths, outputs, frozen = NETWORKS[name]
    dense = [ntk.Dense(1.0 + 0.2 * layer, sigma_b, trained=layer not in frozen) for layer in range(depth)]
    arch = ntk.serial(dense[0], *[part for layer in dense[1:] for part in (activation, layer)])
    network = arch.network(width=widths, like=X1, out_features=outputs, seed=5)
    modules = [module for module in network if hasattr(module, "weight")]
    layers = [
        (m.weight.detach(), None if m.bias is None else m.bias.detach(), d.sigma_w, d.sigma_b, d.trained)
        for m, d in zip(modules, dense, strict=True)
    ]
    return network, layers, (activation.phi, slope)


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_layerwise_equals_autograd(name):
    """Two computations of one kernel agree to 1e-12, with x2 and without, and empirical_ntk is the first."""
    network, *_ = drawn(name)
    for second in (None, X2):
        close(layerwise(network, X1, second), by_autograd(network, X1, second))
        assert torch.equal(ntk.empirical_ntk(network, X1, second), layerwise(network, X1, second))


@pytest.mark.parametrize("name", NETWORKS)
def test_both_equal_the_definition_and_the_formula(name):
    """Σ_p ∂f_k ∂f_l, one backward pass at a time, and the sum over layers, a pair at a time: the same [n, m, c, c]."""
    network, layers, (phi, slope) = drawn(name)
    definition = finite.by_definition(network, X1, X2)
    formula = torch.stack([torch.stack([finite.by_layers(layers, phi, slope, x, y) for y in X2]) for x in X1])
    close(formula, definition)
    ours = ntk.empirical_ntk(network, X1, X2)
    close(ours if ours.ndim == 4 else ours[:, :, None, None], definition)


def test_outputs_make_the_last_two_axes():
    """[n, m] for one output, [n, m, c, c] for c; row k, column l is ∂f_k · ∂f_l, not its transpose."""
    network, *_ = drawn("relu, unequal widths, outputs")
    theta = ntk.empirical_ntk(network, X1, X2)
    assert theta.shape == (3, 5, 2, 2)
    assert (theta - theta.transpose(2, 3)).abs().max() > 1e-2  # generic blocks are not symmetric
    torch.testing.assert_close(ntk.empirical_ntk(network, X2, X1), theta.permute(1, 0, 3, 2))
    assert ntk.empirical_ntk(drawn("relu, two layers")[0], X1, X2).shape == (3, 5)


def test_the_reference_network():
    """A network of another program, 5-16-12-3 with its weights: outputs and kernel to 1e-12."""
    stored = references.empirical()
    scales = float(stored["W_std"]), float(stored["b_std"])
    arch = ntk.zoo.mlp(3, sigma_w=scales[0], sigma_b=scales[1])
    network = arch.network(width=(16, 12), like=stored["x1"], out_features=3)
    with torch.no_grad():
        for number, module in enumerate(network[::2]):
            module.weight.copy_(stored[f"W{number}"].T)
            module.bias.copy_(stored[f"b{number}"][0])
    close(network(stored["x1"]).detach(), stored["f1"])
    close(ntk.empirical_ntk(network, stored["x1"], stored["x2"]), stored["ntk12_full"])
    close(ntk.empirical_ntk(network, stored["x1"]), stored["ntk11_full"])
    close(by_autograd(network, stored["x1"], stored["x2"]), stored["ntk12_full"])


def test_the_kernel_follows_the_parameters():
    """It is the kernel of the network as it stands: freeze a parameter or move one, and it changes accordingly."""
    network, *_ = drawn("erf, no bias")
    before = ntk.empirical_ntk(network, X1)
    network[0].weight.requires_grad_(False)
    frozen = ntk.empirical_ntk(network, X1)
    close(frozen, finite.by_definition(network, X1, X1))
    assert not torch.allclose(frozen, before)
    with torch.no_grad():
        network[2].weight.mul_(2.0)
    close(ntk.empirical_ntk(network, X1), finite.by_definition(network, X1, X1))
    assert not ntk.empirical_ntk(network, X1).requires_grad


class Tied(nn.Module):
    """One matrix used twice: gradients add before they are squared, so no sum over layers is right."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(4, 4, dtype=torch.float64)
        self.readout = nn.Linear(4, 2, dtype=torch.float64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.readout(torch.tanh(self.shared(torch.tanh(self.shared(x)))))


def convolutional() -> nn.Module:
    layers = [nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)]
    return nn.Sequential(*layers).double()


@pytest.mark.parametrize(
    "build, shape", [(convolutional, (1, 3, 3)), (Tied, (4,))], ids=["convolution", "tied weights"]
)
def test_any_module_has_a_kernel(build, shape):
    """A convolutional network on images and a network with shared weights: equal to the definition."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build()
    x1, x2 = (
        inputs(3, math.prod(shape), seed=3).reshape(3, *shape),
        inputs(2, math.prod(shape), seed=4).reshape(2, *shape),
    )
    close(ntk.empirical_ntk(network, x1, x2), finite.by_definition(network, x1, x2))
    close(ntk.empirical_ntk(network, x1), finite.by_definition(network, x1, x1))


def test_a_layer_written_twice_in_a_sequence_is_tied():
    """The same Linear object at two places is one set of parameters: the kernel is that of the definition."""
    layer = ntk.Dense(1.2, 0.3).module(4, 4, torch.Generator().manual_seed(0))
    network = nn.Sequential(layer, ntk.relu.module(4, 4, torch.Generator()), layer)
    close(ntk.empirical_ntk(network, X1, X2), finite.by_definition(network, X1, X2))
    with pytest.raises(ShapeError, match="use by_autograd"):
        layerwise(network, X1, X2)


def test_two_layers_that_share_one_matrix_are_tied():
    """Weights shared between two layer objects are one parameter as well, and none is replaced by the computation."""
    square = ntk.zoo.mlp(4, ntk.erf).network(width=5, like=X1)
    square[4].weight = square[2].weight
    before = square[2].weight.detach().clone()
    definition = finite.by_definition(square, X1, X2)[:, :, 0, 0]
    close(ntk.empirical_ntk(square, X1, X2), definition)
    close(by_autograd(square, X1, X2), definition)
    assert torch.equal(square[2].weight, before)
    assert square[4].weight is square[2].weight


def test_float32_stays_float32_and_near():
    """In float32 the kernel is float32 and within 1e-5 of the float64 kernel of the same network."""
    arch = ntk.zoo.mlp(3)
    double = arch.network(width=64, like=X1.float().double(), seed=1)
    single = arch.network(width=64, like=X1.float(), seed=1)
    ours, exact = ntk.empirical_ntk(single, X1.float()), ntk.empirical_ntk(double, X1.float().double())
    assert ours.dtype == torch.float32
    assert (ours.double() - exact).abs().max() <= 1e-5 * exact.abs().max()
