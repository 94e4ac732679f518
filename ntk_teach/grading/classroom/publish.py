"""What leaves the course: feedback pages for students, a table for the registry. Both are nbgrader's own."""

from __future__ import annotations

from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.nbgrader_tools import convert, needs_nbgrader
from ntk_teach.grading.task import Exercise

__all__ = ["export", "feedback"]


def feedback(course: Course, exercise: Exercise) -> list[Path]:
    """One page for every graded submission: message and points of each task, never an expected array."""
    graded = [
        student for student in course.students(exercise.slug) if course.autograded(exercise.slug, student).is_file()
    ]
    if not graded:
        do = f"run: ntk-teach grade {exercise.number}"
        raise CourseError(sentence(f"feedback {exercise.slug}", "graded submissions", "none", do))
    problem = convert(course, "GenerateFeedback", assignment=exercise.slug)
    if problem:
        do = "grade the submission that it names again, with --force"
        raise CourseError(sentence(f"feedback {exercise.slug}", "nbgrader to write the pages", problem, do))
    return [page for page in (course.feedback(exercise.slug, student) for student in graded) if page.is_file()]


def export(course: Course, table: Path) -> int:
    """Write nbgrader's table of all assignments and students; return the number of its rows."""
    if not course.gradebook.is_file():
        raise CourseError(sentence("export", "a gradebook", "none", "release and grade an exercise first"))
    with needs_nbgrader():
        from nbgrader.plugins import CsvExportPlugin

        from ntk_teach.grading.classroom.gradebook import gradebook

    with gradebook(course) as book:
        try:
            CsvExportPlugin(to=str(table)).export(book)
        except OSError as error:
            do = "name a file in a folder that exists and is writable"
            raise CourseError(sentence("export", f"to write {table}", str(error.strerror), do)) from None
    return max(len(table.read_text().splitlines()) - 1, 0)
