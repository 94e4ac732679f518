"""Task 05.5: what each layer adds to the limiting kernel."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import shares_alternatives, shares_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.description import described
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import biases_scale, points

__all__ = ["layer_shares"]


def reference(x: Tensor, depth: int, sigma_b: float, *, convention: Convention) -> Tensor:
    """The kernel of the network in which one layer alone is trained, for each layer in turn."""
    layers = convention.weight_layers(depth)
    alone = (described(convention, layers, x.shape[1], sigma_b, alone=layer) for layer in range(layers))
    return torch.stack([architecture.ntk(x) for architecture in alone])


def generic(rng: np.random.Generator, *, convention: Convention, layers: int, n: int, d: int) -> Arguments:
    x = convention.input_scale(d) * points(rng, n, d)
    return {"x": x, "depth": convention.depth(layers), "sigma_b": biases_scale(rng)}


def layer_shares(convention: Convention) -> Task:
    def case(shows: str, layers: int, n: int, d: int) -> Case:
        draw = partial(generic, convention=convention, layers=layers, n=n, d=d)
        return Case(shows, f"depth {convention.depth(layers)}", draw)

    return Task(
        id="05.5",
        title="What each layer adds",
        signature=f"layer_shares(x, depth, sigma_b) -> [{convention.layers}, n, n]",
        reference=under(convention, reference),
        credit={"every layer's share": 2, "a network of one layer": 1},
        cases=(
            case("every layer's share", 4, n=5, d=3),
            case("every layer's share", 5, n=6, d=4),
            case("a network of one layer", 1, n=4, d=5),
        ),
        misconceptions=shares_misconceptions.all_of_them(convention),
        alternatives=shares_alternatives.all_of_them(convention),
    )
