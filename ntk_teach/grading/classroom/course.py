"""A course is a folder in nbgrader's layout, and one secret."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ntk_teach.errors import NTKError, sentence
from ntk_teach.grading.seeds import grading_seed
from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks import BOOK

__all__ = ["CONFIG", "Course", "CourseError"]

CONFIG = "nbgrader_config.py"
FULL = {errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}  # no space, read-only, no quota left


class CourseError(NTKError):
    """The course folder, a release or a submission is not as it must be for what was asked."""


@dataclass(frozen=True)
class Course:
    """The folder that holds ``nbgrader_config.py``; nbgrader's names for the folders in it.

    ``.secret`` (mode 600) decides the inputs of the final grading, ``.state`` holds what was already done.
    """

    root: Path

    @classmethod
    def find(cls, given: Path | None = None) -> Course:
        """The folder that was given; otherwise the current one if it is a course, otherwise ``exercises`` in it."""
        here = Path.cwd()
        root = (given or (here if (here / CONFIG).is_file() else here / "exercises")).resolve()
        if not (root / CONFIG).is_file():
            do = "name the course folder with --course DIR, or run from the folder that holds exercises/"
            raise CourseError(sentence("course", f"a folder with {CONFIG}", str(root), do))
        return cls(root)

    def source(self, slug: str) -> Path:
        return self.root / "source" / slug / f"{slug}.py"

    def released(self, slug: str) -> Path:
        return self.root / "release" / slug / f"{slug}.ipynb"

    def autograded(self, slug: str, student: str) -> Path:
        return self.root / "autograded" / student / slug / f"{slug}.ipynb"

    def feedback(self, slug: str, student: str) -> Path:
        return self.root / "feedback" / student / slug / f"{slug}.html"

    def state(self, name: str) -> Path:
        return self.root / ".state" / f"{name}.json"

    @property
    def gradebook(self) -> Path:
        return self.root / "gradebook.db"

    def students(self, slug: str) -> list[str]:
        """Who handed in this exercise, in order."""
        return sorted(path.parent.name for path in (self.root / "submitted").glob(f"*/{slug}") if path.is_dir())

    def secret(self) -> bytes:
        """Made at the first use, never printed, never given to a notebook."""
        path = self.root / ".secret"
        if not path.exists():
            with self.writable(), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
        text = path.read_text().strip()
        if len(text) < 32:
            do = "restore it from a backup; without it a grading cannot be repeated"
            raise CourseError(sentence(str(path), "the course's secret, 64 characters", f"{len(text)} characters", do))
        return text.encode()

    def seeds(self, exercise: Exercise) -> dict[str, int]:
        """The seed of every task at grading, equal for all students."""
        secret = self.secret()
        return {task.id: grading_seed(secret, exercise.slug, task.id) for task in exercise.tasks}

    def variant(self, chapter: str) -> str:
        """The variant that the course chose for a chapter, by its number or slug; the book's if it never did."""
        path = self.state(f"variant-{chapter.partition('_')[0]}")
        if not path.is_file():
            return BOOK
        try:
            return str(json.loads(path.read_text())["variant"])
        except (ValueError, KeyError, TypeError):
            do = 'write {"variant": "…"} with the name that stands in the check cells of the release'
            raise CourseError(sentence(str(path), "the name of a variant", path.read_text()[:80], do)) from None

    @contextmanager
    def writable(self) -> Iterator[None]:
        """Turn the operating system's refusals into one sentence."""
        try:
            yield
        except (PermissionError, OSError) as error:
            if not isinstance(error, PermissionError) and error.errno not in FULL:
                raise
            what = f"{error.strerror or error}: {error.filename or self.root}"
            do = "make the folder writable, free some space, or copy the course elsewhere"
            raise CourseError(sentence("course", f"to write in {self.root}", what, do)) from None
