"""Wrong costs of the modes: in the norm, in the rate, in the order."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ntk_teach.grading.tasks.least_squares_dynamics.draws import eigenbasis

__all__ = ["EVERYWHERE"]


def costs(k: Tensor, residual: Tensor, t: float, *, factor: float = 1.0, decay: float = 2.0) -> Tensor:
    """½ e^{−decay λ t} ⟨r, f⟩², times a factor."""
    values, vectors = eigenbasis(k)
    n = len(k)
    return factor * torch.exp(-decay * t * values / n) * (vectors.T @ residual).square() / (2 * n)


def decay_not_squared(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The cost decays as slowly as the residual: it is quadratic in it, so a mode's cost decays twice as fast."""
    return costs(k, residual, t, decay=1.0)


def decay_of_four(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The rates are doubled: with the 1/2 in the cost the residual decays at the rate eig(K)/N."""
    return costs(k, residual, t, decay=4.0)


def rates_not_averaged(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The rates lack the 1/N: the operator is a mean over the N inputs, so its eigenvalues are those of K/N."""
    return costs(k, residual, t, decay=2.0 * len(k))


def not_decayed(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """That is the cost at t = 0: the time does not enter."""
    return costs(k, residual, 0.0)


def already_learned(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You returned how much cost each mode has lost by time t: asked is how much it still has."""
    return costs(k, residual, 0.0) - costs(k, residual, t)


def no_half(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The factor 1/2 of the cost is missing."""
    return costs(k, residual, t, factor=2.0)


def unit_vectors_averaged(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You took the mean over the data with vectors of length 1: a mode has length 1 in the norm of the data, so its
    squares have the mean 1, not the sum 1.
    """
    return costs(k, residual, t, factor=1 / len(k))


def sum_in_place_of_mean(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The coordinates are those of a sum over the data: the cost is a mean, and the modes must add up to it."""
    return costs(k, residual, t, factor=float(len(k)))


def long_vectors_summed(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You summed over the data with modes of length √N: the inner product that makes them unit is a mean."""
    return costs(k, residual, t, factor=float(len(k)) ** 2)


def slowest_first(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The modes are in reverse order: the first one is the fastest, with the largest eigenvalue."""
    return costs(k, residual, t).flip(0)


def rows_as_vectors(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You took the rows of the matrix of eigenvectors: each column is one."""
    values, vectors = eigenbasis(k)
    return torch.exp(-2 * t * values / len(k)) * (vectors.flip(1) @ residual).flip(0).square() / (2 * len(k))


def rows_as_sorted_vectors(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You multiplied by the matrix of eigenvectors and not by its transpose: each column is an eigenvector."""
    values, vectors = eigenbasis(k)
    return torch.exp(-2 * t * values / len(k)) * (vectors @ residual).square() / (2 * len(k))


def centered(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The kernel is centered, as in principal component analysis of data: gradient descent uses K as it is, and its
    first mode is close to a constant.
    """
    middle = k - k.mean(0, keepdim=True) - k.mean(1, keepdim=True) + k.mean()
    return costs(middle, residual, t)


def not_squared(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You returned the coordinates of the residual, without a square: a cost has no sign and is quadratic."""
    values, vectors = eigenbasis(k)
    return torch.exp(-t * values / len(k)) * (vectors.T @ residual).abs() / math.sqrt(len(k))


def root_of_the_cost(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """That is the norm of each part of the residual in plain sums: the cost is half its square, averaged."""
    values, vectors = eigenbasis(k)
    return torch.exp(-t * values / len(k)) * (vectors.T @ residual).abs()


def weighted_by_the_kernel(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You weighted each mode by its eigenvalue: that is how fast its cost falls, not its cost."""
    values, _ = eigenbasis(k)
    return values / len(k) * costs(k, residual, t, factor=2.0)


def by_input(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You returned the cost of each input: a mode is a function on all inputs, so first change to the eigenbasis."""
    later: Tensor = torch.linalg.matrix_exp(-t * k / len(k)) @ residual
    return later.square() / (2 * len(k))


def running_total(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You summed up as you went: entry i should hold the cost of mode i alone."""
    return costs(k, residual, t).cumsum(0)


def fractions(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You divided by the whole cost: asked are the costs of the modes, which add up to it."""
    found = costs(k, residual, t)
    return found / found.sum()


def growing(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The exponential grows: along a flow that descends, the cost of each mode decays."""
    return costs(k, residual, t, decay=-2.0)


def half_as_fast(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The rates are halved: the residual decays at the rate eig(K)/N, and the cost, its square, at twice that."""
    return costs(k, residual, t, decay=0.5)


def rates_averaged_twice(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """Your rates are eig(K)/N²: the operator is one mean over the inputs, and its eigenvalues are those of K/N."""
    return costs(k, residual, t, decay=2.0 / len(k))


def sum_without_half(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """The squares have neither the 1/2 nor the 1/N of the cost, to which the modes must add up at t = 0."""
    return costs(k, residual, t, factor=2.0 * len(k))


def share_that_is_learned(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You squared what has been learned of each mode, 1 − e^(−λt): the cost is what is still missing, squared."""
    values, _ = eigenbasis(k)
    return costs(k, residual, 0.0) * (1 - torch.exp(-t * values / len(k))).square()


def values_out_of_order(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You turned the eigenvalues round and not the eigenvectors: each mode decays with the rate of another one."""
    values, vectors = eigenbasis(k)
    return torch.exp(-2 * t * values / len(k)) * (vectors.flip(1).T @ residual).square() / (2 * len(k))


def vectors_out_of_order(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You turned the eigenvectors round and not the eigenvalues: each mode decays with the rate of another one."""
    values, vectors = eigenbasis(k)
    return torch.exp(-2 * t * values.flip(0) / len(k)) * (vectors.T @ residual).square() / (2 * len(k))


def vectors_upside_down(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You turned round the wrong axis of the matrix of eigenvectors: its columns are the modes, its rows the inputs."""
    values, vectors = eigenbasis(k)
    upside_down = vectors.flip(1).flip(0)
    return torch.exp(-2 * t * values / len(k)) * (upside_down.T @ residual).square() / (2 * len(k))


def kernel_norm(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You divided each mode by its eigenvalue: that measures the residual in the norm of the kernel, the cost is plain
    squares.
    """
    values, _ = eigenbasis(k)
    return costs(k, residual, t) * len(k) / values


def tangent_of_the_decay(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """You took 1 − λt for the decay, one long step: the slope falls with the residual, so the decay is exponential."""
    values, _ = eigenbasis(k)
    return costs(k, residual, 0.0) * (1 - t * values / len(k)).square()


def rest_of_the_total(k: Tensor, residual: Tensor, t: float) -> Tensor:
    """Entry i holds the cost of all modes from i on: it should hold that of mode i alone."""
    return costs(k, residual, t).flip(0).cumsum(0).flip(0)


EVERYWHERE: tuple[Callable[..., Tensor], ...] = (
    decay_not_squared,
    decay_of_four,
    rates_not_averaged,
    not_decayed,
    already_learned,
    no_half,
    unit_vectors_averaged,
    sum_in_place_of_mean,
    long_vectors_summed,
    slowest_first,
    rows_as_vectors,
    rows_as_sorted_vectors,
    centered,
    not_squared,
    root_of_the_cost,
    weighted_by_the_kernel,
    by_input,
    running_total,
    growing,
    half_as_fast,
    rates_averaged_twice,
    sum_without_half,
    share_that_is_learned,
    values_out_of_order,
    vectors_out_of_order,
    vectors_upside_down,
    kernel_norm,
    tangent_of_the_decay,
    rest_of_the_total,
    fractions,
)
