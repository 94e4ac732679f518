"""The exercise of chapter 10: what its demonstrations print is true, and its tasks ask for what the library gives."""

import re

import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient

import ntk_teach as ntk
from ntk_teach.grading.tasks.recurrent_ntk import exercise

COVARIANCE, TANGENT, AVERAGE = (task.reference for task in exercise.tasks)
SCALES = (1.3, 0.8, 0.4)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "10")


def series(*lengths: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(t, 2, dtype=torch.float64, generator=generator) for t in lengths]


def grid(batch):
    return ntk.Recurrent(ntk.relu, *SCALES).kernel(ntk.Kernel.of(batch))


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    products = {
        (int(width), name): (float(measured), float(expected))
        for width, name, measured, expected in re.findall(r"width (\d+), (.*?): (\S+), your number (\S+)", shown[0])
    }
    measured, expected = products[4096, "one W"]
    assert measured == pytest.approx(expected, rel=0.1)
    fresh = products[4096, "a fresh W every step"][0]
    assert abs(fresh - expected) > 4 * abs(measured - expected)
    yours, library = re.findall(r"\d+\.\d{10}", shown[1])
    assert yours == library
    shares = [float(value) for value in re.findall(r"adds (\S+) of", shown[1])]
    assert shares[0] < 1e-4 < shares[1] < 1e-2
    assert shares[2] == pytest.approx(1 / 230, rel=0.02)  # at the edge the steps add 1/2, 2/2, …, 20/2, V 20/2
    assert float(re.findall(r"difference (\S+)", shown[2])[0]) < 1e-10
    pairs, equal = (float(value) for value in re.findall(r"\d+\.\d{3}", shown[2]))
    assert pairs < equal


def test_the_grid_is_the_librarys(unchecked) -> None:
    """10.1: E[φφ] of the task's covariance is what the layer hands on, at every pair of times."""
    long, short = series(6, 4)
    own = [COVARIANCE(one, one, *SCALES).diagonal() for one in (long, short)]
    states = ntk.relu.dual(COVARIANCE(long, short, *SCALES), own[0][:, None], own[1]).value
    found = grid(ntk.Ragged.sequences([long, short])).nngp[0, 1]
    torch.testing.assert_close(states, found[:, 2:], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("lengths", [(6, 4), (3, 7), (5, 5), (1, 4)])
def test_the_last_step_is_the_librarys(unchecked, lengths) -> None:
    """10.2, for any two lengths."""
    one, two = series(*lengths)
    own = [COVARIANCE(x, x, *SCALES).diagonal() for x in (one, two)]
    arch = ntk.serial(ntk.Recurrent(ntk.relu, *SCALES), ntk.LastStep(), ntk.Dense())
    found = TANGENT(COVARIANCE(one, two, *SCALES), *own, SCALES[0])
    torch.testing.assert_close(found, arch.ntk(ntk.Ragged.sequences([one, two]))[0, 1], rtol=1e-10, atol=1e-12)


def test_the_average_is_the_librarys(unchecked) -> None:
    """10.3, on the library's own grid with its padding."""
    batch = ntk.Ragged.sequences(series(6, 4, 1, 5))
    k = grid(batch)
    arch = ntk.serial(ntk.Recurrent(ntk.relu, *SCALES), ntk.AverageSteps(), ntk.Dense())
    found = AVERAGE(k.nngp + k.ntk, batch.present, batch.present)
    torch.testing.assert_close(found, arch.ntk(batch), rtol=1e-10, atol=1e-12)
