"""Right answers that look different."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu

__all__ = ["all_of_them"]


def with_the_library_dual(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    sigma = x @ x.T / x.shape[1] + sigma_b**2
    theta = sigma
    for _ in range(depth - 1):
        variance = sigma.diagonal()
        value, slope = relu.dual(sigma, variance[:, None], variance[None, :])
        sigma = value + sigma_b**2
        theta = theta * slope + sigma
    return theta


def numpy_loops(x: Tensor, depth: int, sigma_b: float) -> NDArray[np.float64]:
    points = x.numpy()
    theta = np.zeros((len(points), len(points)))
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            one, two, both = (u @ v / len(a) + sigma_b**2 for u, v in ((a, a), (b, b), (a, b)))
            theta[i, j] = both
            for _ in range(depth - 1):
                angle = np.arccos(np.clip(both / np.sqrt(one * two), -1, 1))
                value = np.sqrt(one * two) / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
                one, two, both = one / 2 + sigma_b**2, two / 2 + sigma_b**2, value + sigma_b**2
                theta[i, j] = theta[i, j] * (np.pi - angle) / (2 * np.pi) + both
    return theta


def float32(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    return with_the_library_dual(x.float(), depth, sigma_b)


def closed_form_in_float32(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """arccos near 1 keeps half of the digits: what the tolerance of float32 is for."""
    x = x.float()
    sigma = x @ x.T / x.shape[1] + sigma_b**2
    theta = sigma
    for _ in range(depth - 1):
        deviation = sigma.diagonal().sqrt()
        root = torch.outer(deviation, deviation)
        angle = torch.arccos((sigma / root).clamp(-1, 1))
        sigma = root / (2 * torch.pi) * (angle.sin() + (torch.pi - angle) * angle.cos()) + sigma_b**2
        theta = theta * (torch.pi - angle) / (2 * torch.pi) + sigma
    return theta


def nested_lists(x: Tensor, depth: int, sigma_b: float) -> object:
    return with_the_library_dual(x.requires_grad_(), depth, sigma_b).tolist()


all_of_them = (with_the_library_dual, numpy_loops, float32, closed_form_in_float32, nested_lists)
