"""Inputs in the plane with the target x₁x₂, as in the paper's experiments."""

from __future__ import annotations

import math

import torch

from ntk_teach.errors import check_count, check_scale
from ntk_teach.shapes import Labels, Vectors

__all__ = ["circle", "gaussian"]


def circle(n: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Vectors, Labels]:
    """x_i = (cos γ_i, sin γ_i) with γ_i = −π + 2π i/n, and y = x₁x₂ + noise · 𝒩(0, 1).

    Args: n inputs; standard deviation of the noise; seed of the noise.

    Returns: x [n, 2] and y [n] in float64. Angles: ``torch.atan2(x[:, 1], x[:, 0])``.

    Source: Jacot, Gabriel & Hongler 2018, sections 6.1 and 6.2. Chapter: 05_neural_tangent_kernel.
    """
    check_count(n, name="n", where="data.circle")
    check_scale(noise, name="noise", where="data.circle")
    angle = 2 * math.pi / n * torch.arange(n, dtype=torch.float64) - math.pi
    x = torch.stack([angle.cos(), angle.sin()], dim=1)
    generator = torch.Generator().manual_seed(seed)
    return x, x.prod(1) + noise * torch.randn(n, generator=generator, dtype=torch.float64)


def gaussian(n: int, *, seed: int = 0) -> tuple[Vectors, Labels]:
    """x_i ~ 𝒩(0, I₂) and y = x₁x₂, the training set of the paper's Figure 1.

    Returns: x [n, 2] and y [n] in float64.

    Source: Jacot, Gabriel & Hongler 2018, section 6.1 (n is not stated there). Chapter: 05_neural_tangent_kernel.
    """
    check_count(n, name="n", where="data.gaussian")
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x, x.prod(1)
