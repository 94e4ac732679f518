"""Grade a class with nbgrader: one submission after the other, each with a row, none able to stop the rest.

Plain execution: the students' code runs with the rights of whoever grades. There is no sandbox yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom import gradebook
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.nbgrader_tools import convert
from ntk_teach.grading.classroom.release import released
from ntk_teach.grading.classroom.report import GRADED, REVIEW, Report, Row
from ntk_teach.grading.task import Exercise

__all__ = ["grade"]

LARGEST = 20_000_000  # bytes of a submitted notebook; ours has some ten thousand


def grade(
    course: Course, exercise: Exercise, *, force: bool = False, tell: Callable[[Row], None] = lambda row: None
) -> Report:
    """Grade what was handed in and is not graded yet.

    Args:
        course: the folder; submissions are ``submitted/<student>/<slug>/<slug>.ipynb``.
        exercise: which one.
        force: grade everybody again.
        tell: called with each row as soon as it is known.

    Returns: Report. Raises: CourseError if the exercise is not released, or nothing was handed in.
    """
    release = released(course, exercise)
    if release is None:
        do = f"run: ntk-teach release {exercise.number}"
        raise CourseError(sentence(f"grade {exercise.slug}", "a release that is up to date", "none", do))
    students = course.students(exercise.slug)
    if not students:
        place = course.root / "submitted" / "<student>" / exercise.slug
        do = f"put each notebook at {place / exercise.slug}.ipynb"
        raise CourseError(sentence(f"grade {exercise.slug}", "at least one submission", "none", do))
    record = course.state(f"graded-{exercise.slug}")
    before, rows = Report.load(record), list[Row]()
    for row in _rows(course, exercise, students, before, release.sha256 + release.inputs, force):
        tell(row)
        rows.append(row)
        with course.writable():
            later = tuple(old for old in before.rows if old.student in students[len(rows) :])
            Report((*rows, *later)).save(record)
    return Report(tuple(rows))


def _rows(
    course: Course, exercise: Exercise, students: list[str], before: Report, release: str, force: bool
) -> Iterator[Row]:
    seeds = course.seeds(exercise)
    for student in students:
        path = course.root / "submitted" / student / exercise.slug / f"{exercise.slug}.ipynb"
        refused = _refused(path)
        content = b"" if refused else path.read_bytes()
        digest = _digest(content, refused.encode(), release.encode(), json.dumps(seeds, sort_keys=True).encode())
        known = before.of(student)
        if known and known.digest == digest and not force and gradebook.has(course, exercise, student):
            yield gradebook.looked_up(course, exercise, known)
        elif refused:
            yield _set_aside(course, exercise, student, digest, refused)
        else:
            yield _graded(course, exercise, student, digest)


def _graded(course: Course, exercise: Exercise, student: str, digest: str) -> Row:
    problem = convert(course, "Autograde", assignment=exercise.slug, student=student)
    if problem:
        return _set_aside(course, exercise, student, digest, f"nbgrader could not grade it: {problem}")
    notes = gradebook.notes(course, exercise, student)
    mended, stopped = list(notes.get("mended", [])), notes.get("stopped")
    if stopped:
        mended.append(f"its process ended early, tasks after that have 0 points: {stopped}")
    row = Row(student, REVIEW if mended else GRADED, 0.0, float(exercise.points), reasons=tuple(mended), digest=digest)
    return gradebook.looked_up(course, exercise, row, again=False)


def _set_aside(course: Course, exercise: Exercise, student: str, digest: str, reason: str) -> Row:
    """Zero points with a reason, in the gradebook too, so that the export has the student."""
    with course.writable():
        gradebook.enter_zero(course, exercise, student)
    return Row(student, REVIEW, 0.0, float(exercise.points), reasons=(reason,), digest=digest)


def _refused(path: Path) -> str:
    """Why this file cannot be graded at all; empty if it can be tried."""
    if not path.parent.joinpath(path.name).exists() and not path.is_symlink():
        others = sorted(file.name for file in path.parent.glob("*.ipynb"))
        found = f"found {', '.join(others)}" if others else "the folder has no notebook"
        return f"no notebook {path.name}: {found}"
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        return f"{path.name} is not a regular file"
    if path.stat().st_size > LARGEST:
        return f"{path.name} has {path.stat().st_size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        return f"{path.name} is not a notebook: {type(error).__name__}: {str(error)[:120]}"
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        return f"{path.name} is JSON, but not a notebook"
    return ""


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
