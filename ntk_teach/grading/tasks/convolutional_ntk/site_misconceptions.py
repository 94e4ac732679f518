"""Task 09.2: wrong tangent kernels behind a layer; what a student is told stands below each name."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.convolutional_ntk.site_terms import dual, patch_mean, reference

__all__ = ["NAMED"]


def average_first(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You averaged Θ and the slope separately and multiplied then: the slope belongs to a pair of pixels, so the
    product is taken there, and its average afterwards.
    """
    value, slope = dual(sigma, var1, var2)
    old = patch_mean(theta, window) * patch_mean(slope, window)
    return sigma_w**2 * (patch_mean(value, window) + old) + sigma_b**2


def own_parameters_missing(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The parameters of the new layer are missing: they are trained too, and add their own covariance."""
    return sigma_w**2 * patch_mean(theta * dual(sigma, var1, var2).slope, window)


def own_parameters_alone(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The layers below are missing: this is the new covariance alone, the kernel if only the last layer is trained."""
    return sigma_w**2 * patch_mean(dual(sigma, var1, var2).value, window) + sigma_b**2


def slope_missing(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """Θ passes the activation unchanged in your answer: a gradient meets its derivative at both pixels."""
    return sigma_w**2 * patch_mean(dual(sigma, var1, var2).value + theta, window) + sigma_b**2


def value_and_slope_swapped(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The two expectations have changed places: Θ meets the one of the derivatives, the new covariance is the one of
    the activations.
    """
    value, slope = dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean(slope + theta * value, window) + sigma_b**2


def value_for_slope(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """Θ is multiplied by the expectation of the activations: it meets that of the derivatives."""
    value, _ = dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean(value + theta * value, window) + sigma_b**2


def old_covariance(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You added the covariance before the activation: the new layer's weights multiply activations."""
    slope = dual(sigma, var1, var2).slope
    return sigma_w**2 * patch_mean(sigma + theta * slope, window) + sigma_b**2


def theta_not_scaled(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """sigma_w is missing before the part of the layers below: their gradient passes through the new weights as well."""
    value, slope = dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean(value, window) + sigma_b**2 + patch_mean(theta * slope, window)


def covariance_not_scaled(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """sigma_w is missing in the part of the new layer: the scale stands in front of its weights, so it is in their
    gradient.
    """
    value, slope = dual(sigma, var1, var2)
    return patch_mean(value, window) + sigma_b**2 + sigma_w**2 * patch_mean(theta * slope, window)


def no_scale(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The scale of the weights is missing in both terms."""
    return reference(theta, sigma, var1, var2, window, 1.0, sigma_b)


def sigma_w_once(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You took sigma_w itself: two outputs, or two gradients, have it as a factor each."""
    return reference(theta, sigma, var1, var2, window, math.sqrt(sigma_w), sigma_b)


def bias_forgotten(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The bias is missing: it is a parameter of the new layer, with a gradient of its own."""
    return reference(theta, sigma, var1, var2, window, sigma_w, 0.0)


def bias_twice(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The bias is counted twice: it is in the new covariance, and the part of the layers below has none."""
    return reference(theta, sigma, var1, var2, window, sigma_w, sigma_b) + sigma_b**2


def sigma_b_once(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You added sigma_b itself: the scale of the bias is in both gradients, so its square is added."""
    return reference(theta, sigma, var1, var2, window, sigma_w, math.sqrt(sigma_b))


def bias_scaled(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You multiplied the bias by the scale of the weights: it has its own."""
    return reference(theta, sigma, var1, var2, window, sigma_w, sigma_w * sigma_b)


def independent_offsets(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You averaged over all pairs of pixels of two windows: a convolution has one weight for an offset, so that both
    pixels have the same one. Independent offsets belong to a pool.
    """
    value, slope = dual(sigma, var1, var2)
    m = value + theta * slope
    means = m.unfold(0, window, 1).unfold(1, window, 1).mean((-2, -1))
    return sigma_w**2 * means + sigma_b**2


def sum_for_mean(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You summed over the window: its pixels are part of the fan-in, by whose root the layer divides."""
    return reference(theta, sigma, var1, var2, window, sigma_w * math.sqrt(window), sigma_b)


def window_squared(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You divided by q²: these images are rows, a window has q pixels."""
    return reference(theta, sigma, var1, var2, window, sigma_w / math.sqrt(window), sigma_b)


def theta_summed(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The part of the layers below is a sum over the window: the gradient meets the scale 1/√(fan-in) of the new layer
    as well.
    """
    value, slope = dual(sigma, var1, var2)
    return sigma_w**2 * (patch_mean(value, window) + window * patch_mean(theta * slope, window)) + sigma_b**2


def theta_at_one_pixel(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You averaged the new covariance over the window, and took Θ at the first pixel of it alone: the gradients of the
    layers below arrive through all weights of the window.
    """
    value, slope = dual(sigma, var1, var2)
    left = len(theta) - window + 1
    return sigma_w**2 * (patch_mean(value, window) + (theta * slope)[:left, :left]) + sigma_b**2


def opposite_offsets(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You walked through the two windows in opposite directions: one weight belongs to one offset in both images."""
    value, slope = dual(sigma, var1, var2)
    m = value + theta * slope
    left = len(m) - window + 1
    parts = [m[a : a + left, window - 1 - a : window - 1 - a + left] for a in range(window)]
    return sigma_w**2 * torch.stack(parts).mean(0) + sigma_b**2


def first_image_alone(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """Your window moves in the first image alone: both outputs are sums over a window, with the same weights."""
    value, slope = dual(sigma, var1, var2)
    m = value + theta * slope
    left = len(m) - window + 1
    return sigma_w**2 * torch.stack([m[a : a + left, :left] for a in range(window)]).mean(0) + sigma_b**2


def variances_swapped(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The variances are at the wrong pixels: var1 belongs to the first image, whose pixels are the rows of sigma."""
    value, slope = relu.dual(sigma, var1[None, :], var2[:, None])
    return sigma_w**2 * patch_mean(value + theta * slope, window) + sigma_b**2


def variances_of_the_first(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You took the variances of the first image for both: each pixel comes with the variance of its own image."""
    return reference(theta, sigma, var1, var1, window, sigma_w, sigma_b)


def variances_from_the_diagonal(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You read the variances from the diagonal of sigma: those are covariances between two images, at equal pixels, and
    may be negative. A variance is that of an image with itself.
    """
    return reference(theta, sigma, sigma.diagonal(), sigma.diagonal(), window, sigma_w, sigma_b)


def factor_two(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """A factor 2 too much: He's scale is an argument here, sigma_w = √2."""
    return reference(theta, sigma, var1, var2, window, math.sqrt(2) * sigma_w, sigma_b)


def zero_over_zero(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """At a black pixel the correlation is 0/0, and NaN spreads over every window that sees it. Such a pixel adds
    nothing: its covariances and its Θ are zero, so any finite correlation will do.
    """
    root = (var1[:, None] * var2).sqrt()
    angle = torch.arccos((sigma / root).clamp(-1, 1))
    value = root * (angle.sin() + (math.pi - angle) * angle.cos()) / (2 * math.pi)
    slope = (math.pi - angle) / (2 * math.pi)
    return sigma_w**2 * patch_mean(value + theta * slope, window) + sigma_b**2


def convolution_first(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You took the layers in the other order: the ReLU acts on the pixels as they come, and the convolution averages
    behind it.
    """
    own = [sigma_w**2 * var.unfold(0, window, 1).mean(-1) + sigma_b**2 for var in (var1, var2)]
    passed = sigma_w**2 * patch_mean(sigma, window) + sigma_b**2
    value, slope = dual(passed, own[0], own[1])
    return value + slope * (sigma_w**2 * patch_mean(theta, window) + passed)


def last_offset_missing(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The last pixel of the window is missing: a runs from 0 to q − 1, which are q values, and `range(q - 1)` has one
    fewer.
    """
    value, slope = dual(sigma, var1, var2)
    m, left = value + theta * slope, len(sigma) - window + 1
    kept = sum((m[a : a + left, a : a + left] for a in range(window - 1)), torch.zeros_like(m[:left, :left]))
    return sigma_w**2 * kept / window + sigma_b**2


def deviations(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You have standard deviations where variances belong: `ntk.relu.dual`, for one, takes the roots itself."""
    return reference(theta, sigma, var1.sqrt(), var2.sqrt(), window, sigma_w, sigma_b)


def slope_on_both(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """The covariance of the activations is multiplied by the slope as well: only Θ, which belongs to the layers below,
    passes the derivative.
    """
    value, slope = dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean((value + theta) * slope, window) + sigma_b**2


def variances_of_the_second(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """You took the variances of the second image for both: each pixel comes with the variance of its own image."""
    return reference(theta, sigma, var2, var2, window, sigma_w, sigma_b)


def variances_along_columns(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    """Both variances run along the columns of your table: without an axis of its own, var1 is laid next to var2. The
    pixel of the first image is the row.
    """
    value, slope = relu.dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean(value + theta * slope, window) + sigma_b**2


NAMED = (
    Misconception(average_first),
    Misconception(own_parameters_missing),
    Misconception(own_parameters_alone),
    Misconception(slope_missing),
    Misconception(value_and_slope_swapped),
    Misconception(value_for_slope),
    Misconception(old_covariance),
    Misconception(theta_not_scaled),
    Misconception(covariance_not_scaled),
    Misconception(no_scale),
    Misconception(sigma_w_once),
    Misconception(bias_forgotten, keeps=2),
    Misconception(bias_twice, keeps=2),
    Misconception(sigma_b_once, keeps=2),
    Misconception(bias_scaled, keeps=2),
    Misconception(independent_offsets),
    Misconception(sum_for_mean),
    Misconception(window_squared),
    Misconception(theta_summed),
    Misconception(theta_at_one_pixel),
    Misconception(opposite_offsets),
    Misconception(first_image_alone),
    Misconception(variances_swapped),
    Misconception(variances_of_the_first),
    Misconception(variances_from_the_diagonal),
    Misconception(factor_two),
    Misconception(zero_over_zero, keeps=2),
    Misconception(convolution_first),
    Misconception(last_offset_missing),
    Misconception(deviations),
    Misconception(slope_on_both),
    Misconception(variances_of_the_second),
    Misconception(variances_along_columns),
)
