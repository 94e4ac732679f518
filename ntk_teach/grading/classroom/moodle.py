"""Rows for Moodle: a table for *Grades, Import, CSV file*, or the filled-in grading worksheet of one assignment.

The import asks which column is what: choose *Email address* or *Username* for the student; points and words of an
exercise go together, since Moodle empties the one that is left out. The worksheet is matched by Moodle itself, on its
column *Identifier*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.tables import Value, read_rows

if TYPE_CHECKING:
    from ntk_teach.grading.classroom.exporters import Pupil

__all__ = ["rows"]

WORDS = "Feedback comments"
NEEDED = ("Identifier", "Grade", "Last modified (grade)")
WHO = ("ID number", "Username", "Email address")


def rows(pupils: Sequence[Pupil], maxima: Mapping[str, float], roster: Path | None = None) -> list[list[Value]]:
    """The table. A cell is empty where nothing was handed in.

    Args:
        pupils: students with their grades.
        maxima: points of each exercise; also the order of the columns.
        roster: the grading worksheet of one assignment; then there must be one exercise.

    Raises: CourseError for a worksheet that is none, has another maximum, or lacks a student who has a grade.
    """
    if roster is not None:
        return _filled(roster, pupils, maxima)
    columns = [column for slug in maxima for column in (slug, f"Feedback: {slug}")]
    table: list[list[Value]] = [["Username", "ID number", "First name", "Last name", "Email address", *columns]]
    for pupil in pupils:
        cells: list[Value] = []
        for slug in maxima:
            grade = pupil.grades.get(slug)
            cells += [grade.score, grade.words] if grade else [None, None]
        table.append([pupil.id, pupil.lms, pupil.first, pupil.last, pupil.email, *cells])
    return table


def _filled(path: Path, pupils: Sequence[Pupil], maxima: Mapping[str, float]) -> list[list[Value]]:
    if len(maxima) != 1:
        do = "name the chapter: ntk-teach export --format moodle --roster FILE --csv FILE 05"
        raise CourseError(sentence(str(path), "one exercise for a worksheet", f"{len(maxima)}", do))
    (slug, most), (header, *lines) = *maxima.items(), read_rows(path)
    do = "give the file of View all submissions, Download grading worksheet"
    if missing := [name for name in NEEDED if name not in header]:
        raise CourseError(sentence(f"{path}, line 1", "Moodle's columns", f"none called {', '.join(missing)}", do))
    if not any(name in header for name in WHO):
        raise CourseError(sentence(f"{path}, line 1", f"one of {', '.join(WHO)}", "none", do))
    by_name = {name.lower(): pupil for pupil in pupils for name in (pupil.email, pupil.lms, pupil.id) if name}
    filled, met = [], set()
    for cells in lines:
        row = dict(zip(header, cells, strict=False))
        names = [row.get(name, "").strip().lower() for name in WHO]
        names += [row.get("Email address", "").partition("@")[0].strip().lower()]
        pupil = next((by_name[name] for name in names if name and name in by_name), None)
        maximum = row.get("Maximum Grade", row.get("Maximum grade", "")).strip()
        if pupil and maximum and _number(maximum) != most:
            do = f"set the assignment's maximum grade in Moodle to {most:g}, and download the worksheet again"
            raise CourseError(sentence(str(path), f"a maximum grade of {most:g}", maximum, do))
        if pupil and slug in pupil.grades:
            met.add(pupil.id)
            row["Grade"] = f"{pupil.grades[slug].score:.10g}"
            if WORDS in header:
                row[WORDS] = pupil.grades[slug].words
        filled.append([_as_value(name, row.get(name, "")) for name in header])
    if strangers := sorted({pupil.id for pupil in pupils if slug in pupil.grades} - met):
        do = "give these students the email address or the ID number that Moodle has"
        raise CourseError(sentence(str(path), "every graded student", f"nobody called {', '.join(strangers)}", do))
    return [[*header], *filled]


def _as_value(name: str, text: str) -> Value:
    number = _number(text) if name in ("Grade", "Maximum Grade", "Maximum grade") else None
    return text if number is None else number


def _number(text: str) -> float | None:
    """Moodle writes 12,50 where its language does."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
