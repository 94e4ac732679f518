"""Right shares of the layers."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu

__all__ = ["all_of_them", "ingredients"]


def ingredients(x: Tensor, depth: int, sigma_b: float) -> tuple[list[Tensor], list[Tensor]]:
    """Σ of depths 1 … L, and Σ̇ of depths 2 … L."""
    sigma, slopes = [x @ x.T / x.shape[1] + sigma_b**2], []
    for _ in range(depth - 1):
        variance = sigma[-1].diagonal()
        dual = relu.dual(sigma[-1], variance[:, None], variance[None, :])
        sigma.append(dual.value + sigma_b**2)
        slopes.append(dual.slope)
    return sigma, slopes


def products_of_later_slopes(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    sigma, slopes = ingredients(x, depth, sigma_b)
    return torch.stack([math.prod(slopes[layer:], start=own) for layer, own in enumerate(sigma)])


def carried_in_place(x: Tensor, depth: int, sigma_b: float) -> NDArray[np.float64]:
    """One pass: whatever is already there goes through the new layer, then the new share joins."""
    sigma, slopes = ingredients(x, depth, sigma_b)
    shares = np.zeros((depth, len(x), len(x)))
    for layer in range(depth):
        if layer:
            shares[:layer] *= slopes[layer - 1].numpy()
        shares[layer] = sigma[layer].numpy()
    return shares


def list_of_tensors(x: Tensor, depth: int, sigma_b: float) -> list[Tensor]:
    return list(products_of_later_slopes(x, depth, sigma_b))


def float32(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    return products_of_later_slopes(x.float(), depth, sigma_b)


all_of_them = (products_of_later_slopes, carried_in_place, list_of_tensors, float32)
