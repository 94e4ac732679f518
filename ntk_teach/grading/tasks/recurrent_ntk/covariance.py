"""Task 10.1: the covariance of a recurrent network's units at every pair of times of two series."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.recurrent_ntk import covariance_misconceptions
from ntk_teach.grading.tasks.recurrent_ntk.covariance_terms import drive, reference, value, variances

__all__ = ["covariance"]


# ---- inputs


def series(rng: np.random.Generator, *, steps: tuple[int, int], m: int) -> Arguments:
    """Two series of unequal lengths and sizes; scales away from each other, from 1 and from their squares."""
    x1, x2 = (rng.normal(size=(t, m)) * size for t, size in zip(steps, (1.3, 0.8), strict=True))
    return {
        "x1": torch.from_numpy(x1),
        "x2": torch.from_numpy(x2),
        "sigma_w": float(rng.uniform(1.2, 1.6)),
        "sigma_u": float(rng.uniform(0.6, 0.8)),
        "sigma_b": float(rng.uniform(0.3, 0.5)),
    }


# ---- right answers


def pair_by_pair(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> NDArray[np.float64]:
    """Cho and Saul's formula, from (t − 1, t' − 1), for the two series and for each with itself."""

    def table(one: Tensor, two: Tensor, q: list[float], r: list[float]) -> NDArray[np.float64]:
        found = np.zeros((len(one), len(two)))
        for t, u in np.ndindex(*found.shape):
            found[t, u] = sigma_u**2 * float(one[t] @ two[u]) / one.shape[1] + sigma_b**2
            if t and u:
                root = (q[t - 1] * r[u - 1]) ** 0.5
                angle = np.arccos(np.clip(found[t - 1, u - 1] / root, -1, 1))
                found[t, u] += sigma_w**2 * root / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
        return found

    def own(x: Tensor) -> list[float]:
        q: list[float] = []
        for row in x:
            q.append(sigma_u**2 * float(row.square().mean()) + sigma_b**2 + (sigma_w**2 * q[-1] / 2 if q else 0.0))
        return q

    return table(x1, x2, own(x1), own(x2))


def along_diagonals(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Each diagonal by itself."""
    found = drive(x1, x2, sigma_u**2, sigma_b**2).clone()
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    for lag in range(1 - len(x1), len(x2)):
        t, u = max(0, -lag) + 1, max(0, lag) + 1
        while t < len(x1) and u < len(x2):
            found[t, u] += sigma_w**2 * value(found[t - 1, u - 1], own[0][t - 1], own[1][u - 1])
            t, u = t + 1, u + 1
    return found


def one_list(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """All steps of both series at once, whose variances stand on the diagonal."""
    x, cut = torch.cat([x1, x2]), len(x1)
    entering = drive(x, x, sigma_u**2, sigma_b**2)
    before = torch.full((len(x),), -1)
    before[1:cut], before[cut + 1 :] = torch.arange(cut - 1), torch.arange(cut, len(x) - 1)
    known = ((before >= 0)[:, None] & (before >= 0)).to(x)
    cov = entering
    for _ in range(len(x)):  # more often than any series has steps
        q = cov.diagonal()
        cov = entering + sigma_w**2 * known * value(cov, q[:, None], q)[before][:, before]
    return cov[:cut, cut:]


covariance = Task(
    id="10.1",
    title="The covariance at every pair of times",
    signature="covariance_grid(x1, x2, sigma_w, sigma_u, sigma_b) -> [t, s]",
    reference=reference,
    credit={"any two series": 2, "one number a step": 1},
    cases=(
        Case("any two series", "4 and 6 steps of 3 numbers", partial(series, steps=(4, 6), m=3)),
        Case("any two series", "5 and 3 steps of 2 numbers", partial(series, steps=(5, 3), m=2)),
        Case("one number a step", "7 and 5 steps of 1 number", partial(series, steps=(7, 5), m=1)),
    ),
    misconceptions=covariance_misconceptions.NAMED,
    alternatives=(pair_by_pair, along_diagonals, one_list),
    when_nan="a correlation a little above 1 goes into arccos where two preactivations are the same; clip it",
)
