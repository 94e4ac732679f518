"""Task 09.1: wrong covariances behind a convolution; what a student is told stands below each name."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.convolutional_ntk.patch_terms import around, shared, steps, total

__all__ = ["NAMED"]


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
    """You added the bias to the inputs and then averaged: it belongs to the outputs, and a window that reaches over the
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


def scales_not_squared(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Neither of the two scales is squared: both stand in front of both outputs, and a covariance has them twice."""
    return sigma_w / window**2 * total(cov, shared(window)) + sigma_b


def window_one_short(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Your offsets end one short: the window reaches as far to the right as to the left, and Python's `range` leaves
    its end out.
    """
    listed = range(-(window // 2), window // 2)
    offsets = [(a, b, a, b) for a, b in product(listed, repeat=2)]
    return sigma_w**2 / window**2 * (total(cov, offsets) if offsets else torch.zeros_like(cov)) + sigma_b**2


def negative_index(cov: Tensor, window: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Your window wraps around at one border and stops at the other: to Python the index −1 is the last pixel, and no
    error says so. Beyond both borders there are zeros.
    """
    reach = window // 2
    wide = around(cov, reach, "circular")
    for axis, size in enumerate(cov.shape):
        wide = wide.index_fill(axis, torch.arange(reach + size, size + 2 * reach), 0.0)
    found = torch.zeros_like(cov)
    for a, b in product(range(window), repeat=2):
        found = found + wide[tuple(slice(s, s + n) for s, n in zip((a, b, a, b), cov.shape, strict=True))]
    return sigma_w**2 / window**2 * found + sigma_b**2


NAMED = (
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
    Misconception(scales_not_squared),
    Misconception(window_one_short),
    Misconception(negative_index, keeps=2),
)
