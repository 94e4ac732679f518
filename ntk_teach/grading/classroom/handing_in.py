"""Can this notebook be handed in? Looked at as a file, before anything runs; the core alone is enough for that."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks import CHAPTERS, exercise

__all__ = ["HandingIn", "grade_id", "handing_in"]

LARGEST = 20_000_000  # bytes, as at grading
USUAL = 2_000_000  # bytes: above, outputs fill it
STUBS = ("raise NotImplementedError", "YOUR ANSWER HERE")  # what nbgrader leaves where an answer belongs


@dataclass(frozen=True)
class HandingIn:
    """What was found: the exercise, and problems in words, empty where it can be handed in as it is."""

    exercise: Exercise
    graded: tuple[str, ...]
    problems: tuple[str, ...]


def handing_in(path: Path) -> HandingIn:
    """Look at file name, size, cells and ids of a notebook.

    Raises: CourseError if it is no notebook, or none of ours.
    """
    content = _opened(path)
    cells = [cell for cell in content["cells"] if isinstance(cell, dict)]
    ids = [name for name in map(grade_id, cells) if name]
    chapters = Counter(name.partition("-")[0] for name in ids if name.partition("-")[0] in CHAPTERS)
    if not chapters:
        do = "start from the notebook that was handed out, and keep its cells"
        raise CourseError(sentence(path.name, "the cells of an exercise", "none of them", do))
    chapter = exercise(chapters.most_common(1)[0][0])
    answers = {f"{task.id.replace('.', '-')}-answer": task.id for task in chapter.tasks}
    written = {question.id.replace(".", "-"): question.id for question in chapter.written}
    checks = {task.id.replace(".", "-"): task.id for task in chapter.tasks}
    counts, problems = Counter(ids), list[str]()
    if path.name != f"{chapter.slug}.ipynb":
        problems.append(f"the file is to be called {chapter.slug}.ipynb, this one is called {path.name}")
    if (size := path.stat().st_size) > USUAL:
        do = "clear its outputs (Kernel, Restart and Clear Outputs) and save it"
        problems.append(f"the file has {size / 1e6:.0f} MB: {do}")
    for wanted, what in ((answers, "answer"), (written, "text"), (checks, "check")):
        for name, task in wanted.items():
            if not counts[name]:
                problems.append(f"{task}: the cell of the {what} is missing; copy it again from the released notebook")
            elif counts[name] > 1:
                problems.append(f"{task}: the cell of the {what} is there {counts[name]} times; keep one")
    for cell in cells:
        task = (answers | written).get(grade_id(cell), "")
        if task and any(stub in _source(cell) for stub in STUBS):
            problems.append(f"{task}: nothing is answered yet")
    graded = tuple(checks[name] for name in ids if name in checks)
    return HandingIn(chapter, graded, tuple(problems))


def _opened(path: Path) -> dict[str, Any]:
    """The notebook as JSON. What the grader could not open either is refused here."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise CourseError(sentence("notebook", "a file", f"{path}: {found}", "name your .ipynb file"))
    if path.stat().st_size > LARGEST:
        received = f"{path.stat().st_size / 1e6:.0f} MB"
        raise CourseError(sentence(path.name, f"at most {LARGEST / 1e6:.0f} MB", received, "clear its outputs"))
    do = "open it in Jupyter and save it again"
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise CourseError(sentence("notebook", "a notebook", f"{path.name}, which cannot be read", do)) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise CourseError(sentence("notebook", "a notebook (nbformat 4)", f"{path.name}, which is another", do))
    return content


def grade_id(cell: dict[str, Any]) -> str:
    """nbgrader's id of a cell, or the notebook's own where it has the form of one of ours."""
    metadata = cell.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = ours.get("grade_id") if isinstance(ours, dict) else cell.get("id")
    return name if isinstance(name, str) and re.fullmatch(r"\d\d-\d+(-answer)?", name) else ""


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
