"""Task 08.5: which parametrization is lazy? Powers of the width, counted."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["powers"]


def reference(a1: float, a2: float, b2: float, c: float) -> Tensor:
    return _powers(a1, a2, b2, c)


def _powers(a1: float, a2: float, b2: float, c: float, **wrong: float) -> Tensor:
    """start, last, first, features; ``wrong`` replaces some of them."""
    right = {
        "start": 0.5 - a2 - b2,
        "last": 1 - 2 * a2 - c,
        "first": 1 - 2 * a1 - 2 * a2 - 2 * b2 - c,
        "features": -2 * a1 - a2 - b2 - c,
    }
    return torch.tensor(list((right | wrong).values()), dtype=torch.float64)


# ---- inputs


def choice(rng: np.random.Generator, *, plain: bool) -> Arguments:
    a1, a2, b2, c = (float(value) for value in rng.uniform(0.2, 0.9, size=4) * rng.choice([-1, 1], size=4))
    return {"a1": a1, "a2": a2, "b2": 0.0 if plain else b2, "c": 0.0 if plain else c}


# ---- wrong answers


def signs_add_up(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """At the start you let n terms add up with one sign: their signs are random, so the sum grows like √n."""
    return _powers(a1, a2, b2, c, start=1 - a2 - b2)


def sum_forgotten_at_the_start(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """At the start you counted one unit: the output is a sum over n of them."""
    return _powers(a1, a2, b2, c, start=-a2 - b2)


def squares_cancel(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """In the kernel you let terms cancel as √n: they are squares, all positive, and add up to n of them."""
    return _powers(a1, a2, b2, c, last=0.5 - 2 * a2 - c, first=0.5 - 2 * a1 - 2 * a2 - 2 * b2 - c)


def no_sum_in_the_kernel(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """In the kernel you counted one unit: each layer's part is a sum over n of them."""
    return _powers(a1, a2, b2, c, last=-2 * a2 - c, first=-2 * a1 - 2 * a2 - 2 * b2 - c)


def gradient_once(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The kernel is a product of two gradients: every factor of the gradient counts twice in it, and yours count
    once.
    """
    return _powers(a1, a2, b2, c, last=1 - a2 - c, first=1 - a1 - a2 - b2 - c)


def stored_weights_move(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """You counted how far the stored weights move: a feature sees them through n^(−a₁), once more than the gradient
    does.
    """
    return _powers(a1, a2, b2, c, features=-a1 - a2 - b2 - c)


def no_first_scale(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """a₁ is missing: the first layer's gradient carries its scale, although its draw compensates for it in the
    function.
    """
    return _powers(a1, a2, b2, c, first=1 - 2 * a2 - 2 * b2 - c, features=-a2 - b2 - c)


def features_of_all_units(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """You summed the motion of the features over all units: asked is how far one of them moves."""
    return _powers(a1, a2, b2, c, features=1 - 2 * a1 - a2 - b2 - c)


def features_like_the_kernel(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """You gave the features the power of the first layer's kernel: that one squares what a single unit receives, and
    sums over the units.
    """
    return _powers(a1, a2, b2, c, features=1 - 2 * a1 - 2 * a2 - 2 * b2 - c)


def powers_of_decay(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """All signs are reversed: what shrinks as the width grows has a negative power."""
    return -_powers(a1, a2, b2, c)


def no_learning_rate(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The learning rate is missing: a step is n^(−c) long, and this multiplies everything that training moves."""
    start = _powers(a1, a2, b2, c)[:1]
    return torch.cat([start, _powers(a1, a2, b2, 0.0)[1:]])


def learning_rate_grows(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The learning rate has the wrong sign: it is n^(−c)."""
    return _powers(a1, a2, b2, -c)


def learning_rate_twice(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The learning rate counts twice in your kernel: of the two gradients one is a step, the other a change of f."""
    return torch.cat([_powers(a1, a2, b2, c)[:1], _powers(a1, a2, b2, 2 * c)[1:3], _powers(a1, a2, b2, c)[3:]])


def draw_of_the_last_forgotten(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """b₂ is missing: the last weights are n^(−b₂) in size, in f at the start and in whatever passes back through
    them.
    """
    return _powers(a1, a2, 0.0, c)


def draw_in_its_own_gradient(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The last layer's part contains b₂: the derivative by a weight does not contain the weight."""
    return _powers(a1, a2, b2, c, last=1 - 2 * a2 - 2 * b2 - c)


def draw_once_in_the_kernel(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """b₂ counts once in the first layer's part: both gradients pass back through the last weights."""
    return _powers(a1, a2, b2, c, first=1 - 2 * a1 - 2 * a2 - b2 - c)


def layers_swapped(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The parts of the two layers have changed places: the last one comes second, the first one third."""
    return _powers(a1, a2, b2, c)[[0, 2, 1, 3]]


def draw_missing_at_the_start(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """b₂ is missing at the start: f is a sum of n terms, and each contains a weight of size n^(−b₂)."""
    return _powers(a1, a2, b2, c, start=0.5 - a2)


def first_scale_at_the_start(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """f at the start contains a₁: the draw of the first weights makes up for their scale, so that p_j is of order 1."""
    return _powers(a1, a2, b2, c, start=0.5 - a1 - a2 - b2)


def variance_at_the_start(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """You counted the variance of f at the start: its size is the root of that."""
    return _powers(a1, a2, b2, c, start=1 - 2 * a2 - 2 * b2)


def first_scale_in_the_last_layer(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The last layer's part contains a₁: the derivative by a weight of this layer is what enters it, of order 1."""
    return _powers(a1, a2, b2, c, last=1 - 2 * a1 - 2 * a2 - c)


def draw_missing_in_the_first_layer(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """b₂ is missing in the first layer's part: its gradient passes back through the last weights."""
    return _powers(a1, a2, b2, c, first=1 - 2 * a1 - 2 * a2 - c)


def first_scale_once(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """a₁ counts once in the first layer's part: both gradients in it carry the scale."""
    return _powers(a1, a2, b2, c, first=1 - a1 - 2 * a2 - 2 * b2 - c)


def draw_missing_in_the_features(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """b₂ is missing in the features: the gradient that moves them passes back through the last weights."""
    return _powers(a1, a2, b2, c, features=-2 * a1 - a2 - c)


def no_scale_in_the_features(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """a₁ is missing in the features: it stands in their gradient, and once more where the weights enter them."""
    return _powers(a1, a2, b2, c, features=-a2 - b2 - c)


def no_learning_rate_in_the_features(a1: float, a2: float, b2: float, c: float) -> Tensor:
    """The learning rate is missing in the features: their first change is one step, n^(−c) long."""
    return _powers(a1, a2, b2, c, features=-2 * a1 - a2 - b2)


# ---- right answers


def as_a_list(a1: float, a2: float, b2: float, c: float) -> list[float]:
    forward, backward = -(a2 + b2), -(a1 + a2 + b2)
    return [forward + 1 / 2, 1 - c - 2 * a2, 1 - c + 2 * backward, backward - a1 - c]


def by_numbers(a1: float, a2: float, b2: float, c: float) -> NDArray[np.float64]:
    """With n = 64 in place of the letter, and a logarithm at the end."""
    n = 64.0
    scale1, scale2, weight, rate = n**-a1, n**-a2, n**-b2, n**-c
    by_last, by_first = scale2, scale2 * weight * scale1
    sizes = [scale2 * weight * math.sqrt(n), rate * n * by_last**2, rate * n * by_first**2, scale1 * rate * by_first]
    counted: NDArray[np.float64] = np.log(sizes) / np.log(n)
    return counted


def by_a_matrix(a1: float, a2: float, b2: float, c: float) -> Tensor:
    counted = [[0.0, -1, -1, 0], [0, -2, 0, -1], [-2, -2, -2, -1], [-2, -1, -1, -1]]
    letters = torch.tensor([a1, a2, b2, c], dtype=torch.float64)
    return torch.tensor([0.5, 1, 1, 0], dtype=torch.float64) + torch.tensor(counted, dtype=torch.float64) @ letters


powers = Task(
    id="08.5",
    title="Powers of the width",
    signature="powers_of_width(a1, a2, b2, c) -> [4]",
    reference=reference,
    credit={"any powers": 2, "draws and steps of order one": 1},
    cases=(
        Case("any powers", "four powers", partial(choice, plain=False)),
        Case("any powers", "four other powers", partial(choice, plain=False)),
        Case("draws and steps of order one", "b2 = c = 0", partial(choice, plain=True)),
    ),
    misconceptions=(
        Misconception(signs_add_up),
        Misconception(sum_forgotten_at_the_start),
        Misconception(squares_cancel),
        Misconception(no_sum_in_the_kernel),
        Misconception(gradient_once),
        Misconception(stored_weights_move),
        Misconception(no_first_scale),
        Misconception(features_of_all_units),
        Misconception(features_like_the_kernel),
        Misconception(powers_of_decay),
        Misconception(no_learning_rate),
        Misconception(learning_rate_grows),
        Misconception(learning_rate_twice),
        Misconception(draw_of_the_last_forgotten),
        Misconception(draw_in_its_own_gradient),
        Misconception(draw_once_in_the_kernel),
        Misconception(layers_swapped),
        Misconception(draw_missing_at_the_start),
        Misconception(first_scale_at_the_start),
        Misconception(variance_at_the_start),
        Misconception(first_scale_in_the_last_layer),
        Misconception(draw_missing_in_the_first_layer),
        Misconception(first_scale_once),
        Misconception(draw_missing_in_the_features),
        Misconception(no_scale_in_the_features),
        Misconception(no_learning_rate_in_the_features),
    ),
    alternatives=(as_a_list, by_numbers, by_a_matrix),
)
