"""What one case draws from one seed. A class has the same inputs, so what follows from them is computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntk_teach.grading.answer import Answer, ask, read
from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["Inputs", "expected", "mistaken"]


@dataclass(frozen=True)
class Inputs:
    """The case at ``position`` of a task, drawn from ``seed``.

    Each case has a generator of its own, so that editing one leaves the others.
    """

    task: Task
    position: int
    seed: int

    @property
    def case(self) -> Case:
        return self.task.cases[self.position]

    @property
    def arguments(self) -> Arguments:
        """By name; to be copied for whoever may change them, as ``ask`` does."""
        return drawn(self)


@lru_cache(maxsize=256)
def drawn(inputs: Inputs) -> Arguments:
    return inputs.case.draw(np.random.default_rng([inputs.seed, inputs.position]))


@lru_cache(maxsize=256)
def expected(inputs: Inputs) -> NDArray[np.float64]:
    """What the reference gives. Raises TypeError if that is no array."""
    task = inputs.task
    value = read(task.reference(*inputs.arguments.values())).value
    if value is None:
        raise TypeError(f"task {task.id}: the reference must return an array of real numbers")
    value.flags.writeable = False
    return value


@lru_cache(maxsize=2048)
def mistaken(inputs: Inputs, misconception: Misconception) -> Answer:
    """What a known mistake gives."""
    return ask(misconception.function, inputs.arguments)
