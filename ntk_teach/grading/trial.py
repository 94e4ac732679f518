"""One case, tried: its inputs, the expected array, the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntk_teach.grading.answer import Answer
from ntk_teach.grading.task import Arguments, Case, Task

__all__ = ["Trial"]


@dataclass(frozen=True)
class Trial:
    case: Case
    arguments: Arguments
    expected: NDArray[np.float64]
    answer: Answer
    right: bool
    fitted_note: str = ""

    @classmethod
    def of(cls, task: Task, case: Case, arguments: Arguments, expected: NDArray[np.float64], answer: Answer) -> Trial:
        """Compare; an axis of length one too many is forgiven, with a note."""
        note = ""
        value = answer.value
        if value is None:
            return cls(case, arguments, expected, answer, False)
        if (
            value.shape != expected.shape
            and value.ndim > expected.ndim
            and value.squeeze().shape == expected.squeeze().shape
        ):
            note = f"the result has shape {list(value.shape)}; it was read as {list(expected.shape)}"
            answer = replace(answer, value=value.reshape(expected.shape))
            value = value.reshape(expected.shape)
        if answer.single and task.compare.rtol_single is None:
            problem = "the result is float32: this task needs float64, the dtype of its arguments"
            return cls(case, arguments, expected, Answer("unreadable", problem=problem), False)
        if answer.single:
            note = note or f"float32 was compared to {task.compare.rtol_single:g} of the largest entry"
        right = task.compare.agree(value, expected, single=answer.single)
        return cls(case, arguments, expected, answer, right, note if right else "")
