"""Can this notebook be handed in? Looked at as a file, with the core alone."""

import json

import pytest
from booked import SLUG

from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.handing_in import handing_in
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("05")
TASKS = [task.id.replace(".", "-") for task in EXERCISE.tasks]


def cell(name: str, source: object = "x = 1", **more) -> dict:
    return {"cell_type": "code", "id": name, "metadata": {"nbgrader": {"grade_id": name}}, "source": source, **more}


def notebook() -> dict:
    """Every cell that the exercise needs, answered."""
    names = [name for task in TASKS for name in (f"{task}-answer", task)]
    names += [question.id.replace(".", "-") for question in EXERCISE.written]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell(name) for name in names]}


def saved(tmp_path, content: object, name: str = f"{SLUG}.ipynb"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_a_notebook_that_can_be_handed_in(tmp_path) -> None:
    """No problems, also where metadata was lost but the notebook's own ids are there."""
    found = handing_in(saved(tmp_path, notebook()))
    assert (found.exercise.slug, found.problems) == (SLUG, ())
    assert found.graded == tuple(task.id for task in EXERCISE.tasks)
    bare = notebook()
    for item in bare["cells"]:
        item["metadata"] = {}
    assert handing_in(saved(tmp_path, bare)).problems == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cells: cells.pop(0), "05.1: the cell of the answer is missing"),
        (lambda cells: cells.pop(1), "05.1: the cell of the check is missing"),
        (lambda cells: cells.pop(), "05.6: the cell of the text is missing"),
        (lambda cells: cells.append(cells[2]), "05.2: the cell of the answer is there 2 times"),
        (lambda cells: cells[4].update(source="raise NotImplementedError()"), "05.3: nothing is answered yet"),
        (lambda cells: cells[-1].update(source=["YOUR ANSWER", " HERE"]), "05.6: nothing is answered yet"),
        (lambda cells: cells.append({"outputs": "x" * 3_000_000}), "clear its outputs"),
    ],
)
def test_each_problem_is_one_sentence(tmp_path, change, words) -> None:
    """Missing, doubled, empty cells, a file full of outputs."""
    content = notebook()
    change(content["cells"])
    (problem,) = handing_in(saved(tmp_path, content)).problems
    assert words in problem


def test_the_name_of_the_file(tmp_path) -> None:
    (problem,) = handing_in(saved(tmp_path, notebook(), f"{SLUG} (1).ipynb")).problems
    assert f"called {SLUG}.ipynb" in problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "which is another"),
        (b'{"worksheets": []}', "which is another"),
        (b'{"cells": [3, {"id": 5}, {"metadata": {"nbgrader": 3}}, {"metadata": []}]}', "none of them"),
        (b'{"cells": [{"id": "99-1"}]}', "none of them"),
        (b" " * 20_000_001, "at most 20 MB"),
    ],
)
def test_what_is_no_notebook_of_ours(tmp_path, content, words) -> None:
    with pytest.raises(CourseError, match=words):
        handing_in(saved(tmp_path, content))


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(CourseError, match="no such file"):
        handing_in(tmp_path / "none.ipynb")
