"""The command line ``ntk-teach``: one module for each family of commands.

Exit codes: 0 done; 1 done, and something needs a person (a failed task, a submission to review); 2 could not be done.
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
from ntk_teach.grading.sandbox.sandboxes import close

__all__ = ["main", "run"]

# jsonschema, which checks every notebook, imports this for one format of addresses that no notebook has: it compiles
# a grammar, 2.7 s of the 4.5 that nbgrader takes to import. Without it jsonschema leaves that format unchecked.
GRAMMAR = "rfc3987_syntax"


def run() -> NoReturn:
    """The program. It ends at once: to take torch and nbgrader apart would last longer than most commands."""
    sys.modules.setdefault(GRAMMAR, None)  # type: ignore[arg-type]  # an import of it is then an ImportError
    try:
        code = main()
    except SystemExit as asked:  # argparse: 0 after --help, 2 after a word it does not know
        code = asked.code if isinstance(asked.code, int) else REFUSED
    close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print what a person needs to know, return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except NTKError as error:
        print(f"ntk-teach: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("ntk-teach: stopped; what was finished is kept, run the same command again to go on", file=sys.stderr)
        return REFUSED
    return code


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        "ntk-teach", description="Hand out, check and grade the exercises of the book.", epilog=CODES
    )
    commands = Commands(top)
    for family in (status, doctor, release, student, grade, publish):
        family.add(commands)
    return top
