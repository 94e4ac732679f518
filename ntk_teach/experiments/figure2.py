"""Figure 2 of Jacot, Gabriel & Hongler: trained networks beside the percentiles of their limiting law."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ntk_teach.experiments.result import Array
from ntk_teach.posterior import limit_law
from ntk_teach.training import train_ensemble
from ntk_teach.zoo import mlp

__all__ = ["ANGLES", "figure2"]

ANGLES = (-2.2, -0.8, 0.6, 1.9)  # of the four training points; the paper does not state its own


def figure2(
    *,
    widths: Sequence[int] = (50, 1000),
    seeds: Sequence[int] = range(10),
    steps: int = 1000,
    points: int = 61,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """f_t on the circle after ``steps`` of gradient descent with lr = 1 on four points, and its law for n → ∞.

    Depth 4, ReLU, β = 0.1, target x₁x₂.

    Args:
        widths, seeds: of the networks; these are the paper's sizes.
        steps: also the time t, since lr = 1.
        points: on the circle.
        device: where the networks are.

    Returns: ``angles`` [points], ``data_angles`` [4], ``y`` [4], ``mean`` and ``deviation`` [points] of the limit at t,
        and for each width w ``f_w`` [seeds, points].

    Cost: seeds · steps passes of 2 · width² · 4 · 6 operations.
    Source: Jacot, Gabriel & Hongler 2018, section 6.2; the law: Lee et al. 2019. Chapter: 06_least_squares_dynamics.
    """
    arch = mlp(4)
    around = torch.linspace(-math.pi, math.pi, points, dtype=torch.float64)
    gamma = torch.tensor(ANGLES, dtype=torch.float64)
    circle, x = (torch.stack([a.cos(), a.sin()], dim=1) for a in (around, gamma))
    y = x.prod(1)
    own, cross = arch.kernel(x), arch.kernel(circle, x)
    law = limit_law(
        y,
        ntk=own.ntk,
        nngp=own.nngp,
        ntk_test=cross.ntk,
        nngp_test=cross.nngp,
        nngp_test_test=arch.nngp(circle),
        t=float(steps),
    )
    found: dict[str, Array] = {
        "angles": around.numpy(),
        "data_angles": gamma.numpy(),
        "y": y.numpy(),
        "mean": law.mean.numpy(),
        "deviation": law.deviation.numpy(),
    }
    for width in widths:
        trained = train_ensemble(
            arch,
            x.to(device),
            y.to(device),
            width=width,
            seeds=list(seeds),
            lr=1.0,
            steps=steps,
            at=(0, steps),
            x_test=circle.to(device),
            parameters_at=(),
        )
        assert trained.f_test is not None
        found[f"f_{width}"] = trained.f_test[:, -1].cpu().numpy()
    return found
