"""Right kernels of several outputs, three ways."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import jacrev, vmap

__all__ = ["all_of_them", "jacobians"]

Parameters = list[Tensor]


def jacobians(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """∂f_k(x_i)/∂θ, [n, c, P]."""

    def outputs(weights: Parameters, biases: Parameters, a: Tensor) -> Tensor:
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            a = weight @ (torch.relu(a) if layer else a) / weight.shape[1] ** 0.5 + sigma_b * bias
        return a

    by_weights, by_biases = vmap(jacrev(outputs, argnums=(0, 1)), (None, None, 0))(weights, biases, x)
    return torch.cat([part.flatten(2) for part in (*by_weights, *by_biases)], dim=2)


def whole_jacobians(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    j1, j2 = (jacobians(weights, biases, x, sigma_b) for x in (x1, x2))
    return torch.einsum("nkp,mlp->nmkl", j1, j2)


def numpy_loops(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> NDArray[np.float64]:
    j1, j2 = (jacobians(weights, biases, x, sigma_b).numpy() for x in (x1, x2))
    theta = np.empty((len(x1), len(x2), j1.shape[1], j1.shape[1]))
    for i, rows in enumerate(j1):
        for j, columns in enumerate(j2):
            theta[i, j] = rows @ columns.T
    return theta


def layer_by_layer(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    def traced(x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        entering, leaving = [x], []
        for weight, bias in zip(weights, biases, strict=True):
            leaving.append(entering[-1] @ weight.T / weight.shape[1] ** 0.5 + sigma_b * bias)
            entering.append(torch.relu(leaving[-1]))
        delta = [torch.eye(weights[-1].shape[0], dtype=x.dtype).repeat(len(x), 1, 1)]  # [n, c, fan_out]
        for layer in range(len(weights) - 1, 0, -1):
            back = delta[0] @ weights[layer] / weights[layer].shape[1] ** 0.5
            delta.insert(0, back * (leaving[layer - 1] > 0)[:, None, :])
        return entering, delta

    (post1, delta1), (post2, delta2) = traced(x1), traced(x2)
    return torch.stack(
        [
            (a @ b.T / a.shape[1] + sigma_b**2)[:, :, None, None] * torch.einsum("nku,mlu->nmkl", d, e)
            for a, b, d, e in zip(post1, post2, delta1, delta2, strict=False)
        ]
    ).sum(0)


def float32(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    weights, biases = [w.float() for w in weights], [b.float() for b in biases]
    return layer_by_layer(weights, biases, x1.float(), x2.float(), sigma_b)


all_of_them = (whole_jacobians, numpy_loops, layer_by_layer, float32)
