"""One row for every submission, whatever became of it; kept as lines, so that an interrupted run loses none."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["GRADED", "REVIEW", "ZERO", "Report", "Row"]

GRADED, ZERO, REVIEW = "graded", "zero", "needs review"


@dataclass(frozen=True)
class Row:
    """One student's result.

    Args:
        student: folder name in ``submitted``.
        status: ``graded``; ``zero`` where nothing could be earned, with its reason; ``needs review`` where a person
            should look.
        score, out_of: points in the gradebook, and all there are to get, written questions included.
        to_read: points of written answers that nobody has read yet.
        penalty: points taken off for lateness.
        reasons: why it needs review, or what was mended.
        remarks: what a person may want to know, and that changes nothing.
        flags: likenesses to other answers, for a person to judge.
        tasks: points of each graded cell.
        record: what is needed to repeat the grading: seeds, hashes of tasks and environment, sandbox, seconds.
        digest: of everything that the result depends on.
    """

    student: str
    status: str
    score: float
    out_of: float
    to_read: float = 0.0
    penalty: float = 0.0
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    tasks: dict[str, float] = field(default_factory=dict)
    record: dict[str, object] = field(default_factory=dict)
    digest: str = ""
    again: bool = False  # True if this run only looked it up

    def __str__(self) -> str:
        waits = f", {self.to_read:g} to be read by you" if self.to_read else ""
        late = f", {self.penalty:g} off for lateness" if self.penalty else ""
        words = [*self.reasons, *self.remarks]
        why = f"  ({'; '.join(words)})" if words else ""
        return f"{self.student:<24} {self.score:>6g} of {self.out_of:g}{waits}{late}  {self.status}{why}"


@dataclass(frozen=True)
class Report:
    """All rows of one exercise, kept between runs so that nothing is graded twice."""

    rows: tuple[Row, ...]

    @property
    def to_review(self) -> list[Row]:
        return [row for row in self.rows if row.status == REVIEW]

    @classmethod
    def load(cls, path: Path) -> Report:
        """The last row of each student; a line that was not finished, or of another version, does not count."""
        rows: dict[str, Row] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return cls(())  # a lost or damaged record costs time, not results: everybody is graded again
        for line in lines:
            try:
                item = json.loads(line)
                lists = {name: tuple(item.get(name, ())) for name in ("reasons", "remarks", "flags")}
                row = Row(**{**item, **lists})
            except (ValueError, TypeError, AttributeError):
                continue
            rows[row.student] = row
        return cls(tuple(rows[student] for student in sorted(rows)))

    @staticmethod
    def append(path: Path, row: Row) -> None:
        """Add a row; it replaces the student's earlier ones."""
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(row))

    def save(self, path: Path) -> None:
        """All or nothing: an interrupted run leaves the previous record."""
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text("".join(_line(row) for row in self.rows), encoding="utf-8")
        os.replace(draft, path)

    def of(self, student: str) -> Row | None:
        return next((row for row in self.rows if row.student == student), None)

    def data(self) -> list[dict[str, object]]:
        """For programs. Seeds stay in the course."""
        hidden = ("digest", "record")
        return [{key: value for key, value in asdict(row).items() if key not in hidden} for row in self.rows]


def _line(row: Row) -> str:
    return json.dumps({**asdict(row), "again": False}) + "\n"
