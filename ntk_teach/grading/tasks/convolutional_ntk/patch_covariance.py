"""Task 09.1: the covariance between the outputs of a convolution."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.layers.window import summed

__all__ = ["patch_covariance"]

Offsets = Iterable[tuple[int, ...]]  # of the four axes: row and column of one site, and of the other


def reference(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    total = summed(summed(cov, (0, 2), window, 1, "same"), (1, 3), window, 1, "same")
    return sigma_w**2 / window**2 * total + sigma_b**2


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


# ---- wrong answers


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


def independent_offsets(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You moved the two sites independently of each other: that is pooling. The weight at an offset is one random
    number for both sites, and weights at different offsets are uncorrelated.
    """
    pairs = product(steps(window), repeat=4)
    return sigma_w**2 / window**4 * total(cov, pairs) + sigma_b**2


def independent_sum(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You summed over all pairs of offsets: weights at two different offsets are uncorrelated, so only terms with one
    common offset are left of the double sum.
    """
    pairs = product(steps(window), repeat=4)
    return sigma_w**2 / window**2 * total(cov, pairs) + sigma_b**2


def sum_for_mean(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You summed over the window: the fan-in counts its pixels, too, and the layer divides by its root."""
    return sigma_w**2 * total(cov, shared(window)) + sigma_b**2


def window_side(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You divided by q: a window of q pixels on a side has q² of them, and all are part of the fan-in."""
    return sigma_w**2 / window * total(cov, shared(window)) + sigma_b**2


def squared_count(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You divided by q⁴: the root of the fan-in stands in front of each of the two outputs, together once q²."""
    return sigma_w**2 / window**4 * total(cov, shared(window)) + sigma_b**2


def sigma_w_once(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You took sigma_w itself: it stands in front of both outputs, and a covariance has their product."""
    return sigma_w / window**2 * total(cov, shared(window)) + sigma_b**2


def sigma_w_forgotten(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The scale of the weights is missing."""
    return total(cov, shared(window)) / window**2 + sigma_b**2


def sigma_b_once(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You added sigma_b itself: the bias occurs in both outputs, so its square is what a covariance sees."""
    return sigma_w**2 / window**2 * total(cov, shared(window)) + sigma_b


def bias_forgotten(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The bias is missing: it is the same random number at every site of both images."""
    return sigma_w**2 / window**2 * total(cov, shared(window))


def bias_at_equal_sites(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You gave the bias to pairs of equal sites alone: a channel has one bias, which all sites share."""
    h, w = cov.shape[:2]
    equal = torch.eye(h * w, dtype=cov.dtype).reshape(cov.shape)
    return sigma_w**2 / window**2 * total(cov, shared(window)) + sigma_b**2 * equal


def bias_scaled(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You multiplied the bias by the scale of the weights, too: it has its own."""
    return sigma_w**2 * (total(cov, shared(window)) / window**2 + sigma_b**2)


def bias_averaged(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You divided the bias by the size of the window: the bias is added once, behind the sum over the window."""
    return (sigma_w**2 * total(cov, shared(window)) + sigma_b**2) / window**2


def bias_before(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You added the bias to the inputs and averaged then: it belongs to the outputs, and a window that reaches over the
    border does not lose a part of it.
    """
    return sigma_w**2 / window**2 * total(cov + sigma_b**2, shared(window))


def first_image_alone(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You moved the window over the first image and stood still in the second: both outputs are sums over a window."""
    offsets = [(a, b, 0, 0) for a, b in product(steps(window), repeat=2)]
    return sigma_w**2 / window**2 * total(cov, offsets) + sigma_b**2


def second_image_alone(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You moved the window over the second image and stood still in the first: both outputs are sums over a window."""
    offsets = [(0, 0, a, b) for a, b in product(steps(window), repeat=2)]
    return sigma_w**2 / window**2 * total(cov, offsets) + sigma_b**2


def opposite_offsets(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You moved the sites against each other: one weight belongs to one offset, which has the same sign in both images,
    whichever way the window is turned.
    """
    offsets = [(a, b, -a, -b) for a, b in product(steps(window), repeat=2)]
    return sigma_w**2 / window**2 * total(cov, offsets) + sigma_b**2


def axes_taken_in_pairs(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You moved rows together with columns: the axes are row and column of the first site, then row and column of the
    second; rows belong to rows.
    """
    offsets = [(a, a, b, b) for a, b in product(steps(window), repeat=2)]
    return sigma_w**2 / window**2 * total(cov, offsets) + sigma_b**2


def rows_with_columns(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You let the row of one site go with the column of the other: the offset of a weight has a row and a column, and
    they mean the same in both images.
    """
    offsets = [(a, b, b, a) for a, b in product(steps(window), repeat=2)]
    return sigma_w**2 / window**2 * total(cov, offsets) + sigma_b**2


def one_direction(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You moved along one direction only: the window is a square."""
    offsets = [(a, 0, a, 0) for a in steps(window)]
    return sigma_w**2 / window * total(cov, offsets) + sigma_b**2


def diagonal_of_the_window(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You used one number for the row and for the column of the offset: that is the diagonal of the window, q of its q²
    pixels.
    """
    offsets = [(a, a, a, a) for a in steps(window)]
    return sigma_w**2 / window * total(cov, offsets) + sigma_b**2


def window_to_the_right(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Your window begins at the site: it has to lie around it, as far to the left as to the right."""
    offsets = [(a, b, a, b) for a, b in product(range(window), repeat=2)]
    return sigma_w**2 / window**2 * total(cov, offsets) + sigma_b**2


def no_window(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """There is no window in your answer: this is a dense layer at each site."""
    return sigma_w**2 * cov + sigma_b**2


def factor_two(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """A factor 2 too much: He's scale is an argument here, sigma_w = √2."""
    return 2 * sigma_w**2 / window**2 * total(cov, shared(window)) + sigma_b**2


def circular(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You wrapped around: beyond the border of these images there are zeros, not their other end."""
    return sigma_w**2 / window**2 * total(cov, shared(window), "circular") + sigma_b**2


def border_repeated(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You repeated the last pixel beyond the border: there are zeros."""
    return sigma_w**2 / window**2 * total(cov, shared(window), "repeated") + sigma_b**2


def border_mirrored(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You mirrored the image at its border: beyond it there are zeros."""
    return sigma_w**2 / window**2 * total(cov, shared(window), "mirrored") + sigma_b**2


def counted(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You divided by the number of terms that lie inside the image: a padded zero is a pixel, and the weights that it
    meets are part of the fan-in.
    """
    there = total(torch.ones_like(cov), shared(window))
    return sigma_w**2 * total(cov, shared(window)) / there.clamp(min=1) + sigma_b**2


def whole_windows(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You left the sites at the border without a covariance of their inputs: a window that reaches over the border
    still sees the pixels inside.
    """
    found = sigma_w**2 / window**2 * total(cov, shared(window))
    whole = total(torch.ones_like(cov), shared(window)) == window**2
    for axis, size in enumerate(cov.shape):
        inside = torch.arange(size)
        shape = [size if axis == other else 1 for other in range(4)]
        whole = whole & ((inside >= window // 2) & (inside < size - window // 2)).reshape(shape)
    return found * whole + sigma_b**2


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
    misconceptions=(
        Misconception(independent_offsets),
        Misconception(independent_sum),
        Misconception(sum_for_mean),
        Misconception(window_side),
        Misconception(squared_count),
        Misconception(sigma_w_once),
        Misconception(sigma_w_forgotten),
        Misconception(sigma_b_once),
        Misconception(bias_forgotten),
        Misconception(bias_at_equal_sites),
        Misconception(bias_scaled),
        Misconception(bias_averaged),
        Misconception(bias_before),
        Misconception(first_image_alone),
        Misconception(second_image_alone),
        Misconception(opposite_offsets),
        Misconception(axes_taken_in_pairs),
        Misconception(rows_with_columns),
        Misconception(one_direction),
        Misconception(diagonal_of_the_window),
        Misconception(window_to_the_right),
        Misconception(no_window),
        Misconception(factor_two),
        Misconception(circular, keeps=2),
        Misconception(border_repeated, keeps=2),
        Misconception(border_mirrored, keeps=2),
        Misconception(counted, keeps=2),
        Misconception(whole_windows, keeps=2),
    ),
    alternatives=(site_by_site, matrices, as_pooling),
)
