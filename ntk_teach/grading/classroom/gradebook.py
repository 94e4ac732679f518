"""One writer: nbgrader's gradebook, opened once for a run, and the autograded notebooks next to it.

Every entry is made so that making it twice changes nothing: a run that was killed between two steps makes it again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from nbgrader import utils
from nbgrader.api import Gradebook, InvalidEntry, MissingEntry, SubmittedAssignment
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.nbgrader_tools import needs_nbgrader
from ntk_teach.grading.classroom.notebooks import NotebookNode, message, number, read, write
from ntk_teach.grading.classroom.report import Row
from ntk_teach.grading.task import Exercise

__all__ = ["Writer", "blank", "gradebook", "notes"]

PATIENCE = 20  # seconds for another program, such as formgrader, to finish its own write


@contextmanager
def gradebook(course: Course) -> Iterator[Gradebook]:
    """The course's gradebook, open. What the database refuses becomes one sentence."""
    with needs_nbgrader(), refusals(course), Gradebook(f"sqlite:///{course.gradebook}", "") as book:
        book.db.execute(sql(f"PRAGMA busy_timeout = {1000 * PATIENCE}"))
        yield book


@contextmanager
def refusals(course: Course) -> Iterator[None]:
    """A locked, full, read-only or damaged database: what it is, and what to do."""
    try:
        yield
    except (DatabaseError, InvalidEntry) as error:
        said = str(getattr(error, "orig", None) or error)
        do = {
            "locked": "close the other program that writes in it (formgrader, a second grading), and run this again",
            "full": "free some space, and run this again: what was finished is kept",
            "readonly": "make the file and its folder writable, or copy the course elsewhere",
            "no such column": "it is of another version: back it up, then run nbgrader db upgrade",
        }
        what = next((advice for word, advice in do.items() if word in said), "restore it from a backup")
        raise CourseError(sentence(str(course.gradebook), "a gradebook to read and write", said, what)) from None


class Writer:
    """Enters results. There is one for each run, and the course's lock keeps other runs away.

    Args:
        course, exercise: where.
        book: the open gradebook.
    """

    def __init__(self, course: Course, exercise: Exercise, book: Gradebook) -> None:
        self.course, self.exercise, self.book = course, exercise, book

    def enter(self, student: str, notebook: NotebookNode, *, text: str = "", review: bool = False) -> None:
        """The notebook to its place, its points and comments to the gradebook: scores by hand stay.

        Args:
            student, notebook: whose, and what was graded.
            text: the notebook as it was written by the worker; written anew without.
            review: a person shall look at every task.
        """
        self._place(student, notebook, text)
        self.book.update_or_create_student(student)
        submission = self.book.update_or_create_submission(self.exercise.slug, student)
        (entry,) = (nb for nb in submission.notebooks if nb.name == self.exercise.slug)
        grades = {grade.name: grade for grade in entry.grades}
        comments = {comment.name: comment for comment in entry.comments}
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if utils.is_grade(cell) and name in grades:
                grade = grades[name]
                grade.auto_score, _ = utils.determine_grade(cell)
                # What a person decided is asked for again, as nbgrader does: the answer may be another now.
                grade.needs_manual_grade = review or grade.manual_score is not None or grade.auto_score is None
            if utils.is_solution(cell) and name in comments:
                unchanged = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                comments[name].auto_comment = "No response." if unchanged else None
        self.book.db.commit()

    def _place(self, student: str, notebook: NotebookNode, text: str) -> None:
        path = self.course.autograded(self.exercise.slug, student)
        with self.course.writable():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            with suppress(FileNotFoundError):
                draft.unlink()
            if text:
                draft.write_text(text + "\n", encoding="utf-8")
            else:
                write(notebook, draft)
            draft.chmod(0o444)
            os.replace(draft, path)
            for other in path.parent.iterdir():  # what an earlier grading left, such as copies of a student's files
                if other != path and not other.is_dir():
                    other.unlink()
                elif other != path:
                    shutil.rmtree(other, ignore_errors=True)

    def has(self, student: str) -> bool:
        """Is there a graded submission of this student?"""
        return self.course.autograded(self.exercise.slug, student).is_file() and self._find(student) is not None

    def looked_up(self, row: Row, *, again: bool) -> Row:
        """The row with the points that the gradebook has now: a person may have changed them."""
        submission = self._find(row.student)
        if submission is None:
            return replace(row, again=again)
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        written = {question.id.replace(".", "-") for question in self.exercise.written}
        unread = sum(
            float(g.max_score) for g in grades if g.name in written and g.auto_score is None and g.manual_score is None
        )
        return replace(
            row,
            score=float(submission.score),
            tasks={grade.name: float(grade.score) for grade in grades},
            to_read=float(unread),
            penalty=float(submission.late_submission_penalty or 0.0),
            again=again,
        )

    def _find(self, student: str) -> SubmittedAssignment | None:
        try:
            return self.book.find_submission(self.exercise.slug, student)
        except MissingEntry:
            return None


def blank(released: NotebookNode, reason: str, key: str) -> NotebookNode:
    """The released notebook with no points and a reason at every task: what is shown where there is nothing to show."""
    verdicts = {}
    for cell in released.cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and meta.get("grade"):
            text = f"failed, 0 of {meta['points']:g} points: {reason}"
            cell.outputs = [message(text), number(0.0, None)]
            verdicts[meta["grade_id"]] = {"points": 0.0, "text": text}
    released.metadata[key] = {"verdicts": verdicts, "mended": [], "refused": reason}
    return released


def notes(course: Course, exercise: Exercise, student: str) -> Mapping[str, Any]:
    """What our steps wrote into the autograded notebook."""
    found: Mapping[str, Any] = read(course.autograded(exercise.slug, student)).metadata.get("ntk_teach", {})
    return found
