"""Every task of every chapter, in each of its variants, is tested by what it declares: its misconceptions and its
alternatives are executed.
"""

import pytest
import torch

from ntk_teach.grading.answer import ask
from ntk_teach.grading.inputs import mistaken
from ntk_teach.grading.judge import judge_function, trials
from ntk_teach.grading.tasks import CHAPTERS, exercise, variants
from ntk_teach.grading.trial import Trial

TASKS = {
    f"{task.id}-{name}": task
    for number in CHAPTERS
    for name in variants(number)
    for task in exercise(number, name).tasks
}
pytestmark = pytest.mark.usefixtures("unchecked")  # tiny arrays by the thousand
EACH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


@EACH
def test_declared_in_full(task) -> None:
    """At least three misconceptions, each with a message of its own, and two alternatives."""
    assert len(task.misconceptions) >= 3
    assert len(task.alternatives) >= 2
    messages = [known.message for known in task.misconceptions]
    assert all(len(message) > 20 for message in messages)
    assert len(set(messages)) == len(messages)


@EACH
def test_reference_and_alternatives_earn_everything(task) -> None:
    """Right answers that look different are right."""
    for seed in range(6):
        for answer in (task.reference, *task.alternatives):
            verdict = judge_function(task, answer, seed)
            assert verdict.points == task.points, f"{answer.__name__}, seed {seed}\n{verdict}"


@EACH
def test_every_misconception_is_refused_with_its_own_message(task) -> None:
    """It keeps the points that it declares, and hears its own name alone: so any two are told apart."""
    named(task, range(3))


@EACH
def test_misconceptions_differ_on_every_seed(task) -> None:
    """No two of them, nor one and the reference, agree on all inputs of a seed."""
    told_apart(task, range(20))


@EACH
def test_single_precision_does_not_hide_a_misconception(task) -> None:
    """The wider tolerance of float32 is still narrow next to every mistake: refused, and its name among the offered."""
    in_single_precision(task, range(2))


@EACH
@pytest.mark.soak
def test_over_many_seeds(task) -> None:
    """The same on 200 seeds: a course draws one of 2^64."""
    named(task, range(1000, 1200))
    told_apart(task, range(2000, 2200))
    in_single_precision(task, range(3000, 3040))


def named(task, seeds) -> None:
    for seed in seeds:
        for known in task.misconceptions:
            verdict = judge_function(task, known.function, seed)
            assert verdict.messages == (known.message,), f"{known.name}, seed {seed}\n{verdict}"
            assert verdict.points == known.keeps < task.points, f"{known.name}, seed {seed}\n{verdict}"


def told_apart(task, seeds) -> None:
    """Each answer once for each seed, then every pair: cheaper than judging each."""
    for seed in seeds:
        rows = {"the reference": trials(task, lambda arguments: ask(task.reference, arguments), seed)}
        for wrong in task.misconceptions:
            rows[wrong.name] = [
                Trial.of(trial.inputs, mistaken(trial.inputs, wrong)) for trial in rows["the reference"]
            ]
        names = list(rows)
        for position, one in enumerate(names):
            for other in names[position + 1 :]:
                pairs = zip(rows[one], rows[other], strict=True)
                assert not all(agree(task, a, b) for a, b in pairs), f"{one} and {other}, seed {seed}"


def in_single_precision(task, seeds) -> None:
    for seed in seeds:
        for known in task.misconceptions:
            verdict = judge_function(task, lambda *a, wrong=known.function: torch.as_tensor(wrong(*a)).float(), seed)
            assert verdict.points == known.keeps, f"{known.name}, seed {seed}\n{verdict}"
            assert known.message in " ".join(verdict.messages), f"{known.name}, seed {seed}\n{verdict}"


def agree(task, one: Trial, other: Trial) -> bool:
    if one.answer.value is None or other.answer.value is None:
        return one.answer.kind == other.answer.kind
    return task.compare.same(one.answer.value, other.answer.value)
