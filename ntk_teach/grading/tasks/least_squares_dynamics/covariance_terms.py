"""What wrong covariances of trained networks are made of: the map that training applies, and the sum of four terms."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Question", "answers", "pushed", "response"]


class Question(NamedTuple):
    """The arguments of the task."""

    ntk: Tensor  # [n, n]
    nngp: Tensor  # [n, n]
    ntk_test: Tensor  # [m, n]
    nngp_test: Tensor  # [m, n]
    nngp_test_test: Tensor  # [m, m]
    t: float

    def moved(self, *, speed: float = 1.0) -> Tensor:
        """M_t = Θ(x, X) Θ⁻¹ (1 − e^{−tΘ/N}), [m, n]."""
        return response(self.ntk, self.ntk_test, self.t, speed=speed)

    def settled(self) -> Tensor:
        """M at t = ∞."""
        settled: Tensor = torch.linalg.solve(self.ntk, self.ntk_test.T).T
        return settled


def response(k: Tensor, k_test: Tensor, t: float, *, speed: float = 1.0) -> Tensor:
    values, vectors = torch.linalg.eigh(k)
    weights = -torch.expm1(-speed * t * values / len(k)) / values
    moved: Tensor = k_test @ vectors @ (weights[:, None] * vectors.T)
    return moved


def answers(function: Callable[[Question], Tensor]) -> Callable[..., Tensor]:
    """A function of the question becomes one of the task's arguments, under the same name."""

    @wraps(function)
    def answer(
        ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float
    ) -> Tensor:
        return function(Question(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t))

    return answer


def pushed(q: Question, moved: Tensor) -> Tensor:
    """The covariance of f_0(x) − M f_0(X)."""
    mixed = moved @ q.nngp_test.T
    return q.nngp_test_test + moved @ q.nngp @ moved.T - mixed - mixed.T
