"""The command line: ``ntk-teach status | release | check | grade | feedback | export``.

Exit codes: 0 done; 1 done, and something needs a person (a failed task, a submission to review); 2 could not be done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ntk_teach.errors import NTKError, sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks import CHAPTERS, exercise

__all__ = ["main"]

NO_SANDBOX = (
    "Graded by one process, one submission after the other, WITHOUT a sandbox: the submitted code runs with your\n"
    "rights, and can read your files, change the gradebook and reach the network. Grade submissions that you trust,\n"
    "or grade on a machine that holds nothing else."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print what a person needs to know, return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except NTKError as error:
        print(f"ntk-teach: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ntk-teach: stopped; what was finished is kept, run the same command again to go on", file=sys.stderr)
        return 2
    return code


def _status(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.release import released
    from ntk_teach.grading.classroom.report import Report

    course = Course.find(options.course)
    print(f"course {course.root}")
    for number in CHAPTERS:
        chapter = exercise(number)
        ready = "released" if released(course, chapter) else "release is missing or out of date"
        handed = course.students(chapter.slug)
        report = Report.load(course.state(f"graded-{chapter.slug}"))
        print(
            f"{chapter.slug}: {len(chapter.tasks)} tasks, {len(chapter.written)} written, {chapter.points} points; "
            f"{ready}; {len(handed)} handed in, {len(report.rows)} graded, {len(report.to_review)} to review"
        )
    return 0


def _release(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.release import release

    if bool(options.chapter) == options.all:
        raise CourseError(
            sentence("release", "a chapter or --all", "both" if options.all else "neither", "try: ntk-teach release 05")
        )
    course = Course.find(options.course)
    for number in list(CHAPTERS) if options.all else [options.chapter]:
        done = release(course, _chapter(number))
        print(f"{'made' if done.made else 'unchanged'} {done.path}\n  sha256 {done.sha256}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.try_out import try_out

    results = try_out(options.notebook)
    for _, _, text in results:
        print(text)
    earned, most = sum(r[0] for r in results), sum(r[1] for r in results)
    print(f"{earned:g} of {most:g} points")
    return 0 if earned == most else 1


def _grade(options: argparse.Namespace) -> int:
    chapter, course = _chapter(options.chapter), Course.find(options.course)
    from ntk_teach.grading.classroom.nbgrader_tools import needs_nbgrader

    with needs_nbgrader():
        from ntk_teach.grading.classroom.grade import grade

    print(NO_SANDBOX)
    report = grade(course, chapter, force=options.force, tell=lambda row: print(row, flush=True))
    new = sum(not row.again for row in report.rows)
    print(
        f"{len(report.rows)} submissions: {new} graded now, {len(report.rows) - new} before, "
        f"{len(report.to_review)} to review"
    )
    return 1 if report.to_review else 0


def _feedback(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.publish import feedback

    course, chapter = Course.find(options.course), _chapter(options.chapter)
    pages = feedback(course, chapter)
    print(f"{len(pages)} pages in {course.root / 'feedback'}")
    missing = set(course.students(chapter.slug)) - {page.parent.parent.name for page in pages}
    for student in sorted(missing):
        print(f"no page for {student}: it could not be graded, see: ntk-teach grade {chapter.number}")
    return 1 if missing else 0


def _export(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.publish import export

    rows = export(Course.find(options.course), options.csv)
    print(f"{rows} rows in {options.csv}")
    return 0


def _chapter(number: str) -> Exercise:
    """``05``, ``5`` or the whole slug."""
    wanted = number.partition("_")[0].zfill(2)
    if wanted not in CHAPTERS:
        raise CourseError(sentence("chapter", f"one of {', '.join(CHAPTERS)}", repr(number), "see: ntk-teach status"))
    return exercise(wanted)


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("ntk-teach", description="Hand out, check and grade the exercises of the book.")
    course = argparse.ArgumentParser(add_help=False)
    course.add_argument(
        "--course", type=Path, metavar="DIR", help="folder with nbgrader_config.py (here, or ./exercises)"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: object, help: str, example: str, in_course: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=help, description=help, epilog=f"example: {example}", parents=[course] if in_course else []
        )
        made.set_defaults(run=run)
        return made

    command("status", _status, "What is released, handed in and graded.", "ntk-teach status --course my_course")
    made = command("release", _release, "Make the students' notebook.", "ntk-teach release 05")
    made.add_argument("chapter", nargs="?", help="number of the chapter")
    made.add_argument("--all", action="store_true", help="every chapter that has an exercise")
    made = command(
        "check", _check, "Run a notebook as a student, before handing it in.", "ntk-teach check my.ipynb", False
    )
    made.add_argument("notebook", type=Path, help="the notebook")
    made = command("grade", _grade, "Grade what was handed in.", "ntk-teach grade 05")
    made.add_argument("chapter", help="number of the chapter")
    made.add_argument("--force", action="store_true", help="grade everybody again, also what has not changed")
    made = command("feedback", _feedback, "Write a page for every student.", "ntk-teach feedback 05")
    made.add_argument("chapter", help="number of the chapter")
    made = command("export", _export, "Write all grades to a table.", "ntk-teach export --csv grades.csv")
    made.add_argument("--csv", type=Path, required=True, metavar="FILE", help="file to write")
    return top
