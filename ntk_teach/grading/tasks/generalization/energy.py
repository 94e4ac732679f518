"""Task 07.5: how much of a function on the hypercube is a product of k coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import combinations, combinations_with_replacement

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["energy"]


def reference(x: Tensor, values: Tensor) -> Tensor:
    return torch.stack([coefficients(x, values, k).square().sum() for k in range(x.shape[1] + 1)])


def parities(x: Tensor, k: int) -> Iterator[Tensor]:
    """χ_S(x) for every S of k coordinates, each [2^d]."""
    for subset in combinations(range(x.shape[1]), k):
        yield x[:, list(subset)].prod(1)


def coefficients(x: Tensor, values: Tensor, k: int) -> Tensor:
    """E[f χ_S] for every S of k coordinates. [C(d, k)]"""
    return torch.stack([(values * parity).mean() for parity in parities(x, k)])


# wrong


def no_average(x: Tensor, values: Tensor) -> Tensor:
    """You summed over the inputs: a coefficient is an average, under the uniform distribution."""
    return reference(x, values) * len(x) ** 2


def averaged_once(x: Tensor, values: Tensor) -> Tensor:
    """You divided by the number of inputs once: the coefficient is squared with its division."""
    return reference(x, values) * len(x)


def not_squared(x: Tensor, values: Tensor) -> Tensor:
    """You added up coefficients: energies are their squares, or they would cancel."""
    return torch.stack([coefficients(x, values, k).sum() for k in range(x.shape[1] + 1)])


def magnitudes(x: Tensor, values: Tensor) -> Tensor:
    """You added up magnitudes: the squares are what sums to the mean square of the function."""
    return torch.stack([coefficients(x, values, k).abs().sum() for k in range(x.shape[1] + 1)])


def squared_after_the_sum(x: Tensor, values: Tensor) -> Tensor:
    """You added the coefficients of a degree and squared then: they cancel each other. Square each first."""
    return not_squared(x, values).square()


def rooted(x: Tensor, values: Tensor) -> Tensor:
    """You took the root: the energy is the square, so that the degrees add up to the mean square of f."""
    return reference(x, values).sqrt()


def averaged_over_the_subsets(x: Tensor, values: Tensor) -> Tensor:
    """You averaged over the products of a degree: its energy is their sum."""
    counts = torch.tensor([float(math.comb(x.shape[1], k)) for k in range(x.shape[1] + 1)])
    return reference(x, values) / counts.to(values)


def first_coordinates(x: Tensor, values: Tensor) -> Tensor:
    """You took one product a degree, that of the first k coordinates: there is one for each set of k coordinates."""
    return torch.stack([(values * x[:, :k].prod(1)).mean().square() for k in range(x.shape[1] + 1)])


def neighbors(x: Tensor, values: Tensor) -> Tensor:
    """You took products of neighbors only: every set of k coordinates counts, in one piece or not."""
    d = x.shape[1]
    found = [values.mean().square()]
    for k in range(1, d + 1):
        products = [(values * x[:, start : start + k].prod(1)).mean().square() for start in range(d - k + 1)]
        found.append(torch.stack(products).sum())
    return torch.stack(found)


def with_repetition(x: Tensor, values: Tensor) -> Tensor:
    """You let a coordinate occur twice in a product: xᵢ² = 1, so that product has a lower degree."""
    found = []
    for k in range(x.shape[1] + 1):
        chosen = combinations_with_replacement(range(x.shape[1]), k)
        found.append(sum((values * x[:, list(places)].prod(1)).mean().square() for places in chosen))
    return torch.stack([torch.as_tensor(energy) for energy in found])


def squared_before_the_average(x: Tensor, values: Tensor) -> Tensor:
    """You squared before you averaged: a product of ±1 disappears in the square. The coefficient is the average of
    f χ_S, and its square comes after.
    """
    counts = torch.tensor([float(math.comb(x.shape[1], k)) for k in range(x.shape[1] + 1)])
    return values.square().mean() * counts.to(values)


def ordered(x: Tensor, values: Tensor) -> Tensor:
    """You counted every set of coordinates once for each of its orders: a product does not depend on the order."""
    counts = torch.tensor([float(math.factorial(k)) for k in range(x.shape[1] + 1)])
    return reference(x, values) * counts.to(values)


def powers_of_the_sum(x: Tensor, values: Tensor) -> Tensor:
    """You took powers of x₁ + … + x_d: one function a degree, which holds lower degrees too, since xᵢ² = 1."""
    total = x.sum(1)
    return torch.stack([(values * total**k).mean().square() for k in range(x.shape[1] + 1)])


def zeros_and_ones(x: Tensor, values: Tensor) -> Tensor:
    """You multiplied zeros and ones: these products are not orthogonal. With ±1 they are."""
    return reference((x + 1) / 2, values)


def centered(x: Tensor, values: Tensor) -> Tensor:
    """You subtracted the mean: it is the energy of degree 0."""
    return reference(x, values - values.mean())


def cumulative(x: Tensor, values: Tensor) -> Tensor:
    """You returned running sums: degree k by itself is asked for."""
    return reference(x, values).cumsum(0)


def shares(x: Tensor, values: Tensor) -> Tensor:
    """You divided by the mean square of f: the energies themselves are asked for, which add up to it."""
    return reference(x, values) / values.square().mean()


def order_assumed(x: Tensor, values: Tensor) -> Tensor:
    """You took the inputs to be in the order of binary counting: they come in any order, and x says which."""
    d = x.shape[1]
    bits = (torch.arange(len(x))[:, None] >> torch.arange(d - 1, -1, -1)) & 1
    return reference(1 - 2.0 * bits.to(values), values)


def signs_of_the_function(x: Tensor, values: Tensor) -> Tensor:
    """You took the signs of the values: f has any values here, and its energies add up to its own mean square."""
    return reference(x, values.sign())


def weighted_by_degree(x: Tensor, values: Tensor) -> Tensor:
    """You multiplied by the degree: that is the influence of the coordinates, where a product of k counts k times."""
    return reference(x, values) * torch.arange(x.shape[1] + 1, dtype=values.dtype)


def sums_of_coordinates(x: Tensor, values: Tensor) -> Tensor:
    """You added up the coordinates of a set: χ_S is their product."""
    d = x.shape[1]
    found = [torch.zeros((), dtype=values.dtype)]
    for k in range(1, d + 1):
        sums = [x[:, list(subset)].sum(1) for subset in combinations(range(d), k)]
        found.append(torch.stack([(values * total).mean().square() for total in sums]).sum())
    return torch.stack(found)


def inputs_by_weight(x: Tensor, values: Tensor) -> Tensor:
    """You sorted the inputs by how many of their coordinates are −1: a degree belongs to a product, which looks at all
    inputs.
    """
    negative = (x < 0).sum(1)
    return torch.zeros(x.shape[1] + 1, dtype=values.dtype).index_add(0, negative, values.square() / len(x))


def one_coordinate_a_degree(x: Tensor, values: Tensor) -> Tensor:
    """You took the k-th coordinate for degree k: each single coordinate has degree 1, and degree k has the products of
    k of them.
    """
    return torch.cat([values.mean()[None], (values[:, None] * x).mean(0)]).square()


def largest_of_each_degree(x: Tensor, values: Tensor) -> Tensor:
    """You kept the largest product of each degree: its energy is the sum over all sets of k coordinates."""
    return torch.stack([coefficients(x, values, k).square().max() for k in range(x.shape[1] + 1)])


def higher_degrees_too(x: Tensor, values: Tensor) -> Tensor:
    """You returned sums from degree k on: degree k by itself is asked for."""
    return reference(x, values).flip(0).cumsum(0).flip(0)


# right


def all_products(x: Tensor, values: Tensor) -> Tensor:
    """One matrix of all 2^d products, [2^d, 2^d]."""
    d = x.shape[1]
    inside = (torch.arange(2**d)[:, None] >> torch.arange(d)) & 1  # [2^d, d]
    products = torch.where(inside.bool(), x[:, None], torch.ones_like(x)[:, None]).prod(2)
    squares = (products.T @ values / len(x)).square()
    return torch.zeros(d + 1, dtype=values.dtype).index_add(0, inside.sum(1), squares)


def by_differences(x: Tensor, values: Tensor) -> NDArray[np.float64]:
    """Sums and differences along each coordinate in turn, the fast transform, on a cube [2, …, 2]."""
    d = x.shape[1]
    cube = np.zeros((2,) * d)
    cube[tuple(((1 - x.numpy()) // 2).astype(int).T)] = values.numpy()
    for axis in range(d):
        plus, minus = np.take(cube, 0, axis), np.take(cube, 1, axis)
        cube = np.stack([(plus + minus) / 2, (plus - minus) / 2], axis)
    degree = np.indices(cube.shape).sum(0)
    return np.array([(cube[degree == k] ** 2).sum() for k in range(d + 1)])


def by_correlation(x: Tensor, values: Tensor) -> NDArray[np.float64]:
    """E[f(x) f(x′)] at correlation ρ is Σ W_k ρᵏ: d + 1 values of ρ give the energies."""
    d = x.shape[1]
    agree = ((d + x @ x.T) / 2).numpy()  # coordinates in which two inputs agree
    rho = np.linspace(-0.9, 0.9, d + 1)
    found = []
    for r in rho:
        weight = ((1 + r) / 2) ** agree * ((1 - r) / 2) ** (d - agree)
        found.append(values.numpy() @ weight @ values.numpy() / len(x))
    return np.asarray(np.linalg.solve(np.vander(rho, increasing=True), np.array(found)), dtype=np.float64)


def float32(x: Tensor, values: Tensor) -> Tensor:
    return reference(x.float(), values.float())


def tabulated(rng: np.random.Generator, *, dimension: int) -> Arguments:
    """A function with energy in each degree, tabulated at all inputs in any order."""
    bits = (np.arange(2**dimension)[:, None] >> np.arange(dimension)) & 1
    order = rng.permutation(len(bits))
    x = torch.from_numpy(1.0 - 2.0 * bits[order])
    return {"x": x, "values": torch.from_numpy(rng.normal(size=len(x)) + rng.uniform(0.5, 1.5))}


energy = Task(
    id="07.5",
    title="Energy by degree",
    signature="energy_by_degree(x, values) -> [d + 1]",
    reference=reference,
    credit={"the energy of each degree": 2},
    cases=(
        Case("the energy of each degree", "d = 3", partial(tabulated, dimension=3)),
        Case("the energy of each degree", "d = 4", partial(tabulated, dimension=4)),
        Case("the energy of each degree", "d = 5", partial(tabulated, dimension=5)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            no_average,
            averaged_once,
            not_squared,
            magnitudes,
            squared_after_the_sum,
            rooted,
            averaged_over_the_subsets,
            first_coordinates,
            neighbors,
            ordered,
            with_repetition,
            squared_before_the_average,
            powers_of_the_sum,
            zeros_and_ones,
            centered,
            cumulative,
            shares,
            order_assumed,
            signs_of_the_function,
            weighted_by_degree,
            sums_of_coordinates,
            inputs_by_weight,
            one_coordinate_a_degree,
            largest_of_each_degree,
            higher_degrees_too,
        )
    ),
    alternatives=(all_products, by_differences, by_correlation, float32),
)
