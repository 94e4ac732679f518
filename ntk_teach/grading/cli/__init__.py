"""The command line ``ntk-teach``: one module for each family of commands.

Exit codes: 0 done; 1 done, and something needs a person (a failed task, a submission to review); 2 could not be done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ntk_teach.errors import NTKError
from ntk_teach.grading.cli import doctor, grade, publish, release, status, student
from ntk_teach.grading.cli.command import CODES, REFUSED, Commands

__all__ = ["main"]


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
