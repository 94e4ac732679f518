"""Task 03.3: where gradient descent ends, and what it remembers of its start."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Case, Misconception, Task
from ntk_teach.grading.tasks.random_features.draws import to_end

__all__ = ["end"]


def jacobian(features: Tensor) -> Tensor:
    return features / math.sqrt(features.shape[1])


def pseudoinverse(j: Tensor) -> Tensor:
    inverse: Tensor = torch.linalg.pinv(j)
    return inverse


def reference(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """Not in the library as such: θ₀ + J⁺(y − Jθ₀), tested against its ``gradient_descent`` over many steps."""
    j = jacobian(features)
    return theta0 + pseudoinverse(j) @ (y - j @ theta0)


def start_forgotten(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """That is the solution of least norm, where gradient descent ends if it starts at 0. The part of theta0 that the
    data cannot see is never touched by a gradient.
    """
    return pseudoinverse(jacobian(features)) @ y


def start_added(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You added theta0 to the solution of least norm: what is fitted is what theta0 leaves over, the residual at the
    start, not y itself.
    """
    return theta0 + pseudoinverse(jacobian(features)) @ y


def visible_part_kept(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You kept the part of theta0 that the data see and dropped the other: it is the part in the null space of the
    features that survives.
    """
    j = jacobian(features)
    return pseudoinverse(j) @ (y + j @ theta0)


def residual_reversed(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """The sign is wrong: training moves theta against the residual f − y, so that the outputs come to y."""
    j = jacobian(features)
    return theta0 - pseudoinverse(j) @ (y - j @ theta0)


def never_scaled(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """The 1/√P of the model is missing: with outputs F θ/√P the parameters that fit are √P times larger."""
    return theta0 + pseudoinverse(features) @ (y - features @ theta0)


def scaled_by_the_count(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You divided the features by P: the model divides by √P."""
    j = features / features.shape[1]
    return theta0 + pseudoinverse(j) @ (y - j @ theta0)


def outputs_of_the_start_not_scaled(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """The outputs of theta0 lack their 1/√P: the residual at the start is y − F theta0/√P."""
    return theta0 + pseudoinverse(jacobian(features)) @ (y - features @ theta0)


def pseudoinverse_not_scaled(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """The residual has its 1/√P but the pseudoinverse has not: both belong to the same matrix J = F/√P."""
    return theta0 + pseudoinverse(features) @ (y - jacobian(features) @ theta0)


def transposed(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You used the transpose in place of the pseudoinverse: that is one long step, not the end of all of them."""
    j = jacobian(features)
    return theta0 + j.T @ (y - j @ theta0)


def averaged_step(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You took one gradient step with learning rate 1: the end is where the gradient has become 0."""
    j = jacobian(features)
    return theta0 + j.T @ (y - j @ theta0) / len(y)


def kernel_divided(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """The 1/N does not belong here: it sets the speed of training, and not where it ends."""
    j = jacobian(features)
    return theta0 + len(y) * pseudoinverse(j) @ (y - j @ theta0)


def outputs_returned(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You returned the trained outputs at the data: theta is asked, one number for each feature."""
    return jacobian(features) @ reference(features, y, theta0)


def start_returned(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You returned what is left of theta0 alone: the part that the data see has been replaced by what fits y."""
    j = jacobian(features)
    return theta0 - pseudoinverse(j) @ (j @ theta0)


def least_norm_not_scaled(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """Two things are missing: the 1/√P of the model, and theta0, of which the data see a part only."""
    return pseudoinverse(features) @ y


def root_of_the_examples(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You divided by the root of the number of examples: the model divides by √P, and P counts the features."""
    j = features / math.sqrt(len(y))
    return theta0 + pseudoinverse(j) @ (y - j @ theta0)


def divided_by_data(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You divided by N: the mean in the cost sets the speed of training, and not where it ends."""
    j = jacobian(features)
    return theta0 + pseudoinverse(j) @ (y - j @ theta0) / len(y)


def ridge_of_one(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You added the identity to the kernel: that is a ridge, and holds theta back. The pseudoinverse leaves out what
    the kernel sends to zero, and changes nothing else.
    """
    j = jacobian(features)
    result: Tensor = theta0 + j.T @ torch.linalg.solve(j @ j.T + torch.eye(len(y), dtype=j.dtype), y - j @ theta0)
    return result


def movement_returned(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """You returned how far theta moves: add where it began."""
    j = jacobian(features)
    return pseudoinverse(j) @ (y - j @ theta0)


def transpose_for_projection(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """Jᵀ J is no projection: what the data see of theta0 is J⁺ J theta0, with the pseudoinverse in both places."""
    j = jacobian(features)
    return pseudoinverse(j) @ y + theta0 - j.T @ (j @ theta0)


def by_least_squares(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    j = jacobian(features)
    moved: Tensor = torch.linalg.lstsq(j, (y - j @ theta0)[:, None], driver="gelsd").solution
    return theta0 + moved[:, 0]


def with_a_projection(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    """Two parts: what fits y, and theta0 on the null space."""
    _, s, v = torch.linalg.svd(jacobian(features))
    seen: Tensor = v[: int((s > 1e-10 * s[0]).sum())]
    fits = pseudoinverse(jacobian(features)) @ y
    return fits + theta0 - seen.T @ (seen @ theta0)


def in_numpy(features: Tensor, y: Tensor, theta0: Tensor) -> np.ndarray:
    j, start = features.numpy() / np.sqrt(features.shape[1]), theta0.numpy()
    theta: np.ndarray = start + np.linalg.lstsq(j, y.numpy() - j @ start, rcond=None)[0]
    return theta


def through_the_kernel(features: Tensor, y: Tensor, theta0: Tensor) -> Tensor:
    j = jacobian(features)
    inverse: Tensor = torch.linalg.pinv(j @ j.T, hermitian=True, rtol=1e-10)
    return theta0 + j.T @ (inverse @ (y - j @ theta0))


end = Task(
    id="03.3",
    title="Where it ends, and what it remembers",
    signature="theta_end(features, y, theta0) -> [P]",
    reference=reference,
    credit={"from zero": 1, "from any start": 2},
    cases=(
        Case("from zero", "from 0, more features than data", partial(to_end, n=4, count=9, zero=True)),
        Case("from zero", "from 0, fewer features than data", partial(to_end, n=8, count=3, zero=True)),
        Case("from any start", "more features than data", partial(to_end, n=5, count=11, zero=False)),
        Case("from any start", "fewer features than data", partial(to_end, n=9, count=4, zero=False)),
        Case(
            "from any start",
            "one input twice, with two labels",
            partial(to_end, n=5, count=8, zero=False, repeated=True),
        ),
    ),
    misconceptions=(
        Misconception(start_forgotten, keeps=1),
        Misconception(start_added, keeps=1),
        Misconception(visible_part_kept, keeps=1),
        Misconception(residual_reversed),
        Misconception(never_scaled),
        Misconception(scaled_by_the_count),
        Misconception(outputs_of_the_start_not_scaled, keeps=1),
        Misconception(pseudoinverse_not_scaled),
        Misconception(transposed),
        Misconception(averaged_step),
        Misconception(kernel_divided),
        Misconception(outputs_returned),
        Misconception(start_returned),
        Misconception(least_norm_not_scaled),
        Misconception(root_of_the_examples),
        Misconception(divided_by_data),
        Misconception(ridge_of_one),
        Misconception(movement_returned, keeps=1),
        Misconception(transpose_for_projection, keeps=1),
    ),
    alternatives=(by_least_squares, with_a_projection, in_numpy, through_the_kernel),
)
