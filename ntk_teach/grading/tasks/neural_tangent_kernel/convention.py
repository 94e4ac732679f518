"""Whose convention a course follows: where the factors stand, what depth counts, which spread is fitted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper

from torch import Tensor

__all__ = ["ARORA", "BOOK", "HE", "Convention", "Spread", "under"]

Function = Callable[..., object]


@dataclass(frozen=True)
class Spread:
    """What is fitted in 05.4, from the variances over the networks of each width and their means."""

    name: str
    of: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Convention:
    """How an exercise writes the network h = s W a + β b, with W, b ~ 𝒩(0, 1), in each of its layers.

    Args:
        name: of the variant.
        source: who writes it so.
        summary: what is special about it, for messages.
        hidden_variance: c in s² = c/n, for the layers behind an activation.
        first_variance: c of the layer next to the input.
        first_divided: does that layer divide by the dimension of the input? Without, s² = c.
        hidden_layers_counted: ``depth`` counts hidden layers; otherwise weight layers, one more.
        spread: what 05.4 fits.
    """

    name: str
    source: str
    summary: str
    hidden_variance: int
    first_variance: int
    first_divided: bool
    hidden_layers_counted: bool
    spread: Spread

    def variance(self, layer: int, fan_in: int) -> float:
        """s² of a layer; the layer next to the input is number 0."""
        if layer:
            return self.hidden_variance / fan_in
        return self.first_variance / fan_in if self.first_divided else float(self.first_variance)

    def scale(self, layer: int, fan_in: int) -> float:
        """s of a layer."""
        return math.sqrt(self.variance(layer, fan_in))

    def weight_layers(self, depth: int) -> int:
        return depth + 1 if self.hidden_layers_counted else depth

    @property
    def layers(self) -> str:
        """The number of weight layers, in terms of the argument ``depth``."""
        return "depth + 1" if self.hidden_layers_counted else "depth"

    def depth(self, weight_layers: int) -> int:
        """The argument ``depth`` of a network with so many weight layers."""
        return weight_layers - 1 if self.hidden_layers_counted else weight_layers

    def input_scale(self, fan_in: int) -> float:
        """Inputs of this size give the first layer the same covariance in each convention: biases stay visible."""
        return 1 / math.sqrt(fan_in * self.variance(0, fan_in))


VARIANCE = Spread("variance", lambda variance, mean: variance)
DEVIATION = Spread("standard deviation", lambda variance, mean: variance.sqrt())
RELATIVE = Spread("variance divided by the square of the mean", lambda variance, mean: variance / mean.square())

BOOK = Convention(
    name="book",
    source="Jacot, Gabriel & Hongler 2018",
    summary="1/√n in front of the weights of every layer, no factor 2, depth counts weight layers",
    hidden_variance=1,
    first_variance=1,
    first_divided=True,
    hidden_layers_counted=False,
    spread=VARIANCE,
)
ARORA = Convention(
    name="arora",
    source="Arora et al. 2019",
    summary="√(2/n) behind every activation, no factor at all in the first layer, depth counts hidden layers",
    hidden_variance=2,
    first_variance=1,
    first_divided=False,
    hidden_layers_counted=True,
    spread=DEVIATION,
)
HE = Convention(
    name="he",
    source="He et al. 2015",
    summary="√(2/n) in front of the weights of every layer, the first one too, depth counts weight layers",
    hidden_variance=2,
    first_variance=2,
    first_divided=True,
    hidden_layers_counted=False,
    spread=RELATIVE,
)


def under(convention: Convention, function: Function, *, name: str = "", message: str = "") -> Function:
    """The function with its argument ``convention`` given.

    Args:
        convention: what it receives.
        function: an answer that works in any convention; ``{spread}`` in its docstring is filled in.
        name, message: for a name and docstring other than its own.
    """

    def answer(*arguments: object) -> object:
        return function(*arguments, convention=convention)

    update_wrapper(answer, function)
    answer.__name__ = name or function.__name__
    answer.__doc__ = message or (function.__doc__ or "").replace("{spread}", convention.spread.name)
    return answer
