"""From a wrong answer to one or two sentences: a known misconception first, then what the numbers themselves say."""

from __future__ import annotations

from ntk_teach.grading.fingerprint import named
from ntk_teach.grading.numerics import described
from ntk_teach.grading.task import Task
from ntk_teach.grading.trial import Trial

__all__ = ["explain"]


def explain(task: Task, tried: list[Trial]) -> tuple[str, ...]:
    """Sentences for the student. At most one expected number is shown, never the expected array."""
    for trial in tried:
        if trial.answer.kind == "unanswered":
            return (trial.answer.problem,)
    message = named(task, tried)
    if message:
        return (message,)
    told = []
    for position, shown in enumerate(task.credit):
        group = [trial for trial in tried if trial.case.shows == shown]
        if any(not trial.right for trial in group):
            told.append(named(task, group) or _plain(task, group))
            if position == 0:
                break  # the others count only once the first property holds
    return tuple(told)


def _plain(task: Task, group: list[Trial]) -> str:
    """Without a name for the mistake: the first trial without a value, or what the values have in common."""
    wrong = [trial for trial in group if not trial.right]
    silent = next((trial for trial in wrong if trial.answer.value is None), None)
    message = f"{silent.case.name}: {silent.answer.problem}" if silent else described(task, wrong)
    right = [trial.case.name for trial in group if trial.right]
    return f"{message} (Right for: {'; '.join(right)}.)" if right else message
