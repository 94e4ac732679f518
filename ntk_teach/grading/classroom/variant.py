"""Which convention a course follows: chosen once for each exercise, by the instructor or by the course's secret."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.seeds import grading_seed
from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks import BOOK, exercise, variants

__all__ = ["BY_SECRET", "choose", "course_exercise", "drawn"]

BY_SECRET = "course"  # the word for "let the course's secret choose"


def course_exercise(course: Course, number: str) -> Exercise:
    """The exercise as this course hands it out and grades it."""
    variant = course.variant(number)
    if variant not in variants(number):
        do = f"restore the tasks that declare it, or run: ntk-teach release {number} --variant {BOOK}"
        raise CourseError(sentence(f"chapter {number}", f"one of {', '.join(variants(number))}", repr(variant), do))
    return exercise(number, variant)


def choose(course: Course, number: str, wanted: str) -> Exercise:
    """Keep the course's choice for a chapter, and return the exercise in it.

    Args:
        course: the folder.
        number: of the chapter.
        wanted: a variant of the chapter, or ``course``.

    Raises: CourseError for a variant that the chapter has not, and for another one once a class has handed in.
    """
    known = variants(number)
    name = drawn(course, number) if wanted == BY_SECRET else wanted
    if name not in known:
        do = f"name one of them, or let the course's secret choose: --variant {BY_SECRET}"
        raise CourseError(sentence(f"variant of chapter {number}", f"one of {', '.join(known)}", repr(wanted), do))
    before, made = course.variant(number), exercise(number, name)
    handed_in = _handed_in(course, made.slug) if name != before else 0
    if handed_in:
        do = f"go on with: ntk-teach release {number} --variant {before}; another variant needs a new course folder"
        received = f"{name!r}, while {handed_in} submissions answer that text"
        raise CourseError(sentence(f"variant of {made.slug}", f"{before!r}, which the class has", received, do))
    with course.writable():
        course.state(f"variant-{number}").parent.mkdir(exist_ok=True)
        course.state(f"variant-{number}").write_text(json.dumps({"variant": name}) + "\n")
    return made


def drawn(course: Course, number: str) -> str:
    """The secret's choice among the variants that are not the book's: the same every time, unknown beforehand.

    A chapter that has none keeps the book's.
    """
    names = variants(number)[1:]
    slug = exercise(number).slug
    return names[grading_seed(course.secret(), slug, "variant") % len(names)] if names else BOOK


def _handed_in(course: Course, slug: str) -> int:
    """Submissions in the folder or in the gradebook, which is asked itself: importing nbgrader takes seconds."""
    students = set(course.students(slug))
    if course.gradebook.is_file():
        query = (
            "select submitted_assignment.student_id from submitted_assignment join assignment "
            "on assignment.id = submitted_assignment.assignment_id where assignment.name = ?"
        )
        try:
            with closing(sqlite3.connect(f"file:{course.gradebook}?mode=ro", uri=True)) as book:
                students |= {str(row[0]) for row in book.execute(query, [slug])}
        except sqlite3.Error as error:
            do = "restore gradebook.db from a backup, or move it away with the submissions"
            raise CourseError(sentence(str(course.gradebook), "nbgrader's gradebook", str(error), do)) from None
    return len(students)
