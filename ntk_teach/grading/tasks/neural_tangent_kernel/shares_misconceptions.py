"""Wrong shares: most multiply by the slopes of the wrong layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.other_conventions import other_conventions
from ntk_teach.grading.tasks.neural_tangent_kernel.shares_alternatives import ingredients, products_of_later_slopes

__all__ = ["all_of_them"]


def _shares(
    x: Tensor, depth: int, sigma_b: float, kept: Callable[[list[Tensor], int], list[Tensor]], convention: Convention
) -> Tensor:
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    return torch.stack([math.prod(kept(slopes, layer), start=own) for layer, own in enumerate(sigma)])


def kernels_without_slopes(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You returned Σ of each depth: a change of layer ℓ reaches the output through all later layers, and each
    multiplies by its Σ̇.
    """
    return _shares(x, depth, sigma_b, lambda slopes, layer: [], convention)


def next_slope_only(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Each Σ meets only the slope of the next layer: every later layer multiplies by its own Σ̇."""
    return _shares(x, depth, sigma_b, lambda slopes, layer: slopes[layer : layer + 1], convention)


def earlier_slopes(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You multiplied by the slopes of the earlier layers: a change of a layer travels to the output, not back to the
    input.
    """
    return _shares(x, depth, sigma_b, lambda slopes, layer: slopes[:layer], convention)


def own_slope_included(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The product starts one layer too early: the share of layer ℓ has the slopes of the layers after ℓ, not of ℓ
    itself.
    """
    return _shares(x, depth, sigma_b, lambda slopes, layer: slopes[max(layer - 1, 0) :], convention)


def own_slope_left_out(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The product starts one layer too late: the first activation after layer ℓ belongs to it."""
    return _shares(x, depth, sigma_b, lambda slopes, layer: slopes[layer + 1 :], convention)


def all_slopes(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Every share is multiplied by all slopes: only the layers after ℓ stand between ℓ and the output."""
    return _shares(x, depth, sigma_b, lambda slopes, layer: slopes, convention)


def last_layer_first(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The layers are in reverse order: the first axis runs from the layer next to the input to the last one."""
    return products_of_later_slopes(x, depth, sigma_b, convention=convention).flip(0)


def fractions(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You divided by Θ: the shares asked are the summands, which add up to Θ; their fractions add up to 1."""
    shares = products_of_later_slopes(x, depth, sigma_b, convention=convention)
    return shares / shares.sum(0)


def _partial_kernels(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> list[Tensor]:
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    steps = zip(slopes, sigma[1:], strict=True)
    return [sigma[0], *_carried(sigma[0], list(steps))]


def _carried(theta: Tensor, steps: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    kernels = []
    for slope, own in steps:
        theta = theta * slope + own
        kernels.append(theta)
    return kernels


def kernels_of_all_depths(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You returned Θ of every depth: each of them is a whole kernel, not a summand of the deepest one."""
    return torch.stack(_partial_kernels(x, depth, sigma_b, convention=convention))


def differences_of_depths(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You took differences of Θ between depths: a new layer adds its Σ, but also scales down what was there."""
    kernels = _partial_kernels(x, depth, sigma_b, convention=convention)
    return torch.stack([kernels[0], *[b - a for a, b in pairwise(kernels)]])


def running_sum(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You summed up as you went: entry ℓ should hold the share of layer ℓ alone."""
    return torch.stack(list(accumulate(products_of_later_slopes(x, depth, sigma_b, convention=convention))))


def matrix_products(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You used matrix products: everything here multiplies entry by entry, one pair of inputs at a time."""
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    shares = []
    for layer, own in enumerate(sigma):
        for slope in slopes[layer:]:
            own = own @ slope
        shares.append(own)
    return torch.stack(shares)


def equal_parts(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You divided Θ evenly among the layers: that holds without biases and for equal inputs, where every Σ̇ halves
    what was there. In general each layer has a share of its own.
    """
    shares = products_of_later_slopes(x, depth, sigma_b, convention=convention)
    return shares.mean(0).expand_as(shares)


def slopes_of_equal_inputs(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You took the same slope for every pair: for two different inputs Σ̇ is smaller, (π − θ)/2π of their angle."""
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    same = [slope.diagonal().mean() for slope in slopes]
    return torch.stack([math.prod(same[layer:], start=own) for layer, own in enumerate(sigma)])


def without_biases(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The biases are left out: they add sigma_b² to Σ of every layer, and change the angles behind it."""
    return products_of_later_slopes(x, depth, 0.0, convention=convention)


def hidden_layers_only(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The last layer is missing: it has parameters too, and its share is Σ of the full depth."""
    return products_of_later_slopes(x, depth, sigma_b, convention=convention)[:-1]


def slopes_alone(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You returned the products of the slopes: the gradient of layer ℓ also has what enters that layer, its Σ."""
    return _started(x, depth, sigma_b, lambda sigma, layer: torch.ones_like(sigma[0]), convention)


def first_kernel_everywhere(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Every share starts from Σ of the first layer: what enters layer ℓ has the covariance of its own depth."""
    return _started(x, depth, sigma_b, lambda sigma, layer: sigma[0], convention)


def last_kernel_everywhere(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Every share starts from Σ of the last layer: what enters layer ℓ has the covariance of its own depth."""
    return _started(x, depth, sigma_b, lambda sigma, layer: sigma[-1], convention)


def kernel_of_the_layer_before(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Your Σ is one layer too low, the slopes are right: the share of layer ℓ starts from Σ of depth ℓ."""
    return _started(x, depth, sigma_b, lambda sigma, layer: sigma[max(layer - 1, 0)], convention)


def kernel_of_the_layer_behind(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Your Σ is one layer too high, the slopes are right: the share of layer ℓ starts from Σ of depth ℓ."""
    return _started(x, depth, sigma_b, lambda sigma, layer: sigma[min(layer + 1, len(sigma) - 1)], convention)


def _started(
    x: Tensor, depth: int, sigma_b: float, start: Callable[[list[Tensor], int], Tensor], convention: Convention
) -> Tensor:
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    return torch.stack([math.prod(slopes[layer:], start=start(sigma, layer)) for layer in range(len(sigma))])


def values_for_slopes(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You multiplied by E[φφ] of the later layers: the chain rule brings the derivatives, E[φ̇φ̇]."""
    sigma, _ = ingredients(x, depth, sigma_b, convention=convention)
    values = [own - sigma_b**2 for own in sigma[1:]]
    return torch.stack([math.prod(values[layer:], start=own) for layer, own in enumerate(sigma)])


def kernels_for_slopes(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You multiplied by Σ of the later layers: the dot on Σ̇ is the derivative that the chain rule brings."""
    sigma, _ = ingredients(x, depth, sigma_b, convention=convention)
    return torch.stack([math.prod(sigma[layer + 1 :], start=own) for layer, own in enumerate(sigma)])


def slopes_summed(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You added the slopes of the later layers up: a change passes through one after the other, and they multiply."""
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    sums = [sum(slopes[layer + 1 :], start=slopes[layer]) for layer in range(len(slopes))]
    return torch.stack([*[own * later for own, later in zip(sigma, sums, strict=False)], sigma[-1]])


def slopes_doubled(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Your E[φ̇φ̇] is twice too large: at two equal inputs φ̇ is 1 for half of the Gaussian, so it is 1/2 there."""
    return _shares(x, depth, sigma_b, lambda slopes, layer: [2 * slope for slope in slopes[layer:]], convention)


def sums_of_later_layers(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """Entry ℓ holds the shares of all layers from ℓ on: it should hold that of layer ℓ alone."""
    shares = products_of_later_slopes(x, depth, sigma_b, convention=convention)
    return shares.flip(0).cumsum(0).flip(0)


def first_layer_of_each_depth(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You returned the share of the first layer in networks of every depth: asked are all layers of one network."""
    sigma, slopes = ingredients(x, depth, sigma_b, convention=convention)
    return torch.stack([math.prod(slopes[:layer], start=sigma[0]) for layer in range(len(sigma))])


def bias_not_squared(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """You added sigma_b where a covariance needs sigma_b²."""
    return products_of_later_slopes(x, depth, math.sqrt(sigma_b), convention=convention)


def all_of_them(convention: Convention) -> tuple[Misconception, ...]:
    everywhere = (
        kernels_without_slopes,
        next_slope_only,
        earlier_slopes,
        own_slope_included,
        own_slope_left_out,
        all_slopes,
        last_layer_first,
        fractions,
        kernels_of_all_depths,
        differences_of_depths,
        running_sum,
        matrix_products,
        equal_parts,
        without_biases,
        hidden_layers_only,
        slopes_alone,
        first_kernel_everywhere,
        last_kernel_everywhere,
        kernel_of_the_layer_before,
        kernel_of_the_layer_behind,
        values_for_slopes,
        kernels_for_slopes,
        slopes_summed,
        slopes_doubled,
        sums_of_later_layers,
        first_layer_of_each_depth,
        bias_not_squared,
        # with the factor 2 this slope is 1, and the answer is Σ of each depth
        *([slopes_of_equal_inputs] if convention.hidden_variance == 1 else []),
    )
    wrong = (Misconception(under(convention, function)) for function in everywhere)
    return (*wrong, *other_conventions(products_of_later_slopes, convention, by_depth=True))
