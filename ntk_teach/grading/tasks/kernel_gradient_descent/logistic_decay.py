"""Task 02.3: how fast the logistic cost falls, −‖d‖²_K, at outputs of any size."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.costs import logistic
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.kernel_gradient_descent.draws import Generator, gram
from ntk_teach.kernel_gradient_descent import cost_decay

__all__ = ["logistic_decay"]


def drawn(rng: Generator, *, n: int, size: float) -> Arguments:
    """Labels of both kinds, outputs on the right side and on the wrong one, and one that is right by a little."""
    y = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    f = size * rng.uniform(0.7, 1.4, size=n) * rng.choice([-1.0, 1.0], size=n)
    f[0], f[1], f[2] = abs(f[0]), abs(f[1]), -abs(f[2])  # one right, two wrong
    f[3] = -rng.uniform(0.2, 0.9)  # right, with a margin below 1
    order = rng.permutation(n)
    return {
        "kernel": gram(rng, n, scale=float(rng.uniform(2, 4))),
        "f": torch.from_numpy(f[order]),
        "y": torch.from_numpy(y[order]),
    }


def reference(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    return cost_decay(kernel, logistic.gradient(f, y))


def decay(kernel: Tensor, d: Tensor) -> Tensor:
    return -(d @ kernel @ d) / len(d) ** 2


# ---- wrong answers


def grows(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The sign is lost: along the flow the cost falls, so its derivative in time is negative."""
    return -reference(kernel, f, y)


def averaged_once(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """There is one 1/N too few: one comes from the cost, which is a mean, and one from the flow of f."""
    return len(f) * reference(kernel, f, y)


def not_averaged(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """Both factors 1/N are missing: one comes from the cost, which is a mean, and one from the flow of f."""
    return len(f) ** 2 * reference(kernel, f, y)


def averaged_in_d_too(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The factors 1/N are there twice over: d is the derivative of one example's cost and has none of its own."""
    return reference(kernel, f, y) / len(f) ** 2


def kernel_left_out(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The kernel is missing: f does not move along d but along what the kernel makes of it."""
    return -logistic.gradient(f, y).square().mean()


def squared_error(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You took f − y, the derivative of the squared error: the logistic cost has another one."""
    return decay(kernel, f - y)


def labels_zero_and_one(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """σ(f) − y is for labels 0 and 1: here they are −1 and +1."""
    return decay(kernel, torch.sigmoid(f) - y)


def pushes_the_right_ones(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """A sign inside the exponential is wrong: examples that are already right push hardest in your answer, and should
    push least.
    """
    return decay(kernel, -y * torch.sigmoid(y * f))


def exponential_cost(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You differentiated e^(−y f), without the logarithm around it."""
    return decay(kernel, -y * torch.exp(-y * f))


def cost_instead_of_slope(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You used the cost of each example as d: its derivative by the output is asked."""
    return decay(kernel, torch.nn.functional.softplus(-y * f))


def label_dropped(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The factor y of the inner derivative is missing: the outputs of the two classes move in opposite directions."""
    return decay(kernel, torch.sigmoid(-y * f))


def label_only_outside(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """Whether an example is right depends on y · f: in your σ the label is missing."""
    return decay(kernel, -y * torch.sigmoid(-f))


def hinge(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You differentiated the hinge max(0, 1 − y f): the logistic cost pushes smoothly, and at every margin."""
    return decay(kernel, -y * (y * f < 1))


def perceptron(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """Only wrong examples push in your answer: the logistic cost pushes at every margin, less the larger it is."""
    return decay(kernel, -y * (y * f < 0))


def cost_returned(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You returned the cost itself: asked is how fast it falls."""
    return torch.nn.functional.softplus(-y * f).mean()


def cost_over_time(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You returned a change of f at each input: the derivative of the cost is one number."""
    return -kernel @ logistic.gradient(f, y) / len(f)


def halved(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """There is a factor ½: it belongs to the squared error, and there a square takes it away."""
    return reference(kernel, f, y) / 2


def root_taken(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You took the root, −‖d‖_K: the derivative of the cost is minus the *square* of the norm."""
    return -(-reference(kernel, f, y)).sqrt()


def equal_inputs_only(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """Only the pairs x = x' are there: an example moves the outputs of all others, so every pair counts."""
    return -(kernel.diagonal() * logistic.gradient(f, y).square()).sum() / len(f) ** 2


def kernel_twice(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You took the mean square of the motion of f, with the kernel in it twice: the cost changes by d times motion."""
    return -(kernel @ logistic.gradient(f, y) / len(f)).square().mean()


def second_derivative(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """p(1 − p) is the second derivative of the logistic cost: d is the first."""
    return decay(kernel, torch.sigmoid(f) * torch.sigmoid(-f))


def probability_alone(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The labels do not enter your d: an output that is right should hardly push, and whether it is depends on y."""
    return decay(kernel, torch.sigmoid(f))


def doubled(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """There is a factor 2 too many: d appears twice in the norm, and that is all."""
    return 2 * reference(kernel, f, y)


def wrong_ones_dropped(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """You replaced NaN by 0 in d: those examples are far on the wrong side, and push hardest. Write the fraction so
    that nothing overflows.
    """
    e = torch.exp(-y * f)
    return decay(kernel, torch.nan_to_num(-y * e / (1 + e)))


def overflow(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The formula is right, but an exponential overflows where an output is far from zero, and ∞/∞ is not a number:
    write the fraction so that a large exponential stands alone in the denominator.
    """
    e = torch.exp(-y * f)
    return decay(kernel, -y * e / (1 + e))


# ---- right answers


def written_out(kernel: Tensor, f: Tensor, y: Tensor) -> float:
    n, d = len(f), -y / (1 + torch.exp(y * f))
    return -sum(float(d[i] * kernel[i, j] * d[j]) for i in range(n) for j in range(n)) / n**2


def by_autograd(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    """The slope of the mean cost has the 1/N already, and the chain rule the other one."""
    moving = f.clone().requires_grad_()
    slope = torch.autograd.grad(torch.nn.functional.softplus(-y * moving).mean(), moving)[0]
    return -slope @ kernel @ slope


def half_a_tanh(kernel: Tensor, f: Tensor, y: Tensor) -> NDArray[np.float64]:
    d = (np.tanh(f.numpy() / 2) - y.numpy()) / 2
    return np.asarray(-(d @ kernel.numpy() @ d) / d.size**2)


def zero_one_done_right(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    return decay(kernel, torch.sigmoid(f) - (y + 1) / 2)


def float32(kernel: Tensor, f: Tensor, y: Tensor) -> Tensor:
    return reference(kernel, f, y).float()


logistic_decay = Task(
    id="02.3",
    title="How fast the logistic cost falls",
    signature="cost_decay(kernel, f, y) -> float",
    reference=reference,
    credit={"outputs of ordinary size": 2, "outputs far from zero": 1},
    cases=(
        Case("outputs of ordinary size", "5 inputs", partial(drawn, n=5, size=1.0)),
        Case("outputs of ordinary size", "8 inputs", partial(drawn, n=8, size=1.5)),
        Case("outputs far from zero", "6 inputs, outputs of ±1000", partial(drawn, n=6, size=1000.0)),
    ),
    misconceptions=(
        *map(
            Misconception,
            (
                grows,
                averaged_once,
                not_averaged,
                averaged_in_d_too,
                kernel_left_out,
                squared_error,
                labels_zero_and_one,
                pushes_the_right_ones,
                exponential_cost,
                cost_instead_of_slope,
                label_dropped,
                label_only_outside,
                hinge,
                perceptron,
                cost_returned,
                cost_over_time,
                halved,
                root_taken,
                equal_inputs_only,
                kernel_twice,
                second_derivative,
                probability_alone,
                doubled,
            ),
        ),
        Misconception(wrong_ones_dropped, keeps=2),
        Misconception(overflow, keeps=2),
    ),
    alternatives=(written_out, by_autograd, half_a_tanh, zero_one_done_right, float32),
    when_nan="An exponential of a large number is infinite, and ∞/∞ is not a number.",
)
