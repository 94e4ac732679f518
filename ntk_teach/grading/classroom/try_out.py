"""A student's notebook, run from top to bottom on the public inputs: what the grader will say, before handing in.

It goes the way of the final grading: the same execution, with the same small part of the library, and the same words.
It is the student's own code on the student's own machine, so nothing keeps it from anything.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.handing_in import grade_id
from ntk_teach.grading.classroom.nbgrader_tools import needs_nbgrader
from ntk_teach.grading.seeds import practice_seed
from ntk_teach.grading.task import Exercise, Task
from ntk_teach.grading.tasks import BOOK, CHAPTERS, exercise, variants

if TYPE_CHECKING:
    from ntk_teach.grading.classroom.notebooks import NotebookNode

__all__ = ["Tried", "TryOut", "try_out"]

REMARKS = 5  # cells that stopped: the first ones are named


class Tried(NamedTuple):
    """One graded cell: the task's id, points, points to get, words."""

    task: str
    points: float
    of: float
    text: str


class TryOut(NamedTuple):
    """What was judged, and what else a student wants to know: cells that stopped, whose points or not."""

    tried: list[Tried]
    remarks: list[str]


def try_out(path: Path, task: str | None = None) -> TryOut:
    """Every graded cell, or one task's. The notebook itself is not changed.

    Raises: CourseError for a file that is no notebook, or has no graded cells.
    """
    with needs_nbgrader():
        import nbformat

        from ntk_teach.grading.classroom.execute import Execution
        from ntk_teach.grading.classroom.library import provided_library, refusal
        from ntk_teach.grading.classroom.notebooks import read
        from ntk_teach.grading.sandbox.backends import UNSANDBOXED
        from ntk_teach.grading.sandbox.limits import Limits
        from ntk_teach.grading.sandbox.process import Ended
        from ntk_teach.grading.sandbox.sandboxes import Sandboxes

    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise CourseError(sentence("check", "a notebook", f"{path}: {what}", "name your .ipynb file"))
    try:
        notebook = read(path)
    except (ValueError, AttributeError, nbformat.ValidationError):
        do = "open it in Jupyter and save it again"
        raise CourseError(sentence("check", "a notebook", f"{path.name}, which cannot be read", do)) from None
    _recognize(notebook)
    graded = {
        str(cell.metadata.nbgrader.grade_id): float(cell.metadata.nbgrader.points)
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    if not graded:
        do = "start from the released notebook, and keep its check cells"
        raise CourseError(sentence("check", "graded cells", f"none in {path.name}", do))
    chapter, cells = _exercise(next(iter(graded)), notebook), [*notebook.cells]
    if task is not None:
        graded = _only(task, chapter, graded, notebook)
    else:
        graded |= {
            name: float(item.points) for item in chapter.tasks if (name := item.id.replace(".", "-")) not in graded
        }
    seeds = {item.id: practice_seed(item.id) for item in chapter.tasks}
    with Sandboxes(UNSANDBOXED) as sandboxes:
        library = provided_library(chapter.provides)
        execution = Execution(chapter, seeds, sandboxes, Limits(), library, refusal(chapter.provides))
        try:
            execution.run(notebook)
        except (Ended, OSError) as error:
            do = "look at the installation: python -m pip check"
            raise CourseError(sentence("check", "an interpreter for your notebook", str(error), do)) from None
    found = {name: execution.verdicts.get(name, _missing(name)) for name in graded}
    tried = [
        Tried(name.replace("-", "."), float(str(found[name]["points"])), most, str(found[name]["text"]))
        for name, most in graded.items()
    ]
    return TryOut(tried, _stopped(cells))


def _recognize(notebook: NotebookNode) -> None:
    """Where a program took nbgrader's metadata away, a check cell is known by its own id, as at grading."""
    for cell in notebook.cells:
        name = grade_id(cell).replace("-", ".")
        chapter = name.partition(".")[0]
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata and chapter in CHAPTERS:
            task = exercise(chapter).find(name)
            if isinstance(task, Task):
                own = {"grade": True, "solution": False, "grade_id": cell["id"], "points": task.points}
                cell.metadata["nbgrader"] = type(cell.metadata)(own)


def _stopped(cells: list[NotebookNode]) -> list[str]:
    """Cells that ended with an error, by their places in the file. An answer that is not written yet is none: its check
    says so."""
    remarks = []
    for position, cell in enumerate(cells, start=1):
        for part in cell.get("outputs", []):
            if part.output_type == "error" and part.ename != "NotImplementedError":
                first = cell.source.strip().partition("\n")[0][:60]
                reason = f"{part.ename}: {part.evalue}".strip().partition("\n")[0][:200]
                remarks.append(f"cell {position} ({first!r}) stopped with {reason}")
    left = len(remarks) - REMARKS
    return remarks[:REMARKS] + ([f"and {left} more cells stopped"] if left > 0 else [])


def _missing(grade_id: str) -> dict[str, object]:
    name = grade_id.replace("-", ".")
    return {"points": 0.0, "text": f"{name}: failed, its check cell is missing; copy it from the released notebook"}


def _exercise(grade_id: str, notebook: NotebookNode) -> Exercise:
    """Chapter and variant, as they stand in the check cells."""
    number = grade_id.partition("-")[0]
    if number not in CHAPTERS:
        do = "start from the released notebook"
        raise CourseError(sentence("check", f"tasks of chapters {', '.join(CHAPTERS)}", repr(grade_id), do))
    named = re.search(r'^check\(.*variant="(\w+)"', "\n".join(cell.source for cell in notebook.cells), re.MULTILINE)
    variant = named[1] if named else BOOK
    if variant not in variants(number):
        do = "start from the notebook that your course handed out, or update ntk_teach"
        raise CourseError(sentence("check", f"one of {', '.join(variants(number))}", repr(variant), do))
    return exercise(number, variant)


def _only(task: str, chapter: Exercise, graded: dict[str, float], notebook: NotebookNode) -> dict[str, float]:
    """Leave out the other tasks' check cells."""
    wanted = task.replace(".", "-")
    known = {item.id.replace(".", "-"): float(item.points) for item in chapter.tasks}
    if wanted not in known:
        expected = f"one of {', '.join(name.replace('-', '.') for name in known)}"
        raise CourseError(sentence("check", expected, repr(task), "copy the id from the task"))
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") in (None, wanted)
        or not cell.metadata.nbgrader.get("grade")
    ]
    return {wanted: graded.get(wanted, known[wanted])}
