"""The library's network in a convention, and with given parameters: what the references are asked about."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach import Architecture, Dense, relu, serial
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention
from ntk_teach.nn import Linear

__all__ = ["described", "loaded"]


def described(
    convention: Convention, weight_layers: int, fan_in: int, sigma_b: float, *, alone: int | None = None
) -> Architecture:
    """The ReLU network of so many weight layers for inputs of dimension ``fan_in``; ``alone`` is trained, or all."""
    first = convention.scale(0, fan_in) * fan_in**0.5  # Dense divides by the fan-in, whatever the convention
    scales = [first, *[convention.scale(1, 1)] * (weight_layers - 1)]
    dense = [Dense(scale, sigma_b, trained=alone in (None, layer)) for layer, scale in enumerate(scales)]
    return serial(dense[0], *[part for layer in dense[1:] for part in (relu, layer)])


def loaded(convention: Convention, weights: list[Tensor], biases: list[Tensor], sigma_b: float) -> nn.Sequential:
    """A ReLU network in NTK parametrization that holds these weights [fan_out, fan_in] and biases [fan_out]."""
    hidden, out = [len(bias) for bias in biases[:-1]], len(biases[-1])
    like = weights[0][:1]
    architecture = described(convention, len(weights), like.shape[1], sigma_b)
    network = architecture.network(width=hidden, like=like, out_features=out)
    linear = [module for module in network if isinstance(module, Linear)]
    with torch.no_grad():
        for module, weight, bias in zip(linear, weights, biases, strict=True):
            module.weight.copy_(weight)
            if module.bias is not None:
                module.bias.copy_(bias)
    return network
