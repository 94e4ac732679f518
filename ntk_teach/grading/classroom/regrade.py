"""A second look, for an appeal: the same submission, the same inputs, the same limits, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom import accommodations
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.farm import results
from ntk_teach.grading.classroom.grade import How
from ntk_teach.grading.classroom.ingest import entries
from ntk_teach.grading.classroom.jobs import NOTES, Job, jobs_of
from ntk_teach.grading.classroom.notebooks import parsed, read
from ntk_teach.grading.task import Exercise

__all__ = ["Comparison", "regrade"]

Verdicts = dict[str, tuple[float, str]]


@dataclass(frozen=True)
class Comparison:
    """What was said of each graded cell, then and now."""

    student: str
    then: Verdicts
    now: Verdicts
    problem: str = ""

    @property
    def same(self) -> bool:
        return not self.problem and self.then == self.now

    def __str__(self) -> str:
        if self.problem:
            return f"{self.student}: {self.problem}"
        lines = [f"{self.student}: {'the same' if self.same else 'NOT THE SAME'}"]
        for name in self.now:
            before, after = self.then.get(name, (0.0, "not graded")), self.now[name]
            if before == after:
                lines.append(f"  {name}: {after[0]:g} points, as before")
            else:
                lines.append(
                    f"  {name}: {before[0]:g} points then, {after[0]:g} now\n    then: {before[1]}\n    now: {after[1]}"
                )
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        return {"same": self.same, **asdict(self)}


def regrade(course: Course, exercise: Exercise, how: How, students: Sequence[str]) -> list[Comparison]:
    """Grade these students again and compare with what stands in ``autograded``.

    Raises: CourseError if one of them was never graded.
    """
    for student in students:
        if not course.autograded(exercise.slug, student).is_file():
            do = f"run: ntk-teach grade {exercise.number}"
            raise CourseError(sentence("regrade", "a student who was graded", repr(student), do))
    refused: dict[str, str] = {}
    found = [
        Comparison(
            result.student,
            _verdicts(read(course.autograded(exercise.slug, result.student)).metadata),
            _verdicts(parsed(result.notebook).metadata) if result.notebook else {},
            result.refused,
        )
        for result in results(
            _jobs(course, exercise, how, students, refused), workers=how.workers, scheduler=how.scheduler
        )
    ]
    found += [Comparison(student, {}, {}, reason) for student, reason in refused.items()]
    return sorted(found, key=lambda item: item.student)


def _jobs(
    course: Course, exercise: Exercise, how: How, students: Sequence[str], refused: dict[str, str]
) -> Iterator[Job]:
    granted, text = accommodations.load(course), course.released(exercise.slug).read_text(encoding="utf-8")
    job = jobs_of(exercise, seeds=course.seeds(exercise), released=text, backend=how.backend)
    for entry in entries(course, exercise.slug):
        if entry.student not in students:
            continue
        if entry.refused:
            refused[entry.student] = entry.refused
            continue
        factor = granted.time(entry.student, exercise.slug)
        yield job(student=entry.student, submitted=entry.content, limits=how.limits.scaled(factor))


def _verdicts(metadata: Mapping[str, Any]) -> Verdicts:
    found = metadata.get(NOTES, {}).get("verdicts", {})
    return {name: (float(str(item["points"])), str(item["text"])) for name, item in found.items()}
