"""Right slopes, three ways."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under

__all__ = ["all_of_them"]


def numpy_polyfit(widths: Tensor, samples: Tensor, *, convention: Convention) -> float:
    """The variance with divisor n shifts every logarithm by the same amount."""
    spread = convention.spread.of(samples.var(dim=1, correction=0), samples.mean(dim=1))
    return float(np.polyfit(np.log(widths.numpy()), np.log(spread.numpy()), 1)[0])


def torch_least_squares(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    columns = torch.stack([torch.ones_like(widths), widths.log2()], dim=1)
    spread = convention.spread.of(samples.std(dim=1).square(), samples.mean(dim=1))
    solution: Tensor = torch.linalg.lstsq(columns, spread.log2()[:, None]).solution
    return solution[1]  # [1]


def plain_python(widths: Tensor, samples: Tensor, *, convention: Convention) -> float:
    rows = samples.tolist()
    variances, means = (torch.tensor([of(row) for row in rows]) for of in (statistics.variance, statistics.mean))
    logs = [math.log10(width) for width in widths.tolist()]
    spreads = [math.log10(spread) for spread in convention.spread.of(variances.double(), means.double()).tolist()]
    return statistics.linear_regression(logs, spreads).slope


def float32(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """Rounded at the end."""
    return torch.tensor(numpy_polyfit(widths, samples, convention=convention), dtype=torch.float32)


def all_of_them(convention: Convention) -> tuple[Callable[..., object], ...]:
    ways: tuple[Callable[..., object], ...] = (numpy_polyfit, torch_least_squares, plain_python, float32)
    return tuple(under(convention, way) for way in ways)
