"""What leaves the course: ``ntk-teach feedback`` and ``ntk-teach export``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.cli.command import DONE, PERSON, Commands, chapter, print_json

__all__ = ["add"]

FORMATS = ("plain", "canvas", "moodle")  # by name, so that the help need not import nbgrader


def add(commands: Commands) -> None:
    made = commands.add("feedback", _feedback, "Write a page for every student.", "ntk-teach feedback 05")
    made.add_argument("chapter", help="number of the chapter")
    made = commands.add(
        "export",
        _export,
        "Write the grades of all chapters, or of one, to a table.",
        "ntk-teach export --csv canvas.csv --format canvas --roster exported.csv 05",
        json=True,
    )
    made.add_argument("chapter", nargs="?", help="number of the chapter")
    made.add_argument("--csv", type=Path, required=True, metavar="FILE", help="file to write")
    made.add_argument("--format", choices=FORMATS, default="plain", help="for whom: nbgrader's own columns, or an LMS")
    made.add_argument(
        "--roster", type=Path, metavar="FILE", help="what Canvas exported, or Moodle's grading worksheet: their names"
    )


def _feedback(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.publish import feedback
    from ntk_teach.grading.classroom.sanitize import plain

    course, exercise = Course.find(options.course), chapter(options.chapter)
    pages = feedback(course, exercise)
    print(f"{len(pages)} pages in {course.root / 'feedback'}")
    missing = set(course.students(exercise.slug)) - {page.parent.parent.name for page in pages}
    for student in sorted(missing):
        name = plain(repr(student)[1:-1], 100)  # of a folder: any bytes
        print(f"no page for {name}: it could not be graded, see: ntk-teach grade {exercise.number}")
    return PERSON if missing else DONE


def _export(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.publish import export

    exercise = chapter(options.chapter) if options.chapter else None
    course = Course.find(options.course)
    made = export(course, options.csv, format=options.format, exercise=exercise, roster=options.roster)
    if options.json:
        print_json({"file": made.path, "rows": made.rows, "format": options.format, "unread": made.unread})
        return DONE
    print(f"{made.rows} rows in {made.path}")
    if made.unread:
        print(f"{len(made.unread)} students have answers that nobody has read yet: {', '.join(made.unread[:10])}")
    return DONE
