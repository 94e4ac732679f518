"""Task 10.1: the covariance of a recurrent network's units at every pair of times of two series."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["covariance", "grid", "variances"]

Carried = Callable[[Tensor, Tensor, Tensor], Tensor]  # covariance, two variances -> what W passes on


def value(c: Tensor, q: Tensor, r: Tensor) -> Tensor:
    return relu.dual(c, q, r).value


def drive(x1: Tensor, x2: Tensor, u: float, b: float) -> Tensor:
    """What enters at a pair of times from outside: u x·x'/m + b."""
    return u * (x1 @ x2.T) / x1.shape[1] + b


def variances(entering: Tensor, w: float, carried: Carried = value) -> Tensor:
    """Σ_tt of one series from what enters at each time. [t]"""
    found = [entering[0]]
    for new in entering[1:]:
        found.append(new + w * carried(found[-1], found[-1], found[-1]))
    return torch.stack(found)


def grid(entering: Tensor, q1: Tensor, q2: Tensor, w: float, carried: Carried = value) -> Tensor:
    """Σ_tt' from what enters at each pair, row by row. [t, t']"""
    rows = [entering[0]]
    for t in range(1, len(entering)):
        passed = carried(rows[-1][:-1], q1[t - 1], q2[:-1])
        rows.append(entering[t] + w * torch.nn.functional.pad(passed, (1, 0)))
    return torch.stack(rows)


def walked(x1: Tensor, x2: Tensor, w: float, u: float, b: float, carried: Carried = value) -> Tensor:
    """With the *squares* of the three scales."""
    own = [variances(drive(x, x, u, b).diagonal(), w, carried) for x in (x1, x2)]
    return grid(drive(x1, x2, u, b), own[0], own[1], w, carried)


def reference(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    return walked(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2)


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


# ---- wrong answers


def fresh_weights(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Different times carry nothing over in your answer, as if every step had weights of its own: the same W acts at t
    and at t', so these two are correlated as well.
    """
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    found = grid(drive(x1, x2, sigma_u**2, sigma_b**2), own[0], own[1], sigma_w**2)
    equal = torch.eye(len(x1), len(x2), dtype=torch.bool)
    return torch.where(equal, found, drive(x1, x2, sigma_u**2, sigma_b**2))


def features_not_counted(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """The 1/m is missing: the weights of the inputs are divided by the root of the number of features."""
    return walked(x1, x2, sigma_w**2, sigma_u**2 * x1.shape[1], sigma_b**2)


def root_of_features(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You divided by √m: that stands in front of U, and a covariance has it twice."""
    return walked(x1, x2, sigma_w**2, sigma_u**2 * x1.shape[1] ** 0.5, sigma_b**2)


def recurrent_scale_not_squared(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """σ_w is not squared: it scales the weights, and a covariance has it twice."""
    return walked(x1, x2, sigma_w, sigma_u**2, sigma_b**2)


def input_scale_not_squared(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """σ_u is not squared: it scales the weights, and a covariance has it twice."""
    return walked(x1, x2, sigma_w**2, sigma_u, sigma_b**2)


def bias_not_squared(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """σ_b is not squared: it scales the biases, and a covariance has it twice."""
    return walked(x1, x2, sigma_w**2, sigma_u**2, sigma_b)


def no_scale_squared(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """None of the three scales is squared: they scale weights and biases, and a covariance has each of them twice."""
    return walked(x1, x2, sigma_w, sigma_u, sigma_b)


def recurrent_scale_missing(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """σ_w is missing: what the states bring is multiplied by its square at every step."""
    return walked(x1, x2, 1.0, sigma_u**2, sigma_b**2)


def input_scale_missing(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """σ_u is missing: what the inputs bring is multiplied by its square."""
    return walked(x1, x2, sigma_w**2, 1.0, sigma_b**2)


def states(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You returned E[φφ], which belongs to the states h: asked is the covariance of the preactivations g."""
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    return value(reference(x1, x2, sigma_w, sigma_u, sigma_b), own[0][:, None], own[1])


def no_activation(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You carried Σ itself from step to step: between two preactivations stands φ, so what is carried is E[φφ]."""
    return walked(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2, lambda c, q, r: c)


def slopes(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You carried the expectation of the derivatives, E[φ̇φ̇]: the states are φ(g), not its slope."""
    return walked(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2, lambda c, q, r: relu.dual(c, q, r).slope)


def doubled(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You carried twice E[φφ]: other texts put a factor 2 behind a ReLU; here σ_w is the only scale."""
    return walked(x1, x2, 2 * sigma_w**2, sigma_u**2, sigma_b**2)


def halved(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You carried half of Σ at every pair of times: that is E[φφ] of a unit with itself; of two different ones it
    depends on their correlation.
    """
    return walked(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2, lambda c, q, r: c / 2)


def bias_missing(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """The bias is missing: b is added at every step."""
    return walked(x1, x2, sigma_w**2, sigma_u**2, 0.0)


def bias_once(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """The bias enters at the first step alone: the same b is added at every step."""

    def entering(one: Tensor, two: Tensor) -> Tensor:
        start = torch.zeros(len(one), len(two), dtype=one.dtype)
        start[0], start[:, 0] = sigma_b**2, sigma_b**2
        return drive(one, two, sigma_u**2, 0.0) + start

    own = [variances(entering(x, x).diagonal(), sigma_w**2) for x in (x1, x2)]
    return grid(entering(x1, x2), own[0], own[1], sigma_w**2)


def state_of_one(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Something is carried into the first steps: before them stands h₀ = 0, which brings nothing."""

    def entering(one: Tensor, two: Tensor) -> Tensor:
        start = torch.zeros(len(one), len(two), dtype=one.dtype)
        start[0], start[:, 0] = sigma_w**2, sigma_w**2
        return drive(one, two, sigma_u**2, sigma_b**2) + start

    own = [variances(entering(x, x).diagonal(), sigma_w**2) for x in (x1, x2)]
    return grid(entering(x1, x2), own[0], own[1], sigma_w**2)


def one_time_back(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Only one of the two times goes back: Σ(t, t') comes from the states before both, (t − 1, t' − 1)."""
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    entering = drive(x1, x2, sigma_u**2, sigma_b**2)
    rows = [entering[0]]
    for t in range(1, len(x1)):
        rows.append(entering[t] + sigma_w**2 * value(rows[-1], own[0][t - 1], own[1]))
    return torch.stack(rows)


def late_variances(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """The expectation mixes two moments: covariance of the step before, variances of this one. All three numbers belong
    to (t − 1, t' − 1).
    """
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    later = [torch.cat([q[1:], q[-1:]]) for q in own]
    return grid(drive(x1, x2, sigma_u**2, sigma_b**2), later[0], later[1], sigma_w**2)


def variances_without_a_past(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Your variances know the present input alone: a series with itself follows the same recursion, past included."""
    own = [drive(x, x, sigma_u**2, sigma_b**2).diagonal() for x in (x1, x2)]
    return grid(drive(x1, x2, sigma_u**2, sigma_b**2), own[0], own[1], sigma_w**2)


def backwards(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You walked from the ends to the beginnings: a state hears from the step before it."""
    return reference(x1.flip(0), x2.flip(0), sigma_w, sigma_u, sigma_b).flip(0, 1)


def inputs_alone(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Nothing is carried from step to step: that is a network without W."""
    return drive(x1, x2, sigma_u**2, sigma_b**2)


def times_swapped(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Rows and columns are swapped: rows belong to the times of x1."""
    return reference(x1, x2, sigma_w, sigma_u, sigma_b).T


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
    misconceptions=(
        Misconception(fresh_weights),
        Misconception(features_not_counted),
        Misconception(root_of_features),
        Misconception(recurrent_scale_not_squared),
        Misconception(input_scale_not_squared),
        Misconception(bias_not_squared),
        Misconception(no_scale_squared),
        Misconception(recurrent_scale_missing),
        Misconception(input_scale_missing),
        Misconception(states),
        Misconception(no_activation),
        Misconception(slopes),
        Misconception(doubled),
        Misconception(halved),
        Misconception(bias_missing),
        Misconception(bias_once),
        Misconception(state_of_one),
        Misconception(one_time_back),
        Misconception(late_variances),
        Misconception(variances_without_a_past),
        Misconception(backwards),
        Misconception(inputs_alone),
        Misconception(times_swapped),
    ),
    alternatives=(pair_by_pair, along_diagonals, one_list),
    when_nan="a correlation a little above 1 goes into arccos where two preactivations are the same; clip it",
)
