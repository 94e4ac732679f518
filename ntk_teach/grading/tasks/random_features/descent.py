"""Task 03.2: gradient descent on the parameters of the model."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach import RandomFeatures
from ntk_teach.grading.task import Case, Misconception, Task
from ntk_teach.grading.tasks.random_features.draws import to_descend

__all__ = ["descent"]


def reference(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    model = RandomFeatures(lambda x: x, count=len(theta))
    return model.gradient_descent(theta, features, y, lr=lr, steps=steps)


def descended(
    theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int, *, into: float, back: float, per: float
) -> Tensor:
    """Outputs F θ/into, gradient Fᵀ r/(back · per)."""
    for _ in range(steps):
        theta = theta - lr / (back * per) * features.T @ (features @ theta / into - y)
    return theta


def gradient_not_scaled(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The gradient lacks its 1/√P: the derivative of f by θ_p is f^(p)/√P, with the same factor as f itself."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=root, back=1, per=len(y))


def outputs_not_scaled(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The residual uses outputs without their 1/√P: f is the sum over the features divided by √P."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=1, back=root, per=len(y))


def never_scaled(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The 1/√P is missing everywhere: you trained the plain sum of the features, whose kernel is P times larger."""
    return descended(theta, features, y, lr, steps, into=1, back=1, per=len(y))


def scaled_by_the_count(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You divided by P where the model divides by √P: with 1/P the kernel itself would vanish like 1/P."""
    count = len(theta)
    return descended(theta, features, y, lr, steps, into=count, back=count, per=len(y))


def not_averaged(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The gradient is summed over the data and not averaged: the cost has a 1/N in front."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=root, back=root, per=1)


def averaged_over_parameters(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You averaged over the parameters: the cost is a mean over the N examples."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=root, back=root, per=len(theta))


def cost_without_half(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The step is twice too long: the cost has a ½ in front, which cancels the 2 of the square's derivative."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=root, back=root, per=len(y) / 2)


def half_kept(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The step is half as long as it should be: the ½ of the cost is used up by the 2 of the square's derivative."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=root, back=root, per=2 * len(y))


def uphill(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The cost grows: the residual is f − y, and the step goes against the gradient."""
    root = math.sqrt(len(theta))
    return descended(theta, features, y, lr, steps, into=root, back=-root, per=len(y))


def from_zero(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You started at 0: gradient descent starts at the given theta, and remembers it."""
    return reference(torch.zeros_like(theta), features, y, lr, steps)


def start_not_in_the_residual(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You trained from 0 and added the start at the end: the first residual already contains the outputs of theta."""
    return theta + reference(torch.zeros_like(theta), features, y, lr, steps)


def residual_frozen(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The residual is computed once, before the loop: every step needs the outputs of the present theta."""
    return theta + steps * (reference(theta, features, y, lr, 1) - theta)


def one_step_only(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You took a single step whatever the number of steps: is the return inside the loop, or is theta not updated?"""
    return reference(theta, features, y, lr, 1)


def one_step_short(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step too few: each of the steps updates theta once, the first one too."""
    return reference(theta, features, y, lr, steps - 1)


def one_step_more(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step too many: range(steps + 1) has steps + 1 members."""
    return reference(theta, features, y, lr, steps + 1)


def each_output_against_every_label(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You subtracted shapes [N, 1] and [N]: that gives N × N differences, every output against every label. Which label
    belongs to which output is lost.
    """
    return reference(theta, features, torch.full_like(y, float(y.mean())), lr, steps)


def root_of_the_examples(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You divided by the root of the number of examples: the model divides by √P, and P counts the features."""
    root = math.sqrt(len(y))
    return descended(theta, features, y, lr, steps, into=root, back=root, per=len(y))


def averaged_twice(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You divided by N twice: the cost is one mean over the examples."""
    return reference(theta, features, y, lr / len(y), steps)


def averaged_over_features(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """There is a 1/P too many: the model's 1/√P stands once in f and once in its slope."""
    return reference(theta, features, y, lr / len(theta), steps)


def no_learning_rate(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """lr does nothing in your steps: it multiplies the gradient."""
    return reference(theta, features, y, 1.0, steps)


def labels_left_out(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The labels do not enter: the gradient is made of the residual f − y, not of f."""
    return reference(theta, features, torch.zeros_like(y), lr, steps)


def change_returned(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You returned how far theta moved: asked is where it is."""
    return reference(theta, features, y, lr, steps) - theta


def gradients_added_up(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """Your gradients add up from step to step, as `.grad` does if it is not set to zero: each step needs that of the
    present theta alone.
    """
    total = torch.zeros_like(theta)
    for _ in range(steps):
        total = total + reference(theta, features, y, lr, 1) - theta
        theta = theta + total
    return theta


def one_example_at_a_time(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You updated theta after every example: full-batch gradient descent computes all residuals first, then steps."""
    scaled = features / math.sqrt(len(theta))
    for _ in range(steps):
        for row, label in zip(scaled, y, strict=True):
            theta = theta - lr / len(y) * (row @ theta - label) * row
    return theta


def in_continuous_time(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """That is the gradient flow at time lr · steps: gradient descent takes steps of finite length, (1 − lr λ)^steps in
    place of the exponential.
    """
    jacobian = features / math.sqrt(len(theta))
    rest: Tensor = torch.linalg.matrix_exp(-lr * steps / len(y) * jacobian.T @ jacobian)
    pinv: Tensor = torch.linalg.pinv(jacobian)
    return theta + (torch.eye(len(theta), dtype=torch.float64) - rest) @ pinv @ (y - jacobian @ theta)


def where_it_ends(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """That is where infinitely many steps would end: here training stops after a given number of them."""
    jacobian = features / math.sqrt(len(theta))
    pinv: Tensor = torch.linalg.pinv(jacobian)
    return theta + pinv @ (y - jacobian @ theta)


def outputs_returned(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You returned the outputs of the trained model: theta itself is asked, one number for each feature."""
    return features @ reference(theta, features, y, lr, steps) / math.sqrt(len(theta))


def by_autograd(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    def cost(t: Tensor) -> Tensor:
        return (features @ t / math.sqrt(len(t)) - y).square().mean() / 2

    slope: Callable[[Tensor], Tensor] = torch.func.grad(cost)
    for _ in range(steps):
        theta = theta - lr * slope(theta)
    return theta


def by_eigenvectors(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """All steps at once: every singular direction shrinks by its own factor."""
    u, s, v = torch.linalg.svd(features / math.sqrt(len(theta)), full_matrices=False)
    approach = (1 - (1 - lr * s**2 / len(y)) ** steps) / s
    moved: Tensor = v.T @ (approach * (u.T @ (y - u @ (s * (v @ theta)))))
    return theta + moved


def in_numpy(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> np.ndarray:
    values, matrix, target = theta.numpy().copy(), features.numpy(), y.numpy()
    for _ in range(steps):
        residual = matrix.dot(values) / np.sqrt(matrix.shape[1]) - target
        values -= lr * np.mean(residual[:, None] * matrix, axis=0) / np.sqrt(matrix.shape[1])
    return values


def through_the_kernel(theta: Tensor, features: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """Kernel gradient descent on f; the integral of the residuals, carried back by the features, moves theta."""
    jacobian = features / math.sqrt(len(theta))
    f, total = jacobian @ theta, torch.zeros_like(y)
    for _ in range(steps):
        d = f - y
        total = total + d
        f = f - lr / len(y) * jacobian @ (jacobian.T @ d)
    return theta - lr / len(y) * jacobian.T @ total


descent = Task(
    id="03.2",
    title="Gradient descent on the parameters",
    signature="theta_after(theta, features, y, lr, steps) -> [P]",
    reference=reference,
    credit={"one step": 1, "several steps": 2},
    cases=(
        Case("one step", "9 features, 5 examples, one step", partial(to_descend, n=5, count=9, steps=1)),
        Case("one step", "3 features, 7 examples, one step", partial(to_descend, n=7, count=3, steps=1)),
        Case("several steps", "8 features, 6 examples, four steps", partial(to_descend, n=6, count=8, steps=4)),
        Case("several steps", "4 features, 9 examples, seven steps", partial(to_descend, n=9, count=4, steps=7)),
    ),
    misconceptions=(
        Misconception(gradient_not_scaled),
        Misconception(outputs_not_scaled),
        Misconception(never_scaled),
        Misconception(scaled_by_the_count),
        Misconception(not_averaged),
        Misconception(averaged_over_parameters),
        Misconception(cost_without_half),
        Misconception(half_kept),
        Misconception(uphill),
        Misconception(from_zero),
        Misconception(start_not_in_the_residual),
        Misconception(residual_frozen, keeps=1),
        Misconception(one_step_only, keeps=1),
        Misconception(one_step_short),
        Misconception(one_step_more),
        Misconception(one_example_at_a_time),
        Misconception(in_continuous_time),
        Misconception(where_it_ends),
        Misconception(outputs_returned),
        Misconception(each_output_against_every_label),
        Misconception(root_of_the_examples),
        Misconception(averaged_twice),
        Misconception(averaged_over_features),
        Misconception(no_learning_rate),
        Misconception(labels_left_out),
        Misconception(change_returned),
        Misconception(gradients_added_up, keeps=1),
    ),
    alternatives=(by_autograd, by_eigenvectors, in_numpy, through_the_kernel),
)
