"""Right shares of the layers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under

__all__ = ["all_of_them", "ingredients", "products_of_later_slopes"]


def ingredients(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> tuple[list[Tensor], list[Tensor]]:
    """Σ of every layer, and Σ̇ of every layer but the first."""
    c = convention.hidden_variance
    sigma, slopes = [convention.variance(0, x.shape[1]) * (x @ x.T) + sigma_b**2], []
    for _ in range(convention.weight_layers(depth) - 1):
        variance = sigma[-1].diagonal()
        dual = relu.dual(sigma[-1], variance[:, None], variance[None, :])
        sigma.append(c * dual.value + sigma_b**2)
        slopes.append(c * dual.slope)
    return sigma, slopes


def products_of_later_slopes(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    return torch.stack([math.prod(slopes[layer:], start=own) for layer, own in enumerate(sigma)])


def carried_in_place(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> NDArray[np.float64]:
    """One pass: whatever is already there goes through the new layer, then the new share joins."""
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    shares = np.zeros((len(sigma), len(x), len(x)))
    for layer in range(len(sigma)):
        if layer:
            shares[:layer] *= slopes[layer - 1].numpy()
        shares[layer] = sigma[layer].numpy()
    return shares


def list_of_tensors(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> list[Tensor]:
    return list(products_of_later_slopes(x, depth, sigma_b, convention=convention))


def float32(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    return products_of_later_slopes(x.float(), depth, sigma_b, convention=convention)


def all_of_them(convention: Convention) -> tuple[Callable[..., object], ...]:
    ways: tuple[Callable[..., object], ...] = (products_of_later_slopes, carried_in_place, list_of_tensors, float32)
    return tuple(under(convention, way) for way in ways)
