"""Task 06.1: the trained function at any time, on inputs that were not trained on."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach import LeastSquares
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.least_squares_dynamics import function_alternatives, function_misconceptions
from ntk_teach.grading.tasks.least_squares_dynamics.draws import middle_time, pair, start

__all__ = ["trained_function"]


def reference(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    return LeastSquares.fit(k, y).predict(k_test, t, f0, f0_test)


def generic(rng: np.random.Generator, *, n: int, m: int, repeated: bool) -> Arguments:
    kernels = pair(rng, n, m, repeated=repeated)
    t = middle_time(rng, kernels.ntk)
    y, f0, f0_test = start(rng, n), start(rng, n), start(rng, m)
    return {"k": kernels.ntk, "k_test": kernels.ntk_test, "y": y, "f0": f0, "f0_test": f0_test, "t": t}


def case(shows: str, name: str, n: int, m: int, *, repeated: bool = False) -> Case:
    return Case(shows, name, partial(generic, n=n, m=m, repeated=repeated))


trained_function = Task(
    id="06.1",
    title="The trained function",
    signature="trained_function(k, k_test, y, f0, f0_test, t) -> [m]",
    reference=reference,
    credit={"distinct inputs": 2, "an input that appears twice": 1},
    cases=(
        case("distinct inputs", "5 inputs, 8 test points", n=5, m=8),
        case("distinct inputs", "7 inputs, 3 test points", n=7, m=3),
        case("an input that appears twice", "6 inputs, two of them equal", n=6, m=4, repeated=True),
    ),
    misconceptions=tuple(Misconception(wrong) for wrong in function_misconceptions.EVERYWHERE),
    alternatives=function_alternatives.WAYS,
    when_nan="Is a number divided by another one that is 0 up to rounding?",
)
