"""What every command of the line shares: how it is declared, its words in the help, the chapter it names."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks import CHAPTERS, exercise

__all__ = ["CODES", "DONE", "PERSON", "REFUSED", "Commands", "chapter", "print_json"]

# Exit codes, stable for programs that call us.
DONE = 0  # done, and nothing needs a person
PERSON = 1  # done, and something needs a person: a task failed, a submission to review, something that is not well
REFUSED = 2  # could not be done: the message says why, and what to do
CODES = "exit codes: 0 done; 1 done, and something needs a person; 2 could not be done"


class Commands:
    """Collects the commands under one parser."""

    def __init__(self, top: argparse.ArgumentParser) -> None:
        self._course = argparse.ArgumentParser(add_help=False)
        self._course.add_argument(
            "--course", type=Path, metavar="DIR", help="folder with nbgrader_config.py (here, or ./exercises)"
        )
        self._json = argparse.ArgumentParser(add_help=False)
        self._json.add_argument("--json", action="store_true", help="for programs: one JSON object on stdout")
        self._made = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        self,
        name: str,
        run: Callable[[argparse.Namespace], int],
        help: str,
        example: str,
        *,
        in_course: bool = True,
        json: bool = False,
    ) -> argparse.ArgumentParser:
        """A command with its function, one sentence and one line that can be typed.

        Args:
            name, run: what is typed, and what it does.
            help, example: for the help.
            in_course: it takes ``--course``.
            json: it takes ``--json``.
        """
        parents = [self._course] * in_course + [self._json] * json
        epilog = f"example: {example} -- {CODES}"
        made = self._made.add_parser(name, help=help, description=help, epilog=epilog, parents=parents)
        made.set_defaults(run=run)
        return made


def chapter(number: str) -> Exercise:
    """``05``, ``5`` or the whole slug."""
    wanted = number.partition("_")[0].zfill(2)
    if wanted not in CHAPTERS:
        raise CourseError(sentence("chapter", f"one of {', '.join(CHAPTERS)}", repr(number), "see: ntk-teach status"))
    return exercise(wanted)


def print_json(data: object) -> None:
    """The one object that a program reads; times and paths as text."""
    print(json.dumps(data, indent=1, ensure_ascii=False, default=str))
