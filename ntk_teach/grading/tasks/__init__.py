"""The exercises of the book by chapter number. A chapter is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from ntk_teach.grading.task import Exercise

__all__ = ["CHAPTERS", "exercise", "exercise_of", "known_tasks"]

CHAPTERS = {"05": "neural_tangent_kernel"}


def exercise(number: str) -> Exercise:
    """The exercise of a chapter; KeyError for a chapter that has none."""
    found: Exercise = import_module(f"ntk_teach.grading.tasks.{CHAPTERS[number]}").exercise
    return found


def exercise_of(task_id: str) -> Exercise | None:
    """The exercise that a task belongs to, or None."""
    number = str(task_id).partition(".")[0]
    return exercise(number) if number in CHAPTERS else None


def known_tasks() -> list[str]:
    """Ids of all tasks, chapter by chapter."""
    return [task.id for number in CHAPTERS for task in exercise(number).tasks]
