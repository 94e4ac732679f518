"""Task 09.1: the covariance between the outputs of a convolution."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.convolutional_ntk import patch_misconceptions
from ntk_teach.grading.tasks.convolutional_ntk.patch_terms import reference, steps

__all__ = ["patch_covariance"]


# ---- inputs


def images(rng: np.random.Generator, *, size: tuple[int, int], window: int, margin: int = 0) -> Arguments:
    """Products of the pixels of two different images; ``margin`` black pixels on every side of both."""
    one, other = (rng.normal(size=(*size, 3)) + 0.4 for _ in range(2))
    for image in (one, other):
        ink = np.zeros(size, dtype=bool)
        ink[margin : size[0] - margin, margin : size[1] - margin] = True
        image[~ink] = 0.0
    cov = np.einsum("ijc,klc->ijkl", one, other) / 3
    return {
        "cov": torch.from_numpy(cov),
        "window": window,
        "sigma_w": float(rng.uniform(1.2, 1.8)),
        "sigma_b": float(rng.uniform(0.3, 0.8)),
    }


# ---- right answers


def site_by_site(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> NDArray[np.float64]:
    """Loops, as in a book."""
    given, (h, w, h2, w2) = cov.numpy(), cov.shape
    found = np.full(given.shape, sigma_b**2)
    for i, j, k, m in np.ndindex(h, w, h2, w2):
        for a, b in product(steps(window), repeat=2):
            if 0 <= i + a < h and 0 <= k + a < h2 and 0 <= j + b < w and 0 <= m + b < w2:
                found[i, j, k, m] += sigma_w**2 * given[i + a, j + b, k + a, m + b] / window**2
    return found


def matrices(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Each offset as two matrices with ones beside the diagonal."""
    h, w = cov.shape[:2]

    def moving(size: int, step: int) -> Tensor:
        return torch.diag(torch.ones(size - abs(step), dtype=cov.dtype), step)

    found = torch.zeros_like(cov)
    for a, b in product(steps(window), repeat=2):
        found += torch.einsum("ai,bj,ck,dm,ijkm->abcd", moving(h, a), moving(w, b), moving(h, a), moving(w, b), cov)
    return found * (sigma_w / window) ** 2 + sigma_b**2


def as_pooling(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Rows first, then columns; zeros by torch."""
    reach = window // 2
    for first, second in ((0, 2), (1, 3)):
        front = torch.movedim(cov, (first, second), (0, 1))
        wide = torch.nn.functional.pad(front.flatten(2).movedim(-1, 0), (reach,) * 4)
        means = wide.unfold(1, window, 1).unfold(2, window, 1).diagonal(dim1=-2, dim2=-1).mean(-1)
        cov = torch.movedim(means.movedim(0, -1).reshape(front.shape), (0, 1), (first, second))
    return sigma_w**2 * cov + sigma_b**2


patch_covariance = Task(
    id="09.1",
    title="The covariance behind a convolution",
    signature="patch_covariance(cov, window, sigma_w, sigma_b) -> [h, w, h, w]",
    reference=reference,
    credit={"inside the image": 2, "at the border": 1},
    cases=(
        Case("inside the image", "window 3, black margins", partial(images, size=(6, 7), window=3, margin=2)),
        Case("inside the image", "window of one pixel", partial(images, size=(4, 3), window=1)),
        Case("at the border", "window 3", partial(images, size=(5, 4), window=3)),
        Case("at the border", "window 5", partial(images, size=(5, 6), window=5)),
    ),
    misconceptions=patch_misconceptions.NAMED,
    alternatives=(site_by_site, matrices, as_pooling),
)
