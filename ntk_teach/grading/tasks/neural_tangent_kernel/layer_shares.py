"""Task 05.5: what each layer adds to the limiting kernel."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach import Dense, relu, serial
from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import shares_alternatives, shares_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import biases_scale, points

__all__ = ["layer_shares"]


def reference(x: Tensor, depth: int, sigma_b: float) -> Tensor:
    """The kernel of the network in which one layer alone is trained, for each layer in turn."""

    def alone(trained: int) -> Tensor:
        dense = [Dense(sigma_b=sigma_b, trained=layer == trained) for layer in range(depth)]
        return serial(dense[0], *[part for layer in dense[1:] for part in (relu, layer)]).ntk(x)

    return torch.stack([alone(layer) for layer in range(depth)])


def generic(rng: np.random.Generator, *, depth: int, n: int, d: int) -> Arguments:
    return {"x": points(rng, n, d), "depth": depth, "sigma_b": biases_scale(rng)}


layer_shares = Task(
    id="05.5",
    title="What each layer adds",
    signature="layer_shares(x, depth, sigma_b) -> [depth, n, n]",
    reference=reference,
    credit={"every layer's share": 2, "a network of one layer": 1},
    cases=(
        Case("every layer's share", "depth 4", partial(generic, depth=4, n=5, d=3)),
        Case("every layer's share", "depth 5", partial(generic, depth=5, n=6, d=4)),
        Case("a network of one layer", "depth 1", partial(generic, depth=1, n=4, d=5)),
    ),
    misconceptions=shares_misconceptions.all_of_them,
    alternatives=shares_alternatives.all_of_them,
)
