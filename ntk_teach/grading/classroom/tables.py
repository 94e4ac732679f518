"""Tables that people write and read: every error has its place, and no cell surprises a spreadsheet."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError

__all__ = ["Line", "Value", "instant", "plain", "read_rows", "read_table", "replacing", "write_table"]

# A spreadsheet computes a cell that begins like this, and a name is what its owner typed somewhere. A number is none.
FORMULA = re.compile(r"[\t\r\n]|\s*(?![+-]?\d+([.,]\d+)?$)[=+\-@＝＋－＠]\s*\S")
Value = str | float | None


@dataclass(frozen=True)
class Line:
    """One row of a table, and where it stands."""

    place: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell without blanks around it; empty where the table has no such column."""
        return self.cells.get(column, "")


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Line]:
    """The rows of a CSV file whose first row names the columns, in any order; empty rows are left out.

    Raises: CourseError for a file that cannot be read, a missing or unknown column, a row of another length.
    """
    header, lines = _raw(path)
    names = [name.strip().lower() for name in header]
    known = [*columns, *optional]
    if missing := [name for name in columns if name not in names]:
        raise CourseError(
            sentence(f"{path}, line 1", f"columns {', '.join(known)}", _listed(header), f"add {', '.join(missing)}")
        )
    if odd := [name for name in names if name not in known or names.count(name) > 1]:
        do = f"remove or rename {odd[0]!r}"
        raise CourseError(sentence(f"{path}, line 1", f"columns {', '.join(known)}, each once", _listed(header), do))
    found = []
    for number, cells in lines:
        place = f"{path}, line {number}"
        if len(cells) > len(names):
            do = 'put quotation marks around a cell with a comma in it: "Lovelace, Ada"'
            raise CourseError(sentence(place, f"{len(names)} cells", f"{len(cells)}", do))
        padded = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
        found.append(Line(place, dict(zip(names, padded, strict=True))))
    return found


def _listed(header: Sequence[str]) -> str:
    return ", ".join(header)[:200] or "an empty file"


def read_rows(path: Path) -> list[list[str]]:
    """All rows of somebody else's CSV file, as they are."""
    header, lines = _raw(path)
    return [header, *(cells for _, cells in lines)]


def _raw(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """First row, and the others that are not empty with the number of their last line."""
    try:
        # utf-8-sig: spreadsheets put a mark of the byte order before the first name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except OSError as error:
        do = "name a file that exists and that you may read"
        raise CourseError(sentence(str(path), "a CSV file", str(error.strerror or error), do)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        do = "save it as CSV, comma-separated, in UTF-8"
        raise CourseError(sentence(str(path), "a CSV file", str(error), do)) from None
    return (rows[0][1], rows[1:]) if rows else ([], [])


def instant(text: str, place: str) -> datetime:
    """A time with its zone, in UTC. Without a zone it could be any of two dozen hours."""
    example = "2026-03-01T23:59:00+01:00"
    try:
        found = datetime.fromisoformat(text.replace(" UTC", "+00:00"))  # as nbgrader writes a due date
        in_utc = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CourseError(sentence(place, "a time (ISO 8601)", repr(text), f"write it like {example}")) from None
    if found.tzinfo is None:
        raise CourseError(sentence(place, "a time with its zone", repr(text), f"add the zone: {example}, or Z for UTC"))
    return in_utc


def plain(value: Value) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, float | int):
        return f"{value:.10g}"
    return f"'{value}" if FORMULA.match(value) else value


def write_table(path: Path, rows: Iterable[Sequence[Value]]) -> None:
    """A CSV file, quoted where it must be, whole or not at all."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([plain(value) for value in row] for row in rows)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft next to the file, that takes its place once it is written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        if path.exists():
            shutil.copymode(path, draft)  # who was allowed to read the grades, and who was not
        os.replace(draft, path)
    except OSError as error:
        do = "name a file in a folder that exists and that you may write"
        raise CourseError(sentence(str(path), "to write this file", str(error.strerror or error), do)) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
