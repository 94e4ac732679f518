"""Generic kernels: with negative entries, unequal diagonals, and nothing that is symmetric by accident."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["features", "gram", "normal"]

Generator = np.random.Generator


def normal(rng: Generator, *shape: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=shape))


def features(rng: Generator, n: int, count: int) -> Tensor:
    """``count`` features of n inputs [n, count]; the inputs differ in length, the last looks away from the first."""
    phi = rng.normal(size=(n, count)) * np.exp(rng.uniform(-0.5, 0.5, size=(n, 1)))
    if n > 2:
        phi[-1] = 0.5 * phi[-1] - rng.uniform(0.5, 0.8) * phi[0]
    return torch.from_numpy(phi / count**0.5)


def gram(rng: Generator, n: int, *, scale: float = 1.0) -> Tensor:
    """A positive-definite kernel between n inputs [n, n]."""
    phi = features(rng, n, n + 3)
    return scale * (phi @ phi.T)
