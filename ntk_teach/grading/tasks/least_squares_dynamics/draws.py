"""Generic inputs: kernels of real architectures at points of different norms, and times at which half is learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntk_teach import zoo

__all__ = ["Pair", "eigenbasis", "middle_time", "pair", "points", "start"]

Generator = np.random.Generator


class Pair(NamedTuple):
    """Θ and Σ of one random architecture: on the data, from test points to the data, and between test points."""

    ntk: Tensor  # [n, n]
    nngp: Tensor  # [n, n]
    ntk_test: Tensor  # [m, n]
    nngp_test: Tensor  # [m, n]
    nngp_test_test: Tensor  # [m, m]
    ntk_test_test: Tensor  # [m, m]


def points(rng: Generator, n: int, d: int) -> Tensor:
    """n inputs [n, d] in all directions and of different norms; the last one points away from the first."""
    x = rng.normal(size=(n, d)) * np.exp(rng.uniform(-0.4, 0.4, size=(n, 1)))
    x[-1] = -rng.uniform(0.5, 0.9) * x[0]
    return torch.from_numpy(x)


def pair(rng: Generator, n: int, m: int, *, repeated: bool = False) -> Pair:
    """Kernels of a ReLU network of depth 3; ``repeated``: the second input is the first once more."""
    architecture = zoo.mlp(3, sigma_w=float(rng.uniform(1.0, 1.4)), sigma_b=float(rng.uniform(0.2, 0.5)))
    x, z = points(rng, n, 4), points(rng, m, 4)
    if repeated:
        x[1] = x[0]
    own, cross, tests = architecture.kernel(x), architecture.kernel(z, x), architecture.kernel(z)
    return Pair(own.ntk, own.nngp, cross.ntk, cross.nngp, tests.nngp, tests.ntk)


def start(rng: Generator, count: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=count))


def middle_time(rng: Generator, k: Tensor) -> float:
    """A time at which the fast modes have arrived and the slow ones have not."""
    rates = torch.linalg.eigvalsh(k) / len(k)
    return float(rng.uniform(0.7, 1.3) / float(rates[len(k) // 2 :].log().mean().exp()))


def eigenbasis(k: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues of k, falling, rounding removed, and the eigenvectors in columns."""
    values, vectors = torch.linalg.eigh((k + k.T) / 2)
    values = torch.where(values.abs() > 1e-10 * values[-1], values, 0.0)
    return values.flip(0), vectors.flip(1)
