"""Right slopes, three ways."""

from __future__ import annotations

import math
import statistics

import numpy as np
import torch
from torch import Tensor

__all__ = ["all_of_them"]


def numpy_polyfit(widths: Tensor, samples: Tensor) -> float:
    """The variance with divisor n shifts every logarithm by the same amount."""
    return float(np.polyfit(np.log(widths.numpy()), np.log(samples.numpy().var(axis=1)), 1)[0])


def torch_least_squares(widths: Tensor, samples: Tensor) -> Tensor:
    columns = torch.stack([torch.ones_like(widths), widths.log2()], dim=1)
    solution: Tensor = torch.linalg.lstsq(columns, samples.var(dim=1).log2()[:, None]).solution
    return solution[1]  # [1]


def plain_python(widths: Tensor, samples: Tensor) -> float:
    logs = [math.log10(width) for width in widths.tolist()]
    spreads = [math.log10(statistics.variance(row)) for row in samples.tolist()]
    return statistics.linear_regression(logs, spreads).slope


def float32(widths: Tensor, samples: Tensor) -> Tensor:
    """From standard deviations, and rounded at the end."""
    slope = 2 * np.polyfit(widths.log().numpy(), samples.std(dim=1).log().numpy(), 1)[0]
    return torch.tensor(slope, dtype=torch.float32)


all_of_them = (numpy_polyfit, torch_least_squares, plain_python, float32)
