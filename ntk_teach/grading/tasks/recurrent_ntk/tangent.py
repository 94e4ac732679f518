"""Task 10.2: the tangent kernel of the last state, with the gradient through time."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.recurrent_ntk.covariance_terms import drive, grid, variances

__all__ = ["tangent"]


def steps_back(sigma: Tensor) -> range:
    """The common steps, counted from the end."""
    return range(-min(sigma.shape), 0)


def duals(sigma: Tensor, q1: Tensor, q2: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    """(Σ, E[φφ], E[φ̇φ̇]) at the pairs of times at equal distance from the end, first to last."""
    return [(sigma[s, s], *relu.dual(sigma[s, s], q1[s], q2[s])) for s in steps_back(sigma)]


def reference(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    theta = value = slope = torch.zeros((), dtype=sigma.dtype)
    for cov, new_value, new_slope in duals(sigma, q1, q2):
        theta = cov + sigma_w**2 * slope * theta
        value, slope = new_value, new_slope
    return value + slope * theta


# ---- inputs


def covariances(rng: np.random.Generator, *, steps: tuple[int, int], m: int) -> Arguments:
    """Those of two random series, in a network with biases."""
    x1, x2 = (torch.from_numpy(rng.normal(size=(t, m)) * size) for t, size in zip(steps, (1.2, 0.8), strict=True))
    sigma_w, u, b = float(rng.uniform(1.2, 1.6)), rng.uniform(0.6, 1.4) ** 2, rng.uniform(0.3, 0.7) ** 2
    q1, q2 = (variances(drive(x, x, u, b).diagonal(), sigma_w**2) for x in (x1, x2))
    return {"sigma": grid(drive(x1, x2, u, b), q1, q2, sigma_w**2), "q1": q1, "q2": q2, "sigma_w": sigma_w}


# ---- wrong answers


def last_use_alone(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """Your weights have a gradient at the last step alone: the same weights acted at every step, and the kernel adds up
    what each use contributes.
    """
    cov, value, slope = duals(sigma, q1, q2)[-1]
    return value + slope * cov


def aligned_at_the_start(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You compared the series from their beginnings: what survives are pairs at equal distance from the end, where the
    read-out stands.
    """
    common = min(sigma.shape)
    return reference(sigma[:common, :common], q1[:common], q2[:common], sigma_w)


def variances_from_the_start(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """Covariances from the end, variances from the beginning: all three numbers belong to one pair of times."""
    common = min(sigma.shape)
    return reference(sigma[-common:, -common:], q1[:common], q2[:common], sigma_w)


def scale_missing(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """σ_w is missing on the way back: each step back passes W once for either series."""
    return reference(sigma, q1, q2, 1.0)


def scale_not_squared(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """σ_w is not squared: a step back passes W once for either series."""
    return reference(sigma, q1, q2, sigma_w**0.5)


def late_slope(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The slopes are one step late: between the preactivations at t − 1 and at t lies φ at t − 1."""
    theta = value = slope = torch.zeros((), dtype=sigma.dtype)
    for cov, value, slope in duals(sigma, q1, q2):  # noqa: B007
        theta = cov + sigma_w**2 * slope * theta
    return value + slope * theta


def without_read_out(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You stopped at the preactivation g of the last step: the output is V applied to φ(g)."""
    theta = slope = torch.zeros((), dtype=sigma.dtype)
    for cov, _, new_slope in duals(sigma, q1, q2):
        theta = cov + sigma_w**2 * slope * theta
        slope = new_slope
    return theta


def read_out_frozen(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The gradient of the read-out V itself is missing: it is trained as well."""
    return reference(sigma, q1, q2, sigma_w) - duals(sigma, q1, q2)[-1][1]


def last_slope_missing(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The last activation has no slope in your answer: gradients of W, U and b pass it on their way from the output."""
    return without_read_out(sigma, q1, q2, sigma_w) + duals(sigma, q1, q2)[-1][1]


def recurrent_weights_frozen(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The gradient of W itself is missing: you added up what the inputs and biases bring, and W is trained as well."""
    theta = value = slope = torch.zeros((), dtype=sigma.dtype)
    for cov, new_value, new_slope in duals(sigma, q1, q2):
        theta = cov - sigma_w**2 * value + sigma_w**2 * slope * theta
        value, slope = new_value, new_slope
    return value + slope * theta


def read_out_at_every_step(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You added E[φφ] for every step: V reads the last state alone."""
    earlier = sum((value for _, value, _ in duals(sigma, q1, q2)[:-1]), torch.zeros((), dtype=sigma.dtype))
    return reference(sigma, q1, q2, sigma_w) + earlier


def values_for_slopes(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You multiplied by E[φφ] on the way back: a gradient passes the derivative, E[φ̇φ̇]."""
    theta = value = torch.zeros((), dtype=sigma.dtype)
    for cov, new_value, _ in duals(sigma, q1, q2):
        theta = cov + sigma_w**2 * value * theta
        value = new_value
    return value + duals(sigma, q1, q2)[-1][2] * theta


def values_for_slopes_throughout(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You multiplied by E[φφ] everywhere, at the read-out too: a gradient passes the derivative, E[φ̇φ̇]."""
    theta = value = torch.zeros((), dtype=sigma.dtype)
    for cov, new_value, _ in duals(sigma, q1, q2):
        theta = cov + sigma_w**2 * value * theta
        value = new_value
    return value + value * theta


def no_slopes(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """No slope on the way back: a gradient passes an activation at every step."""
    theta = torch.zeros((), dtype=sigma.dtype)
    for cov, _, _ in duals(sigma, q1, q2):
        theta = cov + sigma_w**2 * theta
    _, value, slope = duals(sigma, q1, q2)[-1]
    return value + slope * theta


def covariance_alone(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """This is the covariance of the outputs, the kernel of a network whose read-out alone is trained."""
    return duals(sigma, q1, q2)[-1][1]


def scaled_read_out(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You applied σ_w² once more at the read-out: V has no scale, σ_w belongs to W."""
    return sigma_w**2 * reference(sigma, q1, q2, sigma_w)


def one_step_more(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You treated the read-out as one more step and multiplied its slope by σ_w²: V has no scale, σ_w belongs to W."""
    _, value, _ = duals(sigma, q1, q2)[-1]
    return value + sigma_w**2 * (reference(sigma, q1, q2, sigma_w) - value)


def sum_inside(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The new Σ is multiplied by the slope of the step before: what a use of the weights adds has only the later
    activations to pass.
    """
    theta, slope = torch.zeros((), dtype=sigma.dtype), torch.ones((), dtype=sigma.dtype) / sigma_w**2
    for cov, _, new_slope in duals(sigma, q1, q2):
        theta = sigma_w**2 * slope * (cov + theta)
        slope = new_slope
    _, value, slope = duals(sigma, q1, q2)[-1]
    return value + slope * theta


def old_sigma(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You added the Σ of the step before: the use of the weights at t brings Σ at t."""
    theta = torch.zeros((), dtype=sigma.dtype)
    before = slope = theta
    for cov, _, new_slope in duals(sigma, q1, q2):
        theta = before + sigma_w**2 * slope * theta
        before, slope = cov, new_slope
    _, value, slope = duals(sigma, q1, q2)[-1]
    return value + slope * theta


def first_step_forgotten(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The first common step is missing: there, too, the weights acted, on the input and through the bias."""
    if min(sigma.shape) == 1:
        return covariance_alone(sigma, q1, q2, sigma_w)
    common = min(sigma.shape) - 1
    return reference(sigma[-common:, -common:], q1[-common:], q2[-common:], sigma_w)


def every_pair(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You averaged over all pairs of times: that is the kernel of another read-out; here the last state is read."""
    return torch.stack(
        [
            reference(sigma[:t, :s], q1[:t], q2[:s], sigma_w)
            for t in range(1, len(sigma) + 1)
            for s in range(1, sigma.shape[1] + 1)
        ]
    ).mean()


def every_diagonal(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You added all pairs of times up: gradients at two times are orthogonal unless both are equally far from the
    end, and each of those has the later activations to pass.
    """
    slopes = relu.dual(sigma, q1[:, None], q2).slope
    theta = torch.zeros((), dtype=sigma.dtype)
    for t in range(len(sigma)):
        for s in range(sigma.shape[1]):
            theta = theta + sigma[t, s]
    return duals(sigma, q1, q2)[-1][1] + slopes[-1, -1] * theta


def read_out_exchanged(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """The two expectations have changed places at the read-out: the gradient of V is the state, E[φφ]; what comes from
    below passes E[φ̇φ̇].
    """
    _, value, slope = duals(sigma, q1, q2)[-1]
    return slope + value * without_read_out(sigma, q1, q2, sigma_w)


def doubled(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """Your step back has a factor 2: other texts put one behind a ReLU; here σ_w is the only scale."""
    return reference(sigma, q1, q2, 2**0.5 * sigma_w)


def preactivation_for_the_state(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """For V you added Σ of the last step: V multiplies the state φ(g), so its part is E[φφ]."""
    cov, value, _ = duals(sigma, q1, q2)[-1]
    return reference(sigma, q1, q2, sigma_w) + cov - value


def deviations(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You have standard deviations where variances belong: `ntk.relu.dual`, for one, takes the roots itself."""
    return reference(sigma, q1.sqrt(), q2.sqrt(), sigma_w)


def last_step_forgotten(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """Your walk ends one step early: at the last step, too, the weights are used, behind one more slope."""
    _, value, slope = duals(sigma, q1, q2)[-1]
    common = min(sigma.shape)
    before = without_read_out(sigma[-common:-1, -common:-1], q1[-common:-1], q2[-common:-1], sigma_w)
    return value + slope * before


def read_at_the_end_alone(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """You walked along t = t' and read out at the two ends: with unequal lengths that way does not arrive there. The
    one that does keeps the same distance from both ends.
    """
    common = min(sigma.shape)
    _, value, slope = duals(sigma, q1, q2)[-1]
    return value + slope * without_read_out(sigma[:common, :common], q1[:common], q2[:common], sigma_w)


# ---- right answers


def unrolled(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> float:
    """From the end to the beginning, with the product of the slopes so far."""
    total, passed = 0.0, 1.0
    for s in range(1, min(sigma.shape) + 1):
        value, slope = relu.dual(sigma[-s, -s], q1[-s], q2[-s])
        if s == 1:
            total += float(value)
        passed *= float(slope) * (1.0 if s == 1 else sigma_w**2)
        total += passed * float(sigma[-s, -s])
    return total


def whole_grid(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    """Θ at every pair of times, and the last corner read."""
    values, slopes = relu.dual(sigma, q1[:, None], q2)
    theta = sigma.clone()
    for t in range(1, len(sigma)):
        theta[t, 1:] = sigma[t, 1:] + sigma_w**2 * slopes[t - 1, :-1] * theta[t - 1, :-1]
    return values[-1, -1] + slopes[-1, -1] * theta[-1, -1]


def recursive(sigma: Tensor, q1: Tensor, q2: Tensor, sigma_w: float) -> Tensor:
    def theta(t: int, s: int) -> Tensor:
        if t < 0 or s < 0:
            return torch.zeros((), dtype=sigma.dtype)
        if not t or not s:
            return sigma[t, s]
        before = relu.dual(sigma[t - 1, s - 1], q1[t - 1], q2[s - 1])
        return sigma[t, s] + sigma_w**2 * before.slope * theta(t - 1, s - 1)

    value, slope = relu.dual(sigma[-1, -1], q1[-1], q2[-1])
    return value + slope * theta(len(q1) - 1, len(q2) - 1)


tangent = Task(
    id="10.2",
    title="The tangent kernel of the last state",
    signature="last_step_ntk(sigma, q1, q2, sigma_w) -> float",
    reference=reference,
    credit={"unequal lengths": 2, "equal lengths": 1},
    cases=(
        Case("unequal lengths", "4 and 6 steps", partial(covariances, steps=(4, 6), m=3)),
        Case("unequal lengths", "7 and 3 steps", partial(covariances, steps=(7, 3), m=2)),
        Case("unequal lengths", "5 and 8 steps", partial(covariances, steps=(5, 8), m=1)),
        Case("equal lengths", "5 and 5 steps", partial(covariances, steps=(5, 5), m=2)),
    ),
    misconceptions=(
        Misconception(last_use_alone),
        Misconception(aligned_at_the_start),
        Misconception(variances_from_the_start),
        Misconception(scale_missing),
        Misconception(scale_not_squared),
        Misconception(late_slope),
        Misconception(without_read_out),
        Misconception(read_out_frozen),
        Misconception(last_slope_missing),
        Misconception(recurrent_weights_frozen),
        Misconception(read_out_at_every_step),
        Misconception(values_for_slopes),
        Misconception(values_for_slopes_throughout),
        Misconception(no_slopes),
        Misconception(covariance_alone),
        Misconception(scaled_read_out),
        Misconception(one_step_more),
        Misconception(sum_inside),
        Misconception(old_sigma),
        Misconception(first_step_forgotten),
        Misconception(every_pair),
        Misconception(every_diagonal),
        Misconception(read_out_exchanged),
        Misconception(doubled),
        Misconception(preactivation_for_the_state),
        Misconception(deviations),
        Misconception(last_step_forgotten),
        Misconception(read_at_the_end_alone),
    ),
    alternatives=(unrolled, whole_grid, recursive),
)
