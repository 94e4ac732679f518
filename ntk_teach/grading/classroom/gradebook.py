"""What nbgrader's gradebook says about a submission, and a zero where there is nothing to grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.classroom.nbgrader_tools import needs_nbgrader
from ntk_teach.grading.classroom.notebooks import read
from ntk_teach.grading.classroom.preprocessors import NOTES
from ntk_teach.grading.classroom.report import Row
from ntk_teach.grading.task import Exercise

__all__ = ["enter_zero", "gradebook", "has", "looked_up", "notes"]


@contextmanager
def gradebook(course: Course) -> Iterator[Gradebook]:
    """The course's gradebook, open."""
    with needs_nbgrader(), Gradebook(f"sqlite:///{course.gradebook}", "") as book:
        yield book


def has(course: Course, exercise: Exercise, student: str) -> bool:
    """Is there a submission of this student in the gradebook?"""
    with gradebook(course) as book:
        try:
            book.find_submission(exercise.slug, student)
        except MissingEntry:
            return False
    return True


def looked_up(course: Course, exercise: Exercise, row: Row, *, again: bool = True) -> Row:
    """The row with the points that the gradebook has now: a person may have changed them."""
    with gradebook(course) as book:
        submission = book.find_submission(exercise.slug, row.student)
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        tasks = {grade.name: float(grade.score) for grade in grades}
        written = {question.id.replace(".", "-") for question in exercise.written}
        unread = sum(
            float(g.max_score) for g in grades if g.name in written and g.auto_score is None and g.manual_score is None
        )
        return replace(row, score=float(submission.score), tasks=tasks, to_read=float(unread), again=again)


def enter_zero(course: Course, exercise: Exercise, student: str) -> None:
    """A submission with no points, marked for a person to look at."""
    with gradebook(course) as book:
        book.update_or_create_student(student)
        submission = book.update_or_create_submission(exercise.slug, student)
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                grade.auto_score, grade.needs_manual_grade = 0.0, True
        book.db.commit()


def notes(course: Course, exercise: Exercise, student: str) -> Mapping[str, Any]:
    """What our steps wrote into the autograded notebook."""
    notebook = read(course.autograded(exercise.slug, student))
    found: Mapping[str, Any] = notebook.metadata.get(NOTES, {})
    return found
