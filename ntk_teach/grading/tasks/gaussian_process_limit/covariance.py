"""Task 04.3: the covariance of the limit, by recursion over the layers of an erf network."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import erf, relu
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.gaussian_process_limit.draws import biases_scale, points
from ntk_teach.zoo import mlp

__all__ = ["covariance"]

Value = Callable[[Tensor, Tensor], Tensor]  # of Σ and its variances


def reference(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    return mlp(depth, erf, sigma_w=sigma_w, sigma_b=sigma_b).nngp(x)


# Wrong answers, each one change away from the right one.


def value(sigma: Tensor, q: Tensor) -> Tensor:
    return erf.dual(sigma, q[:, None], q[None, :]).value


def recursion(
    x: Tensor,
    depth: int,
    sigma_w: float,
    sigma_b: float,
    *,
    value: Value = value,
    power: int = 2,
    first_weights: float | None = None,
    hidden_weights: float | None = None,
    first_bias: float = 1.0,
    hidden_bias: float = 1.0,
    fan_in: int | None = None,
    steps: int | None = None,
    kept: bool = False,
) -> Tensor:
    weights, bias = sigma_w**2, sigma_b**power
    first = weights if first_weights is None else first_weights
    hidden = weights if hidden_weights is None else hidden_weights
    sigma = first * (x @ x.T) / (fan_in or x.shape[1]) + first_bias * bias
    q = sigma.diagonal()
    for _ in range(depth - 1 if steps is None else steps):
        sigma = hidden * value(sigma, q) + hidden_bias * bias
        q = q if kept else sigma.diagonal()
    return sigma


def one_layer_too_many(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You pass through the activation as often as there are weight layers; between L of them stand L − 1."""
    return recursion(x, depth, sigma_w, sigma_b, steps=depth)


def one_layer_too_few(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You stop one layer early: the network of depth 2 already has an activation."""
    return recursion(x, depth, sigma_w, sigma_b, steps=max(depth - 2, 0))


def weights_not_squared(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You multiply by sigma_w where a covariance needs sigma_w²."""
    return recursion(x, depth, sigma_w, sigma_b, first_weights=sigma_w, hidden_weights=sigma_w)


def weights_in_first_layer_only(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Only the first layer has its sigma_w²: every layer multiplies E[φφ] by it."""
    return recursion(x, depth, sigma_w, sigma_b, hidden_weights=1.0)


def weights_in_hidden_layers_only(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The first layer lacks its sigma_w²: it has weights of the same scale as the others."""
    return recursion(x, depth, sigma_w, sigma_b, first_weights=1.0)


def no_scale_of_weights(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """sigma_w does not enter: its square multiplies every sum over units, in the first layer and in all others."""
    return recursion(x, depth, 1.0, sigma_b)


def bias_not_squared(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You added sigma_b where a covariance needs sigma_b²."""
    return recursion(x, depth, sigma_w, sigma_b, power=1)


def bias_in_first_layer_only(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """Only the first layer has its bias: every layer adds sigma_b² to Σ."""
    return recursion(x, depth, sigma_w, sigma_b, hidden_bias=0.0)


def bias_in_hidden_layers_only(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The first layer lacks its bias: its Σ is sigma_w² x·x'/n₀ plus sigma_b²."""
    return recursion(x, depth, sigma_w, sigma_b, first_bias=0.0)


def bias_scaled_with_the_weights(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You multiply the bias by sigma_w² too: sigma_w² stands in front of the sum over units alone."""
    return recursion(x, depth, sigma_w, sigma_b, first_bias=sigma_w**2, hidden_bias=sigma_w**2)


def inputs_not_divided(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The first Σ is not divided by the number of coordinates of x: the input is a layer of n₀ units like any other."""
    return recursion(x, depth, sigma_w, sigma_b, fan_in=1)


def divided_by_inputs(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You divide by the number of inputs, the rows of x; the fan-in of the first layer is the number of its columns."""
    return recursion(x, depth, sigma_w, sigma_b, fan_in=len(x))


def variances_of_the_first_layer(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You keep the variances of the first layer: they change from layer to layer together with Σ."""
    return recursion(x, depth, sigma_w, sigma_b, kept=True)


def correlation_for_covariance(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You took the expectation at variance 1, with the correlation; erf is not homogeneous, so the variances count."""

    def normalized(sigma: Tensor, q: Tensor) -> Tensor:
        rho = sigma / torch.outer(q, q).sqrt()
        return value(rho, torch.ones_like(q))

    return recursion(x, depth, sigma_w, sigma_b, value=normalized)


def derivatives(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You took E[φ̇φ̇], the expectation of the derivatives; the covariance of the next layer is made of E[φφ]."""
    return recursion(x, depth, sigma_w, sigma_b, value=lambda sigma, q: erf.dual(sigma, q[:, None], q[None, :]).slope)


def one_forgotten(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The 1 is missing under the root: the arcsine is of 2Σ/√((1 + 2q)(1 + 2q'))."""

    def arcsine(sigma: Tensor, q: Tensor) -> Tensor:
        return 2 / math.pi * torch.arcsin((sigma / torch.outer(q, q).sqrt()).clamp(-1, 1))

    return recursion(x, depth, sigma_w, sigma_b, value=arcsine)


def arcsine(sigma: Tensor, q: Tensor, *, front: float = 2 / math.pi, one: float = 1, two: float = 2) -> Tensor:
    """front · arcsin(two Σ/√((one + 2q)(one + 2q')))."""
    return front * torch.arcsin(two * sigma / torch.outer(one + 2 * q, one + 2 * q).sqrt())


def front_missing(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The 2/π in front of the arcsine is missing: φ is at most 1, and so is E[φφ]."""
    return recursion(x, depth, sigma_w, sigma_b, value=partial(arcsine, front=1.0))


def front_halved(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """1/π stands in front of the arcsine where 2/π belongs."""
    return recursion(x, depth, sigma_w, sigma_b, value=partial(arcsine, front=1 / math.pi))


def two_missing(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The 2 before Σ is missing in the arcsine."""
    return recursion(x, depth, sigma_w, sigma_b, value=partial(arcsine, two=1))


def two_missing_under_the_root(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The 2 before the variances is missing under the root: 1 + 2q stands there for each of the two inputs."""
    return recursion(
        x, depth, sigma_w, sigma_b, value=lambda s, q: 2 / math.pi * (2 * s / torch.outer(1 + q, 1 + q).sqrt()).arcsin()
    )


def root_missing(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The root is missing in the arcsine: Σ is divided by the root of (1 + 2q)(1 + 2q')."""
    return recursion(
        x,
        depth,
        sigma_w,
        sigma_b,
        value=lambda s, q: 2 / math.pi * (2 * s / torch.outer(1 + 2 * q, 1 + 2 * q)).arcsin(),
    )


def arctangent(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You took the arctangent where the formula has an arcsine."""
    return recursion(
        x,
        depth,
        sigma_w,
        sigma_b,
        value=lambda s, q: 2 / math.pi * (2 * s / torch.outer(1 + 2 * q, 1 + 2 * q).sqrt()).arctan(),
    )


def one_variance_for_both(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The variance of one input stands in both places: a pair has two, one for its row and one for its column, and
    shapes [n, 1] and [1, n] say which.
    """
    return recursion(x, depth, sigma_w, sigma_b, value=lambda sigma, q: erf.dual(sigma, q, q).value)


def neither_squared(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You added sigma_b and multiplied by sigma_w as they are: a covariance is made of squares of both."""
    return recursion(x, depth, sigma_w, sigma_b, first_weights=sigma_w, hidden_weights=sigma_w, power=1)


def no_biases(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """The biases are missing: every layer adds sigma_b² to Σ, for every pair of inputs."""
    return recursion(x, depth, sigma_w, 0.0)


def last_layer_without_scales(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You stop behind the activation: the last layer multiplies by sigma_w² and adds sigma_b² like the others."""
    if depth == 1:
        return recursion(x, depth, sigma_w, sigma_b)
    below = recursion(x, depth - 1, sigma_w, sigma_b)
    return value(below, below.diagonal())


def divided_by_a_root(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You divide the first Σ by √n₀: the 1/√n₀ of the layer is squared in its covariance."""
    return recursion(math.sqrt(math.sqrt(x.shape[1])) * x, depth, sigma_w, sigma_b)


def correlation_returned(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """You returned correlations, with 1 on the diagonal: the covariance itself is asked."""
    sigma = recursion(x, depth, sigma_w, sigma_b)
    return sigma / torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()


def relu_network(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """This is the covariance of a ReLU network; here φ is erf."""
    return recursion(x, depth, sigma_w, sigma_b, value=lambda sigma, q: relu.dual(sigma, q[:, None], q[None, :]).value)


def tangent_kernel(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """This is Θ, the kernel of training; asked for is Σ, the covariance of the outputs at initialization."""
    return mlp(depth, erf, sigma_w=sigma_w, sigma_b=sigma_b).ntk(x)


# Right answers that look different.


def with_the_library_dual(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    return recursion(x, depth, sigma_w, sigma_b)


def arcsine_in_numpy(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> NDArray[np.float64]:
    s: NDArray[np.float64] = sigma_w**2 * (x.numpy() @ x.numpy().T) / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        wide = np.sqrt(1 + 2 * np.diag(s))
        s = sigma_w**2 * 2 / np.pi * np.arcsin(2 * s / wide / wide[:, None]) + sigma_b**2
    return s


def top_down(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    """From the output backwards, by recursion."""
    if depth == 1:
        return sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    below = top_down(x, depth - 1, sigma_w, sigma_b)
    return sigma_w**2 * value(below, below.diagonal()) + sigma_b**2


def float32(x: Tensor, depth: int, sigma_w: float, sigma_b: float) -> Tensor:
    return recursion(x.float(), depth, sigma_w, sigma_b)


def generic(rng: np.random.Generator, *, depth: int, n: int, d: int) -> Arguments:
    sigma_w = float(rng.uniform(1.3, 1.8))
    return {"x": points(rng, n, d), "depth": depth, "sigma_w": sigma_w, "sigma_b": biases_scale(rng)}


SEVERAL, ALONE = "several layers", "a single layer"

covariance = Task(
    id="04.3",
    title="The covariance of the limit",
    signature="limit_covariance(x, depth, sigma_w, sigma_b) -> [n, n]",
    reference=reference,
    credit={SEVERAL: 2, ALONE: 1},
    cases=(
        Case(SEVERAL, "depth 2", partial(generic, depth=2, n=6, d=3)),
        Case(SEVERAL, "depth 3", partial(generic, depth=3, n=5, d=4)),
        Case(SEVERAL, "depth 5", partial(generic, depth=5, n=7, d=2)),
        Case(ALONE, "depth 1", partial(generic, depth=1, n=4, d=5)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            one_layer_too_many,
            one_layer_too_few,
            weights_not_squared,
            weights_in_first_layer_only,
            weights_in_hidden_layers_only,
            no_scale_of_weights,
            bias_not_squared,
            bias_in_first_layer_only,
            bias_in_hidden_layers_only,
            bias_scaled_with_the_weights,
            inputs_not_divided,
            divided_by_inputs,
            variances_of_the_first_layer,
            correlation_for_covariance,
            derivatives,
            one_forgotten,
            relu_network,
            tangent_kernel,
            front_missing,
            front_halved,
            two_missing,
            two_missing_under_the_root,
            root_missing,
            arctangent,
            one_variance_for_both,
            neither_squared,
            no_biases,
            last_layer_without_scales,
            divided_by_a_root,
            correlation_returned,
        )
    ),
    alternatives=(with_the_library_dual, arcsine_in_numpy, top_down, float32),
    when_nan="The arcsine of more than 1 is NaN: what stands under the root, and for which of the two inputs?",
)
