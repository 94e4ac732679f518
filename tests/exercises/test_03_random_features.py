"""The exercise of chapter 03: what its notebook shows is true, and what partly right answers keep."""

import re

import numpy as np
import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient
from wrong_answers_03 import PARTIAL

import ntk_teach as ntk
from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("03")
RIGHT = {task.id: task.reference for task in EXERCISE.tasks}


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "03")


@pytest.mark.parametrize("task_id, wrong, words", [(key, *item) for key, items in PARTIAL.items() for item in items])
def test_what_is_right_in_the_special_case_keeps_its_point(task_id, wrong, words) -> None:
    """One point, and the name of the mistake."""
    for seed in range(3):
        verdict = judge_function(EXERCISE.find(task_id), wrong, seed)
        assert verdict.points == 1, f"seed {seed}\n{verdict}"
        assert any(words in message for message in verdict.messages), f"seed {seed}\n{verdict}"


@pytest.mark.parametrize("case", EXERCISE.find("03.3").cases, ids=lambda case: case.name)
def test_the_end_is_where_the_librarys_gradient_descent_goes(case) -> None:
    """The reference of 03.3 is a formula; the library takes the steps."""
    features, y, theta0 = case.draw(np.random.default_rng(5)).values()
    model = ntk.RandomFeatures(lambda x: x, count=len(theta0))
    spectrum = torch.linalg.eigvalsh(model.gram(features) / len(y))
    slow = spectrum[spectrum > 1e-10 * spectrum[-1]][0]
    steps = int(25 * spectrum[-1] / slow)
    trained = model.gradient_descent(theta0, features, y, lr=1 / float(spectrum[-1]), steps=steps)
    torch.testing.assert_close(trained, RIGHT["03.3"](features, y, theta0), rtol=1e-8, atol=1e-8)


def test_a_repeated_input_makes_the_kernel_singular() -> None:
    """So that an answer that inverts it fails at grading, and not only in the text."""
    case = EXERCISE.find("03.3").cases[-1]
    features, y, _ = case.draw(np.random.default_rng(0)).values()
    assert torch.linalg.matrix_rank(features @ features.T) == len(y) - 1
    assert y[0] != y[-1]


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included: what the author shows is true."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    spectra, descents, memory, slope, lengths = shown
    small, large = ([float(number) for number in re.findall(r"\d\.\d{5}", line)] for line in spectra.splitlines())
    assert len(small) == 6
    assert large == [*small, 0.0]
    gaps = [float(number) for number in re.findall(r"difference ([\d.e+-]+)", descents)]
    assert len(gaps) == 3
    assert max(gaps) < 1e-12
    shares = [float(number) for number in re.findall(r"share ([\d.]+)", memory)]
    costs = [float(number) for number in re.findall(r"end ([\d.e+-]+)", memory)]
    assert shares[:2] == [0.0, 0.0]
    assert 0.25 < shares[2] < 0.75  # 1 − 20/40 on average
    assert 0.9 < shares[3] < 1.0  # 1 − 20/400
    assert costs[0] > 1e-3
    assert max(costs[1:]) < 1e-20
    assert -0.65 < float(slope.split()[1]) < -0.35
    linear = [float(number) for number in re.findall(r"f₀\| = ([\d.]+)", lengths)]
    gap = [float(number) for number in re.findall(r"f_lin\| = ([\d.]+)", lengths)]
    assert linear[2] / linear[1] == pytest.approx(2, rel=1e-3)  # linear in the displacement, at any length
    assert gap[1] / gap[0] == pytest.approx(4, rel=0.2)  # of second order
