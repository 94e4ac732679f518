"""What tasks 05.2 and 05.3 are asked about: one finite network, two batches, and whose convention."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

from torch import Tensor

from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention

__all__ = ["Parameters", "Question", "answers"]

Parameters = list[Tensor]


class Question(NamedTuple):
    """The arguments of both tasks, and the convention that is followed."""

    weights: Parameters  # [fan_out, fan_in] of each layer
    biases: Parameters  # [fan_out]
    x1: Tensor  # [n, d]
    x2: Tensor  # [m, d]
    sigma_b: float
    convention: Convention

    def scale(self, layer: int) -> float:
        return self.convention.scale(layer, self.weights[layer].shape[1])

    def variance(self, layer: int) -> float:
        return self.convention.variance(layer, self.weights[layer].shape[1])


def answers(function: Callable[[Question], object]) -> Callable[..., object]:
    """A function of the question becomes one of the task's arguments and a convention, under the same name."""

    @wraps(function)
    def answer(
        weights: Parameters, biases: Parameters, x1: Tensor, x2: Tensor, sigma_b: float, *, convention: Convention
    ) -> object:
        return function(Question(weights, biases, x1, x2, sigma_b, convention))

    return answer
