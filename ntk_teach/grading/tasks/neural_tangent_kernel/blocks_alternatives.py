"""Right kernels of several outputs, three ways."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import jacrev, vmap

from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.question import Parameters, Question, answers

__all__ = ["all_of_them", "by_layer", "layer_by_layer", "summed"]


def jacobians(asked: Question, x: Tensor) -> Tensor:
    """∂f_k(x_i)/∂θ, [n, c, P]."""

    def outputs(weights: Parameters, biases: Parameters, a: Tensor) -> Tensor:
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            a = asked.scale(layer) * (weight @ (torch.relu(a) if layer else a)) + asked.sigma_b * bias
        return a

    by_weights, by_biases = vmap(jacrev(outputs, argnums=(0, 1)), (None, None, 0))(asked.weights, asked.biases, x)
    return torch.cat([part.flatten(2) for part in (*by_weights, *by_biases)], dim=2)


@answers
def whole_jacobians(asked: Question) -> Tensor:
    return torch.einsum("nkp,mlp->nmkl", jacobians(asked, asked.x1), jacobians(asked, asked.x2))


@answers
def numpy_loops(asked: Question) -> NDArray[np.float64]:
    j1, j2 = (jacobians(asked, x).numpy() for x in (asked.x1, asked.x2))
    theta = np.empty((len(asked.x1), len(asked.x2), j1.shape[1], j1.shape[1]))
    for i, rows in enumerate(j1):
        for j, columns in enumerate(j2):
            theta[i, j] = rows @ columns.T
    return theta


def summed(asked: Question) -> Tensor:
    """The sum over layers, [n, m, c, c]."""
    return by_layer(asked).sum(0)


def by_layer(asked: Question, *, bias: Callable[[float], float] = lambda s: s**2) -> Tensor:
    """What each layer adds, [layers, n, m, c, c]."""

    def traced(x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        entering, leaving = [x], []
        for layer, (weight, bias) in enumerate(zip(asked.weights, asked.biases, strict=True)):
            leaving.append(asked.scale(layer) * (entering[-1] @ weight.T) + asked.sigma_b * bias)
            entering.append(torch.relu(leaving[-1]))
        delta = [torch.eye(asked.weights[-1].shape[0], dtype=x.dtype).repeat(len(x), 1, 1)]  # [n, c, fan_out]
        for layer in range(len(asked.weights) - 1, 0, -1):
            back = asked.scale(layer) * (delta[0] @ asked.weights[layer])
            delta.insert(0, back * (leaving[layer - 1] > 0)[:, None, :])
        return entering, delta

    (post1, delta1), (post2, delta2) = traced(asked.x1), traced(asked.x2)
    layers = enumerate(zip(post1, post2, delta1, delta2, strict=False))
    return torch.stack(
        [
            (asked.variance(layer) * (a @ b.T) + bias(asked.sigma_b))[:, :, None, None]
            * torch.einsum("nku,mlu->nmkl", d, e)
            for layer, (a, b, d, e) in layers
        ]
    )


layer_by_layer = answers(summed)


@answers
def float32(asked: Question) -> Tensor:
    weights, biases = ([p.float() for p in part] for part in (asked.weights, asked.biases))
    return summed(asked._replace(weights=weights, biases=biases, x1=asked.x1.float(), x2=asked.x2.float()))


def all_of_them(convention: Convention) -> tuple[Callable[..., object], ...]:
    return tuple(under(convention, way) for way in (whole_jacobians, numpy_loops, layer_by_layer, float32))
