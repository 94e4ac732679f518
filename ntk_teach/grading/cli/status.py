"""``ntk-teach status``: what is released, handed in and graded."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.cli.command import DONE, Commands, print_json
from ntk_teach.grading.tasks import CHAPTERS

__all__ = ["add"]


def add(commands: Commands) -> None:
    commands.add(
        "status", _status, "What is released, handed in and graded.", "ntk-teach status --course my_course", json=True
    )


def _status(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.doctor import sandbox_used

    course = Course.find(options.course)
    chapters = [_chapter(course, number) for number in CHAPTERS]
    sandbox = sandbox_used()
    if options.json:
        print_json({"course": course.root, "sandbox": sandbox or None, "chapters": chapters})
        return DONE
    print(f"course {course.root}")
    print(f"sandbox {sandbox}" if sandbox else "sandbox none: see ntk-teach doctor")
    for chapter in chapters:
        print(_line(chapter))
    return DONE


def _chapter(course: Course, number: str) -> dict[str, Any]:
    from ntk_teach.grading.classroom.received import recorded
    from ntk_teach.grading.classroom.release import released
    from ntk_teach.grading.classroom.report import Report
    from ntk_teach.grading.classroom.variant import course_exercise

    exercise = course_exercise(course, number)
    report = Report.load(course.state(f"graded-{exercise.slug}"))
    return {
        "chapter": number,
        "slug": exercise.slug,
        "variant": exercise.variant,
        "tasks": len(exercise.tasks),
        "written": len(exercise.written),
        "points": exercise.points,
        "released": released(course, exercise) is not None,
        "due": _due(course, exercise.slug),
        "handed_in": len(course.students(exercise.slug)),
        "times_of_receipt": len(recorded(course, exercise.slug)),
        "graded": len(report.rows),
        "to_review": [row.student for row in report.to_review],
        "to_read": [row.student for row in report.rows if row.to_read],
        "flagged": [row.student for row in report.rows if row.flags],
        "late": [row.student for row in report.rows if row.penalty],
        "students": report.data(),
    }


def _line(chapter: Mapping[str, Any]) -> str:
    ready = "released" if chapter["released"] else "release is missing or out of date"
    counts = [
        f"{chapter['handed_in']} handed in",
        f"{chapter['graded']} graded",
        f"{len(chapter['to_review'])} to review",
        *(f"{len(chapter[key])} {words}" for key, words in MORE.items() if chapter[key]),
    ]
    due = f"due {chapter['due']} UTC; " if chapter["due"] else ""
    return (
        f"{chapter['slug']}: {chapter['tasks']} tasks, {chapter['written']} written, {chapter['points']} points; "
        f"{ready}; {due}{', '.join(counts)}"
    )


MORE = {"to_read": "with answers for you to read", "flagged": "with likenesses to look at", "late": "late"}


def _due(course: Course, slug: str) -> str:
    """Asked of the file itself: importing nbgrader takes seconds."""
    try:
        with closing(sqlite3.connect(f"{course.gradebook.as_uri()}?mode=ro", uri=True, timeout=1)) as book:
            row = book.execute("select duedate from assignment where name = ?", [slug]).fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]).partition(".")[0] if row and row[0] else ""
