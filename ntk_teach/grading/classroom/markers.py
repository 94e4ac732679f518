"""What an author leaves open in a notebook: filled in from the tasks, and from the convention of the variant."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.task import Exercise, WrittenQuestion
from ntk_teach.grading.tasks import BOOK

__all__ = ["adapted", "calls", "filled", "judged_by_the_variant"]


def filled(text: str, exercise: Exercise, place: str) -> str:
    """A text cell: ``{{points 05.1}}``, ``{{signature 05.1}}``, ``{{rubric 05.6}}``, ``{{provides}}`` from the tasks,
    ``{{word}}`` from ``Exercise.text``.
    """
    return re.sub(r"{{([^{}]+)}}", lambda match: _meaning(match[1].strip(), exercise, place), text)


def _meaning(marker: str, exercise: Exercise, place: str) -> str:
    what, _, name = marker.partition(" ")
    item = exercise.find(name)
    if marker in exercise.text:
        return exercise.text[marker]
    if what == "provides":
        return ", ".join(f"`ntk.{word}`" for word in exercise.provides)
    if what == "points" and item is not None:
        return f"{item.points} points"
    if what == "rubric" and isinstance(item, WrittenQuestion):
        return "\n".join(f"- {text} ({points})" for text, points in item.rubric.items())
    if what == "signature" and item is not None and not isinstance(item, WrittenQuestion):
        return f"`{item.signature}`"
    do = f"use points, signature, rubric with a task's id, provides{_listed(exercise.text)}"
    raise CourseError(sentence(place, "a marker that the tasks can fill", f"{{{{{marker}}}}}", do))


def adapted(code: str, exercise: Exercise, place: str) -> str:
    """A code cell: in a line ``factor = 1  # {{word}}`` the right-hand side becomes that of ``Exercise.code``.

    What stands in the file is the book's: so the file runs, and its solutions answer the text of no other variant.
    """
    return "\n".join(_line(line, exercise, place) for line in code.split("\n"))


def _line(line: str, exercise: Exercise, place: str) -> str:
    if not re.search(r"# *{{", line):
        return line
    found = re.fullmatch(r"( *\w+ = )\S.*  # {{(\w+)}}", line)
    if found is None or found[2] not in exercise.code:
        do = f"write: name = value  # {{{{word}}}}{_listed(exercise.code)}"
        raise CourseError(sentence(place, "an assignment that the convention can fill", line.strip(), do))
    return found[1] + exercise.code[found[2]]


def judged_by_the_variant(source: str, exercise: Exercise) -> str:
    """Every ``check("05.1", f)``, in the graded cells and where the text shows one, names a variant that is not the
    book's.
    """
    if exercise.variant == BOOK:
        return source
    return re.sub(_call(exercise), rf'check(\1, variant="{exercise.variant}")', source)


def calls(source: str, exercise: Exercise) -> int:
    """How many calls of ``check`` there are."""
    return len(re.findall(_call(exercise), source))


def _call(exercise: Exercise) -> str:
    ids = "|".join(re.escape(task.id) for task in exercise.tasks)
    return rf"""\bcheck\((["'](?:{ids})["'], *[\w.]+)(?:, variant="\w+")?\)"""


def _listed(words: Mapping[str, str]) -> str:
    return f"; words of the convention: {', '.join(words)}" if words else ""
