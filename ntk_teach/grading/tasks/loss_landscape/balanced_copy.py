"""Task 01.2: of all rescaled copies of a network, the one with the smallest parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["balanced_copy"]


def table(entering: Tensor, bias: Tensor, leaving: Tensor) -> Tensor:
    """One row a unit: what enters, [n, d], the bias, [n], what leaves, [n, c]."""
    return torch.cat([entering, bias[:, None], leaving], dim=1)


def norms(w_in: Tensor, bias: Tensor, w_out: Tensor) -> tuple[Tensor, Tensor]:
    """‖(w_i, b_i)‖ and ‖v_i‖ of every unit, each [n, 1]."""
    entering = torch.cat([w_in, bias[:, None]], dim=1).norm(dim=1, keepdim=True)
    return entering, w_out.norm(dim=0)[:, None]


def copied(w_in: Tensor, bias: Tensor, w_out: Tensor, factor: Tensor) -> Tensor:
    """The copy with these factors, [n, 1]; a unit that computes nothing becomes zero."""
    entering, leaving = norms(w_in, bias, w_out)
    rows = table(factor * w_in, factor[:, 0] * bias, w_out.T / factor)
    return torch.where(entering * leaving > 0, rows, 0.0)


def reference(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """λ²‖(w, b)‖² + ‖v‖²/λ² is least at λ² = ‖v‖/‖(w, b)‖, where both parts are equal."""
    entering, leaving = norms(w_in, bias, w_out)
    return copied(w_in, bias, w_out, (leaving / entering).sqrt())


# ---- right answers that look different


def numpy_units(w_in: Tensor, bias: Tensor, w_out: Tensor) -> NDArray[np.float64]:
    rows = []
    for w, b, v in zip(w_in.numpy(), bias.numpy(), w_out.numpy().T, strict=True):
        entering = np.append(w, b)
        one, two = np.linalg.norm(entering), np.linalg.norm(v)
        if one == 0 or two == 0:
            rows.append(np.zeros(len(entering) + len(v)))
            continue
        rows.append(np.append(entering / one, v / two) * np.sqrt(one * two))
    return np.stack(rows)


def by_logarithms(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    entering, leaving = norms(w_in, bias, w_out)
    factor = torch.exp((leaving.log() - entering.log()) / 2)
    return torch.nan_to_num(copied(w_in, bias, w_out, factor))


def float32(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    return reference(w_in.float(), bias.float(), w_out.float())


# ---- wrong answers

Factor = Callable[[Tensor, Tensor], Tensor]  # of ‖(w, b)‖ and ‖v‖, each [n, 1]


def with_factor(factor: Factor, w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    return copied(w_in, bias, w_out, factor(*norms(w_in, bias, w_out)))


def right(entering: Tensor, leaving: Tensor) -> Tensor:
    return (leaving / entering).sqrt()


def no_root(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """Your λ is the ratio ‖v‖/‖(w, b)‖ itself: that exchanges the two lengths instead of making them equal."""
    return with_factor(lambda e, v: v / e, w_in, bias, w_out)


def inverted(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """λ is upside down: units with large incoming weights grew. Their λ should be below 1."""
    return with_factor(lambda e, v: (e / v).sqrt(), w_in, bias, w_out)


def fourth_root(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """Your λ is a fourth root of the ratio of lengths: it is λ⁴ that equals the ratio of *squared* lengths."""
    return with_factor(lambda e, v: (v / e) ** 0.25, w_in, bias, w_out)


def incoming_of_length_one(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """What enters each unit has length 1 in your copy: the same function, but not the smallest parameters."""
    return with_factor(lambda e, v: 1 / e, w_in, bias, w_out)


def outgoing_of_length_one(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """What leaves each unit has length 1 in your copy: the same function, but not the smallest parameters."""
    return with_factor(lambda e, v: v, w_in, bias, w_out)


def one_factor_for_all(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """You rescaled the layer as a whole: each unit may have its own λ, and that gives a smaller copy."""
    return with_factor(lambda e, v: torch.ones_like(e) * (v.norm() / e.norm()).sqrt(), w_in, bias, w_out)


def unchanged(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The parameters come back as they were: the same function, but there are smaller copies of it."""
    return with_factor(lambda e, v: torch.ones_like(e), w_in, bias, w_out)


def outgoing_not_divided(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """What leaves the unit is not divided by λ: your copy is another function."""
    entering, leaving = norms(w_in, bias, w_out)
    factor = torch.where(entering * leaving > 0, right(entering, leaving), 0.0)
    return table(factor * w_in, factor[:, 0] * bias, w_out.T)


def outgoing_multiplied(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """What leaves the unit is multiplied by λ, like what enters: your copy is λ² times the function of that unit."""
    entering, leaving = norms(w_in, bias, w_out)
    factor = torch.where(entering * leaving > 0, right(entering, leaving), 0.0)
    return table(factor * w_in, factor[:, 0] * bias, factor * w_out.T)


def bias_not_scaled(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The bias of the unit is not multiplied by λ: then the kink moves, and your copy is another function."""
    rows = reference(w_in, bias, w_out)
    d = w_in.shape[1]
    return torch.cat([rows[:, :d], bias[:, None], rows[:, d + 1 :]], dim=1)


def bias_not_counted(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """You left the bias out of the length of what enters: it is rescaled with the weights, and its square counts."""
    factor = (w_out.norm(dim=0) / w_in.norm(dim=1)).sqrt()[:, None]
    return copied(w_in, bias, w_out, factor)


def sums_of_sizes(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """You compared sums of absolute values: the sum of squares is to be least."""
    entering = w_in.abs().sum(1) + bias.abs()
    return copied(w_in, bias, w_out, (w_out.abs().sum(0) / entering).sqrt()[:, None])


def means_of_squares(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """You compared root mean squares: how many weights enter and how many leave does not matter, only the sums do."""
    d, c = w_in.shape[1] + 1, w_out.shape[0]
    return with_factor(lambda e, v: ((v / c**0.5) / (e / d**0.5)).sqrt(), w_in, bias, w_out)


def both_of_length_one(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """Both sides of each unit have length 1 in your copy: their product, which the function needs, is lost."""
    entering, leaving = norms(w_in, bias, w_out)
    rows = table(w_in / entering, bias / entering[:, 0], w_out.T / leaving)
    return torch.where(entering * leaving > 0, rows, 0.0)


def bias_last(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The numbers are right, but the row of a unit is asked as: weights that enter, bias, weights that leave."""
    rows, d = reference(w_in, bias, w_out), w_in.shape[1]
    return torch.cat([rows[:, :d], rows[:, d + 1 :], rows[:, d : d + 1]], dim=1)


def bias_first(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The numbers are right, but the bias stands first: a row is asked as weights that enter, bias, weights that
    leave.
    """
    rows, d = reference(w_in, bias, w_out), w_in.shape[1]
    return torch.cat([rows[:, d : d + 1], rows[:, :d], rows[:, d + 1 :]], dim=1)


def outgoing_first(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The numbers are right, but what leaves the unit stands first: a row is asked as weights that enter, bias, weights
    that leave.
    """
    rows, d = reference(w_in, bias, w_out), w_in.shape[1]
    return torch.cat([rows[:, d + 1 :], rows[:, : d + 1]], dim=1)


def bias_divided(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The bias of the unit is divided by λ: it enters the unit like the weights, and is multiplied with them."""
    rows, d, factor = reference(w_in, bias, w_out), w_in.shape[1], right(*norms(w_in, bias, w_out))[:, 0]
    divided = torch.where(rows.any(1), bias / factor, 0.0)
    return torch.cat([rows[:, :d], divided[:, None], rows[:, d + 1 :]], dim=1)


def bias_lost(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """The biases are zero in your copy: then the kinks move to the origin, and it is another function."""
    rows, d = reference(w_in, bias, w_out), w_in.shape[1]
    return torch.cat([rows[:, :d], torch.zeros_like(bias)[:, None], rows[:, d + 1 :]], dim=1)


def ratio_of_squares(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """Your λ is the ratio of the squared lengths: the derivative by λ vanishes where λ⁴ has that value."""
    return with_factor(lambda e, v: (v / e) ** 2, w_in, bias, w_out)


def largest_entries(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """You compared the largest entries of both sides: the sum of all squares is to be least."""
    entering = torch.maximum(w_in.abs().amax(1), bias.abs())
    return copied(w_in, bias, w_out, (w_out.abs().amax(0) / entering).sqrt()[:, None])


def mean_of_the_lengths(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """You gave both sides the mean of their two lengths: their product, which the function needs, has changed."""
    entering, leaving = norms(w_in, bias, w_out)
    mean = (entering + leaving) / 2
    rows = table(w_in * mean / entering, bias * (mean / entering)[:, 0], w_out.T * mean / leaving)
    return torch.where(entering * leaving > 0, rows, 0.0)


def nothing_divided_by_nothing(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """A unit into which, or out of which, nothing leads has a length 0 in the ratio: there λ is 0 or infinite, and 0/0
    is NaN. Such a unit adds nothing to the function; its smallest copy is all zeros.
    """
    entering, leaving = norms(w_in, bias, w_out)
    factor = right(entering, leaving)
    return table(factor * w_in, factor[:, 0] * bias, w_out.T / factor)


def idle_units_left_alone(w_in: Tensor, bias: Tensor, w_out: Tensor) -> Tensor:
    """A unit into which, or out of which, nothing leads keeps its parameters in your copy: it adds nothing to the
    function, and zeros are smaller.
    """
    entering, leaving = norms(w_in, bias, w_out)
    return torch.where(entering * leaving > 0, reference(w_in, bias, w_out), table(w_in, bias, w_out.T))


def drawn(rng: np.random.Generator, *, n: int, d: int, c: int, idle: bool = False) -> Arguments:
    """Units whose two sides differ in length, in either way."""
    scale = np.exp(rng.uniform(-1, 1, size=(2, n)))
    w_in, bias = rng.normal(size=(n, d)) * scale[0][:, None], rng.normal(size=n) * scale[0]
    w_out = rng.normal(size=(c, n)) * scale[1]
    if idle:
        w_out[:, 1] = 0
        w_in[3], bias[3] = 0, 0
    return {name: torch.from_numpy(a) for name, a in (("w_in", w_in), ("bias", bias), ("w_out", w_out))}


balanced_copy = Task(
    id="01.2",
    title="The smallest copy of a network",
    signature="balanced(w_in, bias, w_out) -> [n, d + 1 + c]",
    reference=reference,
    credit={"the smallest copy": 2, "units that do nothing": 1},
    cases=(
        Case("the smallest copy", "6 units, 4 inputs, 2 outputs", partial(drawn, n=6, d=4, c=2)),
        Case("the smallest copy", "5 units, 2 inputs, 3 outputs", partial(drawn, n=5, d=2, c=3)),
        Case("the smallest copy", "4 units, 3 inputs, 1 output", partial(drawn, n=4, d=3, c=1)),
        Case(
            "units that do nothing",
            "one unit without a way out, one without a way in",
            partial(drawn, n=6, d=3, c=2, idle=True),
        ),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                no_root,
                inverted,
                fourth_root,
                incoming_of_length_one,
                outgoing_of_length_one,
                one_factor_for_all,
                unchanged,
                outgoing_not_divided,
                outgoing_multiplied,
                bias_not_scaled,
                bias_not_counted,
                sums_of_sizes,
                means_of_squares,
                both_of_length_one,
                bias_last,
                bias_first,
                outgoing_first,
                bias_divided,
                bias_lost,
                ratio_of_squares,
                largest_entries,
                mean_of_the_lengths,
            )
        ),
        *(Misconception(function, keeps=2) for function in (nothing_divided_by_nothing, idle_units_left_alone)),
    ),
    alternatives=(numpy_units, by_logarithms, float32),
    when_nan="0/0: what should become of a unit of which one side is zero?",
)
