"""The gate: what may be opened at all. A file is taken by its open descriptor, never by a name that may lead elsewhere.

What was handed in is data. A folder's name may be anything, a file may be a link, a pipe or a device, and none of it
may stop, slow or change the grading of others: each entry is either the bytes of a notebook, or a reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.sanitize import plain

__all__ = ["LARGEST", "Entry", "entries"]

LARGEST = 20_000_000  # bytes of a submitted notebook; ours has some ten thousand
OBJECTS, LISTS = 100_000, 500_000  # in it: ours has some hundred. Some millions would keep the grader busy for minutes
TOO_MANY = "has too many parts: clear its outputs and save it again"
IGNORED = (".DS_Store", ".ipynb_checkpoints", ".gitkeep", ".gitignore")  # what systems and programs leave there
HANDED_IN = (".ipynb", ".zip", ".tar", ".gz", ".py", ".html", ".pdf")  # a loose file that somebody meant to hand in
STUDENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.@-]{0,62}[A-Za-z0-9_-])?")


@dataclass(frozen=True)
class Entry:
    """One submission, or what stands in the place of one.

    Args:
        student: the name of its folder; a printable form of it where that is no student's id.
        known: whether ``student`` can be used as an id in the gradebook.
        content: the notebook as text; empty where it is refused.
        refused: why it is not even opened.
        remarks: what else was found, and is not used.
    """

    student: str
    known: bool = True
    content: str = ""
    refused: str = ""
    remarks: tuple[str, ...] = ()


class Refused(Exception):  # noqa: N818  (a reason, not a fault of ours)
    """Why a notebook is not taken."""


def entries(course: Course, slug: str, *, read: bool = True) -> Iterator[Entry]:
    """Everything in ``submitted`` that is, or was to be, a submission of this exercise, in order of names.

    Args:
        course, slug: which exercise.
        read: open the notebooks; otherwise the entries say only whose they are.
    """
    try:
        top = os.open(course.root / "submitted", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    except OSError as error:
        do = "make it a folder that you can read, with a folder for each student"
        raise CourseError(sentence(str(course.root), "a folder submitted/", _why(error), do)) from None
    with closing(top):
        exercises = {path.name for path in (course.root / "source").glob("*") if path.is_dir()} | {slug}
        seen: dict[str, str] = {}
        names = sorted(os.listdir(top))
        home = _at_home(top, names, slug) if read else frozenset()
        for name in names:
            found = _entry(top, name, slug, exercises, home if read else None)
            if found is None:
                continue
            twin = seen.setdefault(name.casefold(), name)
            if twin != name:  # one may be a slip of the other's name; neither shall lose by it
                found = replace(found, remarks=(*found.remarks, f"the folder {_shown(twin)} has the same letters"))
            yield found


def _at_home(top: int, names: list[str], slug: str) -> frozenset[tuple[int, int]]:
    """Notebooks with several names of which one stands in a folder of the file's owner."""
    found = set()
    for name in names:
        with contextlib.suppress(OSError):
            file = os.stat(f"{name}/{slug}/{slug}.ipynb", dir_fd=top, follow_symlinks=False)
            if file.st_nlink > 1 and os.stat(f"{name}/{slug}", dir_fd=top).st_uid == file.st_uid:
                found.add((file.st_dev, file.st_ino))
    return frozenset(found)


def _entry(
    top: int, name: str, slug: str, exercises: set[str], home: frozenset[tuple[int, int]] | None
) -> Entry | None:
    shown, known = _shown(name), STUDENT.fullmatch(name) is not None
    if name in IGNORED:
        return None
    try:
        student = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
        inside = _inside(student)
    except FileNotFoundError:
        return None  # taken away meanwhile
    except OSError as error:
        if _is_file(top, name):
            do = f"a file in submitted/: put it at submitted/<student>/{slug}/{slug}.ipynb"
            return Entry(shown, False, refused=do) if name.endswith(HANDED_IN) else None
        return Entry(shown, known, refused=f"the folder cannot be opened: {_why(error)}")
    with closing(student):
        if slug not in inside:
            astray = [_shown(other) for other in inside if other not in exercises and not other.startswith(".")]
            if not astray:
                return None
            return Entry(shown, known, refused=f"no folder {slug}: found {', '.join(astray[:5])}")
        if not known:
            do = "letters, digits, _ - . @, at most 64 characters"
            return Entry(shown, False, refused=f"the name of the folder is no student's id ({do}): rename it")
        try:
            folder = os.open(slug, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=student)
            files = _inside(folder)
        except OSError as error:
            return Entry(name, refused=f"{slug} cannot be opened: {_why(error)}")
        with closing(folder):
            return Entry(name) if home is None else _notebook(folder, files, name, slug, home)


def _notebook(folder: int, files: list[str], student: str, slug: str, home: frozenset[tuple[int, int]]) -> Entry:
    wanted = f"{slug}.ipynb"
    others = [_shown(other) for other in files if other.endswith(".ipynb") and other != wanted][:5]
    remarks = tuple(f"{other} is not used" for other in others)
    programs = [_shown(other) for other in files if other.endswith("_config.py")]
    if programs:  # formgrader, asked for this folder by a crafted address, would run it as the instructor
        return Entry(student, refused=f"holds {programs[0]}, a program for whoever opens the folder: remove it")
    try:
        content, facts = _content(folder, wanted)
    except FileNotFoundError:
        found = f"found {', '.join(others)}" if others else "the folder has no notebook"
        return Entry(student, refused=f"no notebook {wanted}: {found}")
    except (Refused, OSError) as error:
        return Entry(student, refused=f"{wanted} {_why(error)}", remarks=remarks)
    if facts.st_nlink > 1:
        if (facts.st_dev, facts.st_ino) in home and os.fstat(folder).st_uid != facts.st_uid:
            refused = f"{wanted} is another name (hard link) of a notebook that stands in its owner's own folder"
            return Entry(student, refused=refused, remarks=remarks)
        # Nobody can be told from the other: the content is what it is, and a copy is seen by the scan.
        remarks = (*remarks, "the file has another name somewhere (hard link)")
    return Entry(student, content=content, remarks=remarks)


def _content(folder: int, name: str) -> tuple[str, os.stat_result]:
    """The text, and what the system knows of the file."""
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with closing(file):
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise Refused("is not a regular file")
        if facts.st_size > LARGEST:
            raise Refused(f"has {facts.st_size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}")
        with os.fdopen(os.dup(file), "rb") as stream:
            raw = stream.read(LARGEST + 1)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"is not text in UTF-8 (byte {error.start})") from None
    try:
        content = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"is not a notebook: {type(error).__name__}: {plain(error, 120)}") from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise Refused("is JSON, but not a notebook")
    return text, facts


def _parsed(text: str) -> object:
    """What is too much is refused before it is built."""
    objects = 0

    def counted(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal objects
        objects += 1
        if objects > OBJECTS:
            raise Refused(TOO_MANY)
        return dict(pairs)

    if text.count("[") > LISTS:
        raise Refused(TOO_MANY)
    return json.loads(text, object_pairs_hook=counted)


def _inside(folder: int) -> list[str]:
    """The names in an open folder, which is closed if it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        os.close(folder)
        raise


def _is_file(folder: int, name: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _shown(name: str) -> str:
    """A name that can be printed, and is no other's."""
    text = plain(repr(name)[1:-1], 1000)
    return text if len(text) <= 80 else f"{text[:60]} … {hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def _why(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    number = error.errno if isinstance(error, OSError) else None
    links = {20: "is not a folder, or is a link", 40: "is a link, not a file of its own"}
    return links.get(number or 0, f"{getattr(error, 'strerror', error)}".lower())


@contextlib.contextmanager
def closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
