"""The exercise of chapter 02: what its demonstrations print is true, and what is particular to its tasks."""

import re

import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient

from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("02")


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> list[str]:
    """What the demonstrations of the solved notebook print; all visible checks pass on the way."""
    room = Classroom.opened(tmp_path_factory.mktemp("course"), "02")
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    return ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+(?:e-\d+)?|\d+e-\d+", text)]


def test_the_demonstrations_show_what_they_say(shown) -> None:
    """A function of norm zero; a function that is learned off the data; a speed; a matrix; two ends."""
    norm, step, speed, matrix, ends = shown
    assert numbers(norm)[0] == pytest.approx(1 / 6, abs=1e-4)
    assert numbers(norm)[1] < 1e-15
    on, off = numbers(step)
    assert on < 0.02 < off < 0.5
    decay, lasts = re.search(r"dC/dt = (-[\d.]+): log 2 lasts for t = (\d+)", speed).groups()
    assert -0.6931 / float(decay) == pytest.approx(float(lasts), rel=0.01)
    block, whole = numbers(matrix.replace("0e+00", "0.0"))
    assert block > 0.01
    assert whole < 1e-15
    linear, network = ends.splitlines()
    assert numbers(linear)[0] == numbers(linear)[1] > 0.05  # x₁x₂ is orthogonal to linear functions on the circle
    assert numbers(network) == [numbers(linear)[0], 0.0]


def test_a_right_formula_that_overflows_keeps_two_points_of_three() -> None:
    """∞/∞ where an output is far on the wrong side: named, and only the last property is lost."""

    def naive(kernel, f, y):
        d = -y * torch.exp(-y * f) / (1 + torch.exp(-y * f))
        return -(d @ kernel @ d) / len(d) ** 2

    verdict = judge_function(EXERCISE.find("02.3"), naive, 5)
    assert verdict.points == 2
    assert "overflows" in verdict.messages[0]


@pytest.mark.parametrize("size", [1e-12, 1e-10, 1e-8, 1e-6])
def test_a_threshold_of_fixed_size_is_named_whatever_its_size(size) -> None:
    """The kernel of size 1e-13 lies below all of them."""

    def fixed(kernel, f0, y):
        values, vectors = torch.linalg.eigh(kernel)
        moved = vectors[:, values > size]
        return f0 + moved @ (moved.T @ (y - f0))

    verdict = judge_function(EXERCISE.find("02.5"), fixed, 5)
    assert verdict.points == 2
    assert "fixed size" in verdict.messages[0]


def test_library_routines_that_decide_by_themselves_are_right() -> None:
    """Pseudo-inverses and least squares of torch and numpy, as the task's text says, over many seeds."""
    routines = (
        lambda k, f0, y: f0 + k @ torch.linalg.pinv(k) @ (y - f0),
        lambda k, f0, y: f0 + k @ torch.linalg.pinv(k, hermitian=True) @ (y - f0),
        lambda k, f0, y: f0 + k @ torch.linalg.lstsq(k, (y - f0)[:, None], driver="gelsd").solution[:, 0],
    )
    for seed in range(60):
        for routine in routines:
            assert judge_function(EXERCISE.find("02.5"), routine, seed).points == 3, seed
