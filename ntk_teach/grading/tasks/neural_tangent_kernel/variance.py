"""Task 05.4: how fast the kernel's fluctuations die out with the width, from saved samples."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import variance_alternatives, variance_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under

__all__ = ["variance"]


def reference(widths: Tensor, samples: Tensor, *, convention: Convention) -> float:
    """Not in the library: the least-squares slope of log spread against log width, in centered form."""
    u, v = widths.log(), convention.spread.of(samples.var(dim=1), samples.mean(dim=1)).log()
    u = u - u.mean()
    return float(u @ (v - v.mean()) / (u @ u))


def saved(rng: np.random.Generator, *, widths: tuple[int, ...], networks: int) -> Arguments:
    """Samples whose mean drifts and whose spread has an unknown power: −1 cannot be written down."""
    power, level = rng.uniform(0.5, 1.5), rng.uniform(0.2, 2.0)
    width = np.array(widths, dtype=np.float64)
    spread = level * width ** (-power / 2)
    mean = rng.uniform(3.0, 5.0) * (1 + 3.0 / width)
    values = mean[:, None] + spread[:, None] * rng.normal(size=(len(widths), networks))
    return {"widths": torch.from_numpy(width), "samples": torch.from_numpy(values)}


def variance(convention: Convention) -> Task:
    return Task(
        id="05.4",
        title="How the fluctuations vanish",
        signature="variance_slope(widths, samples) -> float",
        reference=under(convention, reference),
        credit={"the slope": 2},
        cases=(
            Case("the slope", "5 widths, 40 networks", partial(saved, widths=(16, 32, 64, 128, 256), networks=40)),
            Case("the slope", "4 uneven widths, 25 networks", partial(saved, widths=(10, 12, 90, 300), networks=25)),
            Case(
                "the slope", "as many widths as networks", partial(saved, widths=(8, 20, 30, 100, 500, 700), networks=6)
            ),
        ),
        misconceptions=variance_misconceptions.all_of_them(convention),
        alternatives=variance_alternatives.all_of_them(convention),
    )
