"""Random kernels and spectra of which no entry is special, and what is solved with them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["gram", "inverse", "solve", "spectrum", "targets"]


def gram(rng: np.random.Generator, n: int) -> Tensor:
    """A well-conditioned Gram matrix [n, n]: an uneven diagonal, entries of both signs, no unit trace."""
    features = rng.normal(size=(n, n + 3)) * rng.uniform(0.6, 1.6, size=(n, 1))
    return torch.from_numpy(features @ features.T / (n + 3) + 0.3 * np.eye(n))


def targets(rng: np.random.Generator, *shape: int) -> Tensor:
    """Targets of both signs whose mean is not 0."""
    return torch.from_numpy(rng.normal(size=shape) + 0.4)


def spectrum(rng: np.random.Generator, modes: int) -> tuple[Tensor, Tensor]:
    """Eigenvalues that fall like a power of their number, and the target's power in each mode. [modes] each"""
    index = 1 + np.arange(modes)
    eigenvalues = rng.uniform(0.5, 3.0) * index ** -rng.uniform(1.1, 1.6) * rng.uniform(0.8, 1.2, modes)
    power = rng.uniform(0.5, 2.0, modes) * index**-0.8
    return torch.from_numpy(eigenvalues), torch.from_numpy(power)


def solve(k: Tensor, y: Tensor) -> Tensor:
    """K⁻¹y."""
    solution: Tensor = torch.linalg.solve(k, y)
    return solution


def inverse(k: Tensor) -> Tensor:
    """K⁻¹."""
    inverted: Tensor = torch.linalg.inv(k)
    return inverted
