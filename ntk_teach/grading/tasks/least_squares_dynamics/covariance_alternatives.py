"""Right answers that look different."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["WAYS"]


def one_linear_map(
    ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float
) -> Tensor:
    """f_t(x) is a linear map (−M, 1) of the Gaussian vector (f_0(X), f_0(x)): A S Aᵀ with the joint covariance S."""
    values, vectors = torch.linalg.eigh(ntk)
    moved = ntk_test @ (vectors * (-torch.expm1(-t * values / len(ntk)) / values) @ vectors.T)
    joint = torch.cat([torch.cat([nngp, nngp_test.T], 1), torch.cat([nngp_test, nngp_test_test], 1)])
    a = torch.cat([-moved, torch.eye(len(ntk_test), dtype=ntk.dtype)], dim=1)
    return a @ joint @ a.T


def with_the_matrix_exponential(
    ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float
) -> Tensor:
    """The formula as it stands, t = ∞ by itself."""
    left = torch.zeros_like(ntk) if math.isinf(t) else torch.linalg.matrix_exp(-t * ntk / len(ntk))
    moved: Tensor = torch.linalg.solve(ntk, (torch.eye(len(ntk), dtype=ntk.dtype) - left) @ ntk_test.T).T
    return nngp_test_test + moved @ nngp @ moved.T - moved @ nngp_test.T - nngp_test @ moved.T


def with_numpy(
    ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float
) -> NDArray[np.float64]:
    """The residual f_0(x) − M f_0(X) as what is left of the prior, completed to a square."""
    values, vectors = np.linalg.eigh(ntk.numpy())
    moved = ntk_test.numpy() @ vectors @ np.diag((1 - np.exp(-t * values / len(values))) / values) @ vectors.T
    best = np.linalg.solve(nngp.numpy(), nngp_test.numpy().T).T
    posterior = nngp_test_test.numpy() - best @ nngp_test.numpy().T
    return np.asarray(posterior + (moved - best) @ nngp.numpy() @ (moved - best).T)


def float32(ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float) -> Tensor:
    tests = (ntk_test.float(), nngp_test.float(), nngp_test_test.float())
    return one_linear_map(ntk.float(), nngp.float(), *tests, t)


WAYS: tuple[Callable[..., object], ...] = (one_linear_map, with_the_matrix_exponential, with_numpy, float32)
