"""Right answers that look different."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.tasks.least_squares_dynamics.draws import eigenbasis

__all__ = ["WAYS"]


def pseudo_inverse(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The formula as it stands, with a pseudo-inverse."""
    learned = torch.eye(len(k), dtype=k.dtype) - torch.linalg.matrix_exp(-t * k / len(k))
    inverse: Tensor = torch.linalg.pinv(k, hermitian=True, rtol=1e-10)
    f: Tensor = f0_test + k_test @ inverse @ learned @ (y - f0)
    return f


def mode_by_mode(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """(1 − e^{−tλ})/λ, with its limit t where λ = 0."""
    values, vectors = eigenbasis(k)
    rates = values / len(k)
    gained = torch.where(rates > 0, -torch.expm1(-t * rates) / torch.where(rates > 0, rates, 1.0), t)
    return f0_test + k_test @ vectors @ (gained * (vectors.T @ (y - f0))) / len(k)


def one_large_exponential(
    k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float
) -> NDArray[np.float64]:
    """d/dt (f(X) − y, f(x)) = A (f(X) − y, f(x)) with one matrix A: no inverse anywhere."""
    n, m = len(k), len(k_test)
    a = torch.zeros(n + m, n + m, dtype=k.dtype)
    a[:n, :n], a[n:, :n] = -k / n, -k_test / n
    state = torch.linalg.matrix_exp(t * a) @ torch.cat([f0 - y, f0_test])
    return np.asarray(state[n:].numpy())


def float32(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    return explicit_steps(k.float(), k_test.float(), y.float(), f0.float(), f0_test.float(), t)


def explicit_steps(k: Tensor, k_test: Tensor, y: Tensor, f0: Tensor, f0_test: Tensor, t: float) -> Tensor:
    """The integral of e^{−sK/N} ds as a power series, halved until it converges and doubled back."""
    halvings = 20
    h = t / 2**halvings
    eye = torch.eye(len(k), dtype=torch.float64)
    a = -k.double() / len(k)
    decay, integral = torch.linalg.matrix_exp(h * a), h * (eye + h * a / 2)
    for _ in range(halvings):
        integral, decay = integral + decay @ integral, decay @ decay
    moved: Tensor = k_test.double() @ integral @ (y - f0).double() / len(k)
    return f0_test + moved.to(k.dtype)


WAYS: tuple[Callable[..., object], ...] = (pseudo_inverse, mode_by_mode, one_large_exponential, float32)
