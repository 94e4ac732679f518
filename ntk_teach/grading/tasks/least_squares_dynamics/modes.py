"""Task 06.2: what each mode of the kernel contributes to the cost, as time goes on."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach import LeastSquares
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.least_squares_dynamics import modes_alternatives, modes_misconceptions
from ntk_teach.grading.tasks.least_squares_dynamics.draws import middle_time, pair, start

__all__ = ["modes"]


def reference(k: Tensor, residual: Tensor, t: float) -> Tensor:
    fit = LeastSquares.fit(k, residual)
    coordinates = fit.modes.T @ residual / len(k)  # ⟨r, f⁽ⁱ⁾⟩ over the data
    return (fit.decay(t) * coordinates).square() / 2


def generic(rng: np.random.Generator, *, n: int) -> Arguments:
    k = pair(rng, n, 1).ntk
    residual = start(rng, n)
    return {"k": k, "residual": residual, "t": middle_time(rng, k)}


modes = Task(
    id="06.2",
    title="The cost, mode by mode",
    signature="cost_by_mode(k, residual, t) -> [n]",
    reference=reference,
    credit={"the cost of each mode": 3},
    cases=(
        Case("the cost of each mode", "6 inputs", partial(generic, n=6)),
        Case("the cost of each mode", "9 inputs", partial(generic, n=9)),
        Case("the cost of each mode", "4 inputs", partial(generic, n=4)),
    ),
    misconceptions=tuple(Misconception(wrong) for wrong in modes_misconceptions.EVERYWHERE),
    alternatives=modes_alternatives.WAYS,
)
