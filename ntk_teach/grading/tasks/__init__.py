"""The exercises of the book by chapter number. A chapter is imported when it is asked for.

A chapter declares ``exercise``, in the book's convention, and may declare ``variants``, the same exercise in others.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ntk_teach.grading.task import Exercise

__all__ = ["BOOK", "CHAPTERS", "exercise", "exercise_of", "known_tasks", "variants"]

CHAPTERS = {
    "01": "loss_landscape",
    "02": "kernel_gradient_descent",
    "03": "random_features",
    "04": "gaussian_process_limit",
    "05": "neural_tangent_kernel",
    "06": "least_squares_dynamics",
    "07": "generalization",
    "08": "lazy_training",
    "09": "convolutional_ntk",
    "10": "recurrent_ntk",
    "11": "graph_ntk",
    "12": "physics_informed",
    "13": "neural_collapse",
}
BOOK = "book"  # the variant that every chapter has


def exercise(number: str, variant: str = BOOK) -> Exercise:
    """The exercise of a chapter in one of its variants; KeyError for a chapter or a variant that there is not."""
    return _declared(number)[variant]


def variants(number: str) -> tuple[str, ...]:
    """The names of a chapter's variants, the book's first."""
    return tuple(_declared(number))


def exercise_of(task_id: str, variant: str = BOOK) -> Exercise | None:
    """The exercise that a task belongs to, or None; KeyError for a variant that its chapter has not."""
    number = str(task_id).partition(".")[0]
    return exercise(number, variant) if number in CHAPTERS else None


def known_tasks() -> list[str]:
    """Ids of all tasks, chapter by chapter."""
    return [task.id for number in CHAPTERS for task in exercise(number).tasks]


def _declared(number: str) -> Mapping[str, Exercise]:
    chapter = import_module(f"ntk_teach.grading.tasks.{CHAPTERS[number]}")
    return {BOOK: chapter.exercise} | {other.variant: other for other in getattr(chapter, "variants", ())}
