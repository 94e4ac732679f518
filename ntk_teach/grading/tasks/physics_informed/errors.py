"""Task 12.3: both errors after some steps of gradient descent, with a kernel that stays."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["errors"]


def diagonal(k: Tensor, nu: int, weights: Tensor) -> Tensor:
    """The diagonal of Λ.   [n]"""
    return weights.repeat_interleave(torch.tensor([nu, len(k) - nu]))


def descended(matrix: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """(1 − lr · matrix)^steps e0."""
    e = e0.clone()
    for _ in range(steps):
        e = e - lr * (matrix @ e)
    return e


def reference(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    return descended(k * diagonal(k, nu, weights), e0, lr, steps)


# ---- inputs


def state(rng: np.random.Generator, *, nu: int, nr: int, steps: tuple[int, int], satisfied: bool) -> Arguments:
    """A kernel with a coupling of its own size, weights of either order, and a step of about a third of the largest."""
    rows = rng.normal(size=(nu + nr, nu + nr + 1)) * np.repeat([1.0, 1.6], [nu, nr])[:, None]
    k = rows @ rows.T
    weights = rng.uniform(0.5, 1.0, size=2) * np.array([5.0, 1.2])
    rates = np.linalg.eigvals(k * np.repeat(weights, [nu, nr]))
    e0 = rng.normal(size=nu + nr) * np.repeat([0.0 if satisfied else 1.0, 1.5], [nu, nr])
    return {
        "k": torch.from_numpy(k),
        "nu": nu,
        "weights": torch.from_numpy(weights),
        "e0": torch.from_numpy(e0),
        "lr": float(rng.uniform(0.5, 0.9) / rates.real.max()),
        "steps": int(rng.integers(*steps)),
    }


# ---- wrong answers


def flow(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """This is gradient flow: a step of size lr multiplies by 1 − lr·rate, and not by its exponential."""
    moved: Tensor = torch.linalg.matrix_exp(-lr * steps * (k * diagonal(k, nu, weights))) @ e0
    return moved


def weights_on_the_left(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You used ΛK: the weights multiply the errors first, and the kernel spreads the result."""
    return descended(diagonal(k, nu, weights)[:, None] * k, e0, lr, steps)


def symmetric_on_errors(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You let Λ^½KΛ^½ act on e: it moves h = Λ^½e, which is another vector."""
    root = diagonal(k, nu, weights).sqrt()
    return descended(root[:, None] * k * root, e0, lr, steps)


def in_weighted_coordinates(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You returned h = Λ^½e: go back to e at the end."""
    return diagonal(k, nu, weights).sqrt() * reference(k, nu, weights, e0, lr, steps)


def not_brought_over(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You divided by Λ^½ at the end, but did not multiply by it at the start."""
    return symmetric_on_errors(k, nu, weights, e0, lr, steps) / diagonal(k, nu, weights).sqrt()


def no_weights(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """The weights do not occur in your answer."""
    return descended(k, e0, lr, steps)


def weights_exchanged(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """The weights are exchanged: the first one belongs to the boundary, the first nu places."""
    return reference(k, nu, weights.flip(0), e0, lr, steps)


def weights_squared(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """The weights are squared in your answer: λ stands in the cost once, and so it does in its gradient."""
    return reference(k, nu, weights**2, e0, lr, steps)


def roots_of_weights(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You took the roots of the weights: λ stands in the cost as it is."""
    return reference(k, nu, weights.sqrt(), e0, lr, steps)


def both_sides_of_k(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You multiplied by Λ on both sides: the weights are in the gradient once, in front of the errors."""
    full = diagonal(k, nu, weights)
    return descended(full[:, None] * k * full, e0, lr, steps)


def without_the_half(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """Your steps are twice as long: the cost has a factor 1/2, which cancels the 2 of the square."""
    return reference(k, nu, weights, e0, 2 * lr, steps)


def mean_over_points(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You divided by the number of points: the cost sums over them."""
    return reference(k, nu, weights, e0, lr / len(e0), steps)


def mean_over_each(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You divided each part of the cost by its number of points: here both are sums."""
    return reference(k, nu, weights / torch.tensor([nu, len(k) - nu]), e0, lr, steps)


def ascent(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """The sign is reversed: these steps climb."""
    return reference(k, nu, weights, e0, -lr, steps)


def uncoupled(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """Each error moves by itself in your answer: K_ur carries every step for the equation to the boundary, and back."""
    apart = k.clone()
    apart[:nu, nu:] = 0
    apart[nu:, :nu] = 0
    return reference(apart, nu, weights, e0, lr, steps)


def one_way(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """The equation moves the boundary in your answer, and not the other way round: K_ru is the transpose of K_ur."""
    half = k.clone()
    half[nu:, :nu] = 0
    return reference(half, nu, weights, e0, lr, steps)


def other_way(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """The boundary moves the equation in your answer, and not the other way round: both errors drive both."""
    half = k.clone()
    half[:nu, nu:] = 0
    return reference(half, nu, weights, e0, lr, steps)


def one_after_the_other(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You used the new boundary error already for the step of the equation: both move at once, from the same state."""
    full, e = k * diagonal(k, nu, weights), e0.clone()
    for _ in range(steps):
        e[:nu] = e[:nu] - lr * (full[:nu] @ e)
        e[nu:] = e[nu:] - lr * (full[nu:] @ e)
    return e


def one_long_step(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step of size lr · steps: the errors that drive the second step are those after the first."""
    return reference(k, nu, weights, e0, lr * steps, 1)


def single_step(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step: asked are the errors after all of them."""
    return reference(k, nu, weights, e0, lr, 1)


def one_step_more(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step too many."""
    return reference(k, nu, weights, e0, lr, steps + 1)


def one_step_less(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You took one step too few."""
    return reference(k, nu, weights, e0, lr, steps - 1)


def entrywise_power(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You raised each entry to the power: steps are a power of the matrix."""
    once = torch.eye(len(k), dtype=k.dtype) - lr * k * diagonal(k, nu, weights)
    return once**steps @ e0


def the_change(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You returned the change of the errors: asked are the errors themselves."""
    return reference(k, nu, weights, e0, lr, steps) - e0


def counted_from_the_end(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You gave λ_u to the wrong places: the boundary has the first nu of them."""
    return reference(k, len(k) - nu, weights, e0, lr, steps)


def half_steps(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """Your steps are half as long: the 1/2 of the cost is gone once the square is differentiated."""
    return reference(k, nu, weights, e0, lr / 2, steps)


def symmetric_solver(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """You gave KΛ to a solver for symmetric matrices: it is not symmetric, and such a solver reads one triangle and
    says nothing.
    """
    values, vectors = torch.linalg.eigh(k * diagonal(k, nu, weights))
    moved: Tensor = vectors @ ((1 - lr * values) ** steps * (vectors.T @ e0))
    return moved


# ---- right answers


def by_parameters(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    """Gradient descent on the parameters of a linear model whose kernel is k, by differentiation."""
    values, vectors = torch.linalg.eigh(k)
    rows = vectors * values.clamp(min=0).sqrt()
    theta = torch.zeros(len(k), dtype=k.dtype, requires_grad=True)
    for _ in range(steps):
        e = e0 + rows @ theta
        cost = weights[0] / 2 * e[:nu].square().sum() + weights[1] / 2 * e[nu:].square().sum()
        (slope,) = torch.autograd.grad(cost, theta)
        theta = (theta - lr * slope).detach().requires_grad_()
    moved: Tensor = (e0 + rows @ theta).detach()
    return moved


def by_eigenvectors(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    root = diagonal(k, nu, weights).sqrt()
    rates, vectors = torch.linalg.eigh(root[:, None] * k * root)
    moved: Tensor = vectors @ ((1 - lr * rates) ** steps * (vectors.T @ (root * e0)))
    return moved / root


def by_matrix_power(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> NDArray[np.float64]:
    full = np.diag(np.repeat(weights.numpy(), [nu, len(k) - nu]))
    moved: NDArray[np.float64] = np.linalg.matrix_power(np.eye(len(k)) - lr * k.numpy() @ full, steps) @ e0.numpy()
    return moved


def in_two_lines(k: Tensor, nu: int, weights: Tensor, e0: Tensor, lr: float, steps: int) -> Tensor:
    u, r = e0[:nu], e0[nu:]
    for _ in range(steps):
        pull_u, pull_r = weights[0] * u, weights[1] * r
        u = u - lr * (k[:nu, :nu] @ pull_u + k[:nu, nu:] @ pull_r)
        r = r - lr * (k[nu:, :nu] @ pull_u + k[nu:, nu:] @ pull_r)
    return torch.cat([u, r])


errors = Task(
    id="12.3",
    title="Both errors after some steps",
    signature="errors_after(k, nu, weights, e0, lr, steps) -> [n]",
    reference=reference,
    credit={"a few steps": 2, "a boundary that is right at first": 1},
    cases=(
        Case("a few steps", "nu = 2, nr = 4", partial(state, nu=2, nr=4, steps=(2, 5), satisfied=False)),
        Case("a few steps", "nu = 3, nr = 2", partial(state, nu=3, nr=2, steps=(4, 9), satisfied=False)),
        Case(
            "a boundary that is right at first",
            "e_u = 0 at the start",
            partial(state, nu=2, nr=5, steps=(3, 6), satisfied=True),
        ),
    ),
    misconceptions=(
        Misconception(flow),
        Misconception(weights_on_the_left),
        Misconception(symmetric_on_errors),
        Misconception(in_weighted_coordinates),
        Misconception(not_brought_over),
        Misconception(no_weights),
        Misconception(weights_exchanged),
        Misconception(weights_squared),
        Misconception(roots_of_weights),
        Misconception(both_sides_of_k),
        Misconception(without_the_half),
        Misconception(mean_over_points),
        Misconception(mean_over_each),
        Misconception(ascent),
        Misconception(uncoupled),
        Misconception(one_way),
        Misconception(other_way),
        Misconception(one_after_the_other),
        Misconception(one_long_step),
        Misconception(single_step),
        Misconception(one_step_more),
        Misconception(one_step_less),
        Misconception(entrywise_power),
        Misconception(the_change),
        Misconception(counted_from_the_end),
        Misconception(half_steps),
        Misconception(symmetric_solver),
    ),
    alternatives=(by_parameters, by_eigenvectors, by_matrix_power, in_two_lines),
)
