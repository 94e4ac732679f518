"""From answers to a verdict: fresh inputs, the reference on them, and what the difference means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ntk_teach.grading.answer import Answer, ask
from ntk_teach.grading.diagnose import explain
from ntk_teach.grading.inputs import Inputs
from ntk_teach.grading.task import Arguments, Task
from ntk_teach.grading.trial import Trial
from ntk_teach.grading.verdict import PropertyVerdict, Verdict

__all__ = ["judge", "judge_function", "refused", "trials"]


def judge_function(task: Task, function: Callable[..., object], seed: int) -> Verdict:
    """Judge a function that lives in this process."""
    return judge(task, lambda arguments: ask(function, arguments), seed)


def judge(task: Task, answering: Callable[[Arguments], Answer], seed: int) -> Verdict:
    """Judge whoever turns arguments into answers: the function may live in another process.

    Args:
        task: what was asked.
        answering: arguments to an answer; it sees the inputs and nothing else.
        seed: of the inputs.

    Returns: Verdict. Cost: one call of answer and reference for each case, and, for a wrong answer, one of each
    misconception.
    """
    tried = trials(task, answering, seed)
    first = next(iter(task.credit))
    groups = {name: [trial.right for trial in tried if trial.case.shows == name] for name in task.credit}
    wanted = Counter(case.shows for case in task.cases)  # fewer were tried where the function refused one in between
    holds = {name: len(group) == wanted[name] and all(group) for name, group in groups.items()}
    properties = tuple(
        PropertyVerdict(name, holds[name], float(points if holds[name] and holds[first] else 0), points)
        for name, points in task.credit.items()
    )
    notes = dict.fromkeys(note for trial in tried for note in (trial.answer.note, trial.fitted_note) if note)
    messages = () if all(holds.values()) else explain(task, tried)
    return Verdict(task.id, task.title, properties, messages, tuple(notes))


def refused(task: Task, message: str) -> Verdict:
    """No points, and why, for what could not be tried at all."""
    nothing = tuple(PropertyVerdict(name, False, 0.0, points) for name, points in task.credit.items())
    return Verdict(task.id, task.title, nothing, (message,))


def trials(task: Task, answering: Callable[[Arguments], Answer], seed: int) -> list[Trial]:
    """One trial for each case."""
    tried = []
    for position in range(len(task.cases)):
        inputs = Inputs(task, position, seed)
        tried.append(Trial.of(inputs, answering(inputs.arguments)))
        if tried[-1].answer.kind == "unanswered":
            break  # one sentence is enough
    return tried
