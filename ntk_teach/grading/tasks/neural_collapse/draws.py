"""Labels of classes of chosen sizes, shuffled, and kernels that are no block kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["classes_of", "gram"]


def classes_of(rng: np.random.Generator, sizes: Sequence[int], *, shuffled: bool = True) -> Tensor:
    """Class c as often as ``sizes[c]`` says, int64."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return torch.from_numpy(rng.permutation(labels) if shuffled else labels)


def gram(rng: np.random.Generator, labels: Tensor) -> Tensor:
    """A kernel with some class structure, a different one in every class, and entries of both signs. [n, n]"""
    n, width = len(labels), len(labels) + 3
    centers = rng.normal(size=(int(labels.max()) + 1, width))
    x = rng.normal(size=(n, width)) + rng.uniform(0.3, 1.0) * centers[labels.numpy()]
    return torch.from_numpy(x @ x.T / width)
