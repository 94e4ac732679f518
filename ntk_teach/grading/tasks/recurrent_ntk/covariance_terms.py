"""Tasks 10.1 and 10.2: the recursion of the covariances, with whatever enters and is carried."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ntk_teach.activations import relu

__all__ = ["Carried", "drive", "grid", "reference", "value", "variances", "walked"]


Carried = Callable[[Tensor, Tensor, Tensor], Tensor]  # covariance, two variances -> what W passes on


def value(c: Tensor, q: Tensor, r: Tensor) -> Tensor:
    return relu.dual(c, q, r).value


def drive(x1: Tensor, x2: Tensor, u: float, b: float) -> Tensor:
    """What enters at a pair of times from outside: u x·x'/m + b."""
    return u * (x1 @ x2.T) / x1.shape[1] + b


def variances(entering: Tensor, w: float, carried: Carried = value) -> Tensor:
    """Σ_tt of one series from what enters at each time. [t]"""
    found = [entering[0]]
    for new in entering[1:]:
        found.append(new + w * carried(found[-1], found[-1], found[-1]))
    return torch.stack(found)


def grid(entering: Tensor, q1: Tensor, q2: Tensor, w: float, carried: Carried = value) -> Tensor:
    """Σ_tt' from what enters at each pair, row by row. [t, t']"""
    rows = [entering[0]]
    for t in range(1, len(entering)):
        passed = carried(rows[-1][:-1], q1[t - 1], q2[:-1])
        rows.append(entering[t] + w * torch.nn.functional.pad(passed, (1, 0)))
    return torch.stack(rows)


def walked(x1: Tensor, x2: Tensor, w: float, u: float, b: float, carried: Carried = value) -> Tensor:
    """With the *squares* of the three scales."""
    own = [variances(drive(x, x, u, b).diagonal(), w, carried) for x in (x1, x2)]
    return grid(drive(x1, x2, u, b), own[0], own[1], w, carried)


def reference(x1: Tensor, x2: Tensor, sigma_w: float, sigma_u: float, sigma_b: float) -> Tensor:
    return walked(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2)
