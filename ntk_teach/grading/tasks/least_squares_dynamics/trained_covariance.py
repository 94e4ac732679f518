"""Task 06.4: how much trained networks still differ, in the limit of infinite width."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from torch import Tensor

from ntk_teach import limit_law
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.least_squares_dynamics import covariance_alternatives, covariance_misconceptions
from ntk_teach.grading.tasks.least_squares_dynamics.draws import middle_time, pair

__all__ = ["trained_covariance"]


def reference(
    ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float
) -> Tensor:
    law = limit_law(
        ntk.new_zeros(len(ntk)),  # the targets move the mean alone
        ntk=ntk,
        nngp=nngp,
        ntk_test=ntk_test,
        nngp_test=nngp_test,
        nngp_test_test=nngp_test_test,
        t=t,
    )
    return law.covariance


def generic(rng: np.random.Generator, *, n: int, m: int, forever: bool = False) -> Arguments:
    kernels = pair(rng, n, m)
    t = middle_time(rng, kernels.ntk)
    return {
        "ntk": kernels.ntk,
        "nngp": kernels.nngp,
        "ntk_test": kernels.ntk_test,
        "nngp_test": kernels.nngp_test,
        "nngp_test_test": kernels.nngp_test_test,
        "t": math.inf if forever else t,
    }


trained_covariance = Task(
    id="06.4",
    title="The covariance of trained networks",
    signature="trained_covariance(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t) -> [m, m]",
    reference=reference,
    credit={"at a finite time": 2, "at t = ∞": 1},
    cases=(
        Case("at a finite time", "5 inputs, 3 test points", partial(generic, n=5, m=3)),
        Case("at a finite time", "4 inputs, 7 test points", partial(generic, n=4, m=7)),
        Case("at t = ∞", "t = ∞, 4 inputs, 5 test points", partial(generic, n=4, m=5, forever=True)),
    ),
    misconceptions=tuple(Misconception(wrong) for wrong in covariance_misconceptions.EVERYWHERE),
    alternatives=covariance_alternatives.WAYS,
    when_nan="At t = ∞ a mode with a positive rate has decayed to exactly 0, but ∞ times a matrix has no meaning: "
    "let the time meet the eigenvalues.",
)
