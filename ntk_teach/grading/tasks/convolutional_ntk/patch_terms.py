"""Task 09.1: the covariance behind a convolution, and sums over offsets and borders of other kinds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import torch
from torch import Tensor

from ntk_teach.layers.window import summed

__all__ = ["around", "reference", "shared", "steps", "total"]


Offsets = Iterable[tuple[int, ...]]  # of the four axes: row and column of one site, and of the other


def reference(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    found = summed(summed(cov, (0, 2), window, 1, "same"), (1, 3), window, 1, "same")
    return sigma_w**2 / window**2 * found + sigma_b**2


def around(cov: Tensor, reach: int, border: str) -> Tensor:
    """``cov`` with ``reach`` more sites on every side of every axis."""
    for axis, size in enumerate(cov.shape):
        places = torch.arange(-reach, size + reach)
        outside = (places < 0) | (places >= size)
        if border == "mirrored":
            places = size - 1 - (size - 1 - places.abs()).abs()
        places = places % size if border == "circular" else places.clamp(0, size - 1)
        cov = cov.index_select(axis, places)
        if border == "zeros":
            cov = cov.index_fill(axis, outside.nonzero()[:, 0], 0.0)
    return cov


def total(cov: Tensor, offsets: Offsets, border: str = "zeros") -> Tensor:
    """Σ cov at (site + offset) over the offsets, which count from the site itself."""
    listed = list(offsets)
    reach = max(abs(step) for offset in listed for step in offset)
    spread = around(cov, reach, border)
    found = torch.zeros_like(cov)
    for offset in listed:
        slices = tuple(slice(reach + s, reach + s + n) for s, n in zip(offset, cov.shape, strict=True))
        found = found + spread[slices]
    return found


def steps(window: int) -> range:
    return range(-(window // 2), window // 2 + 1)


def shared(window: int) -> Offsets:
    return [(a, b, a, b) for a, b in product(steps(window), repeat=2)]
