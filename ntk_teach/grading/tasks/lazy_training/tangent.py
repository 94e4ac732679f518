"""Task 08.3: what the linearized network predicts after some steps."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["tangent"]


def displacement(j: Tensor, residual: Tensor, lr: float, steps: int) -> Tensor:
    """θ − θ₀ after gradient descent on 1/(2N) ‖residual + J (θ − θ₀)‖²."""
    delta = torch.zeros(j.shape[1], dtype=j.dtype)
    for _ in range(steps):
        delta = delta - lr / len(j) * (j.T @ (residual + j @ delta))
    return delta


def reference(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    return f0_test + j_test @ displacement(j, f0 - y, lr, steps)


# ---- inputs


def task(rng: np.random.Generator, *, n: int, m: int, size: int, steps: int) -> Arguments:
    """More or fewer parameters than examples; the learning rate is well below the critical one."""
    j, j_test = rng.normal(size=(n, size)), rng.normal(size=(m, size))
    largest = np.linalg.norm(j, ord=2) ** 2 / n
    f0_test, f0, y = (rng.normal(size=count) for count in (m, n, n))
    return {
        "j_test": torch.from_numpy(j_test),
        "j": torch.from_numpy(j),
        "f0_test": torch.from_numpy(f0_test),
        "f0": torch.from_numpy(f0),
        "y": torch.from_numpy(y),
        "lr": float(rng.uniform(0.25, 0.45) / largest),
        "steps": steps,
    }


# ---- wrong answers


def start_left_out(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """f₀ is missing at the new inputs: the tangent starts at the network's own function there."""
    return j_test @ displacement(j, f0 - y, lr, steps)


def residual_from_zero(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You trained from 0 towards y: the first residual on the data is f₀ − y."""
    return f0_test + j_test @ displacement(j, -y, lr, steps)


def start_forgotten_twice(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """f₀ appears neither on the data nor at the new inputs: this is a model that is 0 at the start."""
    return j_test @ displacement(j, -y, lr, steps)


def no_mean(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The 1/N is missing: the cost is a mean over the examples."""
    return f0_test + j_test @ displacement(j, f0 - y, lr * len(y), steps)


def without_the_half(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """Each of your steps is twice as long: the cost has a factor 1/2, which cancels the 2 of the square."""
    return f0_test + j_test @ displacement(j, f0 - y, 2 * lr, steps)


def divided_by_parameters(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """The sum over parameters is averaged: the kernel J Jᵀ is a sum over them."""
    return f0_test + j_test @ displacement(j, f0 - y, lr / j.shape[1], steps)


def wrong_way(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """The new inputs move the wrong way: the data's residual shrinks, and the change at x has the sign of y − f₀."""
    return f0_test - j_test @ displacement(j, f0 - y, lr, steps)


def ascent(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You climb: a step goes against the gradient."""
    return f0_test + j_test @ displacement(j, f0 - y, -lr, steps)


def one_long_step(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step of length lr · steps: the residual, and with it the gradient, changes after every step."""
    return f0_test + j_test @ displacement(j, f0 - y, lr * steps, 1)


def continuous_time(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You followed the gradient flow, with e^{−λt}: here gradient descent takes steps, and each multiplies a mode by
    1 − lr λ.
    """
    values, vectors = torch.linalg.eigh(j.T @ j / len(j))
    t = lr * steps
    done = torch.where(values.abs() > 1e-12, -torch.expm1(-values * t) / values, t)
    prediction: Tensor = f0_test - j_test @ (vectors @ (done * (vectors.T @ (j.T @ (f0 - y) / len(j)))))
    return prediction


def fully_trained(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You went to the end of training, t = ∞: the number of steps is given."""
    prediction: Tensor = f0_test - j_test @ (torch.linalg.pinv(j) @ (f0 - y))
    return prediction


def one_step_too_many(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You took one step more than was asked."""
    return f0_test + j_test @ displacement(j, f0 - y, lr, steps + 1)


def one_step_too_few(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You took one step fewer than was asked: the start is step 0."""
    return f0_test + j_test @ displacement(j, f0 - y, lr, steps - 1)


def what_is_left(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You applied (1 − lr Θ/N)^k, which is what is *left* of the residual, where what has been *learned* belongs."""
    left = torch.linalg.matrix_power(torch.eye(len(j), dtype=j.dtype) - lr * (j @ j.T) / len(j), steps)
    prediction: Tensor = f0_test + j_test @ (torch.linalg.pinv(j) @ (left @ (y - f0)))
    return prediction


def half_steps(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """Each of your steps is half as long: the square brings a 2, which cancels the 1/2 of the cost."""
    return f0_test + j_test @ displacement(j, f0 - y, lr / 2, steps)


def parameters_for_examples(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You divided by the number of parameters: the mean in the cost runs over the training examples."""
    return f0_test + j_test @ displacement(j, f0 - y, lr * len(y) / j.shape[1], steps)


def new_inputs_for_examples(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You divided by the number of new inputs: the mean in the cost runs over the training examples."""
    return f0_test + j_test @ displacement(j, f0 - y, lr * len(y) / len(f0_test), steps)


def a_single_step(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step: every further one starts from the residual that the step before has left."""
    return f0_test + j_test @ displacement(j, f0 - y, lr, 1 if steps > 1 else 2)


def updated_too_early(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You moved the data first and the new inputs with the residual after that: in one step both move with the residual
    before it.
    """
    residual, prediction = f0 - y, f0_test
    for _ in range(steps):
        residual = residual - lr / len(y) * (j @ (j.T @ residual))
        prediction = prediction - lr / len(y) * (j_test @ (j.T @ residual))
    return prediction


def start_with_the_wrong_sign(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> Tensor:
    """You trained −f₀ + J (θ − θ₀) towards y: the tangent starts at f₀ on the data, so the first residual is f₀ − y."""
    return f0_test + j_test @ displacement(j, -f0 - y, lr, steps)


def entrywise_power(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """You took the power entry by entry: k steps multiply with the same matrix k times."""
    left = (torch.eye(len(j), dtype=j.dtype) - lr * (j @ j.T) / len(j)) ** steps
    prediction: Tensor = f0_test + j_test @ torch.linalg.pinv(j) @ (y - f0 - left @ (y - f0))
    return prediction


# ---- right answers


def in_function_space(
    j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int
) -> NDArray[np.float64]:
    """The kernel alone, and no parameters."""
    theta, cross = (j @ j.T).numpy(), (j_test @ j.T).numpy()
    on_data, elsewhere = f0.numpy().copy(), f0_test.numpy().copy()
    for _ in range(steps):
        d = on_data - y.numpy()
        on_data, elsewhere = on_data - lr * theta @ d / len(d), elsewhere - lr * cross @ d / len(d)
    return elsewhere


def in_closed_form(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    left = torch.linalg.matrix_power(torch.eye(len(j), dtype=j.dtype) - lr * (j @ j.T) / len(j), steps)
    prediction: Tensor = f0_test + j_test @ torch.linalg.pinv(j) @ (y - f0 - left @ (y - f0))
    return prediction


def geometric_sum(j_test: Tensor, j: Tensor, f0_test: Tensor, f0: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """Σ_k (1 − lr Θ/N)^k, summed."""
    one_step = torch.eye(len(j), dtype=j.dtype) - lr * (j @ j.T) / len(j)
    powers = sum((torch.linalg.matrix_power(one_step, k) for k in range(steps)), torch.zeros_like(one_step))
    prediction: Tensor = f0_test + lr / len(j) * j_test @ j.T @ powers @ (y - f0)
    return prediction


tangent = Task(
    id="08.3",
    title="What the tangent predicts",
    signature="tangent_prediction(j_test, j, f0_test, f0, y, lr, steps) -> [m]",
    reference=reference,
    credit={"more parameters than examples": 2, "more examples than parameters": 1},
    cases=(
        Case("more parameters than examples", "1 step, 4 examples", partial(task, n=4, m=3, size=9, steps=1)),
        Case("more parameters than examples", "12 steps, 5 examples", partial(task, n=5, m=4, size=11, steps=12)),
        Case("more examples than parameters", "7 steps, 8 examples", partial(task, n=8, m=6, size=4, steps=7)),
    ),
    misconceptions=(
        Misconception(start_left_out),
        Misconception(residual_from_zero),
        Misconception(start_forgotten_twice),
        Misconception(no_mean),
        Misconception(without_the_half),
        Misconception(divided_by_parameters),
        Misconception(wrong_way),
        Misconception(ascent),
        Misconception(one_long_step),
        Misconception(continuous_time),
        Misconception(fully_trained),
        Misconception(one_step_too_many),
        Misconception(one_step_too_few),
        Misconception(what_is_left),
        Misconception(half_steps),
        Misconception(parameters_for_examples),
        Misconception(new_inputs_for_examples),
        Misconception(a_single_step),
        Misconception(updated_too_early),
        Misconception(start_with_the_wrong_sign),
        Misconception(entrywise_power),
    ),
    alternatives=(in_function_space, in_closed_form, geometric_sum),
)
