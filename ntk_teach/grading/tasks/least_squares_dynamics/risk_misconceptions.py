"""Wrong risks: noise that is not learned, or learned wrongly; bias that does not decay as it should."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception

__all__ = ["ALL"]


def split(k: Tensor, gap: Tensor, t: Tensor, *, speed: float = 1.0) -> tuple[Tensor, Tensor]:
    """What is left of each mode, [T, n], and the squared coordinates of the gap, [n]."""
    values, vectors = torch.linalg.eigh(k)
    return torch.exp(-speed * t[:, None] * values / len(k)), (vectors.T @ gap).square()


def averaged(left: Tensor, gap: Tensor, variance: Tensor) -> Tensor:
    """1/N Σ_i [ e^{−2λ_i t} b_i² + variance_i ]."""
    return (left.square() * gap + variance).mean(1)


def noise_not_squared(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The noise enters with its standard deviation: a squared error needs its square."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise * (1 - left).square())


def training_error(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """That is the error on the noisy labels themselves, which falls for ever: it cannot say when to stop. Compare with
    the noiseless target, to which learned noise adds.
    """
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * left.square())


def gain_not_squared(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """Of a noise σ in a mode the share 1 − e^(−λt) has been learned: the error is the square of all of that."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * (1 - left))


def gain_of_the_squares(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You took 1 − e^(−2λt) for the noise: first the share that has been learned, then its square."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * (1 - left.square()))


def noise_at_once(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The noise counts in full from the start: it is learned mode by mode, as slowly as the target."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * torch.ones_like(left))


def fresh_labels(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You added the noise of new labels: the error asked is the distance to the noiseless target."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * (1 - left).square()) + noise**2


def bias_not_squared(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """What is left of the target decays in the square: a residual of e^(−λt) is an error of its square."""
    left, b = split(k, f0 - target, t)
    return (left * b + noise**2 * (1 - left).square()).mean(1)


def bias_alone(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The noise is missing: without it the error only falls, and there is no reason to stop."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, torch.zeros_like(left))


def variance_alone(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """What is not yet learned of the target is missing: the error has this part besides the learned noise."""
    left, b = split(k, f0 - target, t)
    return averaged(left, 0 * b, noise**2 * (1 - left).square())


def rates_not_averaged(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The rates lack the 1/N: the cost is a mean over the N inputs, so they are eig(K)/N."""
    left, b = split(k, f0 - target, t, speed=len(k))
    return averaged(left, b, noise**2 * (1 - left).square())


def twice_as_fast(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The rates are doubled: with the 1/2 in the cost the residual decays at the rate eig(K)/N."""
    left, b = split(k, f0 - target, t, speed=2.0)
    return averaged(left, b, noise**2 * (1 - left).square())


def summed(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You summed the squared errors over the inputs: the error asked is their mean."""
    left, b = split(k, f0 - target, t)
    return len(k) * averaged(left, b, noise**2 * (1 - left).square())


def halved(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """That is the cost, with its factor 1/2: the error asked is the mean square itself."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * (1 - left).square()) / 2


def root_of_the_mean_square(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You took a root at the end: the error asked is the mean square."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * (1 - left).square()).sqrt()


def noise_summed(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The noise is summed over the modes while the rest is averaged: both are means over the inputs."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, len(k) * noise**2 * (1 - left).square())


def bias_summed(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """What is left of the target is summed while the noise is averaged: both are means over the inputs."""
    left, b = split(k, f0 - target, t)
    return averaged(left, len(k) * b, noise**2 * (1 - left).square())


def noise_shared_out(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The noise is divided by N once too often: each mode receives σ² in full, and then comes the mean."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 / len(k) * (1 - left).square())


def by_input(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You used the values at the inputs as coordinates of the modes: first change to the eigenbasis."""
    left, _ = split(k, f0 - target, t)
    return averaged(left, (f0 - target).square(), noise**2 * (1 - left).square())


def by_input_fastest_first(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You paired the values at the inputs with the rates from the fastest on: each mode is a function on all inputs,
    so first change to the eigenbasis.
    """
    left, _ = split(k, f0 - target, t)
    return averaged(left, (f0 - target).square().flip(0), noise**2 * (1 - left).square())


def rows_as_vectors(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You multiplied by the matrix of eigenvectors and not by its transpose: each column is an eigenvector."""
    left, _ = split(k, f0 - target, t)
    b = (torch.linalg.eigh(k).eigenvectors @ (f0 - target)).square()
    return averaged(left, b, noise**2 * (1 - left).square())


def start_forgotten(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The start is missing: what has to be learned is the distance from f_0 to the target, not the target."""
    left, b = split(k, target, t)
    return averaged(left, b, noise**2 * (1 - left).square())


def start_added(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You added f_0 to the target: what has to be learned is the distance between the two."""
    left, b = split(k, f0 + target, t)
    return averaged(left, b, noise**2 * (1 - left).square())


def half_as_fast(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The rates are halved: the 1/2 in the cost and the 2 of the square's derivative cancel."""
    left, b = split(k, f0 - target, t, speed=0.5)
    return averaged(left, b, noise**2 * (1 - left).square())


def rates_averaged_twice(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """Your rates are eig(K)/N²: the cost is one mean over the inputs, and divides by N once."""
    left, b = split(k, f0 - target, t, speed=1 / len(k))
    return averaged(left, b, noise**2 * (1 - left).square())


def shares_swapped(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """What is learned and what is left have changed places: the error has what is left of the target, and what is
    learned of the noise.
    """
    left, b = split(k, f0 - target, t)
    return averaged(1 - left, b, noise**2 * left.square())


def noise_as_a_shift(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You added σ to the labels as if it were a number: noise has both signs, and its mean square alone remains."""
    left, b = split(k, f0 - target - noise, t)
    return averaged(left, b, torch.zeros_like(left))


def added_before_squaring(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You added the two parts and squared then: the noise is independent of the target, so the cross term has
    expectation 0 and the squares add up.
    """
    values, vectors = torch.linalg.eigh(k)
    left = torch.exp(-t[:, None] * values / len(k))
    found: Tensor = (left * (vectors.T @ (target - f0)).abs() + (1 - left) * noise).square().mean(1)
    return found


def at_the_end(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """That is the error at the end of training, at every time: stopping early is the question."""
    return noise**2 * torch.ones_like(t)


def bias_decays_twice(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """What is left of the target is squared twice: e^(−λt) is left of it, and its square is the error."""
    left, b = split(k, f0 - target, t)
    return averaged(left.square(), b, noise**2 * (1 - left).square())


def one_less_than_n(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You divided by N − 1: no mean was estimated from the data, the error asked divides by N."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b, noise**2 * (1 - left).square()) * len(k) / (len(k) - 1)


def vectors_out_of_order(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """The eigenvectors are in reverse order to the eigenvalues: each mode decays with the rate of another one."""
    left, b = split(k, f0 - target, t)
    return averaged(left, b.flip(0), noise**2 * (1 - left).square())


def roots_averaged(k: Tensor, target: Tensor, f0: Tensor, noise: float, t: Tensor) -> Tensor:
    """You averaged roots over the modes: the error asked is the mean of the squares."""
    left, b = split(k, f0 - target, t)
    return (left.square() * b + noise**2 * (1 - left).square()).sqrt().mean(1)


EVERYWHERE: tuple[Callable[..., Tensor], ...] = (
    noise_not_squared,
    training_error,
    gain_not_squared,
    gain_of_the_squares,
    noise_at_once,
    fresh_labels,
    bias_not_squared,
    bias_alone,
    variance_alone,
    rates_not_averaged,
    twice_as_fast,
    summed,
    halved,
    root_of_the_mean_square,
    noise_summed,
    bias_summed,
    noise_shared_out,
    by_input,
    by_input_fastest_first,
    rows_as_vectors,
    half_as_fast,
    rates_averaged_twice,
    shares_swapped,
    noise_as_a_shift,
    added_before_squaring,
    at_the_end,
    bias_decays_twice,
    one_less_than_n,
    vectors_out_of_order,
    roots_averaged,
)
ALL = (
    *(Misconception(wrong) for wrong in EVERYWHERE),
    *(Misconception(wrong, keeps=2) for wrong in (start_forgotten, start_added)),
)
