"""``ntk-teach doctor``: can this machine grade this course?"""

from __future__ import annotations

import argparse

from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.cli.command import Commands, print_json

__all__ = ["add"]


def add(commands: Commands) -> None:
    commands.add(
        "doctor",
        _doctor,
        "Look at machine, tools, sandbox and course; say what to do. Changes nothing.",
        "ntk-teach doctor --course my_course",
        json=True,
    )


def _doctor(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.doctor import examine

    course, why = None, ""
    try:
        course = Course.find(options.course)
    except CourseError as error:
        why = str(error)
    findings = examine(course, why)
    worst = int(max(finding.state for finding in findings))
    if options.json:
        items = [{"what": f.what, "state": f.state.name.lower(), "found": f.found, "do": f.do} for f in findings]
        print_json({"course": course.root if course else None, "code": worst, "findings": items})
        return worst
    for finding in findings:
        print(finding)
    print(("all is well", "something needs you", "this course cannot be graded here yet")[worst])
    return worst
