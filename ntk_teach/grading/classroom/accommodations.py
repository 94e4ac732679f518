"""What single students are granted: more days, more computing time. One table in the course, ``accommodations.csv``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.tables import instant, read_table
from ntk_teach.grading.tasks import CHAPTERS, exercise

__all__ = ["Accommodations", "Granted", "load", "slug_of"]

FILE = "accommodations.csv"
EVERY = "*"
MOST = 100.0  # times the ordinary limit: beyond, somebody has written seconds


@dataclass(frozen=True)
class Granted:
    """One row: a later due date, a factor on the limits of computing time, or both."""

    due: datetime | None = None
    time: float | None = None


@dataclass(frozen=True)
class Accommodations:
    """By student and exercise; what a row for one exercise says wins over the student's row for all (``*``)."""

    granted: Mapping[tuple[str, str], Granted] = field(default_factory=dict)

    def due(self, student: str, slug: str, default: datetime | None) -> datetime | None:
        """When this student's work is due: never earlier than for the others, None where nothing is ever late."""
        later = next((row.due for row in self._rows(student, slug) if row.due), None)
        if later is None or default is None:
            return default
        common = default if default.tzinfo else default.replace(tzinfo=UTC)  # nbgrader's times are UTC, unsaid
        return max(later, common)

    def time(self, student: str, slug: str) -> float:
        """Factor on the limits of processor and wall time, at least 1."""
        return next((row.time for row in self._rows(student, slug) if row.time), 1.0)

    def strangers(self, known: Iterable[str]) -> list[str]:
        """Names in the table that are nobody's: a slip of the pen grants nothing, and nobody notices."""
        return sorted({student for student, _ in self.granted} - set(known))

    def _rows(self, student: str, slug: str) -> list[Granted]:
        return [self.granted[key] for key in ((student, slug), (student, EVERY)) if key in self.granted]


def load(course: Course) -> Accommodations:
    """Read ``accommodations.csv``; nothing is granted where there is none.

    Columns: student, exercise (number, slug or ``*``), due (ISO 8601 with zone), time (factor, at least 1); due and
    time may be empty, not both.

    Raises: CourseError naming the line.
    """
    path = course.root / FILE
    if not path.exists():
        return Accommodations()
    found: dict[tuple[str, str], Granted] = {}
    for line in read_table(path, ["student"], ["exercise", "due", "time"]):
        if not line["student"]:
            raise CourseError(sentence(line.place, "a student", "an empty cell", "write the name of their folder"))
        key = line["student"], slug_of(line["exercise"] or EVERY, line.place, every=True)
        if key in found:
            do = "keep one row for each student and exercise"
            raise CourseError(sentence(line.place, f"one row for {' and '.join(key)}", "a second one", do))
        if not line["due"] and not line["time"]:
            do = "write what is granted, or remove the row"
            raise CourseError(sentence(line.place, "due, time or both", "two empty cells", do))
        due = instant(line["due"], line.place) if line["due"] else None
        found[key] = Granted(due, _factor(line["time"], line.place) if line["time"] else None)
    return Accommodations(found)


def slug_of(text: str, place: str, *, every: bool = False) -> str:
    """An exercise by number or slug; ``*`` stays, where every exercise may be meant."""
    if every and text == EVERY:
        return EVERY
    number = text.partition("_")[0].zfill(2)
    if number in CHAPTERS and text in (number, number.lstrip("0"), exercise(number).slug):
        return exercise(number).slug
    names = ", ".join(exercise(number).slug for number in CHAPTERS) + (" or *" if every else "")
    raise CourseError(sentence(place, f"an exercise: {names}", repr(text), "correct the name"))


def _factor(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 <= value <= MOST:
        do = "write 1.5 for half as much again"
        raise CourseError(sentence(place, f"time, a factor from 1 to {MOST:g}", repr(text), do))
    return value
