"""Wrong trained functions, each one change away from the right one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ntk_teach.grading.tasks.least_squares_dynamics.draws import eigenbasis

__all__ = ["EVERYWHERE"]

Filter = Callable[[Tensor], Tensor]


def filtered(k: Tensor, k_test: Tensor, residual: Tensor, of: Filter) -> Tensor:
    """K(x, X) K⁻¹ of(eig K) residual, without the modes of eigenvalue 0, which K(x, X) does not see."""
    values, vectors = eigenbasis(k)
    moving = values > 0
    weights = torch.where(moving, of(values) / torch.where(moving, values, 1.0), 0.0)
    return k_test @ vectors @ (weights * (vectors.T @ residual))


def learned(k: Tensor, t: float, times: float = 1.0) -> Filter:
    return lambda values: 1 - torch.exp(-times * t * values / len(k))


def no_average(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The exponent lacks the 1/N: the cost is a mean over the N inputs, so the rates are eig(K)/N."""
    return f0_test + filtered(k, k_test, y - f0, learned(k, t, len(k)))


def cost_without_half(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """All modes decay twice as fast: the cost has a factor 1/2, which cancels the 2 of the square's derivative."""
    return f0_test + filtered(k, k_test, y - f0, learned(k, t, 2.0))


def averaged_twice(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You divided by N twice: 1/N stands once in the flow, and the inverse of K in front of the bracket has none."""
    return f0_test + filtered(k, k_test, y - f0, learned(k, t)) / len(k)


def start_off_the_data_forgotten(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The function starts at f_0(x) off the data too: training adds to it and does not erase it."""
    return filtered(k, k_test, y - f0, learned(k, t))


def start_on_the_data_forgotten(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You drove the function by y: what drives it is the residual, the distance from f_0 on the data to y."""
    return f0_test + filtered(k, k_test, y, learned(k, t))


def start_forgotten(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """f_0 is nowhere: a network does not start at the zero function, neither on the data nor off it."""
    return filtered(k, k_test, y, learned(k, t))


def wrong_way(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The function moves away from the targets: check the sign in front of the residual."""
    return f0_test - filtered(k, k_test, y - f0, learned(k, t))


def growing(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The exponential grows: along a flow that descends, what is left of the residual decays."""
    return f0_test + filtered(k, k_test, y - f0, learned(k, -t))


def at_infinity(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """That is kernel regression, the function at t = ∞: at a finite t the slow modes have not arrived."""
    return f0_test + filtered(k, k_test, y - f0, torch.ones_like)


def what_is_left(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You carried off the data what is still missing at time t: what moves the function is what has been learned."""
    return f0_test + filtered(k, k_test, y - f0, lambda values: torch.exp(-t * values / len(k)))


def residual_frozen(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You multiplied the first slope by t: the residual shrinks on the way, and the slope with it."""
    return f0_test + t / len(k) * (k_test @ (y - f0))


def kernel_not_inverted(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The inverse of K is missing: integrating e^(−sλ) over time divides by λ, in every mode by its own."""
    return f0_test + filtered(k, k_test, y - f0, lambda values: values * learned(k, t)(values))


def kernel_not_inverted_but_averaged(
    k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float
) -> Tensor:
    """You divided by N where the inverse of K belongs: the integral of e^(−sλ) over time divides by λ."""
    return f0_test + filtered(k, k_test, y - f0, lambda values: values * learned(k, t)(values)) / len(k)


def entrywise_exponential(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You took the exponential entry by entry: that of a matrix acts on its eigenvalues."""
    values, vectors = eigenbasis(k)
    inverse = vectors * torch.where(values > 0, 1 / torch.where(values > 0, values, 1.0), 0.0) @ vectors.T
    gone = torch.eye(len(k), dtype=k.dtype) - torch.exp(-t * k / len(k))
    return f0_test + k_test @ inverse @ gone @ (y - f0)


def ridge_filter(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You used a decay of 1/(1 + tλ): it solves ridge regression; gradient descent decays exponentially."""
    return f0_test + filtered(k, k_test, y - f0, lambda values: 1 - 1 / (1 + t * values / len(k)))


def divided_by_the_root(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The rates are divided by √N: the mean over N inputs divides by N."""
    return f0_test + filtered(k, k_test, y - f0, learned(k, t, math.sqrt(len(k))))


def cost_with_a_quarter(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """All modes decay half as fast: the 1/2 in the cost and the 2 of the square's derivative cancel, so the rate is
    eig(K)/N.
    """
    return f0_test + filtered(k, k_test, y - f0, learned(k, t, 0.5))


def rates_averaged_twice(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """Your rates are eig(K)/N²: the cost is one mean over the inputs, and divides by N once."""
    return f0_test + filtered(k, k_test, y - f0, learned(k, t, 1 / len(k)))


def integral_not_averaged(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The integral is over ds, and ds/N is meant: the 1/N of the cost stands in front of the slope as well as in the
    exponent.
    """
    return f0_test + len(k) * filtered(k, k_test, y - f0, learned(k, t))


def interpolated(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You carried f_t(X) to the test points by kernel regression: only its change travels through K. What f_0 was at
    the test points, it stays.
    """
    values, vectors = eigenbasis(k)
    left = torch.exp(-t * values / len(k))
    return filtered(k, k_test, y + vectors @ (left * (vectors.T @ (f0 - y))), torch.ones_like)


def interpolated_at_infinity(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """That is the interpolation of the labels: the function starts at f_0 and needs the time t to move."""
    return filtered(k, k_test, y, torch.ones_like)


def labels_learned_at_once(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You added the interpolation of the labels to f_0: what is learned is the residual, as far as t allows."""
    return f0_test + filtered(k, k_test, y, torch.ones_like)


def start_added(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You added f_0 to the labels: what drives the function is the distance between the two."""
    return f0_test + filtered(k, k_test, y + f0, learned(k, t))


def rows_as_vectors(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You multiplied by the matrix of eigenvectors and not by its transpose: each column is an eigenvector."""
    values, vectors = torch.linalg.eigh(k)
    f: Tensor = f0_test + k_test @ vectors.T @ (_gained(values, k, t) * (vectors @ (y - f0)))
    return f


def not_turned_back(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You multiplied K(x, X) with coordinates in the eigenbasis: turn them back into values at the inputs first."""
    values, vectors = torch.linalg.eigh(k)
    f: Tensor = f0_test + k_test @ (_gained(values, k, t) * (vectors.T @ (y - f0)))
    return f


def _gained(values: Tensor, k: Tensor, t: float) -> Tensor:
    moving = values > 1e-10 * values[-1]
    return torch.where(moving, learned(k, t)(values) / torch.where(moving, values, 1.0), t / len(k))


def ones_for_identity(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The 1 in 1 − e^(−tK/N) is the identity matrix: a number is subtracted from every entry."""
    values, vectors = eigenbasis(k)
    inverse = vectors * torch.where(values > 0, 1 / torch.where(values > 0, values, 1.0), 0.0) @ vectors.T
    f: Tensor = f0_test + k_test @ inverse @ (1 - torch.linalg.matrix_exp(-t * k / len(k))) @ (y - f0)
    return f


def steps_of_length_one(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """You multiplied each mode by (1 − λ)ᵗ, t steps of length 1: time is continuous here, and the residual decays
    exponentially.
    """
    return f0_test + filtered(k, k_test, y - f0, lambda values: 1 - (1 - values / len(k)) ** t)


EVERYWHERE: tuple[Callable[..., Tensor], ...] = (
    no_average,
    cost_without_half,
    averaged_twice,
    start_off_the_data_forgotten,
    start_on_the_data_forgotten,
    start_forgotten,
    wrong_way,
    growing,
    at_infinity,
    what_is_left,
    residual_frozen,
    kernel_not_inverted,
    kernel_not_inverted_but_averaged,
    entrywise_exponential,
    ridge_filter,
    cost_with_a_quarter,
    rates_averaged_twice,
    integral_not_averaged,
    interpolated,
    interpolated_at_infinity,
    labels_learned_at_once,
    start_added,
    rows_as_vectors,
    not_turned_back,
    ones_for_identity,
    steps_of_length_one,
    divided_by_the_root,
)
