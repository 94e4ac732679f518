"""One case, tried: its inputs, the expected array, the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ntk_teach.grading.answer import Answer
from ntk_teach.grading.inputs import Inputs, expected
from ntk_teach.grading.task import Arguments, Case

__all__ = ["Trial"]


@dataclass(frozen=True)
class Trial:
    inputs: Inputs
    expected: NDArray[np.float64]
    answer: Answer
    right: bool
    fitted_note: str = ""

    @property
    def case(self) -> Case:
        return self.inputs.case

    @property
    def arguments(self) -> Arguments:
        return self.inputs.arguments

    @classmethod
    def of(cls, inputs: Inputs, answer: Answer) -> Trial:
        """Compare; an axis of length one too many is forgiven, with a note."""
        note = ""
        compare, right_one = inputs.task.compare, expected(inputs)
        value = answer.value
        if value is None:
            return cls(inputs, right_one, answer, False)
        if (
            value.shape != right_one.shape
            and value.ndim > right_one.ndim
            and value.squeeze().shape == right_one.squeeze().shape
        ):
            note = f"the result has shape {list(value.shape)}; it was read as {list(right_one.shape)}"
            answer = replace(answer, value=value.reshape(right_one.shape))
            value = value.reshape(right_one.shape)
        if answer.single and compare.rtol_single is None:
            problem = "the result is float32: this task needs float64, the dtype of its arguments"
            return cls(inputs, right_one, Answer("unreadable", problem=problem), False)
        if answer.single:
            note = note or f"float32 was compared to {compare.rtol_single:g} of the largest entry"
        right = compare.agree(value, right_one, single=answer.single)
        return cls(inputs, right_one, answer, right, note if right else "")
