"""A task small enough to see through: f(x, depth) = depth · x · xᵀ, with a special case at depth 1."""

import numpy as np
import torch

from ntk_teach.grading.compare import Close
from ntk_teach.grading.task import Case, Misconception, Task


def outer(x, depth):
    return depth * torch.outer(x, x[:3])


def ignores_depth(x, depth):
    """You ignored depth."""
    return torch.outer(x, x[:3])


def depth_is_one(x, depth):
    """You assumed depth 1."""
    return 1.0 * torch.outer(x, x[:3])


def adds_depth(x, depth):
    """You added depth."""
    return torch.outer(x, x[:3]) + depth


def fails_on_one(x, depth):
    """You divided by depth - 1."""
    return outer(x, depth) / (depth - 1) * (depth - 1)


def draw(depth):
    return lambda rng: {"x": torch.from_numpy(rng.normal(size=5)), "depth": depth}


def task(*wrong, compare=Close(), keeps=0):  # noqa: B008  (frozen)
    return Task(
        id="99.1",
        title="A tiny task",
        signature="outer(x, depth) -> [n, 3]",
        reference=outer,
        cases=(
            Case("general", "depth 3", draw(3)),
            Case("general", "depth 4", draw(4)),
            Case("one", "depth 1", draw(1)),
        ),
        credit={"general": 2, "one": 1},
        misconceptions=tuple(Misconception(function, keeps) for function in wrong),
        alternatives=(lambda x, depth: np.outer(x, x[:3]) * depth,),
        compare=compare,
    )
