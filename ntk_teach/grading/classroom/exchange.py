"""nbgrader's exchange: who handed in which bytes, and when the file system saw them.

The folder's name and ``timestamp.txt`` say what the student wants. The time at which a file's or a folder's record last
changed (``st_ctime``) is set by the system alone: its owner can only move it later, by touching the file again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.nbgrader_tools import configuration, needs_nbgrader

__all__ = ["HandedIn", "inbound", "linked"]

LARGEST = 50_000_000  # bytes that are read to recognize a notebook


@dataclass(frozen=True)
class HandedIn:
    """A time that the student cannot set, and the digest of the notebook that is graded."""

    received: datetime
    sha256: str


def inbound(course: Course, slug: str) -> dict[str, HandedIn]:
    """For everybody in ``submitted/``: when the exchange received the notebook that lies there.

    Several submissions of one student are told apart by their bytes: what was collected counts from when *it* came. If
    none has these bytes any more, somebody wrote to it since, or put a link in its place, or took it away; then the
    latest of that student's times counts.

    Raises: CourseError without an exchange. Students whose work did not come through it are left out.
    """
    place = _inbound_folder(course)
    found = {}
    for student in course.students(slug):
        collected = _digest(course.root / "submitted" / student / slug / f"{slug}.ipynb")
        seen = [one for path in _folders(place, student, slug) for one in _seen(path, path / f"{slug}.ipynb")]
        same = [time for time, digest in seen if digest and digest == collected]
        if seen:
            changed = min(same) if same else max(time for time, _ in seen)
            found[student] = HandedIn(datetime.fromtimestamp(changed, UTC), collected)
    return found


def linked(course: Course, slug: str) -> list[str]:
    """Who has a link where the notebook belongs. nbgrader copies what it leads to, with the rights of whoever collects.

    Raises: CourseError without an exchange.
    """
    place = _inbound_folder(course)
    return [
        student
        for student in course.students(slug)
        if any((path / f"{slug}.ipynb").is_symlink() for path in _folders(place, student, slug))
    ]


def _folders(place: Path, student: str, slug: str) -> list[Path]:
    return [path for path in place.glob(f"{_literal(student)}+{slug}+*") if _is_of(path, student)]


def _inbound_folder(course: Course) -> Path:
    where = "--received exchange"
    if sys.platform == "win32":  # st_ctime is the time of creation there, and nbgrader has no exchange
        raise CourseError(sentence(where, "nbgrader's exchange", "Windows", "give a table: --received times.csv"))
    with needs_nbgrader():
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.exchange.default import Exchange

        config = configuration(course)
        folder = CourseDirectory(config=config)
        root = Path(Exchange(coursedir=folder, config=config).root)
    place = root / str(folder.course_id) / "inbound"
    try:
        os.listdir(place)
    except OSError as error:
        do = "set c.Exchange.root and c.CourseDirectory.course_id in nbgrader_config.py, or give a table of times"
        raise CourseError(sentence(where, f"the folder {place}", str(error.strerror), do)) from None
    return place


def _literal(name: str) -> str:
    """A student's name where ``*`` and ``[`` mean something."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _is_of(path: Path, student: str) -> bool:
    """A folder, not a link to one; and the student's own, where students are users of this machine."""
    try:
        status = path.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    import pwd

    try:
        return pwd.getpwnam(student).pw_uid == status.st_uid
    except KeyError:
        return True


def _seen(folder: Path, notebook: Path) -> list[tuple[float, str]]:
    """When the system last saw a change of folder or notebook, and the notebook's digest."""
    try:
        changed = folder.lstat().st_ctime
    except OSError:
        return []
    with contextlib.suppress(OSError):  # without a notebook it is the folder's time: what was in it went then
        changed = max(changed, notebook.lstat().st_ctime)
    return [(changed, _digest(notebook))]


def _digest(path: Path) -> str:
    """Of a regular file of sensible size; empty for anything else, which is neither followed nor waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return ""
        return hashlib.sha256(file.read(LARGEST + 1)).hexdigest()
