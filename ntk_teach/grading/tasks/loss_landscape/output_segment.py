"""Task 01.4: how much the logistic cost bends between two sets of outputs."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["output_segment"]


def outputs(u: Tensor, v: Tensor, s: Tensor) -> Tensor:
    """(1 − s)u + sv, [k, n]."""
    return u + s[:, None] * (v - u)


def bend(f: Tensor) -> Tensor:
    """∂²/∂f² log(1 + e^(−yf)) = p(1 − p) with p = 1/(1 + e^(−f)), for both labels."""
    return torch.sigmoid(f) * torch.sigmoid(-f)


def reference(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    return (bend(outputs(u, v, s)) * (v - u) ** 2).mean(1)


# ---- right answers that look different


def automatic(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    def cost(a: Tensor) -> Tensor:
        return torch.nn.functional.softplus(-y * ((1 - a) * u + a * v)).mean()

    second = torch.func.grad(torch.func.grad(cost))
    return torch.stack([second(a) for a in s])


def numpy_loop(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> NDArray[np.float64]:
    """1/(4 cosh²(f/2)), which large outputs send to zero and not to NaN."""
    values = np.zeros(len(s))
    for k, a in enumerate(s.numpy()):
        f = (1 - a) * u.numpy() + a * v.numpy()
        decay = np.exp(-np.abs(f))
        values[k] = np.mean(decay / (1 + decay) ** 2 * (v - u).numpy() ** 2)
    return values


def hyperbolic(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    f = outputs(u, v, s) * y
    return ((1 - (f / 2).tanh() ** 2) / 4) @ (v - u).square() / len(u)


def float32(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    return reference(u.float(), v.float(), y.float(), s.float())


# ---- wrong answers


def not_averaged(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """The sum over the examples is not divided by their number: the cost is a mean."""
    return len(u) * reference(u, v, y, s)


def averaged_twice(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You divided by the number of examples twice: the cost is one mean."""
    return reference(u, v, y, s) / len(u)


def halved(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """There is a factor 1/2 too many: it belongs to the squared error, or to Taylor's formula, not to q''."""
    return reference(u, v, y, s) / 2


def step_not_squared(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """v − u appears once: each of the two derivatives by s brings one."""
    return (bend(outputs(u, v, s)) * (v - u)).mean(1)


def step_forgotten(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You differentiated by f and not by s: each of the two derivatives by s brings a factor v − u."""
    return bend(outputs(u, v, s)).mean(1)


def first_derivative(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You returned the slope q'(s): one derivative more."""
    return (-y * torch.sigmoid(-y * outputs(u, v, s)) * (v - u)).mean(1)


def the_cost(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You returned the cost q(s) itself: its second derivative is asked."""
    return torch.nn.functional.softplus(-y * outputs(u, v, s)).mean(1)


def slope_squared(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You squared the first derivative of each example: the second derivative is p(1 − p), not p²."""
    return (torch.sigmoid(-y * outputs(u, v, s)) ** 2 * (v - u) ** 2).mean(1)


def one_probability(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """The derivative of the sigmoid is p(1 − p): one of the two factors is missing."""
    return (torch.sigmoid(-y * outputs(u, v, s)) * (v - u) ** 2).mean(1)


def sign_of_the_label(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """A label y is left as a factor: it comes with each derivative, and y² = 1."""
    return (y * bend(outputs(u, v, s)) * (v - u) ** 2).mean(1)


def negative(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """The sign is wrong: the cost is convex in the outputs, so it cannot bend down."""
    return -reference(u, v, y, s)


def at_the_start(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You evaluated everything at u: the curvature is asked at each point (1 − s)u + sv."""
    return reference(u, v, y, 0 * s)


def backwards(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """u and v are exchanged: s = 0 is u."""
    return reference(u, v, y, 1 - s)


def squared_error(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """That is the curvature of the squared error, ‖v − u‖²/N, the same at every s: the cost here is logistic."""
    return (v - u).square().mean() + 0 * s


def largest_possible(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You used the largest value of p(1 − p), which is 1/4: it depends on the output, and on s."""
    return (v - u).square().mean() / 4 + 0 * s


def averaged_too_early(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You averaged p(1 − p) and (v − u)² apart: the mean is over their products, example by example."""
    return bend(outputs(u, v, s)).mean(1) * (v - u).square().mean()


def square_of_the_sum(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You squared after averaging over the examples: each example bends by its own (v − u)²."""
    return (bend(outputs(u, v, s)).sqrt() * (v - u)).mean(1) ** 2


def not_on_the_segment(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """Your points are u + sv: the segment is u + s(v − u)."""
    return (bend(u + s[:, None] * v) * (v - u) ** 2).mean(1)


def at_the_end(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You evaluated everything at v: the curvature is asked at each point (1 − s)u + sv."""
    return reference(u, v, y, 0 * s + 1)


def ends_interpolated(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You interpolated between the curvatures at the two ends: the outputs walk on a line, and p(1 − p) is taken where
    they are.
    """
    return (1 - s) * reference(u, v, y, 0 * s) + s * reference(u, v, y, 0 * s + 1)


def slope_of_tanh(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """1 − tanh² is the derivative of tanh: that of the sigmoid is p(1 − p)."""
    return ((1 - torch.tanh(outputs(u, v, s)) ** 2) * (v - u) ** 2).mean(1)


def slope_of_tanh_at_a_sigmoid(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """1 − p² belongs to the derivative of tanh: for the sigmoid it is p − p²."""
    return ((1 - torch.sigmoid(outputs(u, v, s)) ** 2) * (v - u) ** 2).mean(1)


def step_by_its_size(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """|v − u| stands where its square belongs: each of the two derivatives by s brings a factor v − u."""
    return (bend(outputs(u, v, s)) * (v - u).abs()).mean(1)


def exponential_cost(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You differentiated e^(−yf), without the logarithm around it."""
    return (torch.exp(-y * outputs(u, v, s)) * (v - u) ** 2).mean(1)


def label_in_one_factor(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """Only one of the two probabilities has its label: p and 1 − p belong to the same argument, f or yf."""
    f = outputs(u, v, s)
    return (torch.sigmoid(y * f) * torch.sigmoid(-f) * (v - u) ** 2).mean(1)


def third_derivative(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """A factor 1 − 2p comes with the derivative of p(1 − p): one derivative less is asked."""
    f = outputs(u, v, s)
    return (bend(f) * (1 - 2 * torch.sigmoid(f)) * (v - u) ** 2).mean(1)


def not_a_number_dropped(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """You replaced NaN by 0 in the result: where one example overflows the others still bend the cost. Write p(1 − p)
    so that nothing overflows.
    """
    return torch.nan_to_num(overflow(u, v, y, s))


def overflow(u: Tensor, v: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """The formula is right, but for confident outputs an exponential is infinite, and infinity/infinity is NaN: write
    p(1 − p) with a sigmoid, or with e^(−|f|), which cannot overflow.
    """
    e = torch.exp(outputs(u, v, s))
    return (e / (1 + e) ** 2 * (v - u) ** 2).mean(1)


def drawn(rng: np.random.Generator, *, n: int, k: int, confident: bool = False) -> Arguments:
    """Outputs of both signs; confident ones beside the others."""
    u, v = rng.normal(size=(2, n)) * 2 + rng.normal(size=(2, 1))
    if confident:
        u[:4], v[:4] = rng.uniform(800, 1500, size=(2, 4)) * np.array([1, -1, 1, -1])  # two right, two wrong
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    y[:2] = (1, -1)
    y[2:4] = (-1, 1)
    s = np.sort(rng.uniform(0, 1, size=k))
    return {name: torch.from_numpy(a) for name, a in (("u", u), ("v", v), ("y", y), ("s", s))}


GENERIC, CONFIDENT = "between generic outputs", "confident outputs"

output_segment = Task(
    id="01.4",
    title="Between two sets of outputs",
    signature="curvature(u, v, y, s) -> [k]",
    reference=reference,
    credit={GENERIC: 2, CONFIDENT: 1},
    cases=(
        Case(GENERIC, "7 examples, 4 points", partial(drawn, n=7, k=4)),
        Case(GENERIC, "6 examples, 6 points", partial(drawn, n=6, k=6)),
        Case(GENERIC, "12 examples, 3 points", partial(drawn, n=12, k=3)),
        Case(CONFIDENT, "some outputs beyond 800", partial(drawn, n=9, k=5, confident=True)),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                not_averaged,
                averaged_twice,
                halved,
                step_not_squared,
                step_forgotten,
                first_derivative,
                the_cost,
                slope_squared,
                one_probability,
                sign_of_the_label,
                negative,
                at_the_start,
                backwards,
                squared_error,
                largest_possible,
                averaged_too_early,
                square_of_the_sum,
                not_on_the_segment,
                at_the_end,
                ends_interpolated,
                slope_of_tanh,
                slope_of_tanh_at_a_sigmoid,
                step_by_its_size,
                exponential_cost,
                label_in_one_factor,
                third_derivative,
            )
        ),
        Misconception(overflow, keeps=2),
        Misconception(not_a_number_dropped, keeps=2),
    ),
    alternatives=(automatic, numpy_loop, hyperbolic, float32),
    when_nan="e^800 is infinite in float64, and infinity/infinity is NaN.",
)
