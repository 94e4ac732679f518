"""Task 05.1: the recursion for the NTK at infinite width."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import limiting_alternatives, limiting_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.description import described
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import biases_scale, points, ray

__all__ = ["limiting_kernel"]


def reference(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    return described(convention, convention.weight_layers(depth), x.shape[1], sigma_b).ntk(x)


def generic(rng: np.random.Generator, *, convention: Convention, layers: int, n: int, d: int) -> Arguments:
    # No repeated input here: rounding may put it at a correlation above 1, and a missing clip is the other property.
    x = points(rng, n, d, repeated=False) * convention.input_scale(d)
    return {"x": x, "depth": convention.depth(layers), "sigma_b": biases_scale(rng)}


def on_a_ray(rng: np.random.Generator, *, convention: Convention) -> Arguments:
    return {"x": ray(rng, 30, 3) * convention.input_scale(3), "depth": convention.depth(4), "sigma_b": 0.0}


def limiting_kernel(convention: Convention) -> Task:
    def case(layers: int, n: int, d: int) -> Case:
        draw = partial(generic, convention=convention, layers=layers, n=n, d=d)
        return Case("the kernel of generic inputs", f"depth {convention.depth(layers)}", draw)

    rays = partial(on_a_ray, convention=convention)
    return Task(
        id="05.1",
        title="The limiting kernel",
        signature="limiting_ntk(x, depth, sigma_b) -> [n, n]",
        reference=under(convention, reference),
        credit={"the kernel of generic inputs": 2, "inputs on one ray, without biases": 1},
        cases=(
            case(1, n=5, d=4),
            case(2, n=6, d=3),
            case(3, n=7, d=5),
            case(5, n=5, d=2),
            Case("inputs on one ray, without biases", "30 inputs on a ray, sigma_b = 0", rays),
        ),
        misconceptions=limiting_misconceptions.all_of_them(convention),
        alternatives=limiting_alternatives.all_of_them(convention),
        when_nan="arccos of a correlation like 1 + 2e-16 is NaN: rounding can push it out of [-1, 1]; clip it first.",
    )
