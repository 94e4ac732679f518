"""Task 05.2: the NTK of one finite network, layer by layer."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach import empirical_ntk
from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import finite_alternatives, finite_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import biases_scale, parameters, points
from ntk_teach.grading.tasks.neural_tangent_kernel.loaded import loaded

__all__ = ["finite_kernel"]


def reference(weights: list[Tensor], biases: list[Tensor], x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    return empirical_ntk(loaded(weights, biases, sigma_b), x1, x2)


def drawn(rng: np.random.Generator, *, widths: tuple[int, ...], n: int, m: int) -> Arguments:
    weights, biases = parameters(rng, widths)
    x1, x2 = points(rng, n, widths[0]), points(rng, m, widths[0])
    return {"weights": weights, "biases": biases, "x1": x1, "x2": x2, "sigma_b": biases_scale(rng)}


finite_kernel = Task(
    id="05.2",
    title="The kernel of one network",
    signature="network_ntk(weights, biases, x1, x2, sigma_b) -> [n, m]",
    reference=reference,
    credit={"one hidden layer": 1, "deeper networks": 2},
    cases=(
        Case("one hidden layer", "no hidden layer", partial(drawn, widths=(4, 1), n=4, m=6)),
        Case("one hidden layer", "widths 3, 12, 1", partial(drawn, widths=(3, 12, 1), n=5, m=4)),
        Case("deeper networks", "widths 10, 10, 10, 1", partial(drawn, widths=(10, 10, 10, 1), n=4, m=7)),
        Case("deeper networks", "widths 3, 16, 9, 12, 1", partial(drawn, widths=(3, 16, 9, 12, 1), n=6, m=4)),
    ),
    misconceptions=finite_misconceptions.all_of_them,
    alternatives=finite_alternatives.all_of_them,
)
