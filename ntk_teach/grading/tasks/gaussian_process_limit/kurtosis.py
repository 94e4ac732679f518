"""Task 04.4: the exact excess kurtosis of a finite ReLU network's output."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.finite_width import exact_excess_kurtosis
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.gaussian_process_limit.draws import biases_scale
from ntk_teach.zoo import mlp

__all__ = ["kurtosis"]


def reference(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The library's, for inputs of one coordinate x with x² + β² = q."""
    x = (q - sigma_b**2).sqrt()[:, None]
    hidden = [round(width) for width in widths.tolist()]
    return exact_excess_kurtosis(mlp(len(hidden) + 1, sigma_b=sigma_b), x, width=hidden)[-1]


# Wrong answers, each one change away from the right one.


class Moments(NamedTuple):
    """E[q] and E[q²] of the conditional variance of one layer's units."""

    first: Tensor
    second: Tensor


def excess(m: Moments) -> Tensor:
    return 3 * (m.second / m.first**2 - 1)


def recursion(
    q: Tensor,
    widths: Tensor,
    sigma_b: float,
    *,
    power: int = 2,
    fourth: float = 1.5,
    square: float = 0.25,
    cross: float = 1.0,
    start: float | Tensor = 1.0,
    early: bool = False,
    final: Callable[[Moments], Tensor] = excess,
) -> Tensor:
    bias = sigma_b**power
    m = Moments(q, start * q**2)
    for n in widths:
        first = bias + m.first / 2
        used = first if early else m.first
        second = bias**2 + cross * bias * used + (0.25 + (fourth - square) / n) * m.second
        m = Moments(first, second)
    return final(m)


def layer(m: Moments, n: Tensor, sigma_b: float) -> Moments:
    """The right step through one hidden layer."""
    b = sigma_b**2
    return Moments(b + m.first / 2, b**2 + b * m.first + (0.25 + 1.25 / n) * m.second)


def by_layers(q: Tensor, widths: Tensor, step: Callable[[Moments, Tensor], Moments]) -> Tensor:
    m = Moments(q, q**2)
    for n in widths:
        m = step(m, n)
    return excess(m)


def not_excess(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """This is the kurtosis E[f⁴]/E[f²]²; the excess is what it has above 3, the value of a Gaussian."""
    return recursion(q, widths, sigma_b, final=lambda m: 3 * m.second / m.first**2)


def spread_of_the_variance(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """This is the relative variance of q; the output's fourth moment is E[3q²], which brings a factor 3."""
    return recursion(q, widths, sigma_b, final=lambda m: m.second / m.first**2 - 1)


def kurtosis_of_the_variance(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You subtract 3 from E[q²]/E[q]²: that ratio is 1 without fluctuations, and E[f⁴] = 3 E[q²]."""
    return recursion(q, widths, sigma_b, final=lambda m: m.second / m.first**2 - 3)


def absolute_excess(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """This is E[f⁴] − 3 E[f²]²: to become a kurtosis it is divided by the square of the variance."""
    return recursion(q, widths, sigma_b, final=lambda m: 3 * (m.second - m.first**2))


def fourth_moment_of_a_gaussian(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You used E[h⁴] = 3q² for E[φ(h)⁴]: a ReLU is 0 half of the time."""
    return recursion(q, widths, sigma_b, fourth=3.0)


def fourth_moment_is_the_variance(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You took E[φ⁴] for the variance of φ²: the square of the mean E[φ²] is to be subtracted."""
    return recursion(q, widths, sigma_b, square=0.0)


def no_fluctuation(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The term with 1/n is missing: an average over n units varies, and without that the output is Gaussian."""
    return recursion(q, widths, sigma_b, fourth=0.25)


def divided_twice(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The variance of an average of n independent terms falls like 1/n, not like 1/n²."""
    return recursion(q, widths**2, sigma_b)


def divided_by_root(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The variance of an average of n independent terms falls like 1/n; 1/√n is its standard deviation."""
    return recursion(q, widths.sqrt(), sigma_b)


def no_mixed_term(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The square of (β² + average) has a mixed term, 2β² times the mean of the average."""
    return recursion(q, widths, sigma_b, cross=0.0)


def mixed_term_doubled(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The mixed term is twice too large: 2β² times the average's mean, and that mean is only half of E[q]."""
    return recursion(q, widths, sigma_b, cross=2.0)


def new_mean_in_the_mixed_term(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You updated the first moment before you used it: both updates of a layer need the moments that enter it."""
    return recursion(q, widths, sigma_b, early=True)


def bias_not_squared(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You added sigma_b where a variance needs sigma_b²."""
    return recursion(q, widths, sigma_b, power=1)


def bias_left_out(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The biases are missing: each layer adds sigma_b² to the variance, and that part does not fluctuate."""
    return recursion(q, widths, 0.0)


def one_width_for_all(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You use the first width in every layer: each hidden layer fluctuates with a width of its own."""
    return recursion(q, widths[:1].expand(len(widths)), sigma_b)


def widths_reversed(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You go through the widths from the output to the input: with biases the order of the layers matters."""
    return recursion(q, widths.flip(0), sigma_b)


def last_layer_left_out(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You stop before the last hidden layer: its average makes the variance of the output, and fluctuates too."""
    return recursion(q, widths[:-1], sigma_b)


def random_from_the_start(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You start with E[h⁴] = 3q²: the variance of the first layer is not random, so its E[q²] is q²."""
    return recursion(q, widths, sigma_b, start=3.0)


def half_forgotten(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The mean of the average is not halved: E[φ(h)²] = q/2, for a ReLU is 0 half of the time."""
    return by_layers(q, widths, lambda m, n: Moments(sigma_b**2 + m.first, layer(m, n, sigma_b).second))


def linear_units(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """These are the moments of a linear network, E[φ²] = q and E[φ⁴] = 3q²: a ReLU is 0 half of the time."""
    b = sigma_b**2
    return by_layers(q, widths, lambda m, n: Moments(b + m.first, b**2 + 2 * b * m.first + (1 + 2 / n) * m.second))


def constant_not_squared(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """β² is added to E[q²]: the square of q contains the square of β², that is β⁴."""
    b = sigma_b**2
    return by_layers(
        q, widths, lambda m, n: layer(m, n, sigma_b)._replace(second=layer(m, n, sigma_b).second + b - b**2)
    )


def gaussian_average(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You took 2·E[φ²]² for the variance of φ², as if φ(h) were Gaussian: it is E[φ⁴] − E[φ²]²."""
    return recursion(q, widths, sigma_b, fourth=0.75)


def first_layer_left_out(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You start behind the first hidden layer: q¹ is the variance of its units, whose average comes next."""
    return recursion(q, widths[1:], sigma_b)


def mean_width(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You use the mean of the widths in every layer: each hidden layer fluctuates with a width of its own."""
    return recursion(q, widths.mean().expand(len(widths)), sigma_b)


def last_width_for_all(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You use the last width in every layer: each hidden layer fluctuates with a width of its own."""
    return recursion(q, widths[-1:].expand(len(widths)), sigma_b)


def square_of_the_mean(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You replaced E[q²] by E[q]²: the variance of a layer is random itself, and hands its fluctuation on."""
    return by_layers(q, widths, lambda m, n: layer(Moments(m.first, m.first**2), n, sigma_b))


def first_bias_missing(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The layer behind q¹ lacks its bias: each layer adds β², that one too."""
    m = layer(Moments(q, q**2), widths[0], 0.0)
    for n in widths[1:]:
        m = layer(m, n, sigma_b)
    return excess(m)


def last_bias_missing(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The output lacks its bias: each layer adds β², the last one too."""
    m = Moments(q, q**2)
    for position, n in enumerate(widths):
        m = layer(m, n, sigma_b if position < len(widths) - 1 else 0.0)
    return excess(m)


def bias_added_to_the_start(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You added β² to q¹: the given variance of the first layer contains its bias."""
    return recursion(q + sigma_b**2, widths, sigma_b)


def start_not_squared(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You start with E[q²] = q: the variance of the first layer is no random number, so its E[q²] is q²."""
    return recursion(q, widths, sigma_b, start=1 / q)


def one_subtracted(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """You subtracted 1 behind the factor 3: the kurtosis of a Gaussian is 3."""
    return recursion(q, widths, sigma_b, final=lambda m: 3 * m.second / m.first**2 - 1)


def first_order(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """This is the first order in 1/n without biases, 15 Σ 1/n: asked for is the exact value, with them."""
    return 15 * (1 / widths).sum() * torch.ones_like(q)


# Right answers that look different.


def by_relative_variance(q: Tensor, widths: Tensor, sigma_b: float) -> Tensor:
    """The variance of q instead of E[q²]."""
    mean, variance = q, torch.zeros_like(q)
    for n in widths:
        variance = variance / 4 + 5 / 4 * (variance + mean**2) / n
        mean = sigma_b**2 + mean / 2
    return 3 * variance / mean**2


def numpy_floats(q: Tensor, widths: Tensor, sigma_b: float) -> list[float]:
    found = []
    for first in q.tolist():
        m1, m2 = first, first**2
        for n in np.asarray(widths):
            m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + sigma_b**2 * m1 + m2 * (1 / 4 + 5 / (4 * n))
        found.append(3 * m2 / m1**2 - 3)
    return found


def as_matrices(q: Tensor, widths: Tensor, sigma_b: float) -> NDArray[np.float64]:
    """(1, m₁, m₂) through one matrix a layer."""
    b, state = sigma_b**2, np.stack([np.ones(len(q)), q.numpy(), q.numpy() ** 2])
    for n in widths.tolist():
        state = np.array([[1, 0, 0], [b, 0.5, 0], [b * b, b, (n + 5) / (4 * n)]]) @ state
    excess: NDArray[np.float64] = 3 * (state[2] / state[1] ** 2 - 1)
    return excess


def generic(rng: np.random.Generator, *, widths: tuple[int, ...], n: int, biases: bool) -> Arguments:
    sigma_b = biases_scale(rng) if biases else 0.0
    q = sigma_b**2 + rng.uniform(0.3, 3.0, size=n)
    return {"q": torch.from_numpy(q), "widths": torch.tensor(widths, dtype=torch.float64), "sigma_b": sigma_b}


BIASES, NONE = "with biases", "without biases"

kurtosis = Task(
    id="04.4",
    title="How far from Gaussian",
    signature="excess_kurtosis(q, widths, sigma_b) -> [n]",
    reference=reference,
    credit={BIASES: 2, NONE: 1},
    cases=(
        Case(BIASES, "hidden widths 7, 3, 12", partial(generic, widths=(7, 3, 12), n=4, biases=True)),
        Case(BIASES, "one hidden layer", partial(generic, widths=(5,), n=3, biases=True)),
        Case(BIASES, "hidden widths 4, 16, 6, 9, 2", partial(generic, widths=(4, 16, 6, 9, 2), n=5, biases=True)),
        Case(NONE, "hidden widths 9, 4", partial(generic, widths=(9, 4), n=3, biases=False)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            not_excess,
            spread_of_the_variance,
            kurtosis_of_the_variance,
            absolute_excess,
            fourth_moment_of_a_gaussian,
            fourth_moment_is_the_variance,
            no_fluctuation,
            divided_twice,
            divided_by_root,
            no_mixed_term,
            mixed_term_doubled,
            new_mean_in_the_mixed_term,
            bias_not_squared,
            bias_left_out,
            one_width_for_all,
            widths_reversed,
            last_layer_left_out,
            random_from_the_start,
            first_order,
            half_forgotten,
            linear_units,
            constant_not_squared,
            gaussian_average,
            first_layer_left_out,
            mean_width,
            last_width_for_all,
            square_of_the_mean,
            first_bias_missing,
            last_bias_missing,
            bias_added_to_the_start,
            start_not_squared,
            one_subtracted,
        )
    ),
    alternatives=(by_relative_variance, numpy_floats, as_matrices),
)
