"""The numbers that every program receives: drawn by numpy, in float64, from a seed, and then rounded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def points(n: int, d: int, dtype: str, seed: int = 0) -> np.ndarray:
    """Ten clusters with norms between .8 and 1.25: correlations and variances differ, as those of images do.  [n, d]"""
    draw = np.random.default_rng(seed)
    centers = np.random.default_rng(12345).standard_normal((10, d))  # the same for every seed
    scale = draw.uniform(0.8, 1.25, size=(n, 1))
    cloud = 0.6 * draw.standard_normal((n, d)) + 0.8 * centers[np.arange(n) % 10]  # [n, d]
    return (scale * cloud).astype(dtype)


def images(n: int, side: int, dtype: str, seed: int = 0) -> np.ndarray:
    """Smooth random images with values about 1, so that neighbors are correlated.  [n, side, side, 1]"""
    noise = np.random.default_rng(seed).standard_normal((n, side + 2, side + 2))
    windows = np.lib.stride_tricks.sliding_window_view(noise, (3, 3), axis=(1, 2))
    return (windows.mean((-2, -1)) * 3)[..., None].astype(dtype)


def parameters(widths: list[int], dtype: str, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights [fan_out, fan_in] and biases [fan_out] of a dense network, all 𝒩(0, 1)."""
    draw = np.random.default_rng(seed)
    return [
        (draw.standard_normal((fan_out, fan_in)).astype(dtype), draw.standard_normal(fan_out).astype(dtype))
        for fan_in, fan_out in pairwise(widths)
    ]


def regression(n: int, test: int, outputs: int, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A kernel on the data [n, n], between test and data [test, n], and targets [n, outputs]."""
    x = points(n + test, 50, "float64")
    kernel = np.exp(x @ x[:n].T / x.shape[1])  # [n + test, n]; a power series with positive terms, hence a kernel
    y = np.random.default_rng(1).standard_normal((n, outputs))
    return kernel[:n].astype(dtype), kernel[n:].astype(dtype), y.astype(dtype)


def times(count: int) -> np.ndarray:
    """Training times from 1e-1 to 1e4, in units of 1/lr for the cost C = 1/(2N) Σ‖f − y‖²."""
    return np.geomspace(1e-1, 1e4, count)
