"""Task 08.2: one step of gradient descent on the lazy objective."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["step"]


def reference(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    return -lr / (alpha * len(y)) * (jacobian.T @ (alpha * (f - f0) - y))


# ---- inputs


def state(rng: np.random.Generator, *, n: int, size: int, alpha: tuple[float, float], start: bool) -> Arguments:
    """A model on its way, or at its start, where f = f₀."""
    jacobian, f0, change, y = (rng.normal(size=shape) for shape in ((n, size), n, n, n))
    scale = float(rng.uniform(*alpha)) if alpha[0] < alpha[1] else alpha[0]
    return {
        "jacobian": torch.from_numpy(jacobian),
        "f": torch.from_numpy(f0 + (0.0 if start else 0.7) * change),
        "f0": torch.from_numpy(f0),
        "y": torch.from_numpy(y),
        "alpha": scale,
        "lr": float(rng.uniform(0.1, 0.8)),
    }


# ---- wrong answers


def ascent(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The sign is reversed: this step climbs."""
    return -reference(jacobian, f, f0, y, alpha, lr)


def not_centered(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You trained α f: the model is α (f − f₀), which starts at 0."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (alpha * f - y))


def residual_of_f(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The residual is that of the plain network, f − y: the model that is trained is α (f − f₀)."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (f - y))


def plain_network(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """This is a step of the plain network towards y: neither the scale α nor the subtracted start occurs in it."""
    return -lr / len(y) * (jacobian.T @ (f - y))


def no_mean(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The 1/N is missing: the cost is a mean over the examples."""
    return -lr / alpha * (jacobian.T @ (alpha * (f - f0) - y))


def parameters_counted(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You divided by the number of parameters: the mean in the cost runs over the examples."""
    return -lr / (alpha * jacobian.shape[1]) * (jacobian.T @ (alpha * (f - f0) - y))


def without_the_half(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """Your step is twice as long: the cost has a factor 1/2, which cancels the 2 of the square."""
    return 2 * reference(jacobian, f, f0, y, alpha, lr)


def start_not_scaled(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You subtracted f₀ after multiplying by α: the difference f − f₀ is what is multiplied, or the start is not 0."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (alpha * f - f0 - y))


def plain_objective(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """This is a step on R(α h) itself: the lazy objective divides it by α², or large scales explode."""
    return -lr * alpha / len(y) * (jacobian.T @ (alpha * (f - f0) - y))


def divided_once(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """No power of α is left in front of your gradient: the objective is divided by α² and the chain rule gives one α
    back, not two.
    """
    return -lr / len(y) * (jacobian.T @ (alpha * (f - f0) - y))


def chain_rule_forgotten(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The chain rule's α is missing: the model is α times the network, so its Jacobian is α times the network's."""
    return -lr / (alpha**2 * len(y)) * (jacobian.T @ (alpha * (f - f0) - y))


def target_scaled(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You scaled the target as well: then α cancels and nothing becomes lazy. The task stays y, the model is scaled."""
    return -lr / len(y) * (jacobian.T @ (f - f0 - y))


def residual_not_scaled(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """α is missing inside the residual: the output of the model is α (f − f₀)."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (f - f0 - y))


def difference_turned_round(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You subtracted f from f₀: the model is the change since the start, f − f₀."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (alpha * (f0 - f) - y))


def target_added(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You added the target: a residual is the model's output minus the target."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (alpha * (f - f0) + y))


def target_shifted(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You subtracted f₀ from the target as well: it is taken from the network once, and the target stays y."""
    return -lr / (alpha * len(y)) * (jacobian.T @ (alpha * (f - f0) - (y - f0)))


def target_forgotten(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The target is missing: without it nothing is asked of the model, and at the start the step is 0."""
    return -lr / len(y) * (jacobian.T @ (f - f0))


def alpha_in_front_alone(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You stepped on R(h)/α²: the model inside R is α h, and the division by α² is there to make up for that."""
    return -lr / (alpha**2 * len(y)) * (jacobian.T @ (f - f0 - y))


def plain_network_divided(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You divided the cost of the plain network by α²: the model inside the cost is α (f − f₀)."""
    return -lr / (alpha**2 * len(y)) * (jacobian.T @ (f - y))


def half_a_step(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """Your step is half as long: the derivative of the square brings a 2, which cancels the 1/2 of the cost."""
    return reference(jacobian, f, f0, y, alpha, lr) / 2


def gradient_itself(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You returned the gradient: asked is the change of the parameters, a step of size lr against it."""
    return -reference(jacobian, f, f0, y, alpha, 1.0)


def averaged_over_all_entries(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """You averaged over the parameters as well: each parameter has a slope of its own, a mean over the examples."""
    return reference(jacobian, f, f0, y, alpha, lr) / jacobian.shape[1]


# ---- right answers


def differentiated(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The objective of the tangent at this point, whose gradient there is the same."""
    moved = torch.zeros(jacobian.shape[1], dtype=jacobian.dtype, requires_grad=True)
    objective = (alpha * (f + jacobian @ moved - f0) - y).square().mean() / 2 / alpha**2
    change: Tensor = -lr * torch.autograd.grad(objective, moved)[0]
    return change


def small_ask(jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float) -> Tensor:
    """The plain network towards f₀ + y/α."""
    return lr * jacobian.mT @ (f0 + y / alpha - f) / y.shape[0]


def example_by_example(
    jacobian: Tensor, f: Tensor, f0: Tensor, y: Tensor, alpha: float, lr: float
) -> NDArray[np.float64]:
    total = np.zeros(jacobian.shape[1])
    for row, now, before, target in zip(jacobian.numpy(), f.tolist(), f0.tolist(), y.tolist(), strict=True):
        total -= lr * (alpha * (now - before) - target) * row / alpha
    return total / len(y)


step = Task(
    id="08.2",
    title="A step on the lazy objective",
    signature="lazy_step(jacobian, f, f0, y, alpha, lr) -> [p]",
    reference=reference,
    credit={"on the way": 2, "at the start": 1},
    cases=(
        Case("on the way", "alpha = 1", partial(state, n=4, size=7, alpha=(1.0, 1.0), start=False)),
        Case("on the way", "alpha above 2", partial(state, n=5, size=8, alpha=(2.0, 9.0), start=False)),
        Case("on the way", "alpha below 1", partial(state, n=7, size=4, alpha=(0.1, 0.6), start=False)),
        Case("at the start", "f = f0", partial(state, n=6, size=3, alpha=(2.0, 9.0), start=True)),
    ),
    misconceptions=(
        Misconception(ascent),
        Misconception(not_centered),
        Misconception(residual_of_f),
        Misconception(plain_network),
        Misconception(no_mean),
        Misconception(parameters_counted),
        Misconception(without_the_half),
        Misconception(start_not_scaled),
        Misconception(plain_objective),
        Misconception(divided_once),
        Misconception(chain_rule_forgotten),
        Misconception(target_scaled),
        Misconception(residual_not_scaled),
        Misconception(difference_turned_round),
        Misconception(target_added),
        Misconception(target_shifted),
        Misconception(target_forgotten),
        Misconception(alpha_in_front_alone),
        Misconception(plain_network_divided),
        Misconception(half_a_step),
        Misconception(gradient_itself),
        Misconception(averaged_over_all_entries),
    ),
    alternatives=(differentiated, small_ask, example_by_example),
)
