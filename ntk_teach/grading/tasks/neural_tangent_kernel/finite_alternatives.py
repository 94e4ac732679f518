"""Right answers that look different."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.question import Question, answers

__all__ = ["all_of_them"]


@answers
def autograd_rows(asked: Question) -> Tensor:
    """Whole gradients, one input at a time, and their inner products."""
    for parameter in (*asked.weights, *asked.biases):
        parameter.requires_grad_()

    def gradient(x: Tensor) -> Tensor:
        for layer, (weight, bias) in enumerate(zip(asked.weights, asked.biases, strict=True)):
            x = asked.scale(layer) * (weight @ (torch.relu(x) if layer else x)) + asked.sigma_b * bias
        return torch.cat([g.flatten() for g in torch.autograd.grad(x[0], [*asked.weights, *asked.biases])])

    return torch.stack([gradient(x) for x in asked.x1]) @ torch.stack([gradient(x) for x in asked.x2]).T


@answers
def numpy_layers(asked: Question) -> NDArray[np.float64]:
    """The sum over layers, from the last to the first, on both batches at once."""
    matrices = [asked.scale(layer) * weight.numpy() for layer, weight in enumerate(asked.weights)]
    units = [np.vstack([asked.x1.numpy(), asked.x2.numpy()])]
    for matrix, bias in zip(matrices, asked.biases, strict=True):
        entering = units[-1] if len(units) == 1 else np.maximum(units[-1], 0)
        units.append(entering @ matrix.T + asked.sigma_b * bias.numpy())
    delta, total = np.ones_like(units[-1]), np.zeros((len(units[0]),) * 2)
    for layer in reversed(range(len(matrices))):
        entering = units[layer] if layer == 0 else np.maximum(units[layer], 0)
        total += (asked.variance(layer) * (entering @ entering.T) + asked.sigma_b**2) * (delta @ delta.T)
        delta = (delta @ matrices[layer]) * (units[layer] > 0)
    return total[: len(asked.x1), len(asked.x1) :]


@answers
def float32(asked: Question) -> object:
    weights, biases = ([p.float() for p in part] for part in (asked.weights, asked.biases))
    single = (weights, biases, asked.x1.float(), asked.x2.float(), asked.sigma_b)
    return autograd_rows(*single, convention=asked.convention)


def all_of_them(convention: Convention) -> tuple[Callable[..., object], ...]:
    return tuple(under(convention, way) for way in (autograd_rows, numpy_layers, float32))
