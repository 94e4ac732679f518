"""Task 13.3: NC1, the variability within classes over that between them."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_collapse import variability_misconceptions
from ntk_teach.grading.tasks.neural_collapse.draws import classes_of
from ntk_teach.grading.tasks.neural_collapse.variability_terms import count, covariances, means_of, reference

__all__ = ["variability"]


# ---- inputs


def draw(rng: np.random.Generator, *, sizes: tuple[int, ...], d: int) -> Arguments:
    labels = classes_of(rng, sizes)
    centers = rng.normal(size=(len(sizes), d)) + 2 * rng.normal(size=d)
    axes = rng.normal(size=(d, d)) * 0.4
    features = centers[labels.numpy()] + rng.normal(size=(len(labels), d)) @ axes
    return {"features": torch.from_numpy(features), "labels": labels}


# ---- right answers


def loops(features: Tensor, labels: Tensor) -> float:
    h, c = features.numpy(), labels.numpy()
    kinds = np.unique(c)
    means = {k: h[c == k].mean(axis=0) for k in kinds}
    center = sum(means.values()) / len(kinds)
    within = sum(np.outer(a - means[k], a - means[k]) for a, k in zip(h, c, strict=True)) / len(h)
    between = sum(np.outer(m - center, m - center) for m in means.values()) / len(kinds)
    return float(np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / len(kinds))


def least_squares(features: Tensor, labels: Tensor) -> Tensor:
    """The squared length of the shortest weights that make each deviation out of rows of the means."""
    means = means_of(features, labels)
    spread = means - means.mean(0)
    gaps = features - means[labels]
    weights = gaps @ torch.linalg.pinv(spread, rtol=1e-9)  # [n, C]
    value: Tensor = weights.square().sum() / len(features)
    return value


def eigenvectors(features: Tensor, labels: Tensor) -> Tensor:
    within, between = covariances(features, labels)
    values, vectors = torch.linalg.eigh(between)
    kept = values > 1e-10 * values[-1]
    along = (vectors.T @ within @ vectors).diagonal()
    value: Tensor = (along[kept] / values[kept]).sum() / count(labels)
    return value


ANY, FEW = "classes of any size", "fewer features than classes"

variability = Task(
    id="13.3",
    title="Variability within classes",
    signature="variability(features, labels) -> float",
    reference=reference,
    credit={ANY: 2, FEW: 1},
    cases=(
        Case(ANY, "three classes of five", partial(draw, sizes=(5, 5, 5), d=6)),
        Case(ANY, "classes of 3, 9, and 5", partial(draw, sizes=(3, 9, 5), d=5)),
        Case(FEW, "fewer features than classes", partial(draw, sizes=(8, 2, 4, 6, 3), d=3)),
    ),
    misconceptions=variability_misconceptions.NAMED,
    alternatives=(loops, least_squares, eigenvectors),
)
