"""Wrong layer-by-layer kernels of a finite network, each one change away from the right one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.other_conventions import other_conventions
from ntk_teach.grading.tasks.neural_tangent_kernel.question import Question, answers

__all__ = ["all_of_them"]


class Trace(NamedTuple):
    """One batch, forward and backward: index ℓ is the layer with weights[ℓ]."""

    post: list[Tensor]  # [n, fan_in] of each layer
    pre: list[Tensor]  # [n, fan_out]
    delta: list[Tensor]  # [n, fan_out]


def traced(
    asked: Question,
    x: Tensor,
    *,
    sigma_b: float | None = None,
    backward_scale: bool = True,
    slope: Callable[[list[Tensor], int], Tensor] = lambda pre, layer: (pre[layer] > 0).double(),
) -> Trace:
    sigma_b = asked.sigma_b if sigma_b is None else sigma_b
    post, pre = [x], []
    for layer, (weight, bias) in enumerate(zip(asked.weights, asked.biases, strict=True)):
        pre.append(asked.scale(layer) * (post[-1] @ weight.T) + sigma_b * bias)
        post.append(pre[-1].clamp(min=0))
    delta = [torch.ones_like(pre[-1])]
    for layer in range(len(asked.weights) - 1, 0, -1):
        scale = asked.scale(layer) if backward_scale else 1.0
        delta.insert(0, scale * (delta[0] @ asked.weights[layer]) * slope([x, *pre], layer))
    return Trace(post[:-1], pre, delta)


def summed(
    asked: Question,
    one: Trace | None = None,
    two: Trace | None = None,
    *,
    inner: Callable[[Question, int], float] = Question.variance,
    bias: Callable[[float], float] = lambda s: s**2,
    layers: Callable[[int], range] = range,
    backward: Callable[[Tensor, Tensor], Tensor] = lambda d, e: d @ e.T,
) -> Tensor:
    one, two = one or traced(asked, asked.x1), two or traced(asked, asked.x2)
    theta = asked.x1.new_zeros(len(asked.x1), len(asked.x2))
    for layer in layers(len(asked.weights)):
        forward = inner(asked, layer) * (one.post[layer] @ two.post[layer].T) + bias(asked.sigma_b)
        theta = theta + forward * backward(one.delta[layer], two.delta[layer])
    return theta


@answers
def right(asked: Question) -> Tensor:
    return summed(asked)


@answers
def biases_not_trained(asked: Question) -> Tensor:
    """The biases are parameters too: their gradients add sigma_b² to every layer's inner product."""
    return summed(asked, bias=lambda s: 0.0)


@answers
def bias_not_squared(asked: Question) -> Tensor:
    """You added sigma_b where the two gradients with respect to a bias give sigma_b²."""
    return summed(asked, bias=lambda s: s)


@answers
def activations_not_divided(asked: Question) -> Tensor:
    """The inner product of the activations is not divided by the fan-in: each of the two gradients brings a 1/√n."""
    return summed(asked, inner=lambda asked, layer: asked.variance(layer) * _divisor(asked, layer))


@answers
def divided_by_the_root(asked: Question) -> Tensor:
    """You divided the inner product by √n: each of the two gradients brings a 1/√n, together 1/n."""
    return summed(asked, inner=lambda asked, layer: asked.variance(layer) * math.sqrt(_divisor(asked, layer)))


def _divisor(asked: Question, layer: int) -> int:
    """By what the layer divides: its fan-in, or nothing."""
    return asked.weights[layer].shape[1] if layer or asked.convention.first_divided else 1


@answers
def last_layer_forgotten(asked: Question) -> Tensor:
    """The sum stops one layer early: the last layer has δ = 1 and contributes as well."""
    return summed(asked, layers=lambda depth: range(depth - 1))


@answers
def last_layer_only(asked: Question) -> Tensor:
    """You kept the last layer only: that is the kernel of a network whose hidden layers are frozen."""
    return summed(asked, layers=lambda depth: range(depth - 1, depth))


@answers
def no_backward_factor(asked: Question) -> Tensor:
    """The factor ⟨δ, δ'⟩ is missing: a parameter of an early layer acts through all later ones."""
    return summed(asked, backward=lambda d, e: d.new_ones(len(d), len(e)))


@answers
def preactivations_in_the_product(asked: Question) -> Tensor:
    """You used preactivations in the inner product: what enters a layer is φ of them."""
    traces = (traced(asked, x) for x in (asked.x1, asked.x2))
    return summed(asked, *(trace._replace(post=[trace.post[0], *trace.pre[:-1]]) for trace in traces))


@answers
def backward_not_scaled(asked: Question) -> Tensor:
    """δ is carried back through W without its 1/√n: the scale belongs to the layer, forward and backward."""
    return summed(asked, *(traced(asked, x, backward_scale=False) for x in (asked.x1, asked.x2)))


@answers
def no_slope(asked: Question) -> Tensor:
    """δ is carried back without φ̇: the chain rule passes through the activation."""
    ones = (traced(asked, x, slope=lambda pre, layer: torch.ones_like(pre[layer])) for x in (asked.x1, asked.x2))
    return summed(asked, *ones)


@answers
def slope_of_the_layer_below(asked: Question) -> Tensor:
    """φ̇ is taken one layer too low: δ of a layer needs φ̇ at that layer's own preactivations."""
    below = (traced(asked, x, slope=lambda pre, layer: (pre[layer - 1] > 0).double()) for x in (asked.x1, asked.x2))
    return summed(asked, *below)


@answers
def biases_not_applied(asked: Question) -> Tensor:
    """The forward pass leaves out sigma_b · b, so other units are active than in the network."""
    return summed(asked, *(traced(asked, x, sigma_b=0.0) for x in (asked.x1, asked.x2)))


@answers
def first_weights_frozen(asked: Question) -> Tensor:
    """The weights of the first layer are missing from the sum: they are trained like all others, with δ carried back
    to the first preactivations.
    """
    whole = summed(asked)
    first = summed(asked, bias=lambda s: 0.0, layers=lambda depth: range(1))
    return whole - first


@answers
def mean_over_parameters(asked: Question) -> Tensor:
    """You divided by the number of parameters: the kernel is the sum of the products of gradients, not their mean."""
    count = sum(part.numel() for part in (*asked.weights, *asked.biases))
    return summed(asked) / count


@answers
def scaled_to_one(asked: Question) -> Tensor:
    """You divided by the largest entry: the size of the kernel is the speed of training, and it is asked."""
    theta = summed(asked)
    return theta / theta.abs().max()


@answers
def factor_not_in_the_gradient(asked: Question) -> Tensor:
    """The factor 2 is in the network but not in the inner products: each of the two gradients brings a √2."""
    c = asked.convention
    return summed(asked, inner=lambda asked, layer: asked.variance(layer) / (c.hidden_variance if layer else 1))


@answers
def bias_not_scaled(asked: Question) -> Tensor:
    """You gave each bias a gradient of 1: it stands in the network with sigma_b in front, so the product of two of them
    is sigma_b².
    """
    return summed(asked, bias=lambda s: 1.0)


@answers
def biases_counted_once(asked: Question) -> Tensor:
    """You added sigma_b² once: every layer has biases, and those of an early layer act through the later ones."""
    return summed(asked, bias=lambda s: 0.0) + asked.sigma_b**2


@answers
def biases_at_full_size(asked: Question) -> Tensor:
    """Your network adds its biases without sigma_b: the scale stands in front of them, forward and in the gradient."""
    return summed(asked._replace(sigma_b=1.0))


@answers
def relu_on_the_inputs(asked: Question) -> Tensor:
    """You applied ReLU to the inputs: the first layer sees them as they are."""
    return summed(asked._replace(x1=asked.x1.clamp(min=0), x2=asked.x2.clamp(min=0)))


@answers
def relu_on_the_output(asked: Question) -> Tensor:
    """You applied ReLU behind the last layer: the output is the last layer itself, and δ starts at 1."""
    one, two = traced(asked, asked.x1), traced(asked, asked.x2)
    return summed(asked, one, two) * ((one.pre[-1] > 0) * (two.pre[-1] > 0).T)


@answers
def no_scale_anywhere(asked: Question) -> Tensor:
    """There is no scale in front of your weights, neither forward nor in the gradient: that is the standard
    parametrization. In this one the scale belongs to the network.
    """
    return rescaled(asked, [1 / asked.scale(layer) for layer in range(len(asked.weights))])


@answers
def divided_by_fan_out(asked: Question) -> Tensor:
    """You scaled by how many units leave a layer: a weight has the shape [fan_out, fan_in], and n counts those that
    enter.
    """
    ratios = [weight.shape[1] / weight.shape[0] for weight in asked.weights]
    return rescaled(asked, [math.sqrt(r) if _divided(asked, layer) else 1.0 for layer, r in enumerate(ratios)])


@answers
def divided_by_n(asked: Question) -> Tensor:
    """You divided the weights by n: it is the root √n, which keeps the size of a sum of n random terms."""
    sizes = [weight.shape[1] for weight in asked.weights]
    return rescaled(asked, [1 / math.sqrt(n) if _divided(asked, layer) else 1.0 for layer, n in enumerate(sizes)])


def _divided(asked: Question, layer: int) -> bool:
    return layer > 0 or asked.convention.first_divided


def rescaled(asked: Question, factors: list[float]) -> Tensor:
    """The kernel with other scales, a factor times the right ones: the weight takes it, and its gradient has it too."""
    weights = [factor * weight for factor, weight in zip(factors, asked.weights, strict=True)]
    return summed(
        asked._replace(weights=weights), inner=lambda asked, layer: factors[layer] ** 2 * asked.variance(layer)
    )


@answers
def gradients_pile_up(asked: Question) -> Tensor:
    """The gradients of the inputs before are still in yours, in both batches: a backward pass adds to what ``.grad``
    holds.
    """
    before = summed(asked._replace(x2=asked.x1)).sum(1, keepdim=True)
    return (summed(asked).cumsum(1) + before).cumsum(0)


@answers
def gradients_pile_up_in_each_batch(asked: Question) -> Tensor:
    """The gradients of the inputs before it in its batch are still in that of each input: a backward pass adds to what
    ``.grad`` holds.
    """
    return summed(asked).cumsum(0).cumsum(1)


@answers
def gradient_of_half_the_square(asked: Question) -> Tensor:
    """You differentiated a cost, half the square of the output: the kernel has the gradients of the output itself."""
    one, two = traced(asked, asked.x1), traced(asked, asked.x2)
    return summed(asked, one, two) * one.pre[-1] * two.pre[-1].T


@answers
def scaled_to_correlations(asked: Question) -> Tensor:
    """You divided by the lengths of both gradients: their size is the speed of training, and it is asked."""
    own = (summed(asked._replace(x1=x, x2=x)).diagonal().sqrt() for x in (asked.x1, asked.x2))
    return summed(asked) / torch.outer(*own)


def all_of_them(convention: Convention) -> tuple[Misconception, ...]:
    everywhere = (
        biases_not_trained,
        bias_not_squared,
        activations_not_divided,
        divided_by_the_root,
        last_layer_forgotten,
        last_layer_only,
        no_backward_factor,
        preactivations_in_the_product,
        backward_not_scaled,
        no_slope,
        slope_of_the_layer_below,
        biases_not_applied,
        first_weights_frozen,
        mean_over_parameters,
        scaled_to_one,
        bias_not_scaled,
        biases_counted_once,
        biases_at_full_size,
        relu_on_the_inputs,
        relu_on_the_output,
        no_scale_anywhere,
        divided_by_fan_out,
        divided_by_n,
        gradients_pile_up,
        gradients_pile_up_in_each_batch,
        gradient_of_half_the_square,
        scaled_to_correlations,
        *([factor_not_in_the_gradient] if convention.hidden_variance != 1 else []),
    )
    wrong = (Misconception(under(convention, function)) for function in everywhere)
    return (*wrong, *other_conventions(right, convention))
