"""The same steps twice: on the tangent, in closed form, and on the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach.diagnosis.data import WHERE
from ntk_teach.dynamics import gradient_descent
from ntk_teach.errors import DomainError, sentence

__all__ = ["forecast", "trained"]

BLOWN = 1e3  # a cost that has grown by this factor is not on its way anywhere


def forecast(
    rates: Tensor, modes: Tensor, residual: Tensor, lr: float, steps: int, inputs: int
) -> tuple[Tensor, Tensor]:
    """Costs of the tangent, [steps + 1], and its last residual: (1 − lr λ)^k in each mode of Θ₀/N.

    Args: rates [n·c]; modes, orthonormal columns [n·c, n·c]; residual f₀ − y [n·c]; inputs, N.
    """
    left, costs = modes.T @ residual, []
    for _ in range(steps):
        costs.append(left.square().sum())
        left = (1 - lr * rates) * left
    costs.append(left.square().sum())
    return torch.stack(costs) / (2 * inputs), modes @ left


def trained(network: nn.Module, x: Tensor, y: Tensor, lr: float, steps: int, rate: float) -> Tensor:
    """Trains the network in place; its costs, [steps + 1]."""
    try:
        costs = gradient_descent(network, x, y, lr=lr, steps=steps)
        blown = not bool(costs[-1] <= BLOWN * costs[0])
        received = f"{float(costs[-1]):.3g} after {steps} steps, from {float(costs[0]):.3g}"
    except DomainError:
        blown, received = True, f"NaN or ∞ within {steps} steps"
    if blown:
        expected = f"a cost that does not blow up at {rate:g} of the critical step size, where the tangent's falls"
        raise DomainError(
            sentence(WHERE, expected, received, "the network is not lazy at this rate; choose a smaller one")
        )
    return costs
