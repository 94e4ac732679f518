"""Wrong kernels of several outputs: most lose an axis, or the meaning of one."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.blocks_alternatives import layer_by_layer

__all__ = ["all_of_them"]

Parameters = list[Tensor]


def sum_of_outputs(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You differentiated the sum of the outputs: that adds up all entries of each block. Each output has a gradient
    of its own.
    """
    return layer_by_layer(weights, biases, x1, x2, sigma_b).sum((2, 3))


def trace(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You added up the outputs, a trace over k: a block needs every pair (k, k')."""
    return layer_by_layer(weights, biases, x1, x2, sigma_b).diagonal(dim1=2, dim2=3).sum(-1)


def mean_of_outputs(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You averaged over the outputs: a block needs every pair (k, k')."""
    return layer_by_layer(weights, biases, x1, x2, sigma_b).diagonal(dim1=2, dim2=3).mean(-1)


def equal_outputs_only(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You left the entries k ≠ k' at zero: that is true in the limit only; in a finite network two outputs share
    their hidden layers.
    """
    theta = layer_by_layer(weights, biases, x1, x2, sigma_b)
    return theta * torch.eye(theta.shape[-1], dtype=theta.dtype)


def first_output_repeated(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You repeated the kernel of the first output on the diagonal: that is the limit Θ ⊗ Id, not this network."""
    theta = layer_by_layer(weights, biases, x1, x2, sigma_b)
    return theta[:, :, :1, :1] * torch.eye(theta.shape[-1], dtype=theta.dtype)


def blocks_transposed(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The blocks are transposed: k belongs to the first input, k' to the second."""
    return layer_by_layer(weights, biases, x1, x2, sigma_b).transpose(2, 3)


def outputs_first(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The axes of the outputs stand first: [c, c, n, m] where [n, m, c, c] is asked."""
    return layer_by_layer(weights, biases, x1, x2, sigma_b).permute(2, 3, 0, 1)


def flat_gram(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You returned the flat matrix [n·c, m·c]: the numbers are there, the four axes are not."""
    c = len(biases[-1])
    theta = layer_by_layer(weights, biases, x1, x2, sigma_b)
    return theta.permute(0, 2, 1, 3).reshape(len(x1) * c, len(x2) * c)


def gram_reshaped(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """A reshape of [n·c, m·c] does not give [n, m, c, c]: the axes are (n, c, m, c) there and need to be moved."""
    c = len(biases[-1])
    return flat_gram(weights, biases, x1, x2, sigma_b).reshape(len(x1), len(x2), c, c)


def last_axes_dropped(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """With one output the result lost its two last axes: keep [n, m, 1, 1], so that one formula serves all."""
    theta = layer_by_layer(weights, biases, x1, x2, sigma_b)
    return theta[:, :, 0, 0] if theta.shape[-1] == 1 else theta


def outputs_paired_with_themselves(
    weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float
) -> Tensor:
    """You paired each output only with itself, [n, m, c]: a block needs every pair (k, k')."""
    return layer_by_layer(weights, biases, x1, x2, sigma_b).diagonal(dim1=2, dim2=3)


all_of_them = (
    Misconception(sum_of_outputs),
    Misconception(trace),
    Misconception(mean_of_outputs),
    Misconception(equal_outputs_only),
    Misconception(first_output_repeated),
    Misconception(blocks_transposed),
    Misconception(outputs_first),
    Misconception(flat_gram),
    Misconception(gram_reshaped),
    Misconception(last_axes_dropped, keeps=2),
    Misconception(outputs_paired_with_themselves),
)
