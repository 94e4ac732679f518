"""Wrong layer-by-layer kernels of a finite network, each one change away from the right one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception

__all__ = ["all_of_them"]

Parameters = list[Tensor]


class Trace(NamedTuple):
    """One batch, forward and backward: index ℓ is the layer with weights[ℓ]."""

    post: list[Tensor]  # [n, fan_in] of each layer
    pre: list[Tensor]  # [n, fan_out]
    delta: list[Tensor]  # [n, fan_out]


def traced(
    weights: Parameters,
    biases: Parameters,
    x: Tensor,
    sigma_b: float,
    *,
    backward_scale: bool = True,
    slope: Callable[[list[Tensor], int], Tensor] = lambda pre, layer: (pre[layer] > 0).double(),
) -> Trace:
    post, pre = [x], []
    for weight, bias in zip(weights, biases, strict=True):
        pre.append(post[-1] @ weight.T / math.sqrt(weight.shape[1]) + sigma_b * bias)
        post.append(pre[-1].clamp(min=0))
    delta = [torch.ones_like(pre[-1])]
    for layer in range(len(weights) - 1, 0, -1):
        scale = 1 / math.sqrt(weights[layer].shape[1]) if backward_scale else 1.0
        delta.insert(0, scale * (delta[0] @ weights[layer]) * slope([x, *pre], layer))
    return Trace(post[:-1], pre, delta)


def summed(
    weights: Parameters,
    one: Trace,
    two: Trace,
    sigma_b: float,
    *,
    inner: Callable[[Tensor, Tensor, int], Tensor] = lambda a, b, fan_in: a @ b.T / fan_in,
    bias: Callable[[float], float] = lambda s: s**2,
    layers: Callable[[int], range] = range,
    backward: Callable[[Tensor, Tensor], Tensor] = lambda d, e: d @ e.T,
) -> Tensor:
    theta = one.post[0].new_zeros(len(one.post[0]), len(two.post[0]))
    for layer in layers(len(weights)):
        forward = inner(one.post[layer], two.post[layer], weights[layer].shape[1]) + bias(sigma_b)
        theta = theta + forward * backward(one.delta[layer], two.delta[layer])
    return theta


def _both(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> tuple[Trace, Trace]:
    return traced(weights, biases, x1, sigma_b), traced(weights, biases, x2, sigma_b)


def biases_not_trained(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The biases are parameters too: their gradients add sigma_b² to every layer's inner product."""
    return summed(weights, *_both(weights, biases, x1, x2, sigma_b), sigma_b, bias=lambda s: 0.0)


def bias_not_squared(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You added sigma_b where the two gradients with respect to a bias give sigma_b²."""
    return summed(weights, *_both(weights, biases, x1, x2, sigma_b), sigma_b, bias=lambda s: s)


def activations_not_divided(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The inner product of the activations is not divided by the fan-in: each of the two gradients brings a 1/√n."""
    traces = _both(weights, biases, x1, x2, sigma_b)
    return summed(weights, *traces, sigma_b, inner=lambda a, b, fan_in: a @ b.T)


def divided_by_the_root(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You divided the inner product by √n: each of the two gradients brings a 1/√n, together 1/n."""
    traces = _both(weights, biases, x1, x2, sigma_b)
    return summed(weights, *traces, sigma_b, inner=lambda a, b, fan_in: a @ b.T / math.sqrt(fan_in))


def last_layer_forgotten(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The sum stops one layer early: the last layer has δ = 1 and contributes as well."""
    traces = _both(weights, biases, x1, x2, sigma_b)
    return summed(weights, *traces, sigma_b, layers=lambda depth: range(depth - 1))


def last_layer_only(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """You kept the last layer only: that is the kernel of a network whose hidden layers are frozen."""
    traces = _both(weights, biases, x1, x2, sigma_b)
    return summed(weights, *traces, sigma_b, layers=lambda depth: range(depth - 1, depth))


def no_backward_factor(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The factor ⟨δ, δ'⟩ is missing: a parameter of an early layer acts through all later ones."""
    traces = _both(weights, biases, x1, x2, sigma_b)
    return summed(weights, *traces, sigma_b, backward=lambda d, e: d.new_ones(len(d), len(e)))


def preactivations_in_the_product(
    weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float
) -> Tensor:
    """You used preactivations in the inner product: what enters a layer is φ of them."""
    one, two = _both(weights, biases, x1, x2, sigma_b)
    one, two = (t._replace(post=[t.post[0], *t.pre[:-1]]) for t in (one, two))
    return summed(weights, one, two, sigma_b)


def backward_not_scaled(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """δ is carried back through W without its 1/√n: the scale belongs to the layer, forward and backward."""
    one, two = (traced(weights, biases, x, sigma_b, backward_scale=False) for x in (x1, x2))
    return summed(weights, one, two, sigma_b)


def no_slope(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """δ is carried back without φ̇: the chain rule passes through the activation."""
    one, two = (
        traced(weights, biases, x, sigma_b, slope=lambda pre, layer: torch.ones_like(pre[layer])) for x in (x1, x2)
    )
    return summed(weights, one, two, sigma_b)


def slope_of_the_layer_below(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """φ̇ is taken one layer too low: δ of a layer needs φ̇ at that layer's own preactivations."""
    one, two = (
        traced(weights, biases, x, sigma_b, slope=lambda pre, layer: (pre[layer - 1] > 0).double()) for x in (x1, x2)
    )
    return summed(weights, one, two, sigma_b)


def biases_not_applied(weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    """The forward pass leaves out sigma_b · b, so other units are active than in the network."""
    one, two = (traced(weights, biases, x, 0.0) for x in (x1, x2))
    return summed(weights, one, two, sigma_b)


all_of_them = (
    Misconception(biases_not_trained),
    Misconception(bias_not_squared),
    Misconception(activations_not_divided),
    Misconception(divided_by_the_root),
    Misconception(last_layer_forgotten),
    Misconception(last_layer_only),
    Misconception(no_backward_factor),
    Misconception(preactivations_in_the_product),
    Misconception(backward_not_scaled),
    Misconception(no_slope),
    Misconception(slope_of_the_layer_below),
    Misconception(biases_not_applied),
)
