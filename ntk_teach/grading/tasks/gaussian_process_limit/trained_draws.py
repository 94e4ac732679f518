"""Task 04.5: sample, then optimize: draws of the prior become draws of the posterior."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.compare import Close
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.gaussian_process_limit.draws import points
from ntk_teach.posterior import sample_then_optimize
from ntk_teach.zoo import mlp

__all__ = ["trained_draws"]


def reference(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    return sample_then_optimize(y, k=k, k_test=k_test, f0=f0, f0_test=f0_test)


# Wrong answers, each one change away from the right one.


def smoother(k: Tensor, k_test: Tensor) -> Tensor:
    """Σ(x, X) Σ(X, X)⁻¹.   [m, n]"""
    weights: Tensor = torch.linalg.solve(k, k_test.T)
    return weights.T


def posterior_mean(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """Every draw became the posterior mean: what a draw knows off the data, f₀(x), is lost, and with it the spread."""
    return (smoother(k, k_test) @ y).expand_as(f0_test)


def starts_forgotten_on_the_data(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You added the posterior mean to each draw: a draw is moved by what it misses on the data, y − f₀(X), not by y."""
    return f0_test + y @ smoother(k, k_test).T


def starts_forgotten_off_the_data(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """This is how far training moves each draw; where it started, f₀(x), is missing."""
    return (y - f0) @ smoother(k, k_test).T


def wrong_way(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """The correction has the wrong sign: on the data the draws move away from the targets."""
    return f0_test - (y - f0) @ smoother(k, k_test).T


def not_inverted(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """The inverse of the kernel on the data is missing: on the data the draws would not reach the targets."""
    return f0_test + (y - f0) @ k_test.T


def same_correction_for_all(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You correct every draw by the mean of what all miss: each draw has a residual of its own."""
    return f0_test + (y - f0.mean(0)) @ smoother(k, k_test).T


def one_step(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """This is one step of gradient descent with learning rate 1; asked for is where training ends."""
    return f0_test + (y - f0) @ k_test.T / len(y)


def divided_by_data(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You divide by the number of data: the 1/N of the cost sets the speed of training, not where it ends."""
    return f0_test + (y - f0) @ smoother(k, k_test).T / len(y)


def noisy_targets(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You added the identity to the kernel on the data, as for targets with noise of variance 1; here there is none."""
    return f0_test + (y - f0) @ smoother(k + torch.eye(len(k), dtype=k.dtype), k_test).T


def divided_by_the_diagonal(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You divided by the diagonal of the kernel: the data are correlated, and the whole matrix is to be inverted."""
    return f0_test + (y - f0) / k.diagonal() @ k_test.T


def entrywise_inverse(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You used 1/Σ of each entry; needed is the inverse of the matrix."""
    return f0_test + (y - f0) @ (k_test @ (1 / k)).T


def targets_dropped(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """The targets do not enter: you trained the draws to 0. A draw is moved by what it misses, y − f₀(X)."""
    return f0_test - f0 @ smoother(k, k_test).T


def starts_added(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You added the start to the targets: what a draw misses on the data is the difference, y − f₀(X)."""
    return f0_test + (y + f0) @ smoother(k, k_test).T


def multiplied_by_data(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You multiplied by the number of data: the 1/N of the cost sets the speed of training, and cancels at its end."""
    return f0_test + len(y) * (y - f0) @ smoother(k, k_test).T


def kernel_for_its_inverse(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """Σ(X, X) stands where its inverse belongs."""
    return f0_test + (y - f0) @ k @ k_test.T


def first_draw_for_all(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You correct every draw by what the first one misses: each draw has a residual of its own."""
    return f0_test + (y - f0[:1]) @ smoother(k, k_test).T


def starts_averaged_off_the_data(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You averaged the draws at the other inputs: each goes on from where it started itself, f₀(x)."""
    return f0_test.mean(0) + (y - f0) @ smoother(k, k_test).T


def trained_for_time_one(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """You trained for time 1: asked is the end, t = ∞, where every draw fits the data."""
    return sample_then_optimize(y, k=k, k_test=k_test, f0=f0, f0_test=f0_test, t=1.0)


def draws_left_alone(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """These are the draws before training."""
    return f0_test.clone()


# Right answers that look different.


def by_the_inverse(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    moved: Tensor = k_test @ torch.linalg.inv(k) @ (y - f0).T
    return f0_test + moved.T


def one_by_one(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> NDArray[np.float64]:
    kernel, cross, targets = (a.numpy() for a in (k, k_test, y))
    ends = [
        there + cross @ np.linalg.solve(kernel, targets - here)
        for here, there in zip(f0.numpy(), f0_test.numpy(), strict=True)
    ]
    return np.array(ends)


def mean_and_remainder(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """The posterior mean, and of each draw what the data do not see."""
    factor = torch.linalg.cholesky(k)
    mean = k_test @ torch.cholesky_solve(y[:, None], factor)[:, 0]
    seen = torch.cholesky_solve(f0.T, factor).T @ k_test.T
    return mean + f0_test - seen


def guarded(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor) -> Tensor:
    """With the small number that published code adds to the diagonal."""
    return f0_test + (y - f0) @ smoother(k + 1e-8 * torch.eye(len(k), dtype=k.dtype), k_test).T


def generic(rng: np.random.Generator, *, n: int, m: int, draws: int, on_the_data: bool = False) -> Arguments:
    kernel = mlp(3, sigma_b=0.5).nngp(points(rng, n + m, 4))
    starts = torch.from_numpy(rng.normal(size=(draws, n + m)))
    y = torch.from_numpy(rng.normal(size=n))
    f0 = y.repeat(draws, 1) if on_the_data else starts[:, :n].contiguous()
    return {
        "k": kernel[:n, :n].contiguous(),
        "k_test": kernel[n:, :n].contiguous(),
        "y": y,
        "f0": f0,
        "f0_test": starts[:, n:].contiguous(),
    }


ENDS, REST = "the ends of the draws", "draws that fit the data from the start"

trained_draws = Task(
    id="04.5",
    title="Sample, then optimize",
    signature="trained_draws(k, k_test, y, f0, f0_test) -> [draws, m]",
    reference=reference,
    credit={ENDS: 2, REST: 1},
    cases=(
        Case(ENDS, "4 data, 6 other inputs, 5 draws", partial(generic, n=4, m=6, draws=5)),
        Case(ENDS, "7 data, 3 other inputs, 2 draws", partial(generic, n=7, m=3, draws=2)),
        Case(REST, "targets that are the draws' own", partial(generic, n=5, m=4, draws=3, on_the_data=True)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            posterior_mean,
            starts_forgotten_on_the_data,
            starts_forgotten_off_the_data,
            wrong_way,
            not_inverted,
            same_correction_for_all,
            one_step,
            divided_by_data,
            noisy_targets,
            divided_by_the_diagonal,
            entrywise_inverse,
            draws_left_alone,
            targets_dropped,
            starts_added,
            multiplied_by_data,
            kernel_for_its_inverse,
            first_draw_for_all,
            starts_averaged_off_the_data,
            trained_for_time_one,
        )
    ),
    alternatives=(by_the_inverse, one_by_one, mean_and_remainder, guarded),
    compare=Close(rtol=1e-4),
)
