"""Task 13.2: the rates of a block-structured kernel and how many functions each of them has."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_collapse import rates_misconceptions
from ntk_teach.grading.tasks.neural_collapse.rates_terms import reference

__all__ = ["rates"]


# ---- inputs


def blocks(
    rng: np.random.Generator,
    *,
    classes: tuple[int, int],
    per_class: tuple[int, int],
    gamma_n: tuple[float, float] = (10, 20),
    rise: tuple[float, float] = (20, 40),
    excess: tuple[float, float] = (150, 300),
) -> Arguments:
    """γ_n, how far γ_c lies above it, and how far γ_d above that: γ_d > γ_c > γ_n > 0 unless said otherwise."""
    others = float(rng.uniform(*gamma_n))
    gamma_c = others + float(rng.uniform(*rise))
    return {
        "gamma_d": gamma_c + float(rng.uniform(*excess)),
        "gamma_c": gamma_c,
        "gamma_n": others,
        "classes": int(rng.integers(classes[0], classes[1] + 1)),
        "per_class": int(rng.integers(per_class[0], per_class[1] + 1)),
    }


NEGATIVE = partial(blocks, gamma_n=(-50, -35))  # the rate of the constants is below 0, of class means far above
REVERSED = partial(blocks, gamma_n=(100, 130), rise=(-40, -20), excess=(-60, -30))  # only the constants' is above 0


# ---- right answers


def of_the_matrix(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The matrix applied to one function of each kind, and ranks of projections."""
    group = np.repeat(np.arange(classes), per_class)
    k = np.where(group[:, None] == group, gamma_c, gamma_n) + (gamma_d - gamma_c) * np.eye(len(group))
    single, of_class = np.zeros(len(group)), np.zeros(len(group))
    single[:2] = 1, -1
    of_class[group == 0], of_class[group == 1] = 1, -1
    modes = (single, of_class, np.ones(len(group)))
    counts = (len(group) - classes, classes - 1, 1)
    return torch.tensor([[(k @ f)[0] / f[0] / len(group), n] for f, n in zip(modes, counts, strict=True)])


def row_sums(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> list[list[float]]:
    n = classes * per_class
    own = gamma_d + (per_class - 1) * gamma_c
    return [
        [(gamma_d - gamma_c) / n, classes * (per_class - 1)],
        [(own - per_class * gamma_n) / n, classes - 1],
        [(own + (n - per_class) * gamma_n) / n, 1],
    ]


def from_traces(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The global value from the sum of all entries, the first from a difference, the other from the trace."""
    n = classes * per_class
    entries = n * gamma_d + n * (per_class - 1) * gamma_c + n * (n - per_class) * gamma_n
    top, bottom = entries / n, gamma_d - gamma_c
    middle = (n * gamma_d - top - (n - classes) * bottom) / (classes - 1)
    return torch.tensor([[bottom / n, n - classes], [middle / n, classes - 1], [top / n, 1]], dtype=torch.float64)


ANY, STRUCTURE = "any three numbers", "many classes"

rates = Task(
    id="13.2",
    title="Three rates",
    signature="block_rates(gamma_d, gamma_c, gamma_n, classes, per_class) -> [3, 2]",
    reference=reference,
    credit={ANY: 2, STRUCTURE: 1},
    cases=(
        Case(ANY, "γ_n negative", partial(NEGATIVE, classes=(3, 5), per_class=(6, 8))),
        Case(ANY, "γ_d smallest, γ_n largest", partial(REVERSED, classes=(3, 4), per_class=(5, 7))),
        Case(ANY, "few classes", partial(blocks, classes=(3, 4), per_class=(5, 7))),
        Case(STRUCTURE, "many classes", partial(blocks, classes=(6, 8), per_class=(3, 4))),
    ),
    misconceptions=rates_misconceptions.NAMED,
    alternatives=(of_the_matrix, row_sums, from_traces),
)
