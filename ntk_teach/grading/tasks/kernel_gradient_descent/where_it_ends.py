"""Task 02.5: where the flow of the squared error ends, also where the kernel is singular."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.kernel_gradient_descent.draws import Generator, features, normal
from ntk_teach.least_squares import LeastSquares

__all__ = ["where_it_ends"]


def drawn(rng: Generator, *, n: int, rank: int, scale: float) -> Arguments:
    """A kernel with fewer features than inputs; the last input repeats the first, with another label.

    The features are of nearly one size, so that no slow mode can be taken for one that does not move.
    """
    phi = torch.linalg.qr(features(rng, n - 1, rank)).Q
    phi = torch.cat([phi, phi[:1]])
    return {"kernel": scale * n * (phi @ phi.T), "f0": normal(rng, n), "y": normal(rng, n)}


def reference(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    return LeastSquares.fit(kernel, y).at(math.inf, f0)


def moving(kernel: Tensor, gap: Tensor) -> Tensor:
    """The part of a function that the kernel moves, [n]."""
    values, vectors = torch.linalg.eigh(kernel)
    seen = vectors[:, values > 1e-9 * values[-1]]
    result: Tensor = seen @ (seen.T @ gap)
    return result


# ---- wrong answers


def all_targets_reached(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You let f reach every target: that needs a positive-definite kernel. What a singular kernel sends to zero does
    not move, ever; and an eigenvalue of 1e-16 next to 1 is a zero that was rounded.
    """
    return y.clone()


def nothing_moves(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """f stayed where it began: it rests only along the directions that the kernel sends to zero."""
    return f0.clone()


def wrong_part_kept(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """The two parts are exchanged: the residual dies where the kernel acts, and stays where the kernel is blind."""
    return y + moving(kernel, f0 - y)


def start_forgotten(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You started from the function 0: along directions that do not move, f keeps its own start for ever."""
    return moving(kernel, y)


def residual_returned(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You returned the residual that is left, f − y: the outputs f are asked."""
    return f0 - y - moving(kernel, f0 - y)


def residual_reversed(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """The residual that stays has the wrong sign: it is f₀ − y, and f = y + residual."""
    return y - (f0 - y - moving(kernel, f0 - y))


def change_returned(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You returned the change of f from its start: add where it began."""
    return moving(kernel, y - f0)


def moved_away(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You moved away from the targets: the motion is against the residual f₀ − y."""
    return f0 + moving(kernel, f0 - y)


def target_added_to_start(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You added the targets to the start: what f moves by is what is missing at the start, y − f₀."""
    return f0 + moving(kernel, y)


def coefficients(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """These are the coefficients of K(·, x_j): the values of the function at the inputs are asked."""
    result: Tensor = torch.linalg.pinv(kernel, hermitian=True, rtol=1e-9) @ (y - f0)
    return result


def equal_inputs_alone(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You averaged the targets of equal inputs and let all others be reached: a kernel with fewer features than inputs
    is blind to more than repetitions.
    """
    same = torch.stack([(kernel - row).abs().amax(1) < 1e-9 * kernel.abs().max() for row in kernel]).to(y.dtype)
    return same @ y / same.sum(1)


def rows_for_eigenvectors(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You took rows of the matrix of eigenvectors: they are its columns."""
    values, vectors = torch.linalg.eigh(kernel)
    blind = vectors[values < 1e-9 * values[-1]].T
    result: Tensor = y + blind @ (blind.T @ (f0 - y))
    return result


def targets_not_projected(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You added what rests of the start to the targets: what rests is the residual, f₀ − y, so the targets lose their
    own part there.
    """
    return y + f0 - moving(kernel, f0)


def one_step(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You took one step of size 1: training ends where the kernel has nothing left to move, whatever its size."""
    return f0 + kernel @ (y - f0) / len(y)


def kernel_for_projection(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You used the kernel itself where a projection is meant: onto the functions that it moves, with eigenvalues 0 and
    1.
    """
    return f0 + kernel @ (y - f0)


def fixed_size(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """With a kernel in small units nothing moves in your answer: a threshold, a ridge or a time of fixed size is meant
    for one scale. Compare eigenvalues with the largest one; t = ∞ knows no unit.
    """
    values, vectors = torch.linalg.eigh(kernel)
    blind = vectors[:, values < 1e-8]
    result: Tensor = y + blind @ (blind.T @ (f0 - y))
    return result


def rounding_moves(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """You let every eigenvalue above 0 move its mode: of the zeros, rounding has made tiny numbers of either sign.
    Compare eigenvalues with the largest one.
    """
    values, vectors = torch.linalg.eigh(kernel)
    blind = vectors[:, values <= 0]
    result: Tensor = y + blind @ (blind.T @ (f0 - y))
    return result


# ---- right answers


def pseudo_inverse(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    result: Tensor = f0 + kernel @ (torch.linalg.pinv(kernel, hermitian=True, rtol=1e-10) @ (y - f0))
    return result


def least_squares(kernel: Tensor, f0: Tensor, y: Tensor) -> NDArray[np.float64]:
    k, gap = kernel.numpy(), (y - f0).numpy()
    return np.asarray(f0.numpy() + k @ np.linalg.lstsq(k, gap, rcond=1e-10)[0])


def null_space(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(kernel)
    blind = vectors[:, values < 1e-10 * values.max()]
    result: Tensor = y + blind @ (blind.T @ (f0 - y))
    return result


def on_the_clock_of_the_kernel(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    """A finite time, long on the kernel's own clock and short next to the rounding of its zeros."""
    unit = kernel / torch.linalg.matrix_norm(kernel, 2)
    result: Tensor = y + torch.linalg.matrix_exp(-1e4 * unit) @ (f0 - y)
    return result


def float32(kernel: Tensor, f0: Tensor, y: Tensor) -> Tensor:
    return pseudo_inverse(kernel, f0, y).float()


where_it_ends = Task(
    id="02.5",
    title="Where a singular kernel stops",
    signature="outputs_at_infinity(kernel, f0, y) -> [n]",
    reference=reference,
    credit={"a singular kernel": 2, "a kernel in any unit": 1},
    cases=(
        Case("a singular kernel", "5 inputs, 3 features", partial(drawn, n=5, rank=3, scale=4.0)),
        Case("a singular kernel", "7 inputs, 2 features", partial(drawn, n=7, rank=2, scale=10.0)),
        Case("a kernel in any unit", "6 inputs, 4 features, K of size 1e-13", partial(drawn, n=6, rank=4, scale=1e-14)),
    ),
    misconceptions=(
        *map(
            Misconception,
            (
                all_targets_reached,
                nothing_moves,
                wrong_part_kept,
                start_forgotten,
                residual_returned,
                residual_reversed,
                change_returned,
                moved_away,
                target_added_to_start,
                coefficients,
                rounding_moves,
                equal_inputs_alone,
                rows_for_eigenvectors,
                targets_not_projected,
                one_step,
                kernel_for_projection,
            ),
        ),
        Misconception(fixed_size, keeps=2),
    ),
    alternatives=(pseudo_inverse, least_squares, null_space, on_the_clock_of_the_kernel, float32),
)
