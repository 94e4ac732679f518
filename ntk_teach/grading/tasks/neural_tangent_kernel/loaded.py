"""The library's network with given parameters: what the references are asked about."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach import zoo
from ntk_teach.nn import Linear

__all__ = ["loaded"]


def loaded(weights: list[Tensor], biases: list[Tensor], sigma_b: float) -> nn.Sequential:
    """A ReLU network in NTK parametrization that holds these weights [fan_out, fan_in] and biases [fan_out]."""
    hidden, out = [len(bias) for bias in biases[:-1]], len(biases[-1])
    like = weights[0][:1]
    network = zoo.mlp(len(weights), sigma_b=sigma_b).network(width=hidden, like=like, out_features=out)
    linear = [module for module in network if isinstance(module, Linear)]
    with torch.no_grad():
        for module, weight, bias in zip(linear, weights, biases, strict=True):
            module.weight.copy_(weight)
            if module.bias is not None:
                module.bias.copy_(bias)
    return network
