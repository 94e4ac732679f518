"""Can this machine grade this course? Everything that is found, and what to do about it; nothing is changed."""

from __future__ import annotations

import ast
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ntk_teach.errors import NTKError
from ntk_teach.grading.classroom import accommodations, machine
from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.classroom.machine import Finding, State
from ntk_teach.grading.classroom.received import recorded
from ntk_teach.grading.tasks import CHAPTERS

if TYPE_CHECKING:
    from ntk_teach.grading.sandbox.backends import Backend

__all__ = ["backends", "examine", "sandbox_used", "unusable"]

OURS = "ntk_teach.grading.classroom."


def examine(course: Course | None, why: str = "") -> list[Finding]:
    """Machine, sandbox and course; ``why`` there is no course, where there is none. Takes some seconds."""
    found = [*machine.findings(course.root if course else Path.cwd()), _sandbox()]
    if course is None:
        return [*found, Finding("course", State.STOP, why, "name the course folder with --course DIR")]
    return [*found, _folder(course), _configuration(course), _secret(course), *_gradebook(course), *_work(course)]


def backends() -> list[Backend]:
    """Every way to make a sandbox, tried out here."""
    from ntk_teach.grading import sandbox

    return sandbox.found()


def sandbox_used() -> str:
    """The one that a grading would take; empty if there is none. Takes a second or two."""
    from ntk_teach.grading.sandbox.backends import SandboxError, chosen

    try:
        return chosen()
    except SandboxError:
        return ""


def unusable(course: Course) -> str:
    """Why nbgrader cannot work in this folder, which its searches and its address of the gradebook read otherwise."""
    odd = sorted(set(str(course.root)) & set("%?*["))
    return f"{course.root}: nbgrader takes {' '.join(odd)} in a path for something else" if odd else ""


def _sandbox() -> Finding:
    tried = backends()
    works = [backend for backend in tried if backend.works]
    if works:
        others = "".join(f", {backend.name}" for backend in works[1:])
        also = f" (also{others[1:]})" if others else ""
        return Finding("sandbox", State.FINE, f"{works[0].name}: {works[0].detail}{also}")
    reasons = "; ".join(f"{backend.name}: {backend.detail}" for backend in tried) or "none for this system"
    do = "on Linux install bubblewrap; otherwise grade only submissions that you trust, with --unsandboxed"
    return Finding("sandbox", State.LOOK, reasons, do)


def _folder(course: Course) -> Finding:
    if why := unusable(course):
        return Finding("course", State.STOP, why, "rename the folder, or the one that it is in")
    try:
        with tempfile.NamedTemporaryFile(dir=course.root):
            return Finding("course", State.FINE, str(course.root))
    except OSError as error:
        do = "make it writable, or copy the course elsewhere"
        return Finding("course", State.STOP, f"{course.root}: {error.strerror}", do)


def _configuration(course: Course) -> Finding:
    """Without our steps, plain ``nbgrader autograde`` would believe what a notebook says about itself."""
    from ntk_teach.grading.classroom.nbgrader_tools import configuration, needs_nbgrader

    what = "configuration"
    try:
        with needs_nbgrader():
            config = configuration(course)
    except NTKError as error:
        return Finding(what, State.STOP, str(error))
    except Exception as error:  # it is a program of the instructor's: whatever it raised is what was found
        do = "correct nbgrader_config.py, or copy it again from the repository's exercises/"
        return Finding(what, State.STOP, f"{type(error).__name__}: {error}", do)
    wanted = {"sanitize_preprocessors": {"Rebuild"}, "autograde_preprocessors": {"Run", "LatePenalties"}}
    missing = []
    for part, names in wanted.items():
        steps = config.Autograde.get(part, [])
        missing += sorted(names - {step.__name__ for step in steps if getattr(step, "__module__", "").startswith(OURS)})
    if missing:
        do = "copy nbgrader_config.py again from the repository's exercises/, and keep your own settings"
        return Finding(what, State.LOOK, f"plain nbgrader would grade without {', '.join(missing)}", do)
    return Finding(what, State.FINE, "our steps are in nbgrader's autograde")


def _secret(course: Course) -> Finding:
    path = course.root / ".secret"
    if not path.exists():
        return Finding("secret", State.FINE, "none yet, the first grading makes it")
    try:
        mode = path.stat().st_mode & 0o777
        course.secret()
    except NTKError as error:
        return Finding("secret", State.STOP, str(error))
    except OSError as error:
        return Finding("secret", State.STOP, f"{path}: {error.strerror}", "make it readable for you alone")
    if os.name != "nt" and mode & 0o077:
        return Finding("secret", State.LOOK, f"others may read it (mode {mode:o})", f"chmod 600 {path}")
    return Finding("secret", State.FINE, "there, for you alone")


def _gradebook(course: Course) -> Iterator[Finding]:
    what, path = "gradebook", course.gradebook
    if not path.exists():
        yield Finding(what, State.FINE, "none yet, the first release makes it")
        return
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=1)) as book:
            sound = book.execute("pragma quick_check(1)").fetchone()[0]
            if sound != "ok":
                raise sqlite3.DatabaseError(sound)
            version = book.execute("select version_num from alembic_version").fetchone()
            students, late = (
                book.execute(query).fetchone()[0]
                for query in (
                    "select count(*) from student",
                    "select count(*) from assignment where duedate is not null",
                )
            )
            book.execute("begin immediate")
            book.rollback()
    except sqlite3.Error as error:
        locked = "locked" in str(error)
        do = "close the program that writes in it" if locked else "restore it from a backup, or make it writable"
        yield Finding(what, State.LOOK if locked else State.STOP, f"{path.name}: {error}", do)
        return
    newest = _newest_schema()
    if newest and (version or ("none",))[0] != newest:
        do = "back it up, then run in the course: nbgrader db upgrade"
        yield Finding(what, State.STOP, f"of schema {(version or ('none',))[0]}, nbgrader has {newest}", do)
        return
    due = f", {late} exercises with a due date" if late else ", no due dates"
    yield Finding(what, State.FINE, f"{students} students{due}")


def _newest_schema() -> str:
    """The head of nbgrader's chain of revisions, read from its files: asking itself starts another program."""
    spec = find_spec("nbgrader")
    if spec is None or spec.origin is None:
        return ""
    heads, before = set[str](), set[str]()
    for path in (Path(spec.origin).parent / "alembic" / "versions").glob("*.py"):
        names = {
            target.id: node.value.value
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        heads.add(str(names.get("revision")))
        before.add(str(names.get("down_revision")))
    left = heads - before
    return left.pop() if len(left) == 1 else ""


def _work(course: Course) -> Iterator[Finding]:
    """Chapter by chapter: source, release, submissions; and the tables that a person wrote."""
    from ntk_teach.grading.classroom.release import released
    from ntk_teach.grading.classroom.variant import course_exercise

    known: set[str] = set()
    used = {number for number in CHAPTERS if any((course.root / "source").glob(f"{number}_*/*.py"))}
    if not used:
        do = "copy folders of exercises/source of the repository, such as 05_neural_tangent_kernel, into source/"
        yield Finding("chapters", State.STOP, "no chapter in source/", do)
    for number in CHAPTERS:
        try:
            exercise = course_exercise(course, number)
            students = course.students(exercise.slug)
            known |= set(students)
            made, times = released(course, exercise), recorded(course, exercise.slug)
        except NTKError as error:
            yield Finding(f"chapter {number}", State.STOP, str(error))
            continue
        found = f"{'released' if made else 'not released, or out of date'}, {len(students)} handed in"
        found += f", {len(times)} times of receipt" if times else ""
        if number not in used and not students and not made:
            yield Finding(f"chapter {number}", State.FINE, "not in this course")
        elif not course.source(exercise.slug).is_file():
            do = f"copy the folder exercises/source/{exercise.slug} of the repository into the course"
            yield Finding(f"chapter {number}", State.STOP, f"no {course.source(exercise.slug).name} in source/", do)
        elif students and not made:
            yield Finding(f"chapter {number}", State.LOOK, found, f"run: ntk-teach release {number}")
        else:
            yield Finding(f"chapter {number}", State.FINE, found)
    try:
        granted = accommodations.load(course)
    except NTKError as error:
        yield Finding("accommodations", State.STOP, str(error))
        return
    strangers = granted.strangers(known | _enrolled(course))
    if strangers:
        do = "correct the names; whoever has not handed in yet may stay"
        yield Finding("accommodations", State.LOOK, f"unknown: {', '.join(strangers)}", do)
    elif granted.granted:
        yield Finding("accommodations", State.FINE, f"{len(granted.granted)} rows")


def _enrolled(course: Course) -> set[str]:
    try:
        with closing(sqlite3.connect(f"{course.gradebook.as_uri()}?mode=ro", uri=True, timeout=1)) as book:
            return {str(row[0]) for row in book.execute("select id from student")}
    except sqlite3.Error:
        return set()
