"""One row for every submission, whatever became of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Report", "Row"]

GRADED, REVIEW = "graded", "needs review"


@dataclass(frozen=True)
class Row:
    """One student's result.

    Args:
        student: folder name in ``submitted``.
        status: ``graded``, or ``needs review`` where a person should look.
        score, out_of: points in the gradebook, and all there are to get, written questions included.
        to_read: points of written answers that nobody has read yet.
        reasons: why it needs review, or what was mended.
        tasks: points of each graded cell.
        digest: of everything that the result depends on.
    """

    student: str
    status: str
    score: float
    out_of: float
    to_read: float = 0.0
    reasons: tuple[str, ...] = ()
    tasks: dict[str, float] = field(default_factory=dict)
    digest: str = ""
    again: bool = False  # True if this run only looked it up

    def __str__(self) -> str:
        waits = f", {self.to_read:g} to be read by you" if self.to_read else ""
        why = f"  ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"{self.student:<24} {self.score:>6g} of {self.out_of:g}{waits}  {self.status}{why}"


@dataclass(frozen=True)
class Report:
    """All rows of one exercise, kept between runs so that nothing is graded twice."""

    rows: tuple[Row, ...]

    @property
    def to_review(self) -> list[Row]:
        return [row for row in self.rows if row.status == REVIEW]

    @classmethod
    def load(cls, path: Path) -> Report:
        try:
            items = json.loads(path.read_text())
            return cls(tuple(Row(**{**item, "reasons": tuple(item["reasons"])}) for item in items))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return cls(())  # a lost or damaged record costs time, not results: everybody is graded again

    def save(self, path: Path) -> None:
        """All or nothing: an interrupted run leaves the previous record."""
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps([{**asdict(row), "again": False} for row in self.rows], indent=1) + "\n")
        os.replace(draft, path)

    def of(self, student: str) -> Row | None:
        return next((row for row in self.rows if row.student == student), None)
