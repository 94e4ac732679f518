"""Inputs on the sphere, where the eigenfunctions of every rotation-invariant kernel are known."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.errors import check_count
from ntk_teach.shapes import Vectors

__all__ = ["sphere"]


def sphere(n: int, dimension: int, *, seed: int = 0) -> Vectors:
    """x_i = g_i/‖g_i‖ with g_i ~ 𝒩(0, I_d): independent and uniform on S^{d−1}.

    Args: n inputs; dimension d, at least 1; seed of the draw.

    Returns: x [n, d] of unit norm, float64.

    Raises: DomainError for n or dimension below 1. Chapter: 07_generalization.
    """
    check_count(n, name="n", where="data.sphere")
    check_count(dimension, name="dimension", where="data.sphere")
    generator = torch.Generator().manual_seed(check_count(seed, name="seed", where="data.sphere", minimum=0))
    g: Tensor = torch.randn(n, dimension, generator=generator, dtype=torch.float64)
    x: Tensor = g / g.norm(dim=1, keepdim=True)
    return x
