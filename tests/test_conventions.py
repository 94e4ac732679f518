"""What the page on notation fixes, held to by numbers that do not come from the code under test."""

import math

import pytest
import torch

import ntk_teach as ntk

X = torch.tensor([[1.0, -0.4, 0.3], [0.2, 0.9, -1.1], [-0.7, 0.5, 0.8]], dtype=torch.float64)


def test_first_layer_covariance_divides_by_the_number_of_inputs() -> None:
    """Σ⁽¹⁾(x, x') = σ_w² x·x'/n₀ + σ_b²."""
    rows = X.tolist()
    expected = [[1.3**2 * sum(u[i] * v[i] for i in range(3)) / 3 + 0.2**2 for v in rows] for u in rows]
    got = ntk.serial(ntk.Dense(1.3, 0.2)).nngp(X)
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=0)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_depth_counts_weight_layers(depth: int) -> None:
    """A network of depth L has L weight matrices, and its last one is linear."""
    network = ntk.zoo.mlp(depth).network(width=3, like=X)
    assert sum(name.endswith("weight") for name, _ in network.named_parameters()) == depth
    assert isinstance(network[-1], ntk.nn.Linear)


def test_parameters_are_standard_normal_and_scales_stand_in_forward() -> None:
    """Var W = 1 whatever σ_w and the fan-in; the output scales with σ_w."""
    drawn = {
        sigma_w: ntk.serial(ntk.Dense(sigma_w)).network(width=1, like=X, out_features=20_000, seed=3)
        for sigma_w in (1.0, 7.0)
    }
    weights = drawn[7.0][0].weight
    standard_error = math.sqrt(2 / weights.numel())
    assert abs(weights.var().item() - 1) < 5 * standard_error
    torch.testing.assert_close(drawn[7.0](X), 7 * drawn[1.0](X))


def test_rates_are_eigenvalues_over_n() -> None:
    """One step of size lr on C = 1/(2N) Σ‖f − y‖² of a linear model shrinks mode i by exactly 1 − lr λ_i/N."""
    y = torch.tensor([0.3, -1.0, 0.6], dtype=torch.float64)
    network = ntk.serial(ntk.Dense(1.0, 0.5)).network(width=1, like=X, seed=0)
    kernel = ntk.empirical_ntk(network, X)
    before = network(X)[:, 0].detach() - y
    cost = ntk.gradient_descent(network, X, y, lr=0.7, steps=1)
    after = network(X)[:, 0].detach() - y
    torch.testing.assert_close(after, before - 0.7 * kernel @ before / 3, rtol=1e-12, atol=1e-14)
    assert cost[0].item() == pytest.approx(before.square().sum().item() / 6, rel=1e-14)


def test_jacot_convention_is_sigma_w_one() -> None:
    """Θ⁴(x₀, x₀) of ReLU with β = 0.1 is 0.2825; with He's √2 in the hidden layers 2.10, in all layers 4.10."""
    x0 = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    he = ntk.Dense(math.sqrt(2), 0.1)
    hidden = ntk.serial(ntk.Dense(1.0, 0.1), *[layer for _ in range(3) for layer in (ntk.relu, he)])
    assert ntk.zoo.mlp(4).ntk(x0).item() == pytest.approx(0.2825, abs=1e-12)
    assert hidden.ntk(x0).item() == pytest.approx(2.10, abs=1e-12)
    assert ntk.zoo.mlp(4, sigma_w=math.sqrt(2)).ntk(x0).item() == pytest.approx(4.10, abs=1e-12)


def test_arora_convention() -> None:
    """Σ ← 2 E[φφ], Θ ← 2 E[φ̇φ̇] Θ + Σ from Σ = Θ = x·x' is Dense(√n₀), φ, Dense(√2), φ, Dense(√2)."""
    sigma = theta = X @ X.T
    for _ in range(2):
        norm = sigma.diagonal().sqrt()
        rho = (sigma / norm[:, None] / norm).clamp(-1, 1)
        opening = math.pi - torch.arccos(rho)
        sigma = norm[:, None] * norm * (torch.sqrt(1 - rho**2) + opening * rho) / math.pi
        theta = theta * opening / math.pi + sigma
    later = ntk.Dense(math.sqrt(2))
    ours = ntk.serial(ntk.Dense(math.sqrt(3)), ntk.relu, later, ntk.relu, later).ntk(X)
    off_diagonal = ~torch.eye(3, dtype=torch.bool)
    torch.testing.assert_close(ours[off_diagonal], theta[off_diagonal], rtol=1e-12, atol=0)


def test_limit_multiplies_the_identity_of_the_outputs() -> None:
    """With several outputs the empirical kernel tends to Θ∞ ⊗ Id: off-diagonal blocks vanish like 1/√width."""
    arch = ntk.zoo.mlp(3)
    off = [
        torch.stack(
            [
                ntk.empirical_ntk(arch.network(width=width, like=X, out_features=2, seed=s), X)[..., 0, 1].norm()
                for s in range(40)
            ]
        )
        .square()
        .mean()
        .sqrt()
        for width in (32, 512)
    ]
    assert off[0] / off[1] == pytest.approx(4.0, rel=0.4)
