"""Task 05.1: the recursion for the NTK at infinite width."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach import zoo
from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import limiting_alternatives, limiting_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import biases_scale, points, ray

__all__ = ["limiting_kernel"]


def reference(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    return zoo.mlp(depth, sigma_b=sigma_b).ntk(x)


def generic(rng: np.random.Generator, *, depth: int, n: int, d: int) -> Arguments:
    # No repeated input here: rounding may put it at a correlation above 1, and a missing clip is the other property.
    return {"x": points(rng, n, d, repeated=False), "depth": depth, "sigma_b": biases_scale(rng)}


def on_a_ray(rng: np.random.Generator) -> Arguments:
    return {"x": ray(rng, 30, 3), "depth": 4, "sigma_b": 0.0}


limiting_kernel = Task(
    id="05.1",
    title="The limiting kernel",
    signature="limiting_ntk(x, depth, sigma_b) -> [n, n]",
    reference=reference,
    credit={"the kernel of generic inputs": 2, "inputs on one ray, without biases": 1},
    cases=(
        Case("the kernel of generic inputs", "depth 1", partial(generic, depth=1, n=5, d=4)),
        Case("the kernel of generic inputs", "depth 2", partial(generic, depth=2, n=6, d=3)),
        Case("the kernel of generic inputs", "depth 3", partial(generic, depth=3, n=7, d=5)),
        Case("the kernel of generic inputs", "depth 5", partial(generic, depth=5, n=5, d=2)),
        Case("inputs on one ray, without biases", "30 inputs on a ray, sigma_b = 0", on_a_ray),
    ),
    misconceptions=limiting_misconceptions.all_of_them,
    alternatives=limiting_alternatives.all_of_them,
    when_nan="arccos of a correlation like 1 + 2e-16 is NaN: rounding can push it out of [-1, 1]; clip it first.",
)
