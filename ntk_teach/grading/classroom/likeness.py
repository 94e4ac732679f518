"""The scan for likeness over a class: the answers, next to the author's. It marks rows, never points."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.classroom.originality import scan
from ntk_teach.grading.task import Exercise

__all__ = ["likenesses"]

ANSWER = "-answer"  # ends the id of a cell that holds the answer to a task


def likenesses(course: Course, exercise: Exercise, students: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Student to sentences, for those whose answers a person should look at."""
    answers = {student: _answers(course.autograded(exercise.slug, student)) for student in students}
    references = _answers(course.source(exercise.slug).with_suffix(".ipynb"))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for flag in scan(answers, references, exercise.provides):
        found[flag.student][flag.words].append(flag.task)
    return {
        student: tuple(f"{', '.join(tasks)}: {words}" for words, tasks in said.items())
        for student, said in found.items()
    }


def _answers(path: Path) -> dict[str, str]:
    """Task to source; nothing from a file that is not there, or is none of ours."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found: dict[str, str] = {}
    task = ""
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        name = str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))
        text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if name.endswith(ANSWER):
            task = name.removesuffix(ANSWER).replace("-", ".")
            found[task] = text
        elif task and not name and "demonstration" not in cell.get("metadata", {}).get("tags", []):
            found[task] += f"\n\n{text}"  # a helper in a cell of its own belongs to the answer before it
    return found
