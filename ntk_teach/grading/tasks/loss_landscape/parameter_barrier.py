"""Task 01.3: the height of the path between two networks over its chord."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from ntk_teach.costs import squared_error
from ntk_teach.grading.compare import Close
from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["parameter_barrier"]

Network = list[Tensor]  # w_in [n, d], bias [n], w_out [c, n], bias_out [c]


def outputs(network: Network, x: Tensor) -> Tensor:
    w_in, bias, w_out, bias_out = network
    return torch.relu(x @ w_in.T + bias) @ w_out.T + bias_out


def between(one: Network, two: Network, s: Tensor) -> Network:
    return [(1 - s) * p + s * q for p, q in zip(one, two, strict=True)]


def half_mean_square(f: Tensor, y: Tensor) -> Tensor:
    return (f - y).square().sum() / (2 * len(y))


def path(
    one: Network,
    two: Network,
    x: Tensor,
    y: Tensor,
    steps: int,
    *,
    cost: Callable[[Tensor, Tensor], Tensor] = half_mean_square,
    points: int = 1,
) -> tuple[Tensor, Tensor]:
    """s and the cost of the network at s, [steps + points] each."""
    s = torch.linspace(0, 1, steps + points, dtype=x.dtype)
    return s, torch.stack([cost(outputs(between(one, two, a), x), y) for a in s])


def heights(s: Tensor, costs: Tensor) -> Tensor:
    return costs - ((1 - s) * costs[0] + s * costs[-1])


def reference(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    return heights(*path(one, two, x, y, steps)).max()


# ---- right answers that look different


def with_modules(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> float:
    network = torch.nn.Sequential(
        torch.nn.Linear(*one[0].T.shape), torch.nn.ReLU(), torch.nn.Linear(*one[2].T.shape)
    ).to(x)
    names = [name for name, _ in network.named_parameters()]
    costs = []
    for j in range(steps + 1):
        moved = {name: p + j / steps * (q - p) for name, p, q in zip(names, one, two, strict=True)}
        costs.append(float(squared_error.value(functional_call(network, moved, (x,)), y)))
    return max(c - costs[0] - j / steps * (costs[-1] - costs[0]) for j, c in enumerate(costs))


def numpy_loop(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> float:
    highest = 0.0  # both ends lie on the chord
    ends = [float(half_mean_square(outputs(network, x), y)) for network in (one, two)]
    for s in np.arange(1, steps) / steps:
        w, b, v, c = ((1 - s) * p.numpy() + s * q.numpy() for p, q in zip(one, two, strict=True))
        f = np.maximum(x.numpy() @ w.T + b, 0) @ v.T + c
        cost = 0.5 * np.mean(np.sum((f - y.numpy()) ** 2, axis=1))
        highest = max(highest, cost - (1 - s) * ends[0] - s * ends[1])
    return highest


def float32(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    return reference([p.float() for p in one], [p.float() for p in two], x.float(), y.float(), steps)


def float32_as_a_number(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> float:
    return float(float32(one, two, x, y, steps))


# ---- wrong answers


def outputs_interpolated(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Nothing stands above the chord in your answer. Either you walked between the outputs, or moved the last layer
    alone, or left out the ReLU, and the cost along the line is convex; or you took the smallest height, or the wrong
    sign of it. A barrier is found where all parameters of a ReLU network move at once.
    """
    s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
    u, v = outputs(one, x), outputs(two, x)
    return heights(s, torch.stack([half_mean_square((1 - a) * u + a * v, y) for a in s])).max()


def no_chord(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You returned the largest cost on the path: a barrier is measured from the chord between the two ends."""
    return path(one, two, x, y, steps)[1].max()


def mean_of_the_ends(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You subtracted the mean of the two ends, which is another definition (Frankle et al. 2020): here the chord is
    subtracted, point by point, before the maximum is taken.
    """
    _, costs = path(one, two, x, y, steps)
    return costs.max() - (costs[0] + costs[-1]) / 2


def larger_end(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You subtracted the larger of the two ends: a barrier is measured from the chord, point by point."""
    _, costs = path(one, two, x, y, steps)
    return costs.max() - torch.maximum(costs[0], costs[-1])


def smaller_end(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You subtracted one end, the lower one, or the lowest cost on the path: a barrier is measured from the chord,
    point by point.
    """
    _, costs = path(one, two, x, y, steps)
    return costs.max() - torch.minimum(costs[0], costs[-1])


def midpoint_only(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You looked at the midpoint alone: the highest point over the chord may lie elsewhere on the path."""
    _, costs = path(one, two, x, y, 2)
    return costs[1] - (costs[0] + costs[2]) / 2


def mean_height(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You averaged the height over the path: a barrier is its largest value."""
    return heights(*path(one, two, x, y, steps)).mean()


def chord_reversed(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your chord runs the other way: at s = 0 it must have the cost of the first network."""
    s, costs = path(one, two, x, y, steps)
    return (costs - (s * costs[0] + (1 - s) * costs[-1])).max()


def one_point_short(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your path has `steps` points: so many steps need one point more, s = 0, 1/steps, …, 1."""
    return heights(*path(one, two, x, y, steps, points=0)).max()


def two_points_more(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your path has `steps` points between its ends: it is divided into `steps` parts, s = 0, 1/steps, …, 1."""
    return heights(*path(one, two, x, y, steps, points=2)).max()


def no_half(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your cost has no factor 1/2: it is half the mean of the squared residuals."""
    return 2 * reference(one, two, x, y, steps)


def not_averaged(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your cost is a sum over the inputs: it is their mean."""
    return len(x) * reference(one, two, x, y, steps)


def outputs_averaged(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your cost averages over the outputs, too: the squares of all outputs of an input are added, and the mean runs
    over the inputs.
    """
    return reference(one, two, x, y, steps) / y.shape[1]


def mean_over_everything_without_half(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your cost is the mean of all squares, over inputs and outputs: what is asked is half the mean over the inputs of
    the sum over the outputs.
    """
    return 2 * reference(one, two, x, y, steps) / y.shape[1]


def biases_left(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """The biases stay those of the first network: all parameters walk."""
    other = [two[0], one[1], two[2], one[3]]
    s, costs = path(one, other, x, y, steps)
    return heights(s, costs).max()


def relative(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You divided by the mean cost of the ends: the height itself is asked, in units of the cost."""
    _, costs = path(one, two, x, y, steps)
    return reference(one, two, x, y, steps) / ((costs[0] + costs[-1]) / 2)


def height_of_the_highest_cost(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You looked for the highest cost and took the height there: where the chord is steep the largest height stands
    elsewhere. The chord is subtracted first, and the maximum comes last.
    """
    s, costs = path(one, two, x, y, steps)
    return heights(s, costs)[costs.argmax()]


def sum_of_the_heights(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You added up the heights along the path: a barrier is the largest of them."""
    return heights(*path(one, two, x, y, steps)).sum()


def stopped_before_the_end(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Your path stops at s = 1 − 1/steps, and the cost there is used as that of the second network: `steps` steps have
    one point more, s = 1.
    """
    s, costs = path(one, two, x, y, steps)
    return heights(s[:-1], costs[:-1]).max()


def root_of_the_cost(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You took the root of the cost, as for a root mean square error: the cost is half the mean of the squares."""
    return heights(*path(one, two, x, y, steps, cost=lambda f, t: half_mean_square(f, t).sqrt())).max()


def outputs_without_bias(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """The biases of the outputs do not enter your function: f(x) ends with + b'."""
    first, second = ([*network[:3], torch.zeros_like(network[3])] for network in (one, two))
    return heights(*path(first, second, x, y, steps)).max()


def units_without_bias(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """The biases of the hidden units do not enter your function: a unit is φ(Wx + b)."""
    first, second = ([network[0], torch.zeros_like(network[1]), *network[2:]] for network in (one, two))
    return heights(*path(first, second, x, y, steps)).max()


def without_the_ends(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You left out the two ends: where the path lies below its chord the barrier is 0, their height, not negative."""
    return heights(*path(one, two, x, y, steps))[1:-1].max()


def absolute_height(one: Network, two: Network, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """You took the absolute value of the height: a path below its chord is a valley, not a barrier."""
    return heights(*path(one, two, x, y, steps)).abs().max()


def drawn(
    rng: np.random.Generator,
    *,
    n: int,
    d: int,
    c: int,
    inputs: int,
    steps: int,
    shared: bool = False,
    tilt: float = 0.0,
) -> Arguments:
    """A network, and a renumbered and disturbed copy of it; or one that differs behind the hidden layer alone.

    With a ``tilt`` the second is much worse than the first, so that the highest cost is not the largest height.
    """
    one = [size * rng.normal(size=shape) for size, shape in ((1, (n, d)), (0.4, n), (1, (c, n)), (0.4, c))]
    x = rng.normal(size=(inputs, d))
    if shared:
        two = [one[0], one[1], one[2] + rng.normal(size=(c, n)), one[3] + rng.normal(size=c)]
    else:
        order = np.roll(np.arange(n), int(rng.integers(1, n)))  # no unit stays in its place
        noise = [rng.normal(size=p.shape) for p in one]
        copy = [one[0][order], one[1][order], one[2][:, order], one[3]]
        two = [p + size * e for p, e, size in zip(copy, noise, (0.1, 0.1, 0.1, 0.5), strict=True)]
    tensors = [[torch.from_numpy(np.ascontiguousarray(p)) for p in network] for network in (one, two)]
    f = outputs(tensors[0], torch.from_numpy(x))
    y = f + 0.3 * torch.from_numpy(rng.normal(size=(inputs, c)))
    if tilt:
        shift, along = apart(tensors[0], tensors[1], torch.from_numpy(x))
        tensors[1][3] = tensors[1][3] + shift
        y = y - tilt * along
    return {"one": tensors[0], "two": tensors[1], "x": torch.from_numpy(x), "y": y, "steps": steps}


def apart(one: Network, two: Network, x: Tensor) -> tuple[Tensor, Tensor]:
    """What to add to the last biases of the second network, so that its outputs move by more than they sag halfway, and
    the direction in which they sag, [c] each.
    """
    f, g, middle = (outputs(network, x).mean(0) for network in (one, two, between(one, two, torch.tensor(0.5))))
    sag = middle - (f + g) / 2
    along = sag / sag.norm()
    return (1 + 4 * sag.norm() + (along @ (f - g)).clamp(min=0)) * along, along


HILL, VALLEY = "the height over the chord", "a path below its chord"

parameter_barrier = Task(
    id="01.3",
    title="The barrier between two networks",
    signature="barrier(one, two, x, y, steps) -> float",
    reference=reference,
    credit={HILL: 2, VALLEY: 1},
    cases=(
        Case(HILL, "12 units, 5 steps", partial(drawn, n=12, d=3, c=3, inputs=21, steps=5)),
        Case(HILL, "10 units, 8 steps", partial(drawn, n=10, d=4, c=4, inputs=18, steps=8)),
        Case(
            HILL,
            "11 units, 7 steps, the second network worse",
            partial(drawn, n=11, d=2, c=3, inputs=23, steps=7, tilt=50.0),
        ),
        Case(
            VALLEY,
            "two networks with the same hidden layer",
            partial(drawn, n=5, d=3, c=2, inputs=9, steps=6, shared=True),
        ),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                outputs_interpolated,
                no_chord,
                mean_of_the_ends,
                larger_end,
                smaller_end,
                midpoint_only,
                mean_height,
                chord_reversed,
                one_point_short,
                two_points_more,
                no_half,
                not_averaged,
                outputs_averaged,
                mean_over_everything_without_half,
                biases_left,
                relative,
                height_of_the_highest_cost,
                sum_of_the_heights,
                stopped_before_the_end,
                root_of_the_cost,
                outputs_without_bias,
                units_without_bias,
            )
        ),
        *(Misconception(function, keeps=2) for function in (without_the_ends, absolute_height)),
    ),
    alternatives=(with_modules, numpy_loop, float32, float32_as_a_number),
    compare=Close(rtol=3e-5),  # a number has no dtype: one that was computed in float32 has its digits all the same
)
