"""The student's check: is my function right, and if not, which idea did I miss?"""

from __future__ import annotations

from collections.abc import Callable

from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.seeds import seed_for
from ntk_teach.grading.task import Task, WrittenQuestion
from ntk_teach.grading.tasks import exercise_of, known_tasks
from ntk_teach.grading.verdict import PropertyVerdict, Verdict

__all__ = ["check"]


def check(task_id: str, answer: Callable[..., object]) -> Verdict:
    """Judge ``answer`` on random inputs, in seconds and offline; the grading uses other inputs and the same words.

    Args:
        task_id: ``"05.1"``: chapter and number of the task.
        answer: your function itself, not its result.

    Returns: Verdict; a notebook shows its text.

    Raises: ValueError for a task that does not exist.

    Cost: a call of your function for each of the task's cases. Chapter: instructors_guide.
    """
    exercise = exercise_of(task_id)
    task = exercise.find(task_id) if exercise else None
    if task is None:
        raise ValueError(
            f"check: expected one of {', '.join(known_tasks())}, received {task_id!r}; copy the id from the task"
        )
    if isinstance(task, WrittenQuestion):
        raise ValueError(f"check: {task_id} ({task.title}) is read by a person, with the rubric in the notebook")
    if not callable(answer):
        return _refused(task, f"check expects your function: check({task_id!r}, {task.name}), without calling it")
    return judge_function(task, answer, seed_for(task_id))


def _refused(task: Task, message: str) -> Verdict:
    nothing = tuple(PropertyVerdict(name, False, 0.0, points) for name, points in task.credit.items())
    return Verdict(task.id, task.title, nothing, (message,))
