"""Generic inputs: anything that is equal to something else by accident hides a mistake."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

__all__ = ["biases_scale", "covariances", "parameters", "points", "ray"]

Generator = np.random.Generator


def points(rng: Generator, n: int, d: int) -> Tensor:
    """n inputs [n, d] of different norms; the last points away from the second."""
    x = rng.normal(size=(n, d)) * np.exp(rng.uniform(-0.6, 0.6, size=(n, 1)))
    x[-1] = -rng.uniform(0.4, 0.9) * x[1]
    return torch.from_numpy(x)


def biases_scale(rng: Generator) -> float:
    """β away from 0 and from 1, where β = β²."""
    return float(rng.uniform(0.3, 0.7))


def parameters(rng: Generator, widths: tuple[int, ...]) -> tuple[list[Tensor], list[Tensor]]:
    """Weights [fan_out, fan_in] and biases [fan_out] of a network with these widths, input and output included."""
    weights = [torch.from_numpy(rng.normal(size=(out, into))) for into, out in pairwise(widths)]
    biases = [torch.from_numpy(rng.normal(size=out)) for out in widths[1:]]
    return weights, biases


def covariances(rng: Generator, n: int) -> Tensor:
    """A covariance matrix [n, n] with correlations of both signs, none of them ±1 off the diagonal.

    Its standard deviations are sixteenths: their squares and the roots of these are exact, so that the correlation on
    the diagonal is 1 in whatever order it is computed.
    """
    z = rng.normal(size=(n, n + 2))
    z[-1] = 0.3 * z[-1] - 2 * z[0]  # a strongly negative correlation
    rho = z @ z.T / np.outer(np.linalg.norm(z, axis=1), np.linalg.norm(z, axis=1))
    np.fill_diagonal(rho, 1.0)
    deviation = rng.permutation(np.arange(5, 5 + 3 * n, 3)) / 16
    return torch.from_numpy(rho * np.outer(deviation, deviation))


def ray(rng: Generator, n: int, d: int) -> Tensor:
    """Σ of n inputs on one ray without biases: every correlation is 1, up to rounding on either side."""
    lengths = rng.uniform(0.2, 3.0, size=n)
    lengths[-1] = lengths[0]
    x = np.outer(lengths, rng.normal(size=d))
    return torch.from_numpy(x @ x.T / d)
