"""Task 04.1: a finite network in the convention of the book."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.gaussian_process_limit.draws import biases_scale, parameters, points
from ntk_teach.nn import Linear
from ntk_teach.zoo import mlp

__all__ = ["forward"]

Parameters = list[Tensor]


def reference(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The library's own network with these parameters."""
    hidden = [len(bias) for bias in biases[:-1]]
    network = mlp(len(weights), sigma_b=sigma_b).network(width=hidden or 1, like=x, out_features=len(biases[-1]))
    layers = [module for module in network if isinstance(module, Linear)]
    with torch.no_grad():
        for layer, weight, bias in zip(layers, weights, biases, strict=True):
            layer.weight.copy_(weight)
            if layer.bias is not None:
                layer.bias.copy_(bias)
        outputs: Tensor = network(x)
    return outputs


# Wrong answers, each one change away from the right one.


def layers(
    weights: Parameters,
    biases: Parameters,
    x: Tensor,
    sigma_b: float,
    *,
    scale: Callable[[Parameters, int], float] = lambda weights, layer: 1 / math.sqrt(weights[layer].shape[1]),
    phi: Callable[[Tensor], Tensor] = torch.relu,
    first: Callable[[Tensor], Tensor] = lambda x: x,
    last: Callable[[Tensor], Tensor] = lambda x: x,
) -> Tensor:
    a = first(x)
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        a = scale(weights, layer) * (a @ weight.T) + sigma_b * bias
        a = phi(a) if layer < len(weights) - 1 else last(a)
    return a


def preactivations_passed_on(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """Every layer receives preactivations, as a slide prints it: φ never acts, and the network is affine."""
    return layers(weights, biases, x, sigma_b, phi=lambda a: a)


def fan_out(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You divide by the root of the number of units that a layer sends out; the sum runs over those it receives."""
    return layers(weights, biases, x, sigma_b, scale=lambda weights, layer: 1 / math.sqrt(weights[layer].shape[0]))


def outputs_everywhere(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You divide by the root of the number of outputs in every layer, as a slide prints it: each layer has a fan-in of
    its own.
    """
    return layers(weights, biases, x, sigma_b, scale=lambda weights, _: 1 / math.sqrt(len(weights[-1])))


def inputs_everywhere(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You divide by the root of the input dimension in every layer: that is the fan-in of the first one only."""
    return layers(weights, biases, x, sigma_b, scale=lambda weights, _: 1 / math.sqrt(weights[0].shape[1]))


def not_scaled(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The weights are not scaled: a sum of n independent terms then has a variance that grows like n."""
    return layers(weights, biases, x, sigma_b, scale=lambda *_: 1.0)


def divided_by_width(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You divide by n where the layer divides by √n: at this scale the sum tends to a constant, not to a Gaussian."""
    return layers(weights, biases, x, sigma_b, scale=lambda weights, layer: 1 / weights[layer].shape[1])


def he_factor(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You scale by √(2/n), which is He's initialization; this exercise has σ_w = 1, no factor 2."""
    return layers(weights, biases, x, sigma_b, scale=lambda weights, layer: math.sqrt(2 / weights[layer].shape[1]))


def no_biases(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The biases are missing: every layer adds its own, times sigma_b."""
    return layers(weights, biases, x, 0.0)


def biases_not_scaled(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You add the biases as they were drawn; in front of each stands sigma_b."""
    return layers(weights, biases, x, 1.0)


def biases_scaled_twice(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You multiply the biases by sigma_b²: the square belongs to their variance, not to the biases."""
    return layers(weights, biases, x, sigma_b**2)


def biases_divided(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You divide the biases by √n together with the weights: there is one bias a unit, not a sum of n."""
    divided = [bias / math.sqrt(weight.shape[1]) for weight, bias in zip(weights, biases, strict=True)]
    return layers(weights, divided, x, sigma_b)


def activated_output(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You apply φ to the outputs as well: the last layer is read out as it is, or no output would be negative."""
    return layers(weights, biases, x, sigma_b, last=torch.relu)


def activated_input(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You apply φ to the inputs: the first layer receives x itself."""
    return layers(weights, biases, x, sigma_b, first=torch.relu)


def activated_before_bias(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The bias is added behind φ; it belongs to the preactivation, and φ acts on the sum."""
    a = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        a = a @ weight.T / math.sqrt(weight.shape[1])
        a = (torch.relu(a) if layer < len(weights) - 1 else a) + sigma_b * bias
    return a


def inputs_counted(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You divide by the root of the number of inputs, the rows of x: n counts the units that the layer receives."""
    return layers(weights, biases, x, sigma_b, scale=lambda *_: 1 / math.sqrt(len(x)))


def width_before(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """Your widths are one layer late: each layer divides by the root of the number of units that it receives itself."""
    return layers(
        weights, biases, x, sigma_b, scale=lambda weights, layer: 1 / math.sqrt(weights[max(layer - 1, 0)].shape[1])
    )


def last_layer_not_scaled(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The weights of the last layer are not scaled: it divides by the root of its fan-in like the others."""
    fan_in = [weight.shape[1] for weight in weights[:-1]] + [1]
    return layers(weights, biases, x, sigma_b, scale=lambda _, layer: 1 / math.sqrt(fan_in[layer]))


def first_layer_not_scaled(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The weights of the first layer are not scaled: the coordinates of x are its units, and it divides by √n₀."""
    fan_in = [1] + [weight.shape[1] for weight in weights[1:]]
    result = layers(weights, biases, x, sigma_b, scale=lambda _, layer: 1 / math.sqrt(fan_in[layer]))
    return result if len(weights) > 1 else reference(weights, biases, x, sigma_b)


def last_bias_missing(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The last layer lacks its bias: it adds one, times sigma_b, like the others."""
    return layers(weights, [*biases[:-1], torch.zeros_like(biases[-1])], x, sigma_b)


def first_bias_missing(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The first layer lacks its bias: it adds one, times sigma_b, like the others."""
    if len(weights) == 1:
        return reference(weights, biases, x, sigma_b)
    return layers(weights, [torch.zeros_like(biases[0]), *biases[1:]], x, sigma_b)


def root_of_sigma_b(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You multiply the biases by the root of sigma_b, which is no variance: it multiplies them as it is."""
    return layers(weights, biases, x, math.sqrt(sigma_b))


def scales_exchanged(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """sigma_b multiplies the weights in your network: it belongs to the biases."""
    return layers(weights, biases, x, 1.0, scale=lambda weights, layer: sigma_b / math.sqrt(weights[layer].shape[1]))


def last_hidden_layer_not_activated(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """The last hidden layer is passed on without φ: every layer but the last has its activation."""
    a = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        a = a @ weight.T / math.sqrt(weight.shape[1]) + sigma_b * bias
        a = torch.relu(a) if layer < len(weights) - 2 else a
    return a


def activated_once(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """φ acts behind the first layer alone: every layer but the last has its activation."""
    a = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        a = a @ weight.T / math.sqrt(weight.shape[1]) + sigma_b * bias
        a = torch.relu(a) if layer == 0 and len(weights) > 1 else a
    return a


def factor_behind_the_activation(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You multiply the activations by √2, which keeps their mean square: here φ is a plain ReLU, and σ_w = 1."""
    return layers(weights, biases, x, sigma_b, phi=lambda a: math.sqrt(2) * torch.relu(a))


def leaky_units(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """Your units leak: φ is a plain ReLU here, which sends what is negative to 0."""
    return layers(weights, biases, x, sigma_b, phi=nn.functional.leaky_relu)


def tanh_units(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You used tanh: in this task φ is ReLU."""
    return layers(weights, biases, x, sigma_b, phi=torch.tanh)


def erf_units(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """You used erf, which belongs to a later task: here φ is ReLU."""
    return layers(weights, biases, x, sigma_b, phi=torch.erf)


# Right answers that look different.


def numpy_by_columns(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> NDArray[np.float64]:
    a = x.numpy().T
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if layer > 0:
            a = np.maximum(a, 0)
        a = weight.numpy() @ a / np.sqrt(len(a)) + sigma_b * bias.numpy()[:, None]
    return a.T


def biases_as_weights(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    """One more column of weights for a unit that is always β."""
    a = x
    for weight, bias in zip(weights, biases, strict=True):
        wider = torch.cat([weight / weight.shape[1] ** 0.5, bias[:, None]], dim=1)
        a = torch.cat([a, torch.full((len(a), 1), sigma_b, dtype=a.dtype)], dim=1) @ wider.T
        a, before = a.clamp(min=0), a
    return before


def float32(weights: Parameters, biases: Parameters, x: Tensor, sigma_b: float) -> Tensor:
    a = x.float()
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        a = nn.functional.relu(a) if layer else a
        a = nn.functional.linear(a, weight.float() / math.sqrt(weight.shape[1]), sigma_b * bias.float())
    return a


def one_network(rng: np.random.Generator, *, widths: tuple[int, ...], n: int) -> Arguments:
    weights, biases = parameters(rng, widths)
    return {"weights": weights, "biases": biases, "x": points(rng, n, widths[0]), "sigma_b": biases_scale(rng)}


SEVERAL, ALONE = "several layers", "a single layer"

forward = Task(
    id="04.1",
    title="A finite network",
    signature="forward(weights, biases, x, sigma_b) -> [n, outputs]",
    reference=reference,
    credit={SEVERAL: 2, ALONE: 1},
    cases=(
        Case(SEVERAL, "widths 3, 5, 7, 2", partial(one_network, widths=(3, 5, 7, 2), n=6)),
        Case(SEVERAL, "widths 5, 4, 3", partial(one_network, widths=(5, 4, 3), n=7)),
        Case(SEVERAL, "widths 2, 9, 6, 8, 1", partial(one_network, widths=(2, 9, 6, 8, 1), n=5)),
        Case(ALONE, "widths 4, 2", partial(one_network, widths=(4, 2), n=5)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            preactivations_passed_on,
            fan_out,
            outputs_everywhere,
            inputs_everywhere,
            not_scaled,
            divided_by_width,
            he_factor,
            no_biases,
            biases_not_scaled,
            biases_scaled_twice,
            biases_divided,
            activated_output,
            activated_input,
            activated_before_bias,
            inputs_counted,
            width_before,
            last_layer_not_scaled,
            first_layer_not_scaled,
            last_bias_missing,
            first_bias_missing,
            root_of_sigma_b,
            scales_exchanged,
            last_hidden_layer_not_activated,
            activated_once,
            factor_behind_the_activation,
            leaky_units,
            tanh_units,
            erf_units,
        )
    ),
    alternatives=(numpy_by_columns, biases_as_weights, float32),
)
