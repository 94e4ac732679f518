"""Rows of linear layers and activations, by far the most frequent networks: known without looking at a forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ntk_teach.empirical.calls import LINEAR, Call, LinearLayer
from ntk_teach.inputs import Inputs
from ntk_teach.nn import Pointwise

__all__ = ["row_of_layers"]

POINTWISE = (Pointwise, nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus, nn.ELU, nn.Identity)


def row_of_layers(network: nn.Module, inputs: Sequence[Inputs]) -> list[Call] | None:
    """The calls of the layers with trained parameters, as shapes only, where nothing can be unusual; None otherwise.

    That is a Sequential of linear layers and activations, each layer once, with parameters of its own, no hook, no
    activation that writes over its input, and inputs [n, d] that fit, of the parameters' dtype and device.
    """
    modules = list(network) if type(network) is nn.Sequential else []
    if not modules or any(type(module) not in (*LINEAR, *POINTWISE) or _unusual(module) for module in modules):
        return None
    layers: list[LinearLayer] = [module for module in modules if isinstance(module, LINEAR)]
    parameters = [parameter for module in modules for parameter in module.parameters()]
    if not layers or _unusual(network) or len(parameters) != len(set(parameters)) or len(layers) != len(set(layers)):
        return None
    width = layers[0].weight.shape[1]
    for x in inputs:
        if (
            not isinstance(x, Tensor)
            or x.ndim != 2
            or x.shape[1] != width
            or any(p.dtype != x.dtype or p.device != x.device for p in parameters)
        ):
            return None
    if any(after.weight.shape[1] != before.weight.shape[0] for before, after in pairwise(layers)):
        return None
    trained = [layer for layer in layers if any(p.requires_grad for p in layer.parameters())]
    return [Call(layer, torch.empty(3, layer.weight.shape[1], device="meta"), 0, None) for layer in trained]


def _unusual(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return bool(getattr(module, "inplace", False)) or any(hooks)
