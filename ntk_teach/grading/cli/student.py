"""The student's side: ``ntk-teach check`` runs a notebook, ``validate`` looks at the file as well."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ntk_teach.grading.cli.command import DONE, PERSON, Commands, print_json

__all__ = ["add"]


def add(commands: Commands) -> None:
    made = commands.add(
        "check",
        _check,
        "Run a notebook and judge it, all of it or one task.",
        "ntk-teach check my.ipynb --task 05.1",
        in_course=False,
        json=True,
    )
    made.add_argument("notebook", type=Path, help="the notebook")
    made.add_argument("--task", metavar="ID", help="this task alone, such as 05.1")
    made = commands.add(
        "validate",
        _validate,
        "Say whether a notebook can be handed in: name, size, cells; then run it and judge it.",
        "ntk-teach validate 05_neural_tangent_kernel.ipynb",
        in_course=False,
        json=True,
    )
    made.add_argument("notebook", type=Path, help="the notebook")


def _check(options: argparse.Namespace) -> int:
    return _judged(options, (), options.task)


def _validate(options: argparse.Namespace) -> int:
    from ntk_teach.grading.classroom.handing_in import handing_in

    return _judged(options, handing_in(options.notebook).problems, None)


def _judged(options: argparse.Namespace, faults: Sequence[str], task: str | None) -> int:
    from ntk_teach.grading.classroom.try_out import try_out

    results, remarks = try_out(options.notebook, task)
    earned, most = sum(tried.points for tried in results), sum(tried.of for tried in results)
    if options.json:
        tasks = [tried._asdict() for tried in results]
        found = {"problems": faults, "remarks": remarks, "points": earned, "of": most, "tasks": tasks}
        print_json({"notebook": options.notebook} | found)
    else:
        for fault in faults:
            print(f"before handing in: {fault}")
        for remark in remarks:
            print(f"by the way: {remark}")
        for tried in results:
            print(tried.text)
        print(f"{earned:g} of {most:g} points")
    return DONE if earned == most and not faults else PERSON
