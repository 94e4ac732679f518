"""``ntk-teach release``: make the students' notebook."""

from __future__ import annotations

import argparse

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.variant import choose, course_exercise
from ntk_teach.grading.cli.command import Commands, chapter
from ntk_teach.grading.tasks import BOOK, CHAPTERS

__all__ = ["add"]


def add(commands: Commands) -> None:
    made = commands.add("release", _release, "Make the students' notebook.", "ntk-teach release 05")
    made.add_argument("chapter", nargs="?", help="number of the chapter")
    made.add_argument("--all", action="store_true", help="every chapter that has an exercise")
    made.add_argument(
        "--variant", metavar="NAME", help="convention of the text; 'course' lets the course's secret choose"
    )


def _release(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.doctor import unusable
    from ntk_teach.grading.classroom.release import release

    if bool(options.chapter) == options.all:
        raise CourseError(
            sentence("release", "a chapter or --all", "both" if options.all else "neither", "try: ntk-teach release 05")
        )
    course = Course.find(options.course)
    if why := unusable(course):
        raise CourseError(sentence("course", "a path that nbgrader can take", why, "rename the folder"))
    for number in list(CHAPTERS) if options.all else [options.chapter]:
        number = chapter(number).number
        exercise = choose(course, number, options.variant) if options.variant else course_exercise(course, number)
        done = release(course, exercise)
        print(f"{'made' if done.made else 'unchanged'} {done.path}\n  sha256 {done.sha256}")
        if exercise.variant != BOOK:
            print(f"  variant {exercise.variant}")
    return 0
