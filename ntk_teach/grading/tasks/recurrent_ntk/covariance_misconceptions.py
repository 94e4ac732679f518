"""Task 10.1: wrong covariances of two series; what a student is told stands below each name."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.recurrent_ntk.covariance_terms import drive, grid, reference, value, variances, walked

__all__ = ["NAMED"]


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


def negative_index(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """The first steps hear from the last ones in your answer: to Python the index −1 is the last entry, and no error
    says so. Before time 1 there is nothing.
    """
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    found = drive(x1, x2, sigma_u**2, sigma_b**2).clone()
    for t in range(len(x1)):
        for s in range(len(x2)):
            found[t, s] += sigma_w**2 * value(found[t - 1, s - 1], own[0][t - 1], own[1][s - 1])
    return found


def inputs_at_equal_times(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You let the inputs meet at equal times alone: the same U acts at every step, so the inputs of two different times
    are compared as well.
    """
    entering = sigma_u**2 * torch.eye(len(x1), len(x2)).to(x1) * drive(x1, x2, 1.0, 0.0) + sigma_b**2
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    return grid(entering, own[0], own[1], sigma_w**2)


def one_step_back(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You went back one step and no further: the covariance of the step before is itself made of that of the step
    before it.
    """
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2) for x in (x1, x2)]
    entering = drive(x1, x2, sigma_u**2, sigma_b**2)
    passed = value(entering[:-1, :-1], own[0][:-1, None], own[1][:-1])
    return entering + sigma_w**2 * torch.nn.functional.pad(passed, (1, 0, 1, 0))


def deviations(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """You have standard deviations where variances belong: `ntk.relu.dual`, for one, takes the roots itself."""
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), sigma_w**2).sqrt() for x in (x1, x2)]
    return grid(drive(x1, x2, sigma_u**2, sigma_b**2), own[0], own[1], sigma_w**2)


def variances_not_rectified(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    """Your variances are carried whole: half of a Gaussian is cut by the ReLU before W sees it, for a series with
    itself as for two.
    """
    own = [variances(drive(x, x, sigma_u**2, sigma_b**2).diagonal(), 2 * sigma_w**2) for x in (x1, x2)]
    return grid(drive(x1, x2, sigma_u**2, sigma_b**2), own[0], own[1], sigma_w**2)


NAMED = (
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
    Misconception(negative_index),
    Misconception(inputs_at_equal_times),
    Misconception(one_step_back),
    Misconception(deviations),
    Misconception(variances_not_rectified),
)
