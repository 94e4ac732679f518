"""Task 08.1: the relative scale κ of a scaled model with one output at one input."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["kappa"]


def reference(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    residual = abs(alpha * output - target)
    scale: Tensor = residual / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    return scale


# ---- inputs


def model(rng: np.random.Generator, *, size: int, alpha: tuple[float, float], above: bool, zero: bool) -> Arguments:
    """A Hessian whose largest eigenvalue in size is negative; outputs on one side of the target."""
    rotation, _ = np.linalg.qr(rng.normal(size=(size, size)))
    largest = rng.uniform(1.0, 2.0)
    eigenvalues = np.append(-largest, largest * rng.uniform(0.1, 0.7, size=size - 1))
    scale = float(rng.uniform(*alpha)) if alpha[0] < alpha[1] else alpha[0]
    output = 0.0 if zero else float(rng.uniform(0.3, 1.2))
    distance = float(rng.uniform(0.5, 2.0))
    return {
        "gradient": torch.from_numpy(rng.normal(size=size) * rng.uniform(0.6, 2.0)),
        "hessian": torch.from_numpy(rotation @ np.diag(eigenvalues) @ rotation.T),
        "output": output,
        "target": scale * output + (distance if above else -distance),
        "alpha": scale,
    }


# ---- wrong answers


def signed_eigenvalue(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the largest eigenvalue with its sign: a norm asks for the largest one in size, and a Hessian bends down
    as well as up.
    """
    scale: Tensor = abs(alpha * output - target) / alpha * torch.linalg.eigvalsh(hessian)[-1] / gradient.square().sum()
    return scale


def frobenius(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the Frobenius norm of the Hessian: the operator norm is the bend in the one direction that bends most,
    and all others do not add to it.
    """
    scale: Tensor = abs(alpha * output - target) / alpha * hessian.norm() / gradient.square().sum()
    return scale


def trace(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the trace of the Hessian: bends of opposite sign cancel in it, and in a norm they must not."""
    return abs(alpha * output - target) / alpha * hessian.trace().abs() / gradient.square().sum()


def largest_entry(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the largest entry of the Hessian: it depends on the axes that the parameters happen to have."""
    return abs(alpha * output - target) / alpha * hessian.abs().max() / gradient.square().sum()


def root_forgotten(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the largest eigenvalue of HᵀH, which is the square of the operator norm."""
    square = torch.linalg.eigvalsh(hessian.T @ hessian)[-1]
    scale: Tensor = abs(alpha * output - target) / alpha * square / gradient.square().sum()
    return scale


def slope_not_squared(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The slope is not squared: ‖Dh‖ enters twice, once for the way that the residual asks for, once because the change
    of the slope is compared with the slope.
    """
    scale: Tensor = abs(alpha * output - target) / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.norm()
    return scale


def slope_squared_in_alpha_only(
    gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float
) -> Tensor:
    """‖D(α h)‖ stands downstairs once: it enters twice, once for the way that the residual asks for, once because the
    change of the slope is compared with the slope.
    """
    scale: Tensor = abs(alpha * output - target) * torch.linalg.matrix_norm(hessian, ord=2) / gradient.norm()
    return scale


def along_the_gradient(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You measured the bend along the gradient: the norm asks for the direction that bends most."""
    bend = (gradient @ hessian @ gradient).abs() / gradient.square().sum()
    return abs(alpha * output - target) / alpha * bend / gradient.square().sum()


def upside_down(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The fraction is upside down: κ is small where the slope is large."""
    scale: Tensor = 1 / reference(gradient, hessian, output, target, alpha)
    return scale


def mean_of_squares(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You averaged the squared gradient over the parameters: its length is a sum."""
    scale: Tensor = (
        abs(alpha * output - target) / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().mean()
    )
    return scale


def signed_residual(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The residual kept its sign: κ compares lengths, and is never negative."""
    scale: Tensor = (
        (alpha * output - target) / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    )
    return scale


def squared_residual(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The residual is squared: that is the cost; κ contains the distance itself."""
    scale: Tensor = (
        (alpha * output - target) ** 2 / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    )
    return scale


def cost_for_residual(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You used the cost, half the squared residual: that is the cost itself, and κ contains the distance."""
    return squared_residual(gradient, hessian, output, target, alpha) / 2


def start_at_zero(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You measured the distance from 0 to the target: the model starts at α h(θ₀), which is 0 only if somebody made it
    so.
    """
    scale: Tensor = abs(target) / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    return scale


def start_unscaled(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The residual is that of h: the model is α h, so its start is scaled as well, and that is why a start away from 0
    spoils laziness.
    """
    scale: Tensor = abs(output - target) / alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    return scale


def target_scaled(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """α does not enter: it is missing, or the target was multiplied by it too and it cancels. The model is scaled, the
    task is not.
    """
    scale: Tensor = abs(output - target) * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    return scale


def no_alpha_in_front(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """Only the residual knows of α: both derivatives of α h carry a factor α as well, one upstairs and two
    downstairs.
    """
    scale: Tensor = abs(alpha * output - target) * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    return scale


def slope_only(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The slope is scaled and the curvature is not: D²(α h) is α D²h."""
    scale: Tensor = (
        abs(alpha * output - target) / alpha**2 * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    )
    return scale


def curvature_only(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The curvature is scaled and the slope is not: D(α h) is α Dh."""
    scale: Tensor = (
        abs(alpha * output - target) * alpha * torch.linalg.matrix_norm(hessian, ord=2) / gradient.square().sum()
    )
    return scale


def sum_of_magnitudes(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You added the magnitudes of all eigenvalues up: the operator norm is the largest of them alone."""
    bend = torch.linalg.eigvalsh(hessian).abs().sum()
    scale: Tensor = abs(alpha * output - target) / alpha * bend / gradient.square().sum()
    return scale


def smallest_bend(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the smallest singular value: the operator norm is the bend in the direction that bends most."""
    bend = torch.linalg.eigvalsh(hessian).abs().min()
    scale: Tensor = abs(alpha * output - target) / alpha * bend / gradient.square().sum()
    return scale


def row_sums(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You took the largest sum of magnitudes in a row: that bounds the operator norm and depends on the axes."""
    return abs(alpha * output - target) / alpha * hessian.abs().sum(1).max() / gradient.square().sum()


def image_of_the_gradient(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """You measured H times the unit gradient: the norm asks for the direction that bends most, and that is another."""
    bend = (hessian @ gradient).norm() / gradient.norm()
    scale: Tensor = abs(alpha * output - target) / alpha * bend / gradient.square().sum()
    return scale


def target_forgotten(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The target is missing: the residual is the distance that training has to close."""
    scale: Tensor = abs(alpha * output) / alpha * torch.linalg.eigvalsh(hessian).abs().max() / gradient.square().sum()
    return scale


def residual_turned_round(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    """The residual is target minus output, with its sign: κ compares lengths, and is never negative."""
    return -signed_residual(gradient, hessian, output, target, alpha)


# ---- right answers


def derivatives_of_the_scaled_model(
    gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float
) -> float:
    g, h = alpha * gradient.numpy(), alpha * hessian.numpy()
    return float(abs(alpha * output - target) * np.linalg.svd(h)[1][0] / (g @ g))


def eigenvalues(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    second = torch.linalg.eigvalsh(hessian).abs().max()
    scale: Tensor = abs(output - target / alpha) * second / gradient.norm() ** 2
    return scale


def power_iteration(gradient: Tensor, hessian: Tensor, output: float, target: float, alpha: float) -> Tensor:
    v = torch.ones_like(gradient) + gradient
    for _ in range(400):
        v = hessian @ v
        v = v / v.norm()
    scale: Tensor = abs(alpha * output - target) / alpha * (hessian @ v).norm() / (gradient @ gradient)
    return scale


kappa = Task(
    id="08.1",
    title="The relative scale",
    signature="relative_scale(gradient, hessian, output, target, alpha) -> float",
    reference=reference,
    credit={"any start": 2, "h = 0 at the start": 1},
    cases=(
        Case("any start", "alpha = 1", partial(model, size=5, alpha=(1.0, 1.0), above=True, zero=False)),
        Case("any start", "alpha above 2", partial(model, size=4, alpha=(2.0, 9.0), above=True, zero=False)),
        Case("any start", "alpha below 1", partial(model, size=6, alpha=(0.1, 0.6), above=False, zero=False)),
        Case("h = 0 at the start", "h = 0", partial(model, size=4, alpha=(2.0, 9.0), above=True, zero=True)),
    ),
    misconceptions=(
        Misconception(signed_eigenvalue),
        Misconception(frobenius),
        Misconception(trace),
        Misconception(largest_entry),
        Misconception(root_forgotten),
        Misconception(slope_not_squared),
        Misconception(slope_squared_in_alpha_only),
        Misconception(along_the_gradient),
        Misconception(upside_down),
        Misconception(mean_of_squares),
        Misconception(signed_residual),
        Misconception(squared_residual),
        Misconception(cost_for_residual),
        Misconception(start_at_zero),
        Misconception(start_unscaled),
        Misconception(target_scaled),
        Misconception(no_alpha_in_front),
        Misconception(slope_only),
        Misconception(curvature_only),
        Misconception(sum_of_magnitudes),
        Misconception(smallest_bend),
        Misconception(row_sums),
        Misconception(image_of_the_gradient),
        Misconception(target_forgotten),
        Misconception(residual_turned_round),
    ),
    alternatives=(derivatives_of_the_scaled_model, eigenvalues, power_iteration),
)
