"""Task 06.3: the learning rate at which gradient descent stops being a descent."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach import LeastSquares, block_gram
from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.least_squares_dynamics import step_alternatives, step_misconceptions

__all__ = ["step_size"]


def reference(k: Tensor) -> float:
    matrix = block_gram(k)  # the library divides by the rows of what it is given, n·c; the cost by the n inputs
    return LeastSquares.fit(matrix, matrix[0]).critical_lr / k.shape[2]


def generic(rng: np.random.Generator, *, n: int, c: int) -> Arguments:
    """A random kernel with blocks that are not symmetric, K_kl(x, x') = K_lk(x', x). The first output is a slow one."""
    size = n * c
    features = torch.from_numpy(rng.normal(size=(size, 2 * size)) * rng.uniform(0.5, 2.0))
    features[::c] *= 0.6
    gram = features @ features.T / (2 * size)
    return {"k": gram.reshape(n, c, n, c).permute(0, 2, 1, 3).contiguous()}


step_size = Task(
    id="06.3",
    title="The critical learning rate",
    signature="critical_lr(k) -> float, k [n, n, c, c]",
    reference=reference,
    credit={"one output": 1, "several outputs": 1},
    cases=(
        Case("one output", "6 inputs, 1 output", partial(generic, n=6, c=1)),
        Case("one output", "9 inputs, 1 output", partial(generic, n=9, c=1)),
        Case("several outputs", "4 inputs, 3 outputs", partial(generic, n=4, c=3)),
        Case("several outputs", "5 inputs, 2 outputs", partial(generic, n=5, c=2)),
    ),
    misconceptions=step_misconceptions.ALL,
    alternatives=step_alternatives.WAYS,
)
