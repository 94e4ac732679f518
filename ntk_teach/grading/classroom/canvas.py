"""Rows for Canvas's gradebook, as its importer reads them.

First row ``Student, ID, SIS User ID, SIS Login ID, Section`` and a column for each assignment, ``title (number)``; a
row ``Points Possible``; then the students. Canvas looks a student up by ID, a number that only Canvas knows, else by
SIS User ID, else by SIS Login ID, else by name. An assignment without its number is looked up by title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.tables import Value, read_rows

if TYPE_CHECKING:
    from ntk_teach.grading.classroom.exporters import Pupil

__all__ = ["rows"]

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
WHO = COLUMNS[1:4]  # what may identify a student


@dataclass(frozen=True)
class Roster:
    """What Canvas exported: its students by each of their names, its assignment columns, and where it came from."""

    place: str
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    titles: Sequence[str] = ()

    def title(self, slug: str) -> str:
        """Canvas's own column for an exercise; without one the slug, which Canvas offers to create."""
        found = [title for title in self.titles if _words(slug) in _words(re.sub(r"\s*\(\d+\)$", "", title))]
        if len(found) > 1:
            do = "rename one of them in Canvas, or remove its column"
            raise CourseError(sentence(self.place, f"one column for {slug}", ", ".join(found), do))
        return found[0] if found else slug


def rows(pupils: Sequence[Pupil], maxima: Mapping[str, float], roster: Path | None = None) -> list[list[Value]]:
    """The table. A cell is empty where nothing was handed in: Canvas leaves its own entry as it is.

    Args:
        pupils: students with their grades.
        maxima: points of each exercise; also the order of the columns.
        roster: a CSV file that Canvas exported. Without it the student's name in our gradebook is the SIS Login ID.

    Raises: CourseError for a roster that is none, or that lacks a student who has a grade.
    """
    known = _read(roster) if roster else None
    titles = [known.title(slug) if known else slug for slug in maxima]
    table: list[list[Value]] = [[*COLUMNS, *titles], ["    Points Possible", "", "", "", "", *maxima.values()]]
    strangers = []
    for pupil in pupils:
        grades: list[Value] = [pupil.grades[slug].score if slug in pupil.grades else None for slug in maxima]
        if known is None:
            # Never our own name as ID: Canvas reads digits out of it, and gives the points to somebody else.
            number = pupil.lms if pupil.lms.isdigit() else ""
            table.append([pupil.name, number, "", pupil.id, "", *grades])
            continue
        names = (pupil.lms, pupil.id, pupil.email, pupil.email.partition("@")[0])
        row = next((known.known[name.lower()] for name in names if name.lower() in known.known), None)
        if row is not None:
            table.append([*(row[column] for column in COLUMNS), *grades])
        elif pupil.grades:
            strangers.append(pupil.id)
    if strangers:
        expected = f"every graded student under {', '.join(WHO)}"
        do = "export the roster again, or give the students their Canvas id: nbgrader db student add ID --lms-user-id=N"
        raise CourseError(sentence(str(roster), expected, f"nobody called {', '.join(strangers)}", do))
    return table


def _read(path: Path) -> Roster:
    header, *lines = read_rows(path)
    if missing := [name for name in COLUMNS if name not in header and name not in ("SIS User ID", "SIS Login ID")]:
        do = "give the file that Canvas writes: Grades, Export, Export Entire Gradebook"
        raise CourseError(sentence(f"{path}, line 1", "Canvas's columns", f"none called {', '.join(missing)}", do))
    section = header.index("Section")
    titles = [title for title in header[section + 1 :] if re.search(r"\(\d+\)$", title)]
    known: dict[str, dict[str, str]] = {}
    ambiguous: set[str] = set()
    for cells in lines:
        row = {name: cells[header.index(name)] if name in header[: len(cells)] else "" for name in COLUMNS}
        if not row["ID"].strip().isdigit():
            continue  # the rows of points, of posting policies, of the test student
        for name in {row[column].strip().lower() for column in WHO} - {""}:
            ambiguous |= {name} if name in known else set()
            known[name] = row
    return Roster(str(path), {name: row for name, row in known.items() if name not in ambiguous}, titles)


def _words(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "
