"""Right answers that look different."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

__all__ = ["WAYS"]


def outputs_first(k: Tensor) -> float:
    """The pairs (output, input) in the other order: the same matrix up to a permutation, so the same eigenvalues."""
    n, c = k.shape[0], k.shape[2]
    matrix = k.permute(2, 0, 3, 1).reshape(n * c, n * c)
    return 2 * n / float(torch.linalg.eigvalsh(matrix).max())


def spectral_norm(k: Tensor) -> np.float64:
    n, c = k.shape[0], k.shape[2]
    return np.float64(2 * n / np.linalg.norm(k.numpy().transpose(0, 2, 1, 3).reshape(n * c, n * c), 2))


def power_iteration(k: Tensor) -> Tensor:
    """Apply the kernel to a function 2¹⁴ times: the fastest mode outgrows all others."""
    n, c = k.shape[0], k.shape[2]
    matrix = k.permute(0, 2, 1, 3).reshape(n * c, n * c)
    power = matrix
    for _ in range(14):
        power = power / power.norm()
        power = power @ power
    d = power @ torch.linspace(0.3, 1.7, n * c, dtype=k.dtype)
    return 2 * n * (d @ d) / (d @ matrix @ d)


def float32(k: Tensor) -> Tensor:
    return power_iteration(k.float())


WAYS: tuple[Callable[..., object], ...] = (outputs_first, spectral_norm, power_iteration, float32)
