"""What leaves the course: feedback pages for students, a table for the registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.nbgrader_tools import convert, needs_nbgrader
from ntk_teach.grading.task import Exercise

__all__ = ["Exported", "export", "feedback"]


@dataclass(frozen=True)
class Exported:
    """A table that was written: its rows without the header, and whose points still wait for a person."""

    path: Path
    rows: int
    unread: tuple[str, ...]


def feedback(course: Course, exercise: Exercise) -> list[Path]:
    """One page for every graded submission: message and points of each task, never an expected array."""
    graded = [
        student for student in course.students(exercise.slug) if course.autograded(exercise.slug, student).is_file()
    ]
    if not graded:
        do = f"run: ntk-teach grade {exercise.number}"
        raise CourseError(sentence(f"feedback {exercise.slug}", "graded submissions", "none", do))
    with _gradebook(course) as book:
        _settled(course, book, [exercise.slug])
    problem = convert(course, "GenerateFeedback", assignment=exercise.slug)
    if problem:
        do = "grade the submission that it names again, with --force"
        raise CourseError(sentence(f"feedback {exercise.slug}", "nbgrader to write the pages", problem, do))
    return [page for page in (course.feedback(exercise.slug, student) for student in graded) if page.is_file()]


def export(
    course: Course, table: Path, *, format: str = "plain", exercise: Exercise | None = None, roster: Path | None = None
) -> Exported:
    """Write the grades of one exercise, or of all, to a CSV file, whole or not at all.

    Args:
        course: the folder.
        table: the file.
        format: ``plain``, nbgrader's own columns; ``canvas`` or ``moodle``, what they can read in.
        exercise: which one; None for all in the gradebook.
        roster: what Canvas or Moodle exported, to take their names of students and columns from.

    Raises: CourseError without a gradebook, for a file that cannot be written, a roster that does not fit.
    """
    if not course.gradebook.is_file():
        raise CourseError(sentence("export", "a gradebook", "none", "release and grade an exercise first"))
    if roster and format == "plain":
        raise CourseError(sentence("export", "--format canvas or moodle with --roster", "plain", "name the format"))
    with needs_nbgrader():
        from ntk_teach.grading.classroom.exporters import FORMATS

    with _gradebook(course) as book:
        names = [exercise.slug] if exercise else [str(item.name) for item in book.assignments]
        _settled(course, book, names)
        made = FORMATS[format](to=str(table), assignment=names, **({"roster": str(roster)} if roster else {}))
        made.export(book)
        pupils = made.pupils(book)
    unread = sorted({pupil.id for pupil in pupils for grade in pupil.grades.values() if grade.unread})
    return Exported(table, made.written, tuple(unread))


def _settled(course: Course, book: Any, slugs: list[str]) -> None:
    """Penalties for lateness follow the points that a person gave since the grading."""
    from ntk_teach.grading.classroom.late import policy, settle

    rule = policy(course)
    if rule is None:
        return
    for slug in slugs:
        settle(book, course, slug, rule)


@contextmanager
def _gradebook(course: Course) -> Iterator[Any]:
    """Open; where nbgrader is missing, a sentence says so."""
    with needs_nbgrader():
        from ntk_teach.grading.classroom.gradebook import gradebook
    with gradebook(course) as book:
        yield book
