"""Task 01.1: a direction, normalized filter by filter."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["filters"]


def reference(direction: Tensor, parameter: Tensor) -> Tensor:
    """Each filter of the direction as long as the filter of the weights; biases stay. In the library's own words
    ``landscape.filter_normalized``, here for one parameter.
    """
    if parameter.ndim == 1:
        return torch.zeros_like(direction)
    return direction * (lengths(parameter) / lengths(direction))


def lengths(parameter: Tensor) -> Tensor:
    """‖·‖ of every filter, with as many axes as the parameter."""
    result: Tensor = parameter.flatten(1).norm(dim=1).reshape(-1, *[1] * (parameter.ndim - 1))
    return result


# ---- right answers that look different


def einsum(direction: Tensor, parameter: Tensor) -> Tensor:
    if parameter.ndim < 2:
        return 0 * direction
    d, theta = direction.flatten(1), parameter.flatten(1)
    factor = (torch.einsum("ij,ij->i", theta, theta) / torch.einsum("ij,ij->i", d, d)).sqrt()
    return (factor[:, None] * d).reshape(direction.shape)


def numpy_loop(direction: Tensor, parameter: Tensor) -> NDArray[np.float64]:
    d, theta = direction.numpy().copy(), parameter.numpy()
    for unit in range(len(d)):
        d[unit] = d[unit] / np.linalg.norm(d[unit]) * np.linalg.norm(theta[unit]) if theta.ndim > 1 else 0.0
    return d


def guarded(direction: Tensor, parameter: Tensor) -> Tensor:
    """With the small number that published code adds to the divisor."""
    if parameter.dim() <= 1:
        return direction.clone().fill_(0)
    rows = [d * (theta.norm() / (d.norm() + 1e-10)) for d, theta in zip(direction, parameter, strict=True)]
    return torch.stack(rows)


def float32(direction: Tensor, parameter: Tensor) -> Tensor:
    return reference(direction.float(), parameter.float())


# ---- wrong answers


def otherwise(wrong: Tensor) -> Tensor:
    """Wrong for weights; biases are left out as they should be."""
    return torch.zeros_like(wrong) if wrong.ndim == 1 else wrong


def whole_layer(direction: Tensor, parameter: Tensor) -> Tensor:
    """You used one factor for the whole layer: each filter, what enters one unit, has a length of its own."""
    return otherwise(direction * parameter.norm() / direction.norm())


def by_column(direction: Tensor, parameter: Tensor) -> Tensor:
    """You normalized over the units: the first axis counts the filters, and each norm runs over all other axes."""
    return otherwise(direction * parameter.norm(dim=0, keepdim=True) / direction.norm(dim=0, keepdim=True))


def unit_length(direction: Tensor, parameter: Tensor) -> Tensor:
    """Each filter of your direction has length 1: it should be as long as the filter of the weights that it moves."""
    return direction if direction.ndim == 1 else direction / lengths(direction)


def not_divided(direction: Tensor, parameter: Tensor) -> Tensor:
    """You multiplied by the length of the weights but did not divide by that of the direction, which stays random."""
    return otherwise(direction * (lengths(parameter) if parameter.ndim > 1 else 1))


def squared_lengths(direction: Tensor, parameter: Tensor) -> Tensor:
    """You scaled by the ratio of squared lengths: a length grows with the factor itself, not with its square root."""
    return otherwise(direction * ((lengths(parameter) / lengths(direction)) ** 2 if parameter.ndim > 1 else 1))


def root_of_the_ratio(direction: Tensor, parameter: Tensor) -> Tensor:
    """You took the square root of the ratio of lengths: a length grows with the factor itself."""
    return otherwise(direction * ((lengths(parameter) / lengths(direction)) ** 0.5 if parameter.ndim > 1 else 1))


def ratio_inverted(direction: Tensor, parameter: Tensor) -> Tensor:
    """The ratio is upside down: filters with large weights should be moved far, yours hardly move."""
    return otherwise(direction * (lengths(direction) / lengths(parameter) if parameter.ndim > 1 else 1))


def entry_by_entry(direction: Tensor, parameter: Tensor) -> Tensor:
    """You gave each single weight its own size: a filter is rescaled as a whole, or its direction is lost."""
    return otherwise(direction.sign() * parameter.abs())


def weights_for_direction(direction: Tensor, parameter: Tensor) -> Tensor:
    """You rescaled the weights to the length of the direction: it is the direction that is asked."""
    return otherwise(parameter * (lengths(direction) / lengths(parameter) if parameter.ndim > 1 else 1))


def last_axis_only(direction: Tensor, parameter: Tensor) -> Tensor:
    """Right for matrices; with four axes your norm runs over the last axis alone, but a filter is everything behind
    the first one.
    """
    return otherwise(direction * parameter.norm(dim=-1, keepdim=True) / direction.norm(dim=-1, keepdim=True))


def all_but_the_last_axis(direction: Tensor, parameter: Tensor) -> Tensor:
    """You took the last axis for the filters, as a framework that stores [in, out] would: here the first axis counts
    the units.
    """
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    axes = list(range(direction.ndim - 1))
    wanted, given = (torch.linalg.vector_norm(t, dim=axes, keepdim=True) for t in (parameter, direction))
    result: Tensor = direction * wanted / given
    return result


def sums_of_sizes(direction: Tensor, parameter: Tensor) -> Tensor:
    """You compared sums of absolute values: the length of a filter is the root of the sum of squares."""
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    sums = [t.flatten(1).abs().sum(1).reshape(-1, *[1] * (t.ndim - 1)) for t in (parameter, direction)]
    return direction * sums[0] / sums[1]


def standard_deviations(direction: Tensor, parameter: Tensor) -> Tensor:
    """You compared standard deviations, which subtract the mean of each filter: a length is taken from the origin."""
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    spreads = [t.flatten(1).std(dim=1).reshape(-1, *[1] * (t.ndim - 1)) for t in (parameter, direction)]
    return direction * spreads[0] / spreads[1]


def largest_entries(direction: Tensor, parameter: Tensor) -> Tensor:
    """You compared the largest entries: the length of a filter is the root of the sum of all squares."""
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    tops = [t.flatten(1).abs().amax(1).reshape(-1, *[1] * (t.ndim - 1)) for t in (parameter, direction)]
    return direction * tops[0] / tops[1]


def kernel_by_kernel(direction: Tensor, parameter: Tensor) -> Tensor:
    """Right for matrices; in a convolution you normalized every small kernel, one for each pair of channels: a filter
    is all that belongs to one output channel, over all inputs.
    """
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    axes = (1,) if direction.ndim == 2 else (2, 3)
    wanted, given = (t.square().sum(axes, keepdim=True).sqrt() for t in (parameter, direction))
    return direction * wanted / given


def second_axis_only(direction: Tensor, parameter: Tensor) -> Tensor:
    """Right for matrices; with four axes your norm runs over the second axis alone, but a filter is everything behind
    the first one.
    """
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    result: Tensor = direction * parameter.norm(dim=1, keepdim=True) / direction.norm(dim=1, keepdim=True)
    return result


def by_input_channel(direction: Tensor, parameter: Tensor) -> Tensor:
    """Right for matrices; in a convolution you took the second axis for the filters: that counts the inputs, and the
    first axis the output channels.
    """
    if direction.ndim == 1:
        return torch.zeros_like(direction)
    axes = (1,) if direction.ndim == 2 else (0, 2, 3)
    wanted, given = (t.square().sum(axes, keepdim=True).sqrt() for t in (parameter, direction))
    return direction * wanted / given


def weights_squared(direction: Tensor, parameter: Tensor) -> Tensor:
    """You multiplied by the squared length of the weights: the root of the sum of squares is meant on both sides."""
    return otherwise(direction * (lengths(parameter) ** 2 / lengths(direction) if parameter.ndim > 1 else 1))


def direction_squared(direction: Tensor, parameter: Tensor) -> Tensor:
    """You divided by the squared length of the direction: the root of the sum of squares is meant on both sides."""
    return otherwise(direction * (lengths(parameter) / lengths(direction) ** 2 if parameter.ndim > 1 else 1))


def nothing_moves(direction: Tensor, parameter: Tensor) -> Tensor:
    """Your direction is zero for weights too: biases alone are held fixed, and a bias has one axis."""
    return torch.zeros_like(direction)


def already_moved(direction: Tensor, parameter: Tensor) -> Tensor:
    """You added the direction to the weights: return the direction alone; the slice adds it, a times."""
    return parameter + reference(direction, parameter)


def direction_unchanged(direction: Tensor, parameter: Tensor) -> Tensor:
    """The direction comes back as it was drawn: its filters need the lengths of the filters of the weights."""
    return direction.clone()


def biases_kept(direction: Tensor, parameter: Tensor) -> Tensor:
    """The biases still move by their raw direction: they have no filter to be measured by, and are held fixed."""
    return direction.clone() if direction.ndim == 1 else reference(direction, parameter)


def biases_as_one_filter(direction: Tensor, parameter: Tensor) -> Tensor:
    """You treated all biases of a layer as one filter: biases are held fixed, their direction is 0."""
    if direction.ndim > 1:
        return reference(direction, parameter)
    result: Tensor = direction * parameter.norm() / direction.norm()
    return result


def biases_one_by_one(direction: Tensor, parameter: Tensor) -> Tensor:
    """You treated each bias as a filter of length one: biases are held fixed, their direction is 0."""
    return direction.sign() * parameter.abs() if direction.ndim == 1 else reference(direction, parameter)


def biases_copied(direction: Tensor, parameter: Tensor) -> Tensor:
    """The direction of the biases is the biases themselves: that stretches them along the slice; hold them fixed."""
    return parameter.clone() if direction.ndim == 1 else reference(direction, parameter)


def drawn(rng: np.random.Generator, *, shape: tuple[int, ...]) -> Arguments:
    """Filters of unequal lengths in both; of biases, some along their direction and some against it."""
    size = (-1, *[1] * (len(shape) - 1))
    direction, parameter = (
        rng.normal(size=shape) * np.exp(rng.uniform(-1, 1, size=shape[0])).reshape(size) for _ in range(2)
    )
    if len(shape) == 1:
        parameter = np.abs(parameter) * np.sign(direction) * np.where(np.arange(len(parameter)) % 2, -1.0, 1.0)
    return {"direction": torch.from_numpy(direction), "parameter": torch.from_numpy(parameter)}


filters = Task(
    id="01.1",
    title="Filter by filter",
    signature="filter_normalize(direction, parameter) -> of their shape",
    reference=reference,
    credit={"every filter of the weights": 2, "the biases": 1},
    cases=(
        Case("every filter of the weights", "7 units with 4 weights each", partial(drawn, shape=(7, 4))),
        Case("every filter of the weights", "3 units with 8 weights each", partial(drawn, shape=(3, 8))),
        Case("every filter of the weights", "a convolution, [5, 2, 3, 3]", partial(drawn, shape=(5, 2, 3, 3))),
        Case("the biases", "6 biases", partial(drawn, shape=(6,))),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                whole_layer,
                by_column,
                unit_length,
                not_divided,
                squared_lengths,
                root_of_the_ratio,
                ratio_inverted,
                entry_by_entry,
                weights_for_direction,
                last_axis_only,
                all_but_the_last_axis,
                sums_of_sizes,
                standard_deviations,
                largest_entries,
                kernel_by_kernel,
                second_axis_only,
                by_input_channel,
                weights_squared,
                direction_squared,
                nothing_moves,
                already_moved,
                direction_unchanged,
            )
        ),
        *(
            Misconception(function, keeps=2)
            for function in (biases_kept, biases_as_one_filter, biases_one_by_one, biases_copied)
        ),
    ),
    alternatives=(einsum, numpy_loop, guarded, float32),
    when_nan="a filter whose direction is zero has no length to divide by.",
)
