"""The finite reading of an architecture: what is drawn, and its law over draws."""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk


def hidden_widths(network) -> list[int]:
    return [module.fan_out for module in network if hasattr(module, "fan_out")][:-1]


def test_widths_and_outputs_are_as_asked():
    """One number is every hidden width, a sequence one each; outputs are [n, out_features] in the dtype of ``like``."""
    x = inputs(4, 3)
    arch = ntk.zoo.mlp(4)
    assert hidden_widths(arch.network(width=7, like=x)) == [7, 7, 7]
    network = arch.network(width=(5, 6, 7), like=x, out_features=2)
    assert hidden_widths(network) == [5, 6, 7]
    assert network(x).shape == (4, 2)
    assert arch.network(width=3, like=x.float())(x.float()).dtype == torch.float32
    assert ntk.zoo.mlp(1).network(width=9, like=x)(x).shape == (4, 1)


def test_a_network_computes_the_formula():
    """f(x) = σ_w/√n₁ W² φ(σ_w/√n₀ W¹ x + σ_b b¹) + σ_b b², layers in their order."""
    x = inputs(4, 3)
    network = ntk.zoo.mlp(2, sigma_w=1.3, sigma_b=0.2).network(width=5, like=x, seed=1)
    first, second = network[0], network[2]
    post = torch.relu(1.3 / math.sqrt(3) * x @ first.weight.T + 0.2 * first.bias)
    expected = 1.3 / math.sqrt(5) * post @ second.weight.T + 0.2 * second.bias
    torch.testing.assert_close(network(x), expected, rtol=1e-13, atol=1e-14)


def test_one_seed_is_one_network():
    """A seed fixes the network in every dtype; other seeds are other networks; the global generator is left alone."""
    x, arch, state = inputs(4, 3), ntk.zoo.mlp(3), torch.get_rng_state()
    weights = [arch.network(width=6, like=x, seed=seed)[2].weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    single = arch.network(width=6, like=x.float(), seed=0)[2].weight
    assert torch.equal(single, weights[0].float())
    assert torch.equal(torch.get_rng_state(), state)


def test_no_two_layers_share_their_draws():
    """All parameters of a network come from one stream: layers of equal shape differ."""
    network = ntk.zoo.mlp(4).network(width=6, like=inputs(2, 6))
    weights = [module.weight for module in network if hasattr(module, "weight")][:3]
    assert all(not torch.equal(a, b) for i, a in enumerate(weights) for b in weights[i + 1 :])


def test_frozen_layers_stay_frozen():
    """trained=False reaches the parameters of the network."""
    arch = ntk.serial(ntk.Dense(1.0, 0.1, trained=False), ntk.relu, ntk.Dense(1.0, 0.1))
    network = arch.network(width=4, like=inputs(2, 3))
    assert [p.requires_grad for p in network.parameters()] == [False, False, True, True]


def five_errors(samples: torch.Tensor) -> torch.Tensor:
    """Five standard errors of the mean over the first axis."""
    return 5 * samples.std(0) / math.sqrt(len(samples))


def drawn(arch, x, width: int, outputs: int, draws: int) -> list:
    return [arch.network(width=width, like=x, out_features=outputs, seed=seed) for seed in range(draws)]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("activation", [ntk.relu, ntk.erf], ids=repr)
def test_with_one_hidden_layer_both_kernels_are_means_at_every_width(activation):
    """L = 2: E[f(x) f(x')] = Σ(x, x') and E[Θ_n(x, x')] = Θ(x, x') hold at width 8 already, so here the mean
    over draws must meet the limit within five standard errors, with no bias in width to excuse it."""
    x = inputs(4, 3, seed=1)
    arch = ntk.zoo.mlp(2, activation, sigma_w=1.3, sigma_b=0.4)
    networks = drawn(arch, x, width=8, outputs=32, draws=400)
    f = torch.stack([network(x).detach() for network in networks])  # [draws, n, c]
    outer = torch.einsum("snk,smk->snm", f, f) / 32
    tangent = torch.stack([ntk.empirical_ntk(network, x).diagonal(dim1=2, dim2=3).mean(-1) for network in networks])
    for samples, expected in ((outer, arch.nngp(x)), (tangent, arch.ntk(x))):
        size = expected.diagonal().sqrt()
        assert ((samples.mean(0) - expected).abs() <= five_errors(samples)).all()
        assert (five_errors(samples) <= 0.3 * size[:, None] * size).all()  # tight enough to mean something


@pytest.mark.usefixtures("unchecked")
def test_the_law_of_relu_outputs_is_known_at_every_depth_and_width():
    """For ReLU E[φ(u)²] is linear in the variance, so E[f(x)²] = Σ(x, x) at depth 4 and width 16 without bias; and
    E[f⁴] = 3 m₂ with m₂' = σ_b⁴ + σ_b² m₁ + m₂/4 + (5/4) m₂/n, from Var(relu(u)²) = (5/4) q² given q."""
    x, n, sigma_b = torch.tensor([[1.0, 0.0]], dtype=torch.float64), 16, 0.1
    arch = ntk.zoo.mlp(4, sigma_b=sigma_b)
    m1 = 0.5 + sigma_b**2
    m2 = m1**2
    for _ in range(3):
        m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + sigma_b**2 * m1 + m2 / 4 + 1.25 * m2 / n
    assert float(arch.nngp(x)) == pytest.approx(m1, rel=1e-14)
    f = torch.stack([network(x).detach()[0] for network in drawn(arch, x, n, outputs=64, draws=1500)])  # [draws, c]
    for power, expected in ((2, m1), (4, 3 * m2)):
        samples = f.pow(power).mean(1)
        assert abs(float(samples.mean()) - expected) <= float(five_errors(samples)) <= 0.4 * expected


@pytest.mark.usefixtures("unchecked")
def test_outputs_of_one_network_are_uncorrelated():
    """Several outputs are independent in the limit; their product has mean 0 within five standard errors."""
    x = inputs(1, 3, seed=2)
    f = torch.cat([network(x).detach() for network in drawn(ntk.zoo.mlp(3), x, width=32, outputs=32, draws=200)])
    products = (f[:, ::2] * f[:, 1::2]).mean(1)
    assert abs(float(products.mean())) <= float(five_errors(products)) <= 0.3 * float(f.square().mean())
