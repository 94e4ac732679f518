"""Figure 1 of Jacot, Gabriel & Hongler: the kernel on the circle, before training and after."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from ntk_teach.architecture import Architecture
from ntk_teach.data.plane import gaussian
from ntk_teach.dynamics import gradient_descent
from ntk_teach.empirical import empirical_ntk
from ntk_teach.experiments.result import Array
from ntk_teach.zoo import mlp

__all__ = ["figure1"]


def figure1(
    *,
    widths: Sequence[int] = (128, 1024),
    seeds: Sequence[int] = range(100, 110),
    inputs: int = 32,
    steps: int = 200,
    points: int = 121,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """Θ(x₀, x(γ)) for several networks of each width, at t = 0 and after ``steps`` of gradient descent with lr = 1.

    Depth 4, ReLU, β = 0.1; training on y = x₁x₂ at Gaussian inputs. Training in float32.

    Args:
        widths, seeds: of the networks; the paper has 500 and 10 000 and ten initializations.
        inputs: size of the training set, which the paper does not state.
        steps: also the time t, since lr = 1.
        points: on the circle.
        device: where the networks are.

    Returns: ``angles`` [points], ``limit`` [points], and for each width w ``before_w`` and ``after_w`` [seeds, points],
        ``cost_w`` [seeds, steps + 1].

    Cost: seeds · steps passes of 2 · width² · inputs · 6 operations; memory 2 · width² · 4 bytes for one network.
    Source: Jacot, Gabriel & Hongler 2018, section 6.1. Chapter: 05_neural_tangent_kernel.
    """
    arch: Architecture = mlp(4)
    angle = torch.linspace(-math.pi, math.pi, points, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    x0 = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found: dict[str, Array] = {"angles": angle.numpy(), "limit": arch.ntk(x0, circle)[0].numpy()}
    x, y = (part.float().to(device) for part in gaussian(inputs, seed=0))
    start, around = (part.float().to(device) for part in (x0, circle))
    for width in widths:
        before, after, cost = [], [], []
        for seed in seeds:
            network = arch.network(width=width, like=x, seed=seed)
            before.append(empirical_ntk(network, start, around)[0].cpu().numpy())
            cost.append(gradient_descent(network, x, y, lr=1.0, steps=steps).cpu().numpy())
            after.append(empirical_ntk(network, start, around)[0].cpu().numpy())
        found |= {
            f"before_{width}": np.stack(before),
            f"after_{width}": np.stack(after),
            f"cost_{width}": np.stack(cost),
        }
    return found
