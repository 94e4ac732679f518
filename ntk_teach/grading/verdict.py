"""What is told about one answer: to the student as text, to the grader as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

__all__ = ["MIME", "PropertyVerdict", "Verdict"]

MIME = "application/vnd.ntk-teach.verdict+json"


@dataclass(frozen=True)
class PropertyVerdict:
    """One property of the answer: does it hold, and what is it worth?"""

    name: str
    holds: bool
    points: float
    out_of: int


@dataclass(frozen=True)
class Verdict:
    """Points and reasons for one task; the last expression of every graded cell.

    A notebook shows its text; the grader reads the same facts from the bundle, under ``MIME``.
    """

    task: str
    title: str
    properties: tuple[PropertyVerdict, ...]
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return sum(item.points for item in self.properties)

    @property
    def out_of(self) -> int:
        return sum(item.out_of for item in self.properties)

    @property
    def passed(self) -> bool:
        return all(item.holds for item in self.properties)

    def __str__(self) -> str:
        word = "passed" if self.passed else "failed"
        lines = [f"{self.task} {self.title}: {word}, {self.points:g} of {self.out_of} points"]
        for item in self.properties:
            held = "holds" if item.holds else "fails"
            waits = ", but counts only once the first property holds" if item.holds and not item.points else ""
            lines.append(f"  {held}: {item.name} ({item.points:g} of {item.out_of}{waits})")
        lines += [f"  {message}" for message in self.messages]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"text/plain": str(self), MIME: self.data()}

    def data(self) -> dict[str, object]:
        """Plain data, for JSON."""
        return {"points": self.points, "out_of": self.out_of, **asdict(self)}

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Verdict:
        """From ``data()``; raises KeyError, TypeError or ValueError if it is something else."""
        properties = data["properties"]
        if not isinstance(properties, list):
            raise TypeError("properties: expected a list")
        held = tuple(
            PropertyVerdict(str(p["name"]), bool(p["holds"]), float(p["points"]), int(p["out_of"])) for p in properties
        )
        return cls(str(data["task"]), str(data["title"]), held, _texts(data["messages"]), _texts(data["notes"]))


def _texts(items: object) -> tuple[str, ...]:
    if not isinstance(items, (list, tuple)):
        raise TypeError("expected a list of texts")
    return tuple(str(item) for item in items)
