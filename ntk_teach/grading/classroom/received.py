"""When work was received, by a clock that its author cannot set, and what lateness costs.

nbgrader reads ``timestamp.txt`` in the submission, which is a file of the student's. Here the time comes from a table
of the teacher's or from the exchange, and is kept in the course, so that every later grading uses the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.accommodations import slug_of
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.tables import instant, read_table, replacing
from ntk_teach.grading.task import Exercise

__all__ = ["Policy", "late_by", "load_received", "penalty", "recorded"]

EXCHANGE = "exchange"
DAY = 86400.0


@dataclass(frozen=True)
class Policy:
    """What a late submission loses.

    Args:
        per_day: share of the earned points for each day that has begun, from 0 to 1.
        grace: minutes that are forgiven; later than that, the whole lateness counts.
        most: the largest share that can be lost.
    """

    per_day: float = 0.0
    grace: float = 0.0
    most: float = 1.0

    def __post_init__(self) -> None:
        for name, top in (("per_day", 1.0), ("grace", math.inf), ("most", 1.0)):
            value = getattr(self, name)
            if not 0 <= value <= top:
                expected = f"{name} from 0 to 1" if top == 1 else f"{name}, minutes from 0"
                do = "correct c.LatePenalty in nbgrader_config.py"
                raise CourseError(sentence("late policy", expected, f"{value:g}", do))


def late_by(received: datetime | None, due: datetime | None) -> float:
    """Seconds after the due date; 0 where either time is unknown. A time without a zone is UTC, as in nbgrader."""
    if received is None or due is None:
        return 0.0
    return max(0.0, (_aware(received) - _aware(due)).total_seconds())


def penalty(score: float, seconds_late: float, policy: Policy) -> float:
    """Points to subtract: ``score · min(most, per_day · days begun)``, so that nobody ends below zero."""
    if seconds_late <= policy.grace * 60 or score <= 0:
        return 0.0
    return score * min(policy.most, policy.per_day * math.ceil(seconds_late / DAY))


def load_received(course: Course, exercise: Exercise, source: Path | str | None = None) -> Mapping[str, datetime]:
    """The time of receipt of every student for whom one is known.

    Args:
        course: what is found is kept in its ``.state`` folder.
        exercise: which one.
        source: a CSV file with the columns student, received (ISO 8601 with zone) and, if it holds several
            exercises, exercise; or ``"exchange"`` for nbgrader's; or None for what is already kept.

    Raises: CourseError naming file and line: an unknown student, a time that cannot be read or has no zone, two times.
    """
    kept = _read(course, exercise.slug)
    if source is None:
        return _times(kept)
    if str(source) == EXCHANGE:
        from ntk_teach.grading.classroom.exchange import inbound

        fresh = {
            student: {"received": hand.received.isoformat(), "source": EXCHANGE, "sha256": hand.sha256}
            for student, hand in inbound(course, exercise.slug).items()
        }
        # The clock of a file only moves on, by a backup or by its owner: for the same bytes the first reading stands.
        for student, item in fresh.items():
            old = kept.get(student, {})
            if item["sha256"] and (old.get("source"), old.get("sha256")) == (EXCHANGE, item["sha256"]):
                item["received"] = min(item["received"], old["received"])
    else:
        fresh = _from_table(course, exercise, Path(source))
    kept = {**kept, **fresh}
    _write(course, exercise.slug, kept)
    return _times(kept)


def recorded(course: Course, slug: str) -> Mapping[str, datetime]:
    """The times that were kept; empty where none were ever given."""
    return _times(_read(course, slug))


def _from_table(course: Course, exercise: Exercise, path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    students = set(course.students(exercise.slug))
    for line in read_table(path, ["student", "received"], ["exercise"]):
        if line["exercise"] and slug_of(line["exercise"], line.place) != exercise.slug:
            continue
        student, received = line["student"], instant(line["received"], line.place)
        if student not in students:
            do = f"correct the name, put the notebook into submitted/{student or '<student>'}, or remove the row"
            expected = f"a student who handed in {exercise.slug}"
            raise CourseError(sentence(line.place, expected, repr(student), do))
        if student in found:
            do = "keep the one that counts"
            raise CourseError(sentence(line.place, f"one time for {student}", "a second one", do))
        found[student] = {"received": received.isoformat(), "source": path.name}
    return found


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _path(course: Course, slug: str) -> Path:
    return course.state(f"received-{slug}")


def _read(course: Course, slug: str) -> dict[str, dict[str, Any]]:
    path = _path(course, slug)
    if not path.exists():
        return {}
    try:
        kept: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        _times(kept)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        # Going on without would forgive every penalty, silently.
        do = "restore it, or remove it and give the times again with --received"
        raise CourseError(sentence(str(path), "the times of receipt that were kept", "a damaged file", do)) from None
    return kept


def _times(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, datetime]:
    return {student: datetime.fromisoformat(item["received"]) for student, item in kept.items()}


def _write(course: Course, slug: str, kept: Mapping[str, Mapping[str, Any]]) -> None:
    path = _path(course, slug)
    with course.writable():
        path.parent.mkdir(exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
