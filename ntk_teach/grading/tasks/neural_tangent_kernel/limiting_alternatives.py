"""Right answers that look different."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under

__all__ = ["all_of_them"]


def with_the_library_dual(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    c = convention.hidden_variance
    sigma = convention.variance(0, x.shape[1]) * x @ x.T + sigma_b**2
    theta = sigma
    for _ in range(convention.weight_layers(depth) - 1):
        variance = sigma.diagonal()
        value, slope = relu.dual(sigma, variance[:, None], variance[None, :])
        sigma = c * value + sigma_b**2
        theta = theta * c * slope + sigma
    return theta


def numpy_loops(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> NDArray[np.float64]:
    points, c = x.numpy(), convention.hidden_variance
    first, steps = convention.variance(0, x.shape[1]), convention.weight_layers(depth) - 1
    theta = np.zeros((len(points), len(points)))
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            one, two, both = (first * (u @ v) + sigma_b**2 for u, v in ((a, a), (b, b), (a, b)))
            theta[i, j] = both
            for _ in range(steps):
                angle = np.arccos(np.clip(both / np.sqrt(one * two), -1, 1))
                value = np.sqrt(one * two) / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
                one, two, both = c * one / 2 + sigma_b**2, c * two / 2 + sigma_b**2, c * value + sigma_b**2
                theta[i, j] = theta[i, j] * c * (np.pi - angle) / (2 * np.pi) + both
    return theta


def float32(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    return with_the_library_dual(x.float(), depth, sigma_b, convention=convention)


def closed_form_in_float32(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """arccos near 1 keeps half of the digits: what the tolerance of float32 is for."""
    x, c = x.float(), convention.hidden_variance
    sigma = convention.variance(0, x.shape[1]) * x @ x.T + sigma_b**2
    theta = sigma
    for _ in range(convention.weight_layers(depth) - 1):
        deviation = sigma.diagonal().sqrt()
        root = torch.outer(deviation, deviation)
        angle = torch.arccos((sigma / root).clamp(-1, 1))
        sigma = c * root / (2 * torch.pi) * (angle.sin() + (torch.pi - angle) * angle.cos()) + sigma_b**2
        theta = theta * c * (torch.pi - angle) / (2 * torch.pi) + sigma
    return theta


def nested_lists(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> object:
    return with_the_library_dual(x.requires_grad_(), depth, sigma_b, convention=convention).tolist()


def all_of_them(convention: Convention) -> tuple[Callable[..., object], ...]:
    torch_ways = (with_the_library_dual, float32, closed_form_in_float32)
    return tuple(under(convention, way) for way in (*torch_ways, numpy_loops, nested_lists))
