"""Task 06.5: the error of early stopping with noise in the labels."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach import LeastSquares
from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.least_squares_dynamics import risk_alternatives, risk_misconceptions
from ntk_teach.grading.tasks.least_squares_dynamics.draws import middle_time, pair, start

__all__ = ["risk"]


def reference(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    return LeastSquares.fit(k, target).risk(t, target=target, noise=noise, f0=f0)


def generic(rng: np.random.Generator, *, n: int, zero: bool, times: int) -> Arguments:
    k, target = pair(rng, n, 1).ntk, start(rng, n)
    f0 = start(rng, n)
    t = middle_time(rng, k) * np.exp(np.sort(rng.uniform(-2.0, 3.0, size=times)))
    noise = float(rng.uniform(0.4, 0.8))  # away from 1, where σ = σ²
    return {"k": k, "target": target, "f0": 0 * f0 if zero else f0, "noise": noise, "t": torch.from_numpy(t)}


risk = Task(
    id="06.5",
    title="The error of stopping early",
    signature="risk(k, target, f0, noise, t) -> [T]",
    reference=reference,
    credit={"from the zero function": 2, "from a start of its own": 1},
    cases=(
        Case("from the zero function", "6 inputs, 9 times", partial(generic, n=6, zero=True, times=9)),
        Case("from the zero function", "8 inputs, 4 times", partial(generic, n=8, zero=True, times=4)),
        Case("from a start of its own", "f_0 ≠ 0, 7 inputs, 5 times", partial(generic, n=7, zero=False, times=5)),
    ),
    misconceptions=risk_misconceptions.ALL,
    alternatives=risk_alternatives.WAYS,
)
