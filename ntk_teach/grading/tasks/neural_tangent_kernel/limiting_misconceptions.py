"""Wrong recursions for the limiting kernel, each one change away from the right one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception

__all__ = ["all_of_them"]


class Step(NamedTuple):
    """What a student has at hand when Θ is carried through one layer."""

    theta: Tensor  # Θ of the previous depth
    value: Tensor  # E[φφ]
    slope: Tensor  # E[φ̇φ̇]
    before: Tensor  # Σ of the previous depth
    sigma: Tensor  # Σ of this depth


Dual = Callable[[Tensor], tuple[Tensor, Tensor]]


def dual(sigma: Tensor, *, limit: float = 1.0, flipped: bool = False, factor: float = 1.0) -> tuple[Tensor, Tensor]:
    root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
    rho = (sigma / root).clamp(-limit, limit)
    angle = torch.arccos(rho)
    opening = angle if flipped else math.pi - angle
    value = root / (2 * math.pi) * ((1 - rho**2).sqrt() + opening * rho)
    return factor * value, factor * opening / (2 * math.pi)


def recursion(
    x: Tensor,
    depth: int,
    sigma_b: float,
    *,
    dual: Dual = dual,
    step: Callable[[Step], Tensor] = lambda s: s.theta * s.slope + s.sigma,
    start: Callable[[Tensor], Tensor] = lambda sigma: sigma,
    first_bias: float = 1.0,
    hidden_bias: float = 1.0,
    power: int = 2,
    fan_in: bool = True,
) -> Tensor:
    bias = sigma_b**power
    sigma = x @ x.T / (x.shape[1] if fan_in else 1) + first_bias * bias
    theta = start(sigma)
    for _ in range(depth - 1):
        value, slope = dual(sigma)
        before, sigma = sigma, value + hidden_bias * bias
        theta = step(Step(theta, value, slope, before, sigma))
    return theta


def nngp(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You returned Σ, the kernel of the Gaussian process (only the last layer trained): Θ also has what the earlier
    layers add.
    """
    return recursion(x, depth, sigma_b, step=lambda s: s.sigma)


def value_for_slope(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You multiplied Θ by E[φφ]; the chain rule brings the derivatives, E[φ̇φ̇]."""
    return recursion(x, depth, sigma_b, step=lambda s: s.theta * s.value + s.sigma)


def matrix_product(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You used the matrix product of Θ and Σ̇; the recursion multiplies entry by entry, one pair of inputs at a
    time.
    """
    return recursion(x, depth, sigma_b, step=lambda s: s.theta @ s.slope + s.sigma)


def own_layer_dropped(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You carried Θ through the layers but did not add Σ: each new layer has parameters of its own."""
    return recursion(x, depth, sigma_b, step=lambda s: s.theta * s.slope)


def previous_sigma_added(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You added Σ of the previous depth; the term that is added has the index of the new layer."""
    return recursion(x, depth, sigma_b, step=lambda s: s.theta * s.slope + s.before)


def slope_of_new_sigma(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You took Σ̇ under the new Σ; both expectations of a step are under the Σ that enters it."""
    return recursion(x, depth, sigma_b, step=lambda s: s.theta * dual(s.sigma)[1] + s.sigma)


def started_at_zero(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You started from Θ = 0; a network of depth 1 is linear, and its kernel is Σ of depth 1."""
    return recursion(x, depth, sigma_b, start=torch.zeros_like)


def angle_for_its_complement(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You used θ where the closed form has π − θ: equal inputs, θ = 0, then look unrelated."""
    return recursion(x, depth, sigma_b, dual=lambda sigma: dual(sigma, flipped=True))


def he_factor(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """Your kernel has a factor 2 in front of the expectations: that is He's convention (σ_w² = 2); here σ_w = 1 and
    ReLU has no factor.
    """
    return recursion(x, depth, sigma_b, dual=lambda sigma: dual(sigma, factor=2.0))


def input_not_scaled(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """The inner product of the inputs is not divided by their dimension: the first layer, too, has its 1/√n₀."""
    return recursion(x, depth, sigma_b, fan_in=False)


def bias_not_squared(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You added sigma_b where a covariance needs sigma_b²."""
    return recursion(x, depth, sigma_b, power=1)


def bias_in_first_layer_only(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """Only the first layer has its bias: every layer adds sigma_b² to Σ."""
    return recursion(x, depth, sigma_b, hidden_bias=0.0)


def bias_in_hidden_layers_only(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """The first layer lacks its bias: Σ of depth 1 is the inner product plus sigma_b²."""
    return recursion(x, depth, sigma_b, first_bias=0.0)


def one_layer_too_many(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You went one layer too deep: depth counts weight layers, so depth 1 applies no activation."""
    return recursion(x, depth + 1, sigma_b)


def covariance_for_correlation(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You passed a covariance to arccos; the angle belongs to the correlation, Σ divided by the standard deviations."""

    def unnormalized(sigma: Tensor) -> tuple[Tensor, Tensor]:
        root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
        rho = sigma.clamp(-1, 1)
        opening = math.pi - torch.arccos(rho)
        return root / (2 * math.pi) * ((1 - rho**2).sqrt() + opening * rho), opening / (2 * math.pi)

    return recursion(x, depth, sigma_b, dual=unnormalized)


def clipped_too_much(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """You clip the correlation visibly inside [-1, 1]: that changes every kernel value of equal inputs."""
    return recursion(x, depth, sigma_b, dual=lambda sigma: dual(sigma, limit=1 - 1e-3))


def not_clipped(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """Rounding gives correlations like 1 + 2e-16, whose arccos is NaN: clip to [-1, 1] first."""
    return recursion(x, depth, sigma_b, dual=lambda sigma: dual(sigma, limit=math.inf))


all_of_them = (
    Misconception(nngp),
    Misconception(value_for_slope),
    Misconception(matrix_product),
    Misconception(own_layer_dropped),
    Misconception(previous_sigma_added),
    Misconception(slope_of_new_sigma),
    Misconception(started_at_zero),
    Misconception(angle_for_its_complement),
    Misconception(he_factor),
    Misconception(input_not_scaled),
    Misconception(bias_not_squared),
    Misconception(bias_in_first_layer_only),
    Misconception(bias_in_hidden_layers_only),
    Misconception(one_layer_too_many),
    Misconception(covariance_for_correlation),
    Misconception(clipped_too_much),
    Misconception(not_clipped, keeps=2),
)
