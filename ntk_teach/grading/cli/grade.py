"""``ntk-teach grade`` and ``regrade``: a class, or a second look at one student."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.variant import course_exercise
from ntk_teach.grading.cli.command import DONE, PERSON, Commands, chapter
from ntk_teach.grading.cli.progress import Progress
from ntk_teach.grading.sandbox.backends import NAMES, UNSANDBOXED, chosen
from ntk_teach.grading.sandbox.sandboxes import sandboxes
from ntk_teach.grading.task import Exercise

if TYPE_CHECKING:
    from ntk_teach.grading.classroom.grade import How
    from ntk_teach.grading.classroom.report import Report

__all__ = ["add"]

NAMED = 20  # students that the summary names; the others are in the rows
NO_SANDBOX = (
    "WITHOUT A SANDBOX: the submitted code runs with your rights, and can read your files, change the gradebook and\n"
    "reach the network. Grade submissions that you trust, or on a machine that holds nothing else. Every verdict\n"
    "records it."
)


def add(commands: Commands) -> None:
    made = commands.add("grade", _grade, "Grade what was handed in.", "ntk-teach grade 05 --received times.csv")
    made.add_argument("chapter", help="number of the chapter")
    made.add_argument("--force", action="store_true", help="grade again what has not changed, too")
    made.add_argument("--student", action="append", default=[], metavar="ID", help="only this one (may be repeated)")
    made.add_argument("--received", metavar="FILE", help="times of receipt: a CSV file, or the word exchange")
    made.add_argument("--json", action="store_true", help="the rows, for programs; nothing else on standard output")
    _where(made)
    made = commands.add(
        "regrade", _regrade, "Grade one student again, compare, change nothing.", "ntk-teach regrade 05 ada"
    )
    made.add_argument("chapter", help="number of the chapter")
    made.add_argument("student", nargs="+", help="who appeals")
    made.add_argument("--json", action="store_true", help="the comparison, for programs")
    _where(made)


def _where(made: argparse.ArgumentParser) -> None:
    made.add_argument("--workers", type=int, metavar="N", help="submissions at a time (one a core)")
    made.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="a dask cluster, in the place of this machine")
    made.add_argument("--sandbox", choices=("auto", *NAMES), default=None, help="which one (what works here)")
    made.add_argument("--unsandboxed", action="store_true", help="none: for submissions that you trust")


def _grade(options: argparse.Namespace) -> int:
    course, exercise, how = _prepared(options)
    from ntk_teach.grading.classroom.grade import grade

    if how.backend == UNSANDBOXED:
        say(options, NO_SANDBOX)
    progress = Progress(quiet=options.json)
    try:
        report = grade(course, exercise, how, tell=progress.tell)
    finally:
        progress.end()
    if options.json:
        print(json.dumps({"exercise": exercise.slug, "sandbox": how.backend, "rows": report.data()}, indent=1))
    else:
        print("\n".join([summary(report, course, exercise), *_links(course, exercise, how.received)]))
    return PERSON if report.to_review else DONE


def _regrade(options: argparse.Namespace) -> int:
    course, exercise, how = _prepared(options)
    from ntk_teach.grading.classroom.regrade import regrade

    found = regrade(course, exercise, how, options.student)
    if options.json:
        print(json.dumps([item.data() for item in found], indent=1))
    else:
        for item in found:
            print(item)
    return DONE if all(item.same for item in found) else PERSON


def _prepared(options: argparse.Namespace) -> tuple[Course, Exercise, How]:
    """The course, its exercise, and a warm interpreter that starts while the rest is imported."""
    number, course = chapter(options.chapter).number, Course.find(options.course)
    if options.workers is not None and options.workers < 1:
        raise CourseError(
            sentence("--workers", "a number from 1", str(options.workers), "leave it away for one a core")
        )
    if options.unsandboxed and options.sandbox:
        raise CourseError(sentence("grade", "--sandbox or --unsandboxed", "both", "say one"))
    asked = UNSANDBOXED if options.unsandboxed else options.sandbox
    here = options.scheduler is None  # a cluster has its own machines: each worker chooses for itself
    backend = chosen(asked or "auto") if here else asked or "auto"
    if here:
        sandboxes(backend)  # its imports take as long as all of ours: they begin first
    exercise = course_exercise(course, number)
    from ntk_teach.grading.classroom.nbgrader_tools import configuration, needs_nbgrader

    with needs_nbgrader():
        from ntk_teach.grading.classroom.grade import How
        from ntk_teach.grading.classroom.preprocessors import Run

        steps = Run(config=configuration(course))
        if asked is None and steps.sandbox not in ("auto", backend):
            backend = chosen(steps.sandbox) if here else steps.sandbox
    return (
        course,
        exercise,
        How(
            backend=backend,
            limits=steps.allowed,
            force=getattr(options, "force", False),
            only=tuple(options.student),
            workers=options.workers,
            scheduler=options.scheduler,
            received=getattr(options, "received", None),
        ),
    )


def say(options: argparse.Namespace, text: str) -> None:
    if not options.json:
        print(text)


def summary(report: Report, course: Course, exercise: Exercise) -> str:
    """Who needs a person, the numbers, and what the numbers leave out."""
    from ntk_teach.grading.classroom.late import policy
    from ntk_teach.grading.classroom.received import recorded
    from ntk_teach.grading.classroom.report import GRADED, REVIEW, ZERO

    new = sum(not row.again for row in report.rows)
    counts = ", ".join(
        f"{sum(row.status == status for row in report.rows)} {status}" for status in (GRADED, ZERO, REVIEW)
    )
    lines = [f"{len(report.rows)} submissions: {new} graded now, {len(report.rows) - new} before; {counts}"]
    if report.rows:
        scores = sorted(row.score for row in report.rows)
        middle = scores[len(scores) // 2]
        lines.append(f"points: lowest {scores[0]:g}, median {middle:g}, highest {scores[-1]:g} of {exercise.points}")
    flagged = [f"  {row.student}: {'; '.join(row.flags)}" for row in report.rows if row.flags]
    if flagged:
        lines += [f"{len(flagged)} to look at, for likeness; their points are as they are:", *flagged]
    unread = sum(row.to_read > 0 for row in report.rows)
    if unread:
        lines.append(f"{unread} written answers wait for you in formgrader: jupyter lab, menu Nbgrader, Formgrader")
    rule = policy(course)
    costs = rule is not None and rule.per_day > 0
    return "\n".join([*lines, *_lateness(report, set(recorded(course, exercise.slug)), costs)])


def _lateness(report: Report, known: set[str], costs: bool) -> list[str]:
    """Who lost points, and whose time nobody knows: a name that a table lacks must not look like a name in time."""
    if not known:
        return ["lateness: no time of receipt is known (--received), so nobody lost points for it"]
    late = [f"{row.student} {row.penalty:g}" for row in report.rows if row.penalty]
    lines = [f"lateness: {len(late)} lose points: {_some(late)}"] if late else []
    if not costs and any(row.student in known for row in report.rows):
        lines.append("lateness: it costs nothing, as c.LatePenalty.per_day in nbgrader_config.py says")
    unknown = [row.student for row in report.rows if row.tasks and row.student not in known]
    if unknown:
        lines.append(f"lateness: no time of receipt is known for {len(unknown)}, who lose nothing: {_some(unknown)}")
    return lines


def _links(course: Course, exercise: Exercise, received: str | None) -> list[str]:
    """A link is opened by nbgrader when it collects, so that the gate sees a file: another student's, perhaps."""
    from ntk_teach.grading.classroom.exchange import linked
    from ntk_teach.grading.classroom.received import EXCHANGE

    found = linked(course, exercise.slug) if received == EXCHANGE else []
    words = "handed in a link, and nbgrader collected the file it leads to: see whose it is"
    return [f"{len(found)} {words}: {_some(found)}"] if found else []


def _some(names: list[str]) -> str:
    return ", ".join([*names[:NAMED], *["…"] * (len(names) > NAMED)])
