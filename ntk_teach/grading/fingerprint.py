"""Which known mistake gives this very answer? Each misconception is run on the student's inputs and compared."""

from __future__ import annotations

from ntk_teach.grading.answer import Answer
from ntk_teach.grading.inputs import mistaken
from ntk_teach.grading.task import Misconception, Task
from ntk_teach.grading.trial import Trial

__all__ = ["named"]


def named(task: Task, tried: list[Trial]) -> str:
    """The message of the misconception that equals the answer in every trial; "one of" on a tie; empty for none."""
    found = [known.message for known in task.misconceptions if _equals(task, known, tried)]
    if len(found) < 2:
        return "".join(found)
    return "One of these: " + " Or: ".join(found)


def _equals(task: Task, known: Misconception, tried: list[Trial]) -> bool:
    """Equal everywhere, and somewhere equal as numbers that are wrong: two crashes alone are no evidence."""
    evidence = False
    for trial in tried:
        theirs = Trial.of(trial.inputs, mistaken(trial.inputs, known)).answer
        if not _same(task, trial.answer, theirs):
            return False
        evidence = evidence or (trial.answer.value is not None and not trial.right)
    return evidence


def _same(task: Task, student: Answer, theirs: Answer) -> bool:
    if student.value is None or theirs.value is None:
        return student.kind == theirs.kind
    return task.compare.same(student.value, theirs.value, single=student.single)
