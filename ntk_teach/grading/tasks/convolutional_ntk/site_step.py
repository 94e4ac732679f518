"""Task 09.2: the tangent kernel through an activation and a convolution."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.convolutional_ntk import site_misconceptions
from ntk_teach.grading.tasks.convolutional_ntk.site_terms import dual, reference

__all__ = ["site_step"]


# ---- inputs


def rows(rng: np.random.Generator, *, pixels: int, window: int, biases: bool = False, black: bool = False) -> Arguments:
    """Two rows of pixels behind some layer. The first pixel of one and the last of the other may be black."""
    one, other = (rng.normal(size=(pixels, 3)) * np.exp(rng.uniform(-0.4, 0.4, size=(pixels, 1))) for _ in range(2))
    below = [rng.normal(size=(pixels, 3)) + 0.3 for _ in range(2)]
    common = 0.0 if black else 0.2
    if black:
        for image, place in ((one, 0), (other, -1), (below[0], 0), (below[1], -1)):
            image[place] = 0.0
    sigma = one @ other.T / 3 + common
    return {
        "theta": torch.from_numpy(sigma + below[0] @ below[1].T / 3),
        "sigma": torch.from_numpy(sigma),
        "var1": torch.from_numpy(np.square(one).sum(1) / 3 + common),
        "var2": torch.from_numpy(np.square(other).sum(1) / 3 + common),
        "window": window,
        "sigma_w": float(rng.uniform(1.2, 1.8)),
        "sigma_b": float(rng.uniform(0.3, 0.8)) if biases else 0.0,
    }


# ---- right answers


def pixel_by_pixel(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> NDArray[np.float64]:
    """With the formula written out, and loops."""
    found = np.full((len(theta) - window + 1,) * 2, sigma_b**2)
    for i, j in np.ndindex(found.shape):
        for a in range(window):
            q1, q2, c = (float(v) for v in (var1[i + a], var2[j + a], sigma[i + a, j + a]))
            rho = max(-1.0, min(1.0, c / math.sqrt(q1 * q2))) if q1 * q2 > 0 else 0.0
            angle = math.acos(rho)
            value = math.sqrt(q1 * q2) * (math.sin(angle) + (math.pi - angle) * rho) / (2 * math.pi)
            below = float(theta[i + a, j + a]) * (math.pi - angle) / (2 * math.pi)
            found[i, j] += sigma_w**2 * (value + below) / window
    return found


def as_a_convolution(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The patch average is a convolution whose filter is a unit matrix."""
    value, slope = dual(sigma, var1, var2)
    filters = torch.eye(window, dtype=theta.dtype)[None, None] / window
    old, new = (torch.nn.functional.conv2d(m[None], filters)[0] for m in ((theta * slope)[None], value[None]))
    return (sigma_w**2 * old + sigma_w**2 * new + sigma_b**2)[0]


def unfolded(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """Diagonals of the windows of the matrix, in single precision."""
    value, slope = (part.float() for part in dual(sigma, var1, var2))
    windows = (value + theta.float() * slope).unfold(0, window, 1).unfold(1, window, 1)
    return sigma_w**2 * windows.diagonal(dim1=-2, dim2=-1).mean(-1) + sigma_b**2


site_step = Task(
    id="09.2",
    title="The tangent kernel through a layer",
    signature="site_step(theta, sigma, var1, var2, window, sigma_w, sigma_b) -> [p - window + 1, p - window + 1]",
    reference=reference,
    credit={"the two terms": 1, "with biases": 1, "a black pixel": 1},
    cases=(
        Case("the two terms", "no bias, window 3", partial(rows, pixels=7, window=3)),
        Case("the two terms", "no bias, window 2", partial(rows, pixels=5, window=2)),
        Case("with biases", "biases, window 3", partial(rows, pixels=6, window=3, biases=True)),
        Case("a black pixel", "a black pixel in each image", partial(rows, pixels=6, window=2, black=True)),
    ),
    when_nan="Is a correlation 0/0, or a variance negative?",
    misconceptions=site_misconceptions.NAMED,
    alternatives=(pixel_by_pixel, as_a_convolution, unfolded),
)
