"""Task 09.2: the tangent kernel through an activation and a convolution."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.kernel import Dual

__all__ = ["site_step"]


def patch_mean(m: Tensor, window: int) -> Tensor:
    """1/q Σ_a m(i + a, j + a), for windows that fit. [p − q + 1, p − q + 1]"""
    left = len(m) - window + 1
    return sum((m[a : a + left, a : a + left] for a in range(window)), torch.zeros(left, left, dtype=m.dtype)) / window


def dual(sigma: Tensor, var1: Tensor, var2: Tensor) -> Dual:
    return relu.dual(sigma, var1[:, None], var2[None, :])


def reference(
    theta: Tensor, sigma: Tensor, var1: Tensor, var2: Tensor, window: int, sigma_w: float, sigma_b: float
) -> Tensor:
    value, slope = dual(sigma, var1, var2)
    return sigma_w**2 * patch_mean(value + theta * slope, window) + sigma_b**2


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


# ---- wrong answers


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
    misconceptions=(
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
    ),
    alternatives=(pixel_by_pixel, as_a_convolution, unfolded),
)
