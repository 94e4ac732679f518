"""What the layers of a network see in one forward pass: the units that enter, the node that leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.utils.hooks import RemovableHandle

from ntk_teach.nn import Convolution, Linear

__all__ = ["Call", "Layer", "LinearLayer", "ConvolutionLayer", "observed", "recorded", "factors", "LINEAR", "LAYERS"]

LinearLayer = Linear | nn.Linear
ConvolutionLayer = Convolution | nn.Conv1d | nn.Conv2d | nn.Conv3d
Layer = LinearLayer | ConvolutionLayer
LINEAR = (Linear, nn.Linear)
LAYERS = (*LINEAR, Convolution, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Call(NamedTuple):
    """One call of one layer with trained parameters.

    The edge is where the layer's output stood in the graph *at that moment*: an activation that writes over its
    input afterwards does not move it. The version of the entering units tells whether they were written over.
    """

    layer: Layer
    post: Tensor  # α, [b, fan_in] or, of a convolution, with its sites
    version: int
    edge: GradientEdge | None  # of h, [b, fan_out] or with sites; None where no gradient is recorded


def observed(network: nn.Module) -> list[Layer]:
    """The linear and convolutional layers that have trained parameters, each once."""
    return [
        module
        for module in network.modules()
        if isinstance(module, LAYERS) and type(module) in LAYERS  # a subclass may do something else
        if any(p is not None and p.requires_grad for p in (module.weight, module.bias))
    ]


@contextmanager
def recorded(layers: list[Layer]) -> Iterator[list[Call]]:
    """The calls of these layers, in order; no hook stays behind."""
    calls: list[Call] = []

    handles: list[RemovableHandle] = []
    try:
        handles += [layer.register_forward_hook(partial(_note, calls), with_kwargs=True) for layer in layers]
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def factors(layer: Layer) -> tuple[float, float]:
    """(s_w, s_b) of h = s_w W α + s_b b; zero for a parameter that is frozen or absent."""
    scale, bias_scale = (layer.scale, layer.bias_scale) if isinstance(layer, Linear | Convolution) else (1.0, 1.0)
    bias = layer.bias
    return scale * layer.weight.requires_grad, bias_scale * (bias is not None and bias.requires_grad)


def _note(
    calls: list[Call], layer: Layer, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], leaving: Tensor
) -> None:
    post = args[0] if args else next(iter(kwargs.values()))
    edge = get_gradient_edge(leaving) if leaving.requires_grad else None
    calls.append(Call(layer, post.detach(), post._version, edge))
