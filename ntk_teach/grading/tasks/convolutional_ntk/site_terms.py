"""Task 09.2: the tangent kernel through a ReLU and a convolution, and its two parts."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.kernel import Dual

__all__ = ["dual", "patch_mean", "reference"]


def patch_mean(m: Tensor, window: int) -> Tensor:
    """1/q Σ_a m(i + a, j + a), for windows that fit. [p − q + 1, p − q + 1]"""
    left = len(m) - window + 1
    return sum((m[a : a + left, a : a + left] for a in range(window)), torch.zeros(left, left, dtype=m.dtype)) / window


def dual(sigma: Tensor, var1: Tensor, var2: Tensor) -> Dual:
    return relu.dual(sigma, var1[:, None], var2[None, :])


def reference(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    value, slope = dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean(value + theta * slope, window) + sigma_b**2
