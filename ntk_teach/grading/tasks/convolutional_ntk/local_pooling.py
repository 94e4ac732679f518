"""Task 09.3: pixels read out by local average pooling."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.layers.window import summed

__all__ = ["local_pooling"]


def reference(cov: Tensor, window: int) -> Tensor:
    """``AvgPool(window, 1, "circular")`` and ``Flatten()``."""
    for axis in range(4):
        cov = summed(cov, (axis,), window, 1, "circular")
    return flattened(cov) / window**4


def flattened(cov: Tensor) -> Tensor:
    h, w = cov.shape[:2]
    return cov.reshape(h * w, h * w).diagonal().mean()


# ---- inputs


def pairs(rng: np.random.Generator, *, size: tuple[int, int], window: int, margin: int = 0) -> Arguments:
    """A tensor of two different images; ``margin`` rows and columns of zeros on every side of both."""
    one, other = (rng.normal(size=(*size, 4)) + rng.uniform(0.4, 0.9, size=4) for _ in range(2))
    for image in (one, other):
        ink = np.zeros(size, dtype=bool)
        ink[margin : size[0] - margin, margin : size[1] - margin] = True
        image[~ink] = 0.0
    return {"cov": torch.from_numpy(np.einsum("ijc,klc->ijkl", one, other)), "window": window}


# ---- wrong answers


def one_offset(cov: Tensor, window: int) -> Tensor:
    """You moved both sites by one common offset, or not at all: on a circle this is Flatten, whatever the window. A
    mean has no random weights that tie the two sites together, so each runs over its own window.
    """
    return flattened(cov)


def all_pairs(cov: Tensor, window: int) -> Tensor:
    """You took the mean over all pairs of sites: that is global pooling. A local pool keeps the windows apart, and
    Flatten compares windows around equal sites.
    """
    return cov.mean()


def window_squared(cov: Tensor, window: int) -> Tensor:
    """You divided by c²: there are two means, one in each image, of c² pixels each."""
    return reference(cov, window) * window**2


def windows_summed(cov: Tensor, window: int) -> Tensor:
    """You summed over the windows: a pool takes means, in both images."""
    return reference(cov, window) * window**4


def first_image_pooled(cov: Tensor, window: int) -> Tensor:
    """You pooled the first image only: the two sites have a window each."""
    for axis in (0, 1):
        cov = torch.stack([cov.roll(-step, dims=axis) for step in range(window)]).mean(0)
    return flattened(cov)


def second_image_pooled(cov: Tensor, window: int) -> Tensor:
    """You pooled the second image only: the two sites have a window each."""
    for axis in (2, 3):
        cov = torch.stack([cov.roll(-step, dims=axis) for step in range(window)]).mean(0)
    return flattened(cov)


def rows_pooled(cov: Tensor, window: int) -> Tensor:
    """You pooled along the rows only: a window has rows and columns."""
    for axis in (1, 3):
        cov = summed(cov, (axis,), window, 1, "circular")
    return flattened(cov) / window**2


def columns_pooled(cov: Tensor, window: int) -> Tensor:
    """You pooled along the columns only: a window has rows and columns."""
    for axis in (0, 2):
        cov = summed(cov, (axis,), window, 1, "circular")
    return flattened(cov) / window**2


def trace(cov: Tensor, window: int) -> Tensor:
    """You summed over the sites: Flatten followed by a layer with its own fan-in is a mean over them."""
    h, w = cov.shape[:2]
    return reference(cov, window) * (h * w)


def trace_of_sums(cov: Tensor, window: int) -> Tensor:
    """Nothing is divided: both the windows and the sites are means."""
    h, w = cov.shape[:2]
    return reference(cov, window) * (h * w) * window**4


def mean_over_pairs_of_sites(cov: Tensor, window: int) -> Tensor:
    """You divided the sum over equal sites by the number of all pairs of sites: Flatten has as many terms as there are
    sites.
    """
    h, w = cov.shape[:2]
    return reference(cov, window) / (h * w)


def no_overlap(cov: Tensor, window: int) -> Tensor:
    """Your windows do not overlap: the stride is one, so that there is a window around every site."""
    for axis in range(4):
        cov = summed(cov, (axis,), window, window, "circular")
    return flattened(cov) / window**4


def fitting_windows(cov: Tensor, window: int) -> Tensor:
    """You used only windows that fit into the image: on a circle there is one around every site."""
    for axis in range(4):
        cov = summed(cov, (axis,), window, 1, "valid")
    return flattened(cov) / window**4


def zeros_outside(cov: Tensor, window: int) -> Tensor:
    """You put zeros around the image: its border is circular, a window goes on at the other end."""
    for axis in range(4):
        cov = summed(cov, (axis,), window, 1, "same")
    return flattened(cov) / window**4


def counted(cov: Tensor, window: int) -> Tensor:
    """You cut the windows at the border and divided by what was left of them: the border is circular, a window goes on
    at the other end.
    """
    there = torch.ones_like(cov)
    for axis in range(4):
        cov, there = (summed(m, (axis,), window, 1, "same") for m in (cov, there))
    return flattened(cov / there)


def strides(cov: Tensor, window: int) -> Tensor:
    """You stepped from window to window: the pool has a window for every site, and neighboring windows overlap."""
    h, w = cov.shape[:2]
    spread = [torch.arange(window).add(start) for start in range(max(h, w))]
    corners = [(i, j) for i in range(0, h, window) for j in range(0, w, window)]
    rows, columns = [torch.stack([spread[c[axis]] % (h, w)[axis] for c in corners]) for axis in (0, 1)]
    parts = [cov[r][:, c][:, :, r][:, :, :, c].mean() for r, c in zip(rows, columns, strict=True)]
    return torch.stack(parts).mean()


def zeros_behind(cov: Tensor, window: int) -> Tensor:
    """Your windows begin at their sites and see zeros behind the last row and column: the border is circular, a window
    goes on at the other end.
    """
    wide = torch.nn.functional.pad(cov, (0, window - 1) * 4)
    for axis in range(4):
        wide = wide.unfold(axis, window, 1).sum(-1)
    return flattened(wide) / window**4


def reach_on_both_sides(cov: Tensor, window: int) -> Tensor:
    """Your windows reach half of c to both sides, which makes c + 1 pixels where c is even: a window has c a side."""
    side = 2 * (window // 2) + 1
    return reference(cov, side) * (side / window) ** 4


def diagonals_of_the_windows(cov: Tensor, window: int) -> Tensor:
    """You used one number for the row and for the column of each offset: that is the diagonal of a window, c of its c²
    pixels.
    """
    moved = torch.stack([cov.roll((-a, -a), dims=(0, 1)) for a in range(window)]).mean(0)
    return flattened(torch.stack([moved.roll((-b, -b), dims=(2, 3)) for b in range(window)]).mean(0))


# ---- right answers


def modulo(cov: Tensor, window: int) -> float:
    """Six loops."""
    given, (h, w) = cov.numpy(), cov.shape[:2]
    total = 0.0
    for i, j, a, b, k, m in np.ndindex(h, w, window, window, window, window):
        total += given[(i + a) % h, (j + b) % w, (i + k) % h, (j + m) % w]
    return total / (h * w * window**4)


def by_matrices(cov: Tensor, window: int) -> NDArray[np.float64]:
    """The pool as a matrix for rows and one for columns."""
    h, w = cov.shape[:2]
    p, r = (sum(np.roll(np.eye(size), step, axis=1) for step in range(window)) / window for size in (h, w))
    return np.asarray(np.einsum("ia,jb,ic,jd,abcd->", p, r, p, r, cov.numpy()) / (h * w))


def by_differences(cov: Tensor, window: int) -> Tensor:
    """How often does a difference of sites occur in a window? c minus the difference times, in each direction."""
    h, w = cov.shape[:2]
    total = cov.new_zeros(())
    for a in range(1 - window, window):
        for b in range(1 - window, window):
            moved = cov.roll((-a, -b), dims=(2, 3))
            total = total + (window - abs(a)) * (window - abs(b)) * torch.einsum("ijij->", moved)
    return total / (h * w) / window**4


local_pooling = Task(
    id="09.3",
    title="Local average pooling",
    signature="local_pooling(cov, window) -> float",
    reference=reference,
    credit={"inside the image": 2, "across the border": 1},
    cases=(
        Case("inside the image", "window 3, black margins", partial(pairs, size=(7, 8), window=3, margin=2)),
        Case("inside the image", "window 2, black margins", partial(pairs, size=(6, 5), window=2, margin=1)),
        Case("across the border", "window 3", partial(pairs, size=(4, 5), window=3)),
        Case("across the border", "window 2", partial(pairs, size=(3, 4), window=2)),
        Case("across the border", "the whole image", partial(pairs, size=(4, 4), window=4)),
    ),
    misconceptions=(
        Misconception(one_offset),
        Misconception(all_pairs),
        Misconception(window_squared),
        Misconception(windows_summed),
        Misconception(first_image_pooled),
        Misconception(second_image_pooled),
        Misconception(rows_pooled),
        Misconception(columns_pooled),
        Misconception(trace),
        Misconception(trace_of_sums),
        Misconception(mean_over_pairs_of_sites),
        Misconception(no_overlap),
        Misconception(fitting_windows),
        Misconception(zeros_outside, keeps=2),
        Misconception(counted, keeps=2),
        Misconception(strides),
        Misconception(zeros_behind, keeps=2),
        Misconception(reach_on_both_sides),
        Misconception(diagonals_of_the_windows),
    ),
    alternatives=(modulo, by_matrices, by_differences),
)
