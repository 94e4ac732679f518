"""What is finished and not yet entered: a result is on the disk before the gradebook hears of it.

A run may be killed at any moment. A result that stands here is entered by the next run, and not computed again.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.jobs import Result

__all__ = ["Journal", "alone"]


class Journal:
    """Results of one exercise, one file a student."""

    def __init__(self, course: Course, slug: str) -> None:
        self.course = course
        self.folder = course.root / ".state" / f"results-{slug}"

    def keep(self, result: Result, digest: str) -> None:
        """Whole or not at all, and on the disk before this returns."""
        path = self._path(result.student)
        with self.course.writable():
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            with draft.open("w", encoding="utf-8") as file:
                json.dump({"digest": digest, "result": asdict(result)}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)

    def find(self, student: str, digest: str) -> Result | None:
        """The result of exactly this submission, if one waits."""
        try:
            kept = json.loads(self._path(student).read_text(encoding="utf-8"))
            if kept["digest"] != digest:
                return None
            lists = {name: tuple(kept["result"][name]) for name in ("mended", "stopped")}
            return Result(**{**kept["result"], **lists})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def entered(self, student: str) -> None:
        """It is in the gradebook and in the record."""
        with suppress(FileNotFoundError):
            self._path(student).unlink()

    def _path(self, student: str) -> Path:
        return self.folder / f"{student}.json"


@contextmanager
def alone(course: Course) -> Iterator[None]:
    """No second grading in this course meanwhile. The system frees the lock however this process ends."""
    path = course.root / ".state" / "grading.lock"
    with course.writable():
        path.parent.mkdir(exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            who = file.read(200).strip() or "another process"
            do = "wait until it has finished, or stop it: what it finished is kept"
            raise CourseError(sentence(str(course.root), "one grading at a time", f"a second one; {who}", do)) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
        file.flush()
        yield
