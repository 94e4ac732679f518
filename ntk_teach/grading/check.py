"""The student's check: is my function right, and if not, which idea did I miss?"""

from __future__ import annotations

from collections.abc import Callable

from ntk_teach.grading.judge import judge_function, refused
from ntk_teach.grading.seeds import seed_for
from ntk_teach.grading.task import WrittenQuestion
from ntk_teach.grading.tasks import BOOK, CHAPTERS, exercise_of, known_tasks, variants
from ntk_teach.grading.verdict import Verdict

__all__ = ["check"]


def check(task_id: str, answer: Callable[..., object], variant: str = BOOK) -> Verdict:
    """Judge ``answer`` on random inputs, in seconds and offline; the grading uses other inputs and the same words.

    Args:
        task_id: ``"05.1"``: chapter and number of the task.
        answer: your function itself, not its result.
        variant: the convention that the text of your notebook states; the notebook says it where it is not the book's.

    Returns: Verdict; a notebook shows its text.

    Raises: ValueError for a task or a variant that does not exist.

    Cost: a call of your function for each of the task's cases. Chapter: instructors_guide.
    """
    number = str(task_id).partition(".")[0]
    if number in CHAPTERS and variant not in variants(number):
        expected = ", ".join(variants(number))
        raise ValueError(
            f"check: expected variant one of {expected}, received {variant!r}; copy the line from your notebook"
        )
    exercise = exercise_of(task_id, variant)
    task = exercise.find(task_id) if exercise else None
    if task is None:
        raise ValueError(
            f"check: expected one of {', '.join(known_tasks())}, received {task_id!r}; copy the id from the task"
        )
    if isinstance(task, WrittenQuestion):
        raise ValueError(f"check: {task_id} ({task.title}) is read by a person, with the rubric in the notebook")
    if not callable(answer):
        return refused(task, f"check expects your function: check({task_id!r}, {task.name}), without calling it")
    return judge_function(task, answer, seed_for(task_id))
