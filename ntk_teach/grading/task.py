"""What a graded task is: one object from which the student's check, the grader and the task's own test are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from ntk_teach.grading.compare import Close

__all__ = ["Argument", "Arguments", "Case", "Exercise", "Misconception", "Task", "WrittenQuestion"]

Argument = Tensor | list[Tensor] | int | float
Arguments = Mapping[str, Argument]
Function = Callable[..., object]


@dataclass(frozen=True)
class Case:
    """Fresh inputs for one call: drawn from a generator, so that no answer can be written down beforehand.

    Args:
        shows: the property that this case decides, a key of ``Task.credit``.
        name: what is special about the inputs, in the student's words.
        draw: generator to arguments, by name and in the order of the signature.
    """

    shows: str
    name: str
    draw: Callable[[np.random.Generator], Arguments]


@dataclass(frozen=True)
class Misconception:
    """A wrong implementation that people really write, and what to tell its author.

    Args:
        function: the wrong implementation, executed next to the student's. Its docstring is the message: it names
            the mistake and the idea that it misses, never the corrected code.
        keeps: points that it still earns, because it breaks only some of the properties.
    """

    function: Function
    keeps: int = 0

    @property
    def message(self) -> str:
        return " ".join((self.function.__doc__ or "").split())

    @property
    def name(self) -> str:
        return self.function.__name__


@dataclass(frozen=True, eq=False)  # a task is itself, and can be the key of what was computed for it
class Task:
    """A function that the student writes, and everything needed to judge it.

    Args:
        id: chapter and number, ``"05.1"``.
        title: a few words.
        signature: as the student sees it, with shapes.
        reference: the right answer, a thin call of the library.
        cases: inputs; together they separate every misconception from the reference and from each other.
        credit: points for each property, in order. The first is the condition of the others: a special case that
            comes out right by accident in a wrong answer earns nothing.
        misconceptions, alternatives: wrong answers with a message, right answers that look different.
        compare: when two arrays agree.
        when_nan: what a NaN in the answer usually means in this task.
    """

    id: str
    title: str
    signature: str
    reference: Function
    cases: tuple[Case, ...]
    credit: Mapping[str, int]
    misconceptions: tuple[Misconception, ...]
    alternatives: tuple[Function, ...]
    compare: Close = field(default_factory=Close)
    when_nan: str = ""

    def __post_init__(self) -> None:
        decided = {case.shows for case in self.cases}
        if decided != set(self.credit):
            raise ValueError(
                f"task {self.id}: expected every property of credit to be decided by a case, "
                f"received credit for {sorted(self.credit)} and cases for {sorted(decided)}; name the same properties"
            )

    @property
    def points(self) -> int:
        return sum(self.credit.values())

    @property
    def name(self) -> str:
        """The name of the function that the student writes."""
        return self.signature.partition("(")[0]


@dataclass(frozen=True)
class WrittenQuestion:
    """A question that a person reads and grades; the rubric is shown to the student."""

    id: str
    title: str
    rubric: Mapping[str, int]

    @property
    def points(self) -> int:
        return sum(self.rubric.values())


@dataclass(frozen=True)
class Exercise:
    """The tasks of one chapter.

    Args:
        number, name: ``"05"`` and ``"neural_tangent_kernel"``; together the slug that chapter, notebook and test share.
        provides: names of ``ntk_teach`` that the answers may use.
        tasks, written: what is graded by machine and what by a person.
        variant: the convention that the text states, ``"book"`` for the book's own.
        text, code: what the notebook's markers stand for in this convention: words and formulas, right-hand sides.
    """

    number: str
    name: str
    provides: tuple[str, ...]
    tasks: tuple[Task, ...]
    written: tuple[WrittenQuestion, ...] = ()
    variant: str = "book"
    text: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return f"{self.number}_{self.name}"

    @property
    def items(self) -> tuple[Task | WrittenQuestion, ...]:
        return (*self.tasks, *self.written)

    @property
    def points(self) -> int:
        return sum(item.points for item in self.items)

    def find(self, task_id: str) -> Task | WrittenQuestion | None:
        return next((item for item in self.items if item.id == task_id), None)
