"""The command line ``ntk-teach``: one module for each family of commands.

Exit codes: 0 done; 1 done, and something needs a person (a failed task, a submission to review); 2 could not be done;
128 and a signal's number where one ended it (130 Ctrl-C, 143 TERM, 141 a reader who has gone).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ntk_teach.errors import NTKError
from ntk_teach.grading.cli import doctor, grade, publish, release, status, student
from ntk_teach.grading.cli.command import CODES, REFUSED, Commands
from ntk_teach.grading.cli.ending import flushed, obeying, streams, told
from ntk_teach.grading.sandbox.sandboxes import close

__all__ = ["main", "run"]

# jsonschema, which checks every notebook, imports this for one format of addresses that no notebook has: it compiles
# a grammar, 2.7 s of the 4.5 that nbgrader takes to import. Without it jsonschema leaves that format unchecked.
GRAMMAR = "rfc3987_syntax"


def run() -> NoReturn:
    """The program. It ends at once: to take torch and nbgrader apart would last longer than most commands."""
    sys.modules.setdefault(GRAMMAR, None)  # type: ignore[arg-type]  # an import of it is then an ImportError
    streams()
    try:
        code = main()
    except SystemExit as asked:  # argparse: 0 after --help, 2 after a word it does not know
        code = asked.code if isinstance(asked.code, int) else REFUSED
    code = flushed(code)
    close()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print what a person needs to know, return the exit code."""
    try:
        with obeying():
            options = _parser().parse_args(arguments)
            code: int = options.run(options)
    except (NTKError, KeyboardInterrupt, OSError) as error:
        return told(error)
    return code


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        "ntk-teach", description="Hand out, check and grade the exercises of the book.", epilog=CODES
    )
    commands = Commands(top)
    for family in (status, doctor, release, student, grade, publish):
        family.add(commands)
    return top
