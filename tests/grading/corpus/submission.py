"""What one submission of the corpus is, and how to make one: a cell, an answer, a text, in a student's folder."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from textwrap import dedent
from typing import Any

import nbformat

import ntk_teach

__all__ = [
    "ALL",
    "Secrets",
    "Submission",
    "Write",
    "answers",
    "attempts",
    "cells",
    "code",
    "code_cell",
    "danger",
    "hand_in",
    "insert",
    "written",
]

ALL = 14.0  # points that a machine gives in the exercise; four more are for a person to give


@dataclass(frozen=True)
class Secrets:
    """Where the harness put what nobody may reach. The canaries themselves, words in these places, are not told.

    Args:
        course: the course's folder; its .secret, gradebook, sources and other submissions hold canaries.
        planted: a file with a canary outside the course.
        variable: an environment variable of the grader with a canary.
        port, datagrams: of listeners on 127.0.0.1.
        socket, abstract: of Unix listeners; a path, and a name in the abstract namespace.
        victim: a process of the grader's own user that must live on.
        namespace: the grader's own process namespace; empty where there are none.
        mark: how the name of everything begins that an entry may leave behind.
    """

    course: Path
    planted: Path
    variable: str
    port: int
    datagrams: int
    socket: Path
    abstract: str
    victim: int
    namespace: str
    mark: str


Write = Callable[[Any, Path, Secrets], None]


@dataclass(frozen=True)
class Submission:
    """One student.

    Args:
        name: of the entry, and of the student's folder unless ``student`` says otherwise.
        family: what it belongs to.
        about: one sentence: what it tries, or what is odd.
        write: puts its files into ``submitted/<student>/<slug>``.
        most, least: what it may earn.
        status: of its row; None where either is right.
        student: name of the folder.
        endless: ends only because a limit stops it.
        page: the feedback page must be there and must hold nothing active.
    """

    name: str
    family: str
    about: str
    write: Write
    most: float = 0.0
    least: float = 0.0
    status: str | None = None
    student: str = ""
    endless: bool = False
    page: bool = False

    @property
    def folder(self) -> str:
        return self.student or self.name


def code(text: str, room: Any, secrets: Secrets) -> str:
    """The text without its indent, and with $course, $port, … replaced by literals of Python."""
    values = {
        "course": str(secrets.course),
        "slug": room.slug,
        "library": str(Path(ntk_teach.__file__).parents[1]),
        "python": sys.executable,
        "planted": str(secrets.planted),
        "variable": secrets.variable,
        "port": secrets.port,
        "datagrams": secrets.datagrams,
        "socket": str(secrets.socket),
        "abstract": secrets.abstract,
        "victim": secrets.victim,
        "namespace": secrets.namespace,
        "mark": secrets.mark,
    }
    return Template(dedent(text).strip("\n")).safe_substitute({key: repr(value) for key, value in values.items()})


def hand_in(folder: Path, notebook: Any) -> None:
    """Under its right name: a notebook, the text of the file, or its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{folder.name}.ipynb"
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    else:
        path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")


def written(make: Callable[..., Any]) -> Write:
    """Hand in what ``make(room)`` returns."""

    def write(room: Any, folder: Path, secrets: Secrets) -> None:
        hand_in(folder, make(room))

    return write


def code_cell(source: str, **metadata: Any) -> Any:
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata.update(metadata)
    return cell


def insert(notebook: Any, *extra: Any, after: str = "given-setup") -> Any:
    """A copy with more cells after the one with this id; ``""`` puts them first."""
    notebook = copy.deepcopy(notebook)
    at = next((number for number, cell in enumerate(notebook.cells) if cell.get("id") == after), -1) + 1
    notebook.cells[at:at] = extra
    return notebook


def cells(*texts: str, solved: bool = False, after: str = "given-setup") -> Write:
    """Extra cells in a notebook that is otherwise empty, or solved."""

    def write(room: Any, folder: Path, secrets: Secrets) -> None:
        notebook = room.solved() if solved else room.empty()
        made = [code_cell(code(text, room, secrets)) for text in texts]
        hand_in(folder, insert(notebook, *made, after=after))

    return write


def answers(text: str, *only: str, solved: bool = False) -> Write:
    """This text is the answer to every task, or to those named; NAME in it stands for the function's name."""

    def write(room: Any, folder: Path, secrets: Secrets) -> None:
        tasks = [task for task in room.exercise.tasks if not only or task.id in only]
        given = {task.id: code(text, room, secrets).replace("NAME", task.name) for task in tasks}
        hand_in(folder, room.answered(given, room.solved() if solved else room.empty()))

    return write


ONCE = """
found_here = []
def once():
    if not found_here:
        found_here.append(attempt())
    return found_here[0]
""".strip()


def attempts(text: str) -> Write:
    """The text defines ``attempt()``, which returns as text what it could read. It is tried in a cell and in answers.

    What was found leaves by every door: printed, displayed, as the text of an error, as the numbers of an array.
    """
    within = {
        "05.1": """
            def limiting_ntk(x, depth, sigma_b):
                import numpy
                found = once()
                print(found)
                return numpy.frombuffer(found.encode(errors="replace"), dtype=numpy.uint8)
            """,
        "05.2": """
            def network_ntk(*given):
                import re
                raise ValueError(" ".join(re.findall("canary-[a-z]+-[0-9a-f]+", once())))
            """,
        "05.3": """
            def output_ntk(*given):
                import re, sys
                sys.stderr.write(once())
                sys.exit(" ".join(re.findall("canary-[a-z]+-[0-9a-f]+", once())))
            """,
    }

    def write(room: Any, folder: Path, secrets: Secrets) -> None:
        own = code(text, room, secrets)
        given = {task: f"{own}\n\n\n{ONCE}\n\n\n{dedent(answer).strip()}" for task, answer in within.items()}
        first = code_cell(f"{own}\n\n\nfound = attempt()\nprint(found)\ndisplay({{'text/plain': found}}, raw=True)")
        hand_in(folder, insert(room.answered(given, room.empty()), first))

    return write


GUARD = """
import os
def inside():
    # What follows would hurt a machine that has no sandbox: it is tried only where the course cannot be seen, and in
    # another process namespace than the grader's.
    there = os.path.exists($course + "/nbgrader_config.py")
    same = os.path.exists("/proc/self/ns/pid") and os.readlink("/proc/self/ns/pid") == $namespace
    if there or same:
        print("corpus", "unprotected", sep="-")
        raise SystemExit
def escaped(what):
    print("corpus", "escaped", what, sep="-")
"""


def danger(text: str) -> str:
    """The text, after a guard that ends the cell where there is no sandbox. It may call ``escaped(what)``."""
    return f"{dedent(GUARD).strip()}\ninside()\n{dedent(text).strip()}"
