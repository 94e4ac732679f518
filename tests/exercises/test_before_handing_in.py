"""``ntk-teach validate`` with a real notebook: ready when solved, not when empty, and one task of it by ``check``."""

import json

import nbformat

from ntk_teach.grading.cli import main


def told(capsys, *words: object) -> tuple[int, dict]:
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_solved_notebook_is_ready_and_an_empty_one_is_not(classroom, tmp_path, capsys) -> None:
    """No problem and every point; or one problem for every answer that is not there, and no point."""
    path = tmp_path / f"{classroom.slug}.ipynb"
    nbformat.write(classroom.solved(), path)
    code, found = told(capsys, "validate", path)
    assert (code, found["problems"], found["remarks"]) == (0, [], [])
    assert found["points"] == found["of"] == sum(task.points for task in classroom.exercise.tasks)
    nbformat.write(classroom.empty(), path)
    code, found = told(capsys, "validate", path)
    assert (code, found["points"], found["remarks"]) == (1, 0, [])
    unanswered = [problem for problem in found["problems"] if problem.endswith("nothing is answered yet")]
    assert len(unanswered) == len(found["problems"]) == len(classroom.exercise.items)


def test_one_task_alone(classroom, tmp_path, capsys) -> None:
    """The others are not judged, and do not count."""
    path = tmp_path / "my.ipynb"
    nbformat.write(classroom.solved(), path)
    task = classroom.exercise.tasks[1]
    code, found = told(capsys, "check", path, "--task", task.id)
    assert (code, found["points"], [one["task"] for one in found["tasks"]]) == (0, task.points, [task.id])
    assert main(["check", str(path), "--task", "05.9"]) == 2
    assert "expected one of 05.1" in capsys.readouterr().err


def test_what_a_student_does_to_a_notebook_by_accident(classroom, tmp_path, capsys) -> None:
    """A program took the metadata away, and a cell behind all others stops: every point, and one remark. A check cell
    that is gone is called missing, also where it alone was asked for."""
    path = tmp_path / f"{classroom.slug}.ipynb"
    notebook = classroom.solved()
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
    notebook.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    nbformat.write(notebook, path)
    code, found = told(capsys, "validate", path)
    assert (code, found["problems"]) == (0, [])
    assert found["remarks"] == [
        f"cell {len(notebook.cells)} ('1 / 0') stopped with ZeroDivisionError: division by zero"
    ]
    task = classroom.exercise.tasks[1]
    assert told(capsys, "check", path, "--task", task.id)[1]["remarks"] == found["remarks"]  # by its place in the file
    notebook.cells = [cell for cell in notebook.cells if cell.id != task.id.replace(".", "-")]
    nbformat.write(notebook, path)
    code, found = told(capsys, "check", path, "--task", task.id)
    assert (code, found["points"], found["of"]) == (1, 0, task.points)
    assert "its check cell is missing" in found["tasks"][0]["text"]
