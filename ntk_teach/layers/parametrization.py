"""One function, several parametrizations: the same law at initialization, other factors in gradient descent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ntk_teach.errors import DomainError, sentence
from ntk_teach.layers.dense import Dense
from ntk_teach.layers.layer import Layer
from ntk_teach.layers.residual import Residual

__all__ = ["Parametrization", "parametrized", "standard_limit_layers"]

Parametrization = Literal["ntk", "standard", "mean_field"]


@dataclass(frozen=True)
class _Branch:
    layers: Sequence[Layer]


def parametrized(layers: Sequence[Layer], fans: Sequence[int], kind: Parametrization) -> tuple[Layer, ...]:
    """The layers with the learning-rate factors, and the last scale, that make the finite network one of this kind.

    ``fans`` are the numbers of units that enter each layer. Standard: θ = σ_w W/√n is the parameter itself, so that its
    gradient is √n/σ_w times as large, η_w = n/σ_w² and η_b = 1/σ_b².
    """
    if kind not in get_args(Parametrization):
        do = "choose one of them"
        raise DomainError(sentence("parametrization", f"one of {get_args(Parametrization)}", repr(kind), do))
    if kind == "ntk":
        return tuple(layers)
    other = next((layer for layer in layers if layer.random and not isinstance(layer, Dense)), None)
    if other is not None:
        do = 'choose parametrization="ntk"'
        expected = f"fully connected layers, which alone have the {kind} parametrization here"
        raise DomainError(sentence("parametrization", expected, repr(other), do))
    if kind == "standard":
        return tuple(_standard(layer, float(fan), 1.0) for layer, fan in zip(layers, fans, strict=True))
    last = max(position for position, layer in enumerate(layers) if layer.random)
    width = fans[last]
    faster = [_faster(layer, float(width)) for layer in layers]
    top = faster[last]
    if isinstance(top, Dense):
        scale = 1 / math.sqrt(width)
        faster[last] = replace(top, sigma_w=top.sigma_w * scale, sigma_b=top.sigma_b * scale)
    return tuple(faster)


def standard_limit_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The factors of the standard parametrization, divided by the width and taken to infinite width."""
    found: list[Layer] = []
    share = 0.0  # of n in the fan-in: none as long as the inputs enter
    for layer in layers:
        found.append(_standard(layer, share, 0.0))
        share = 1.0 if layer.random else share
    return tuple(found)


def _standard(layer: Layer, weight: float, bias: float) -> Layer:
    """Factors ``weight``/σ_w² and, unless ``bias`` is 0, 1/σ_b²."""
    if isinstance(layer, Residual):
        return Residual(_Branch([_standard(inner, weight, bias) for inner in layer.branch.layers]))
    if not isinstance(layer, Dense) or not layer.trained:
        return layer
    if layer.sigma_w == 0:
        do = "choose sigma_w > 0, or trained=False"
        raise DomainError(sentence("standard parametrization", "a positive sigma_w", repr(layer), do))
    eta_b = layer.eta_b / layer.sigma_b**2 if bias and layer.sigma_b else 0.0
    return replace(layer, eta_w=layer.eta_w * weight / layer.sigma_w**2, eta_b=eta_b)


def _faster(layer: Layer, factor: float) -> Layer:
    if isinstance(layer, Residual):
        return Residual(_Branch([_faster(inner, factor) for inner in layer.branch.layers]))
    if not isinstance(layer, Dense):
        return layer
    return replace(layer, eta_w=layer.eta_w * factor, eta_b=layer.eta_b * factor)
