"""Wrong kernels of several outputs: most lose an axis, or the meaning of one."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.blocks_alternatives import by_layer, layer_by_layer, summed
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.description import described
from ntk_teach.grading.tasks.neural_tangent_kernel.other_conventions import other_conventions
from ntk_teach.grading.tasks.neural_tangent_kernel.question import Question, answers

__all__ = ["all_of_them"]


@answers
def sum_of_outputs(asked: Question) -> Tensor:
    """You differentiated the sum of the outputs: that adds up all entries of each block. Each output has a gradient
    of its own.
    """
    return summed(asked).sum((2, 3))


@answers
def trace(asked: Question) -> Tensor:
    """You added up the outputs, a trace over k: a block needs every pair (k, k')."""
    return summed(asked).diagonal(dim1=2, dim2=3).sum(-1)


@answers
def mean_of_outputs(asked: Question) -> Tensor:
    """You averaged over the outputs: a block needs every pair (k, k')."""
    return summed(asked).diagonal(dim1=2, dim2=3).mean(-1)


@answers
def equal_outputs_only(asked: Question) -> Tensor:
    """You left the entries k ≠ k' at zero: that is true in the limit only; in a finite network two outputs share
    their hidden layers.
    """
    theta = summed(asked)
    return theta * torch.eye(theta.shape[-1], dtype=theta.dtype)


@answers
def first_output_repeated(asked: Question) -> Tensor:
    """You repeated the kernel of the first output on the diagonal: that is the limit Θ ⊗ Id, not this network."""
    theta = summed(asked)
    return theta[:, :, :1, :1] * torch.eye(theta.shape[-1], dtype=theta.dtype)


@answers
def limit_with_identity(asked: Question) -> Tensor:
    """You returned the limit Θ∞ ⊗ Id: it knows no weights. This network has its own kernel, with entries k ≠ k'."""
    arch = described(asked.convention, len(asked.weights), asked.x1.shape[1], asked.sigma_b)
    theta = arch.ntk(asked.x1, asked.x2)
    return theta[:, :, None, None] * torch.eye(len(asked.biases[-1]), dtype=theta.dtype)


@answers
def one_output_everywhere(asked: Question) -> Tensor:
    """Every entry of a block is the kernel of the first output: each pair (k, k') has a number of its own."""
    theta = summed(asked)
    return theta[:, :, :1, :1].expand_as(theta)


@answers
def symmetrized(asked: Question) -> Tensor:
    """You made each block symmetric: between two different inputs it is not, Θ(x, x') is the transpose of Θ(x', x)."""
    theta = summed(asked)
    return (theta + theta.transpose(2, 3)) / 2


@answers
def sign_dropped(asked: Question) -> Tensor:
    """The signs are lost: a step that raises one output may lower another, and then the entry is negative."""
    return summed(asked).abs()


@answers
def divided_by_outputs(asked: Question) -> Tensor:
    """You divided by the number of outputs: nothing is averaged over them here."""
    return summed(asked) / len(asked.biases[-1])


@answers
def blocks_transposed(asked: Question) -> Tensor:
    """The blocks are transposed: k belongs to the first input, k' to the second."""
    return summed(asked).transpose(2, 3)


@answers
def outputs_first(asked: Question) -> Tensor:
    """The axes of the outputs stand first: [c, c, n, m] where [n, m, c, c] is asked."""
    return summed(asked).permute(2, 3, 0, 1)


@answers
def flat_gram(asked: Question) -> Tensor:
    """You returned the flat matrix [n·c, m·c]: the numbers are there, the four axes are not."""
    return _flat(asked)


def _flat(asked: Question) -> Tensor:
    c = len(asked.biases[-1])
    return summed(asked).permute(0, 2, 1, 3).reshape(len(asked.x1) * c, len(asked.x2) * c)


@answers
def gram_reshaped(asked: Question) -> Tensor:
    """A reshape of [n·c, m·c] does not give [n, m, c, c]: the axes are (n, c, m, c) there and need to be moved."""
    c = len(asked.biases[-1])
    return _flat(asked).reshape(len(asked.x1), len(asked.x2), c, c)


@answers
def last_axes_dropped(asked: Question) -> Tensor:
    """With one output the result lost its two last axes: keep [n, m, 1, 1], so that one formula serves all."""
    theta = summed(asked)
    return theta[:, :, 0, 0] if theta.shape[-1] == 1 else theta


@answers
def outputs_paired_with_themselves(asked: Question) -> Tensor:
    """You paired each output only with itself, [n, m, c]: a block needs every pair (k, k')."""
    return summed(asked).diagonal(dim1=2, dim2=3)


@answers
def last_layer_forgotten(asked: Question) -> Tensor:
    """The last layer is missing: its weights are parameters too, each output's its own."""
    return by_layer(asked)[:-1].sum(0)


@answers
def last_layer_only(asked: Question) -> Tensor:
    """You kept the last layer only: that is the kernel of a network whose hidden layers are frozen."""
    return by_layer(asked)[-1]


@answers
def last_layer_shared(asked: Question) -> Tensor:
    """Your outputs share the last layer: each of them has a row of weights of its own there, on which no other output
    depends.
    """
    last = by_layer(asked)[-1]
    return summed(asked) - last + last[:, :, :1, :1]


@answers
def biases_not_trained(asked: Question) -> Tensor:
    """The biases are parameters too: their gradients add sigma_b² to every layer's inner product."""
    return by_layer(asked, bias=lambda s: 0.0).sum(0)


@answers
def bias_not_squared(asked: Question) -> Tensor:
    """You added sigma_b where the two gradients with respect to a bias give sigma_b²."""
    return by_layer(asked, bias=lambda s: s).sum(0)


@answers
def bias_not_scaled(asked: Question) -> Tensor:
    """You gave each bias a gradient of 1: it stands in the network with sigma_b in front, so the product of two of them
    is sigma_b².
    """
    return by_layer(asked, bias=lambda s: 1.0).sum(0)


@answers
def biases_at_full_size(asked: Question) -> Tensor:
    """Your network adds its biases without sigma_b: the scale stands in front of them, forward and in the gradient."""
    return summed(asked._replace(sigma_b=1.0))


@answers
def relu_on_the_inputs(asked: Question) -> Tensor:
    """You applied ReLU to the inputs: the first layer sees them as they are."""
    return summed(asked._replace(x1=asked.x1.clamp(min=0), x2=asked.x2.clamp(min=0)))


@answers
def gradients_pile_up(asked: Question) -> Tensor:
    """The gradients of the outputs before are still in yours, through both batches: a backward pass adds to what
    ``.grad`` holds.
    """
    before = _flat(asked._replace(x2=asked.x1)).sum(1, keepdim=True)
    return _unflat(asked, (_flat(asked).cumsum(1) + before).cumsum(0))


@answers
def gradients_pile_up_in_each_batch(asked: Question) -> Tensor:
    """The gradients of the outputs before it in its batch are still in that of each output: a backward pass adds to
    what ``.grad`` holds.
    """
    return _unflat(asked, _flat(asked).cumsum(0).cumsum(1))


def _unflat(asked: Question, flat: Tensor) -> Tensor:
    return flat.reshape(len(asked.x1), len(asked.biases[-1]), len(asked.x2), -1).permute(0, 2, 1, 3)


@answers
def mean_over_parameters(asked: Question) -> Tensor:
    """You divided by the number of parameters: the kernel is the sum of the products of gradients, not their mean."""
    return summed(asked) / sum(part.numel() for part in (*asked.weights, *asked.biases))


def all_of_them(convention: Convention) -> tuple[Misconception, ...]:
    everywhere = (
        sum_of_outputs,
        trace,
        mean_of_outputs,
        equal_outputs_only,
        first_output_repeated,
        limit_with_identity,
        one_output_everywhere,
        symmetrized,
        sign_dropped,
        divided_by_outputs,
        blocks_transposed,
        outputs_first,
        flat_gram,
        gram_reshaped,
        outputs_paired_with_themselves,
        last_layer_forgotten,
        last_layer_only,
        last_layer_shared,
        biases_not_trained,
        bias_not_squared,
        bias_not_scaled,
        biases_at_full_size,
        relu_on_the_inputs,
        gradients_pile_up,
        gradients_pile_up_in_each_batch,
        mean_over_parameters,
    )
    return (
        *(Misconception(under(convention, function)) for function in everywhere),
        Misconception(under(convention, last_axes_dropped), keeps=2),
        *other_conventions(layer_by_layer, convention),
    )
