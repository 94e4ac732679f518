"""From the author's text notebook to nbgrader's: short tags become metadata, points come from the tasks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jupytext

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.markers import adapted, calls, filled, judged_by_the_variant
from ntk_teach.grading.classroom.notebooks import NotebookNode
from ntk_teach.grading.task import Exercise, WrittenQuestion

__all__ = ["read_source"]

TAGS = ("solution", "check", "given", "written")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def read_source(path: Path, exercise: Exercise) -> NotebookNode:
    """Read a percent notebook and give every cell what nbgrader needs.

    Tags of a cell: ``solution="05.1"`` the student's cell, ``check="05.1"`` the graded one, ``given="name"`` locked,
    ``written="05.6"`` read by a person, ``tags=["demonstration"]`` not run at grading. Markers are those of
    ``markers``.

    Raises: CourseError naming the cell, for an unknown tag, task or word, a task without its cells, a missing file.
    """
    if not path.is_file():
        do = f"write it, or copy the folder exercises/source/{exercise.slug} into the course"
        raise CourseError(sentence("release", f"the text notebook {path}", "no such file", do))
    notebook: NotebookNode = jupytext.read(path, fmt="py:percent")
    notebook.metadata = type(notebook.metadata)(kernelspec=KERNEL, language_info={"name": "python"})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    used: set[str] = set()
    for number, cell in enumerate(notebook.cells, start=1):
        place = f"{path.name}, cell {number}"
        _tag(cell, exercise, place)
        written = filled if cell.cell_type == "markdown" else adapted
        cell.source = judged_by_the_variant(written(cell.source, exercise, place), exercise)
        _one_call(cell, exercise, place)
        cell.id = _identity(cell, used)
    _complete(notebook, exercise, path)
    return notebook


def _tag(cell: NotebookNode, exercise: Exercise, place: str) -> None:
    """One of our tags to nbgrader's dictionary; other metadata but ``tags`` is dropped."""
    found = [tag for tag in TAGS if tag in cell.metadata]
    unknown = set(cell.metadata) - {*TAGS, "tags", "lines_to_next_cell"}
    if len(found) > 1 or unknown:
        expected = f"at most one of {', '.join(TAGS)}, and tags=[...]"
        raise CourseError(
            sentence(place, expected, ", ".join(sorted(cell.metadata)), "correct the line that starts with # %%")
        )
    tags = list(cell.metadata.get("tags", []))
    value = str(cell.metadata[found[0]]) if found else ""
    cell.metadata = type(cell.metadata)({"tags": tags} if tags else {})
    if not found:
        return
    tag, graded = found[0], found[0] in ("check", "written")
    item = exercise.find(value)
    if tag != "given" and (item is None or isinstance(item, WrittenQuestion) != (tag == "written")):
        raise CourseError(
            sentence(place, f"{tag}= one of the exercise's tasks", repr(value), "declare the task, or correct its id")
        )
    cell.metadata["nbgrader"] = {
        "grade": graded,
        "grade_id": {"solution": f"{value}-answer", "given": f"given-{value}"}.get(tag, value).replace(".", "-"),
        "locked": tag in ("check", "given"),
        "schema_version": 3,
        "solution": tag in ("solution", "written"),
        "task": False,
    }
    if graded and item is not None:
        cell.metadata["nbgrader"]["points"] = item.points


def _one_call(cell: NotebookNode, exercise: Exercise, place: str) -> None:
    """A graded cell of code judges one function, in a form that a release in another variant can extend."""
    meta = cell.metadata.get("nbgrader", {})
    if meta.get("grade") and not meta["solution"] and (found := calls(cell.source, exercise)) != 1:
        do = "write the call on one line, once, as the cell's last expression"
        raise CourseError(sentence(place, 'check("<task>", <function>)', f"{found} calls", do))


def _identity(cell: NotebookNode, used: set[str]) -> str:
    """The same cell has the same id in every release, wherever it stands."""
    own = cell.metadata.get("nbgrader", {}).get("grade_id")
    name = own or f"text-{hashlib.sha256(cell.source.encode()).hexdigest()[:12]}"
    copies = 1
    while name in used:
        copies += 1
        name = f"{name.partition('_')[0]}_{copies}"
    used.add(name)
    return str(name)


def _complete(notebook: NotebookNode, exercise: Exercise, path: Path) -> None:
    """Every task has one answer and one check, every question one place to write."""
    ids = [cell.metadata.nbgrader["grade_id"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    wanted = [item.id.replace(".", "-") for item in exercise.items]
    wanted += [f"{task.id.replace('.', '-')}-answer" for task in exercise.tasks]
    for name in wanted:
        if ids.count(name) != 1:
            do = 'write # %% solution="…" and # %% check="…" once for each task'
            raise CourseError(sentence(path.name, f"one cell {name}", f"{ids.count(name)} of them", do))
