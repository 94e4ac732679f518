"""Task 05.3: several outputs, one block of the kernel for each pair of inputs."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach import empirical_ntk
from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import blocks_alternatives, blocks_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import biases_scale, parameters, points
from ntk_teach.grading.tasks.neural_tangent_kernel.loaded import loaded

__all__ = ["output_blocks"]


def reference(weights: list[Tensor], biases: list[Tensor], x1: Tensor, x2: Tensor, sigma_b: float) -> Tensor:
    theta = empirical_ntk(loaded(weights, biases, sigma_b), x1, x2)
    c = len(biases[-1])
    return theta.reshape(len(x1), len(x2), c, c)


# Blocks differ from their transposes from the second hidden layer on, by a percent or more at these widths (by nothing
# where few units leave a layer silent), which the float32 tolerance must not hide.
def drawn(rng: np.random.Generator, *, widths: tuple[int, ...], n: int, m: int) -> Arguments:
    weights, biases = parameters(rng, widths)
    x1, x2 = points(rng, n, widths[0]), points(rng, m, widths[0])
    return {"weights": weights, "biases": biases, "x1": x1, "x2": x2, "sigma_b": biases_scale(rng)}


output_blocks = Task(
    id="05.3",
    title="The kernel of several outputs",
    signature="output_ntk(weights, biases, x1, x2, sigma_b) -> [n, m, c, c]",
    reference=reference,
    credit={"every block": 2, "a single output keeps its axes": 1},
    cases=(
        Case("every block", "3 outputs, widths 4, 16, 12, 3", partial(drawn, widths=(4, 16, 12, 3), n=5, m=6)),
        Case("every block", "2 outputs, widths 3, 10, 2", partial(drawn, widths=(3, 10, 2), n=5, m=3)),
        Case("a single output keeps its axes", "1 output, widths 3, 8, 1", partial(drawn, widths=(3, 8, 1), n=3, m=4)),
    ),
    misconceptions=blocks_misconceptions.all_of_them,
    alternatives=blocks_alternatives.all_of_them,
)
