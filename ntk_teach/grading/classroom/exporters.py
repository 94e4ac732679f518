"""The gradebook as a table: nbgrader's own columns, or what Canvas or Moodle can read in. Needs the [instructor] extra.

``ntk-teach export`` uses them, and so does ``nbgrader export
--exporter=ntk_teach.grading.classroom.exporters.CanvasExport --to canvas.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

from ntk_teach.grading.classroom import canvas, moodle
from ntk_teach.grading.classroom.tables import Value, write_table

__all__ = ["FORMATS", "CanvasExport", "Grade", "MoodleExport", "PlainExport", "Pupil"]


# nbgrader's own columns
WHO = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email")
POINTS = ("raw_score", "late_submission_penalty", "score", "max_score")


@dataclass(frozen=True)
class Grade:
    """One student's points in one exercise.

    Args:
        raw, penalty, score: earned, lost by lateness, and the difference.
        received: time of receipt, in UTC; empty if none is known.
        tasks: points of each graded cell, in the order of the notebook.
        unread: the cells that wait for a person.
    """

    raw: float
    penalty: float
    received: str = ""
    tasks: dict[str, tuple[float, float]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        return max(0.0, self.raw - self.penalty)

    @property
    def words(self) -> str:
        """All of it in one cell of text."""
        parts = [
            f"{name.replace('-', '.')}: {'not read yet' if name in self.unread else f'{earned:g} of {most:g}'}"
            for name, (earned, most) in self.tasks.items()
        ]
        parts += [f"late: -{self.penalty:.4g}"] if self.penalty else []
        return "; ".join(parts)


@dataclass(frozen=True)
class Pupil:
    """A student of the gradebook; ``grades`` has the exercises that they handed in."""

    id: str
    first: str
    last: str
    email: str
    lms: str
    grades: dict[str, Grade]

    @property
    def name(self) -> str:
        return ", ".join(part for part in (self.last, self.first) if part) or self.id


class _TableExport(ExportPlugin):  # type: ignore[misc]
    """Reads the gradebook once; a format says what the rows are."""

    default_name = "grades.csv"
    written = 0  # rows of the last export, without the header

    def export(self, gradebook: Gradebook) -> None:
        rows = self.rows(gradebook)
        write_table(Path(self.to or self.default_name), rows)
        self.written = len(rows) - 1

    def rows(self, gradebook: Gradebook) -> list[list[Value]]:
        raise NotImplementedError

    def exercises(self, gradebook: Gradebook) -> list[Any]:
        wanted = {str(name) for name in self.assignment}
        return [item for item in gradebook.assignments if not wanted or item.name in wanted]

    def pupils(self, gradebook: Gradebook) -> list[Pupil]:
        wanted = {str(name) for name in self.student}
        graded = {
            item.name: {sub.student_id: _grade(sub) for sub in item.submissions} for item in self.exercises(gradebook)
        }
        return [
            Pupil(
                id=str(student.id),
                first=student.first_name or "",
                last=student.last_name or "",
                email=student.email or "",
                lms=student.lms_user_id or "",
                grades={name: of[student.id] for name, of in graded.items() if student.id in of},
            )
            for student in sorted(gradebook.students, key=lambda student: str(student.id))
            if not wanted or student.id in wanted
        ]


class PlainExport(_TableExport):
    """nbgrader's own table, one row for each exercise and student, with quotation marks where they are needed."""

    def rows(self, gradebook: Gradebook) -> list[list[Value]]:
        rows: list[list[Value]] = [[*WHO, *POINTS]]
        pupils = self.pupils(gradebook)
        for item in self.exercises(gradebook):
            due = str(item.duedate or "")
            for pupil in pupils:
                grade = pupil.grades.get(item.name, Grade(0.0, 0.0))  # as nbgrader: nothing handed in is zero
                who: list[Value] = [pupil.id, pupil.last, pupil.first, pupil.email]
                points: list[Value] = [grade.raw, grade.penalty, grade.score, float(item.max_score)]
                rows.append([item.name, due, grade.received, *who, *points])
        return rows


class CanvasExport(_TableExport):
    """Canvas's gradebook, one row for each student. With a roster, an export of Canvas's own, its ids are used."""

    default_name = "canvas.csv"
    roster = Unicode("", help="a CSV file that Canvas exported, to take its ids from").tag(config=True)

    def rows(self, gradebook: Gradebook) -> list[list[Value]]:
        maxima = {item.name: float(item.max_score) for item in self.exercises(gradebook)}
        return canvas.rows(self.pupils(gradebook), maxima, Path(self.roster) if self.roster else None)


class MoodleExport(_TableExport):
    """Moodle's grade import. With a roster, an assignment's grading worksheet, that worksheet is filled in."""

    default_name = "moodle.csv"
    roster = Unicode("", help="the grading worksheet of one assignment, downloaded from Moodle").tag(config=True)

    def rows(self, gradebook: Gradebook) -> list[list[Value]]:
        maxima = {item.name: float(item.max_score) for item in self.exercises(gradebook)}
        return moodle.rows(self.pupils(gradebook), maxima, Path(self.roster) if self.roster else None)


FORMATS = {"plain": PlainExport, "canvas": CanvasExport, "moodle": MoodleExport}


def _grade(submission: Any) -> Grade:
    cells = [grade for notebook in submission.notebooks for grade in notebook.grades]
    cells.sort(key=lambda grade: str(grade.name))
    return Grade(
        raw=float(submission.score or 0.0),
        penalty=float(submission.late_submission_penalty or 0.0),
        received=str(submission.timestamp or ""),
        tasks={str(cell.name): (float(cell.score), float(cell.max_score)) for cell in cells},
        unread=tuple(str(cell.name) for cell in cells if cell.auto_score is None and cell.manual_score is None),
    )
