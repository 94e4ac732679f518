"""A course with a gradebook made by hand: two exercises, some students, some points. No notebook is run."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.classroom.nbgrader_tools import environment, needs_nbgrader

SLUG = "05_neural_tangent_kernel"
EXERCISES = Path(__file__).parents[2] / "exercises"
DUE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def bare(root: Path) -> Course:
    """A course in which nothing has happened yet."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXERCISES / "nbgrader_config.py", root)
    return Course(root.resolve())


def hand_in(course: Course, student: str, text: str = "{}") -> Path:
    """A file where a notebook belongs."""
    path = course.root / "submitted" / student / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def open_book(course: Course):
    with needs_nbgrader():
        from nbgrader.api import Gradebook
    return Gradebook(f"sqlite:///{course.gradebook}")


@cache
def _empty_book() -> bytes:
    """nbgrader asks another program for the version of its tables when it makes them: seconds, so once."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder, needs_nbgrader(), environment({"PATH": path}):
        course = Course(Path(folder))
        open_book(course).close()
        return course.gradebook.read_bytes()


def booked(root: Path, scores: dict[str, tuple[float, float] | None], due: datetime | None = DUE, **people) -> Course:
    """Points of the tasks 05-1 (of 3) and 05-2 (of 7), by student; ``people`` has more of them."""
    course = bare(root)
    course.gradebook.write_bytes(_empty_book())
    with needs_nbgrader(), open_book(course) as book:
        book.add_assignment(SLUG, duedate=due.replace(tzinfo=None) if due else None)
        book.add_notebook(SLUG, SLUG)
        for name, most in (("05-1", 3), ("05-2", 7)):
            book.add_grade_cell(name, SLUG, SLUG, max_score=most, cell_type="code")
        for student, points in scores.items():
            book.add_student(student, **people.get(student, {}))
            if points is not None:
                hand_in(course, student)
                book.add_submission(SLUG, student)
                for name, earned in zip(("05-1", "05-2"), points, strict=True):
                    grade = book.find_grade(name, SLUG, SLUG, student)
                    grade.auto_score, grade.needs_manual_grade = earned, False
        book.db.commit()
    return course
