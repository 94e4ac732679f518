"""Generic inputs: anything that is equal to something else by accident hides a mistake."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention
from ntk_teach.grading.tasks.neural_tangent_kernel.description import loaded

__all__ = ["biases_scale", "one_network", "points", "ray"]

Generator = np.random.Generator


def points(rng: Generator, n: int, d: int, *, repeated: bool = True) -> Tensor:
    """n inputs [n, d] of different norms; the last points away from the second, the last but one repeats the first."""
    x = rng.normal(size=(n, d)) * np.exp(rng.uniform(-0.7, 0.7, size=(n, 1)))
    x[-1] = -rng.uniform(0.4, 0.9) * x[1]
    if repeated:
        x[-2] = x[0]
    return torch.from_numpy(x)


def ray(rng: Generator, n: int, d: int) -> Tensor:
    """n inputs on one ray, two of them equal: without biases every correlation is 1, up to rounding on either side."""
    lengths = rng.uniform(0.2, 3.0, size=n)
    lengths[-1] = lengths[0]
    return torch.from_numpy(np.outer(lengths, rng.normal(size=d)))


def biases_scale(rng: Generator) -> float:
    """β away from 0 and from 1, where β = β²."""
    return float(rng.uniform(0.2, 0.6))


def parameters(rng: Generator, widths: tuple[int, ...]) -> tuple[list[Tensor], list[Tensor]]:
    """Weights [fan_out, fan_in] and biases [fan_out] of a network with these widths, input and output included."""
    weights = [torch.from_numpy(rng.normal(size=(out, into))) for into, out in pairwise(widths)]
    biases = [torch.from_numpy(rng.normal(size=out)) for out in widths[1:]]
    return weights, biases


def one_network(rng: Generator, *, convention: Convention, widths: tuple[int, ...], n: int, m: int) -> Arguments:
    """The arguments of a task about a finite network; inputs of the size that suits the convention.

    Outputs at the first input are negative: a function of the output that leaves positive numbers alone shows.
    """
    weights, biases = parameters(rng, widths)
    x1, x2 = (convention.input_scale(widths[0]) * points(rng, count, widths[0]) for count in (n, m))
    sigma_b = biases_scale(rng)
    with torch.no_grad():
        signs = loaded(convention, weights, biases, sigma_b)(x1[:1])[0].sign()
    weights[-1], biases[-1] = -signs[:, None] * weights[-1], -signs * biases[-1]
    return {"weights": weights, "biases": biases, "x1": x1, "x2": x2, "sigma_b": sigma_b}
