"""Wrong recursions for the limiting kernel, each one change away from the right one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.other_conventions import other_conventions

__all__ = ["all_of_them"]


class Step(NamedTuple):
    """What a student has at hand when Θ is carried through one layer."""

    theta: Tensor  # Θ of the previous depth
    value: Tensor  # c E[φφ]
    slope: Tensor  # c E[φ̇φ̇]
    before: Tensor  # Σ of the previous depth
    sigma: Tensor  # Σ of this depth


Dual = Callable[[Tensor], tuple[Tensor, Tensor]]


def dual(sigma: Tensor, *, limit: float = 1.0, flipped: bool = False) -> tuple[Tensor, Tensor]:
    root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
    rho = (sigma / root).clamp(-limit, limit)
    angle = torch.arccos(rho)
    opening = angle if flipped else math.pi - angle
    value = root / (2 * math.pi) * ((1 - rho**2).sqrt() + opening * rho)
    return value, opening / (2 * math.pi)


def recursion(
    x: Tensor,
    depth: int,
    sigma_b: float,
    *,
    convention: Convention,
    dual: Dual = dual,
    step: Callable[[Step], Tensor] = lambda s: s.theta * s.slope + s.sigma,
    start: Callable[[Tensor], Tensor] = lambda sigma: sigma,
    first_bias: float = 1.0,
    hidden_bias: float = 1.0,
    power: int = 2,
) -> Tensor:
    bias = sigma_b**power
    sigma = convention.variance(0, x.shape[1]) * (x @ x.T) + first_bias * bias
    theta = start(sigma)
    for _ in range(convention.weight_layers(depth) - 1):
        value, slope = (convention.hidden_variance * part for part in dual(sigma))
        before, sigma = sigma, value + hidden_bias * bias
        theta = step(Step(theta, value, slope, before, sigma))
    return theta


def nngp(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You returned Σ, the kernel of the Gaussian process (only the last layer trained): Θ also has what the earlier
    layers add.
    """
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.sigma)


def value_for_slope(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You multiplied Θ by E[φφ]; the chain rule brings the derivatives, E[φ̇φ̇]."""
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta * s.value + s.sigma)


def matrix_product(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You used the matrix product of Θ and Σ̇; the recursion multiplies entry by entry, one pair of inputs at a
    time.
    """
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta @ s.slope + s.sigma)


def own_layer_dropped(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You carried Θ through the layers but did not add Σ: each new layer has parameters of its own."""
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta * s.slope)


def previous_sigma_added(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You added Σ of the previous depth; the term that is added has the index of the new layer."""
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta * s.slope + s.before)


def slope_of_new_sigma(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You took Σ̇ under the new Σ; both expectations of a step are under the Σ that enters it."""

    def late(s: Step) -> Tensor:
        return s.theta * convention.hidden_variance * dual(s.sigma)[1] + s.sigma

    return recursion(x, depth, sigma_b, convention=convention, step=late)


def started_at_zero(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You started from Θ = 0; a network without hidden layers is linear, and its kernel is Σ of its one layer."""
    return recursion(x, depth, sigma_b, convention=convention, start=torch.zeros_like)


def angle_for_its_complement(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You used θ where the closed form has π − θ: equal inputs, θ = 0, then look unrelated."""
    return recursion(x, depth, sigma_b, convention=convention, dual=lambda sigma: dual(sigma, flipped=True))


def bias_not_squared(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You added sigma_b where a covariance needs sigma_b²."""
    return recursion(x, depth, sigma_b, convention=convention, power=1)


def bias_in_first_layer_only(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Only the first layer has its bias: every layer adds sigma_b² to Σ."""
    return recursion(x, depth, sigma_b, convention=convention, hidden_bias=0.0)


def bias_in_hidden_layers_only(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The first layer lacks its bias: its Σ is the inner product plus sigma_b²."""
    return recursion(x, depth, sigma_b, convention=convention, first_bias=0.0)


def covariance_for_correlation(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You passed a covariance to arccos; the angle belongs to the correlation, Σ divided by the standard deviations."""

    def unnormalized(sigma: Tensor) -> tuple[Tensor, Tensor]:
        root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
        rho = sigma.clamp(-1, 1)
        opening = math.pi - torch.arccos(rho)
        return root / (2 * math.pi) * ((1 - rho**2).sqrt() + opening * rho), opening / (2 * math.pi)

    return recursion(x, depth, sigma_b, convention=convention, dual=unnormalized)


def clipped_too_much(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You clip the correlation visibly inside [-1, 1]: that changes every kernel value of equal inputs."""
    return recursion(x, depth, sigma_b, convention=convention, dual=lambda sigma: dual(sigma, limit=1 - 1e-3))


def not_clipped(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Rounding gives correlations like 1 + 2e-16, whose arccos is NaN: clip to [-1, 1] first."""
    return recursion(x, depth, sigma_b, convention=convention, dual=lambda sigma: dual(sigma, limit=math.inf))


def inputs_centered(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You subtracted the mean of the inputs: the kernel of two inputs depends on these two, and on no others."""
    return recursion(x - x.mean(0), depth, sigma_b, convention=convention)


def inputs_normalized(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You brought the inputs to length one: Σ has their lengths, and arccos asks for the correlation of Σ, not of x."""
    return recursion(x / x.norm(dim=1, keepdim=True), depth, sigma_b, convention=convention)


def factor_on_the_value_only(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The factor 2 stands in front of E[φφ] but not in front of E[φ̇φ̇]: it belongs to the weights, and both have it."""
    c = convention.hidden_variance
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta * s.slope / c + s.sigma)


def slope_doubled(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Your E[φ̇φ̇] is twice too large: at two equal inputs φ̇ is 1 for half of the Gaussian, so it is 1/2 there."""
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta * 2 * s.slope + s.sigma)


def value_doubled(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Your E[φφ] is twice too large: at two equal inputs ReLU keeps half of the Gaussian, so it is half of Σ there."""
    return recursion(x, depth, sigma_b, convention=convention, dual=altered(lambda value, root: 2 * value))


def root_dropped(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """E[φφ] lacks its factor √(qq'): ReLU lets the size of its inputs through, and the angle knows nothing of it."""
    return recursion(x, depth, sigma_b, convention=convention, dual=altered(lambda value, root: value / root))


def root_not_taken(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """E[φφ] has the factor qq' where its root belongs: twice the inputs make it four times as large, not sixteen."""
    return recursion(x, depth, sigma_b, convention=convention, dual=altered(lambda value, root: value * root))


def altered(change: Callable[[Tensor, Tensor], Tensor]) -> Dual:
    """The dual with another value, made of the right one and √(qq')."""

    def other(sigma: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = dual(sigma)
        return change(value, torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()), slope

    return other


def at_angle(sigma: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Both expectations with an angle that is not that of Σ."""
    root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
    opening = math.pi - angle
    return root / (2 * math.pi) * (angle.sin() + opening * angle.cos()), opening / (2 * math.pi)


def divided_by_variances(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You divided Σ by qq' to find the angle: a correlation divides by the standard deviations, the roots of both."""

    def small(sigma: Tensor) -> tuple[Tensor, Tensor]:
        rho = sigma / torch.outer(sigma.diagonal(), sigma.diagonal())
        return at_angle(sigma, torch.arccos(rho.clamp(-1, 1)))

    return recursion(x, depth, sigma_b, convention=convention, dual=small)


def angle_of_the_first_layer(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The angle is that of the first layer in all layers: every Σ has angles of its own, and they close with depth."""
    sigma = convention.variance(0, x.shape[1]) * (x @ x.T) + sigma_b**2
    root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
    angle = torch.arccos((sigma / root).clamp(-1, 1))
    return recursion(x, depth, sigma_b, convention=convention, dual=lambda sigma: at_angle(sigma, angle))


def new_biases_frozen(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You added the expectation of φφ where Σ belongs: the biases of the new layer are trained as well, and bring
    sigma_b².
    """
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta * s.slope + s.value)


def new_layer_behind_itself(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You multiplied the new Σ by Σ̇ too: the new layer stands behind the activation, and only what comes from before
    passes through it.
    """
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: (s.theta + s.sigma) * s.slope)


def slope_at_the_wrong_term(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Σ̇ multiplies Σ where it belongs to Θ: what passes through the activation is the kernel of the layers before."""
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.theta + s.sigma * s.slope)


def two_layers_only(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You carried Σ of the depth before in the place of Θ: that is the kernel if the last two layers alone are trained,
    and it is right up to one hidden layer.
    """
    return recursion(x, depth, sigma_b, convention=convention, step=lambda s: s.before * s.slope + s.sigma)


def relu_on_the_inputs(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You applied ReLU to the inputs: the first layer sees them as they are."""
    return recursion(x.clamp(min=0), depth, sigma_b, convention=convention)


def unit_diagonal(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You scaled the kernel to 1 on its diagonal: its size is the speed of training, and it is asked."""
    theta = recursion(x, depth, sigma_b, convention=convention)
    return theta / torch.outer(theta.diagonal(), theta.diagonal()).sqrt()


def divided_by_how_many(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You divided by the number of inputs: the kernel of two inputs does not depend on how many others there are."""
    n, d = x.shape
    return recursion(x * math.sqrt(1 / n / convention.variance(0, d)), depth, sigma_b, convention=convention)


def divided_by_the_root(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You divided the inner product of the inputs by the root of their dimension: the weights of both have this root,
    so the product is divided by n₀.
    """
    return recursion(x * x.shape[1] ** 0.25, depth, sigma_b, convention=convention)


def one_activation_too_few(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You applied one activation too few: depth counts weight layers, and there is an activation between any two."""
    return recursion(x, max(depth - 1, 1), sigma_b, convention=convention)


def all_of_them(convention: Convention) -> tuple[Misconception, ...]:
    everywhere = (
        nngp,
        value_for_slope,
        matrix_product,
        own_layer_dropped,
        previous_sigma_added,
        slope_of_new_sigma,
        started_at_zero,
        angle_for_its_complement,
        bias_not_squared,
        bias_in_first_layer_only,
        bias_in_hidden_layers_only,
        covariance_for_correlation,
        clipped_too_much,
        inputs_centered,
        inputs_normalized,
        slope_doubled,
        value_doubled,
        root_dropped,
        root_not_taken,
        divided_by_variances,
        angle_of_the_first_layer,
        new_biases_frozen,
        new_layer_behind_itself,
        slope_at_the_wrong_term,
        two_layers_only,
        relu_on_the_inputs,
        unit_diagonal,
        divided_by_how_many,
        *([] if convention.hidden_layers_counted else [one_activation_too_few]),
        *([divided_by_the_root] if convention.first_divided else []),
        *([factor_on_the_value_only] if convention.hidden_variance != 1 else []),
    )
    return (
        *(Misconception(under(convention, function)) for function in everywhere),
        Misconception(under(convention, not_clipped), keeps=2),
        *other_conventions(recursion, convention, by_depth=True),
    )
