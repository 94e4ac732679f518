"""Grade a class: every entry in ``submitted`` ends in a row, none can stop, slow or change another.

gate → rebuilt from the release → executed in a sandbox → judged here → written down → gradebook → row
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata

from nbgrader.api import InvalidEntry

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom import accommodations
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.farm import results
from ntk_teach.grading.classroom.gradebook import Writer, blank, gradebook
from ntk_teach.grading.classroom.ingest import Entry, entries
from ntk_teach.grading.classroom.jobs import NOTES, Job, Result, jobs_of
from ntk_teach.grading.classroom.journal import Journal, alone
from ntk_teach.grading.classroom.late import policy, settle
from ntk_teach.grading.classroom.likeness import likenesses
from ntk_teach.grading.classroom.notebooks import own
from ntk_teach.grading.classroom.received import load_received
from ntk_teach.grading.classroom.release import Release, released
from ntk_teach.grading.classroom.report import GRADED, REVIEW, ZERO, Report, Row
from ntk_teach.grading.classroom.sanitize import plain
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.task import Exercise

__all__ = ["How", "grade"]


@dataclass(frozen=True)
class How:
    """The instructor's choices for one run.

    Args:
        backend: of the sandbox, see ``sandbox.backends.chosen``.
        limits: what a submission may use, before accommodations.
        force: grade again what has not changed, too.
        only: these students; empty for all.
        workers, scheduler: see ``farm.results``.
        received: times of receipt, see ``received.load_received``.
    """

    backend: str
    limits: Limits = field(default_factory=Limits)
    force: bool = False
    only: tuple[str, ...] = ()
    workers: int | None = None
    scheduler: str | None = None
    received: str | None = None


def grade(
    course: Course, exercise: Exercise, how: How, tell: Callable[[Row, int], None] = lambda row, total: None
) -> Report:
    """Grade what was handed in and is not graded yet.

    Args:
        course: the folder; submissions are ``submitted/<student>/<slug>/<slug>.ipynb``.
        exercise: which one, in the course's variant.
        how: see there.
        tell: called with each row as soon as it is known, and the number of rows there will be.

    Returns: Report. Raises: CourseError if the exercise is not released, nothing was handed in, another grading is at
    work, or the course, the gradebook or the sandbox refuse: what was finished is kept, and the next run goes on.
    """
    release = released(course, exercise)
    if release is None:
        do = f"run: ntk-teach release {exercise.number}"
        raise CourseError(sentence(f"grade {exercise.slug}", "a release that is up to date", "none", do))
    total = sum(1 for entry in entries(course, exercise.slug, read=False) if _wanted(entry, how))
    if not total:
        place = course.root / "submitted" / "<student>" / exercise.slug
        do = f"put each notebook at {place / exercise.slug}.ipynb"
        raise CourseError(sentence(f"grade {exercise.slug}", "at least one submission", "none", do))
    with alone(course), gradebook(course) as book:
        load_received(course, exercise, how.received)
        run = _Run(course, exercise, how, release, Writer(course, exercise, book))
        rows = []
        with closing(run.rows()) as found:
            for row in found:
                rows.append(row)
                tell(row, total)
        rule = policy(course)
        changed = settle(book, course, exercise.slug, rule) if rule is not None else []
        # What was entered just now has been looked up just now.
        rows = [run.looked_up(row) if row.again or row.student in changed else row for row in rows]
        rows = run.record(sorted(rows, key=lambda row: row.student))
    return Report(tuple(rows))


class _Run:
    """One run over a class."""

    def __init__(self, course: Course, exercise: Exercise, how: How, release: Release, writer: Writer) -> None:
        self.course, self.exercise, self.how, self.writer = course, exercise, how, writer
        self.text = release.path.read_text(encoding="utf-8")
        self.seeds = course.seeds(exercise)
        self.job = jobs_of(exercise, seeds=self.seeds, released=self.text, backend=how.backend)
        self.granted = accommodations.load(course)
        self.journal = Journal(course, exercise.slug)
        self.kept = course.state(f"graded-{exercise.slug}")
        self.before = Report.load(self.kept)
        self.basis = [release.sha256, release.inputs, exercise.variant, json.dumps(self.seeds, sort_keys=True)]
        with course.writable():
            self.before.save(self.kept)  # compact, and without a line that was cut off
        self.digests: dict[str, str] = {}
        self.remarks: dict[str, tuple[str, ...]] = {}
        self.ready: list[Row] = []  # rows that need no execution

    def rows(self) -> Generator[Row, None, None]:
        # Closed here and now when something refuses: the cluster does not stand being collected as garbage.
        with closing(results(self._jobs(), workers=self.how.workers, scheduler=self.how.scheduler)) as found:
            for result in found:
                self.journal.keep(result, self.digests[result.student])
                yield from self._drained()
                yield self._entered(result)
        yield from self._drained()

    def _drained(self) -> Generator[Row, None, None]:
        while self.ready:
            yield self.ready.pop(0)

    def _jobs(self) -> Generator[Job, None, None]:
        """Work for the farm. What needs none goes to ``ready``."""
        for entry in entries(self.course, self.exercise.slug):
            if not _wanted(entry, self.how):
                continue
            student = entry.student
            factor = self.granted.time(student, self.exercise.slug)
            digest = _digest(entry.content, entry.refused, str(factor), *self.basis)
            self.digests[student], self.remarks[student] = digest, entry.remarks
            known = self.before.of(student)
            if (
                known
                and known.digest == digest
                and not self.how.force
                and (not entry.known or self.writer.has(student))
            ):
                self.ready.append(replace(known, again=True))
            elif entry.refused:
                self.ready.append(self._refused(entry))
            elif not self.how.force and (finished := self.journal.find(student, digest)):
                self.ready.append(self._entered(finished))
            else:
                yield self.job(student=student, submitted=entry.content, limits=self.how.limits.scaled(factor))

    def _refused(self, entry: Entry) -> Row:
        if entry.known:
            self._zero(entry.student, entry.refused)
        return self._kept(Row(entry.student, REVIEW, 0.0, self._most, reasons=(entry.refused,)))

    def _zero(self, student: str, reason: str) -> None:
        """Zero points with a reason, in the gradebook and on the page, so that the export has the student."""
        self.writer.enter(student, blank(own(self.text), reason, NOTES), review=True)

    def _entered(self, result: Result) -> Row:
        """Notebook, points and row. What cannot be entered is one student's row, not the end of the run."""
        student, reason = result.student, result.refused
        reasons: tuple[str, ...] = (*result.mended, *result.stopped)
        status = REVIEW
        if not reason:
            try:
                notebook = own(result.notebook)
                self.writer.enter(student, notebook, text=result.notebook)
                earned = sum(item["points"] for item in notebook.metadata[NOTES]["verdicts"].values())
                status = REVIEW if result.mended else ZERO if result.stopped and not earned else GRADED
            except InvalidEntry:
                raise
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                reason = f"what came out of it cannot be kept: {plain(f'{type(error).__name__}: {error}', 200)}"
        if reason:
            self._zero(student, reason)
            reasons = (reason,)
        record = {
            "sandbox": result.backend,
            "seconds": result.seconds,
            "seeds": self.seeds,
            "release, tasks, variant": self.basis[:3],
            "environment": environment(),
        }
        row = self._kept(Row(student, status, 0.0, self._most, reasons=reasons, record=record))
        self.journal.entered(student)
        return row

    def _kept(self, row: Row) -> Row:
        row = replace(row, digest=self.digests[row.student], remarks=self.remarks[row.student])
        row = self.writer.looked_up(row, again=False)
        with self.course.writable():
            Report.append(self.kept, row)
        return row

    def looked_up(self, row: Row) -> Row:
        return self.writer.looked_up(row, again=row.again)

    def record(self, rows: list[Row]) -> list[Row]:
        """Keep all rows: of this run, with their likenesses, and of students who were not in it; return the former."""
        new = {row.student for row in rows}
        others = [row for row in Report.load(self.kept).rows if row.student not in new and self.how.only]
        alike = likenesses(
            self.course, self.exercise, [row.student for row in (*rows, *others) if self.writer.has(row.student)]
        )
        rows, others = ([replace(row, flags=alike.get(row.student, ())) for row in part] for part in (rows, others))
        with self.course.writable():
            Report(tuple(sorted([*rows, *others], key=lambda row: row.student))).save(self.kept)
        return rows

    @property
    def _most(self) -> float:
        return float(self.exercise.points)


def _wanted(entry: Entry, how: How) -> bool:
    return not how.only or entry.student in how.only


@cache
def environment() -> str:
    """The versions that verdicts may depend on."""
    tools = " ".join(f"{name} {metadata.version(name)}" for name in ("torch", "numpy", "ipython", "nbgrader"))
    return f"Python {platform.python_version()}, {tools}"


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
