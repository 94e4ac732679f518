"""What the exercise of every chapter promises, whatever its subject: strangers' answers, release, student's check."""

import re
import time
from importlib import import_module

import nbformat
import pytest
from classroom import Classroom

from ntk_teach.grading.cli import main
from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import CHAPTERS, exercise

WRONG = {number: import_module(f"wrong_answers_{number}").WRONG for number in CHAPTERS}
STRANGERS = [
    pytest.param(number, task_id, wrong, words, id=f"{task_id}-{wrong.__name__}")
    for number, answers in WRONG.items()
    for task_id, listed in answers.items()
    for wrong, words in listed
]


@pytest.fixture(scope="module", params=CHAPTERS)
def room(request, tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), request.param)


@pytest.mark.usefixtures("unchecked")  # tiny arrays by the thousand
@pytest.mark.parametrize(("number", "task_id", "wrong", "words"), STRANGERS)
def test_a_wrong_answer_that_nobody_foresaw_earns_nothing_and_is_told_something(number, task_id, wrong, words) -> None:
    """Written from the task's text, not from the list of misconceptions; over several seeds."""
    task = exercise(number).find(task_id)
    for seed in range(3):
        verdict = judge_function(task, wrong, seed)
        assert verdict.points == 0, f"seed {seed}\n{verdict}"
        assert words is None or any(words in message for message in verdict.messages), f"seed {seed}\n{verdict}"


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_task_has_met_six_strangers_and_names_four_of_five(number) -> None:
    """The others have None in the place of words: the verdict can only say what it expected and what it received."""
    assert set(WRONG[number]) == {task.id for task in exercise(number).tasks}
    for task_id, listed in WRONG[number].items():
        assert len(listed) >= 6, task_id
        assert sum(words is not None for _, words in listed) >= 0.8 * len(listed), task_id
        assert "expected" not in {words for _, words in listed}, f"{task_id}: every verdict says so; write None"


def test_the_release_has_no_solution(room) -> None:
    """Neither the answers nor the author's file with both; each title is followed by its points."""
    released = room.course.released(room.slug)
    assert [path.name for path in released.parent.iterdir()] == [f"{room.slug}.ipynb"]
    assert "SOLUTION" not in released.read_text()
    handed_out = {cell.id: cell.source for cell in room.empty().cells}
    answers = [cell for cell in room.solved().cells if "BEGIN SOLUTION" in cell.source]
    assert len(answers) == len(room.exercise.items)
    for cell in answers:
        hidden = re.findall(r"BEGIN SOLUTION\n(.*?)\n *### END", cell.source, re.DOTALL)[0].strip().splitlines()
        assert not any(line.strip() in handed_out[cell.id] for line in hidden if len(line.strip()) > 8)
    text = "\n".join(handed_out.values())
    assert all(f"({item.points} points)" in text for item in room.exercise.items)
    assert all(line in text for question in room.exercise.written for line in question.rubric)
    points = {
        c.id: c.metadata.nbgrader.points for c in room.empty().cells if c.metadata.get("nbgrader", {}).get("grade")
    }
    assert points == {item.id.replace(".", "-"): item.points for item in room.exercise.items}


def test_solved_earns_everything_and_empty_nothing(room, tmp_path, capsys) -> None:
    """The student's own run in the sandbox, with nothing of the library but what is provided; in a moment."""
    possible = sum(task.points for task in room.exercise.tasks)
    for notebook, code, points in ((room.solved(), 0, possible), (room.empty(), 1, 0)):
        path = tmp_path / "mine.ipynb"
        nbformat.write(notebook, path)
        started = time.process_time()
        assert main(["check", str(path)]) == code, capsys.readouterr().out
        assert time.process_time() - started < 20
        assert capsys.readouterr().out.splitlines()[-1] == f"{points} of {possible} points"


def test_nothing_in_the_solutions_is_written_for_one_machine(room) -> None:
    """The notebook is text that a person can read: its cells run in a few lines, and it names no folder."""
    for cell in room.solved().cells:
        assert "/home/" not in cell.source
        assert len(cell.source.splitlines()) <= 60
