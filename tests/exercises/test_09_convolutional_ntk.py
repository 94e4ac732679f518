"""The exercise of chapter 09: what its demonstrations print is true, and its tasks ask for what the library gives."""

import re

import pytest
import torch
import wrong_answers_09
from classroom import Classroom
from nbclient import NotebookClient

import ntk_teach as ntk
from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks.convolutional_ntk import exercise

PATCH, STEP, POOL = (task.reference for task in exercise.tasks)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "09")


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    numbers = [[float(v) for v in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", text)] for text in shown]
    patch, step, pool = numbers
    assert patch[0] < 1e-12
    assert patch[2::2] == sorted(patch[2::2], reverse=True)
    assert patch[2] == pytest.approx(4 / 9, abs=1e-3)
    assert step[0] < 1e-12
    mean, error, limit = step[-3:]
    assert abs(mean - limit) < 5 * error
    windows = pool[1:8:2]
    assert windows[-1] == pytest.approx(pool[-1], abs=2e-5)
    assert windows[0] != pytest.approx(windows[-1], abs=1e-2)


PARTLY = [
    pytest.param(task_id, wrong, points, words, id=f"{task_id}-{wrong.__name__}")
    for task_id, listed in wrong_answers_09.PARTLY.items()
    for wrong, points, words in listed
]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("task_id", "wrong", "points", "words"), PARTLY)
def test_an_answer_with_one_fault_keeps_the_rest(task_id, wrong, points, words) -> None:
    """A border, a black pixel, a bias: one property, and its own sentence."""
    for seed in range(3):
        verdict = judge_function(exercise.find(task_id), wrong, seed)
        assert verdict.points == points, f"seed {seed}\n{verdict}"
        assert any(words in message for message in verdict.messages), f"seed {seed}\n{verdict}"


def test_the_patch_average_is_the_librarys_layer() -> None:
    """09.1: ``Conv2d``, on images of unequal sides."""
    x, z = drawn(1, 4, 5, 2, seed=1), drawn(1, 4, 5, 2, seed=2)
    cov = torch.einsum("ijc,klc->ijkl", x[0], z[0]) / 2
    theirs = ntk.serial(ntk.Conv2d(3, sigma_w=1.3, sigma_b=0.4)).kernel(x, z).nngp.reshape(4, 5, 4, 5)
    torch.testing.assert_close(PATCH(cov, 3, 1.3, 0.4), theirs, rtol=1e-12, atol=1e-14)


def test_a_row_is_an_image_whose_rows_are_alike() -> None:
    """09.2: a column of p pixels, repeated q times; the square window averages equal pixels q times over."""
    p, q = 6, 3
    rows = [drawn(p, 2, seed=seed) for seed in (3, 4)]
    images = [row[None, :, None].expand(1, p, q, 2) for row in rows]  # height p, width q
    first = ntk.Conv2d(1, sigma_w=1.2, sigma_b=0.3)
    second = ntk.Conv2d(q, padding="valid", sigma_w=1.4, sigma_b=0.2)
    theirs = ntk.serial(first, ntk.relu, second).kernel(*images).ntk[0, 0]  # [p − q + 1, p − q + 1]
    one, two = rows
    sigma = 1.2**2 * one @ two.T / 2 + 0.3**2
    var1, var2 = (1.2**2 * row.square().sum(1) / 2 + 0.3**2 for row in rows)
    torch.testing.assert_close(STEP(sigma, sigma, var1, var2, q, 1.4, 0.2), theirs, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_local_pooling_is_the_librarys(window) -> None:
    """09.3: ``AvgPool`` and ``Flatten``; the largest window is ``GlobalAvgPool``."""
    x, z = drawn(1, 4, 4, 2, seed=5), drawn(1, 4, 4, 2, seed=6)
    body = [ntk.Conv2d(3, padding="circular"), ntk.relu]
    cov = ntk.serial(*body).kernel(x, z).nngp.reshape(4, 4, 4, 4)
    read = [ntk.AvgPool(window, 1, "circular"), ntk.Flatten()] if window < 4 else [ntk.GlobalAvgPool()]
    theirs = ntk.serial(*body, *read, ntk.Dense()).nngp(x, z)
    torch.testing.assert_close(POOL(cov, window), theirs[0, 0], rtol=1e-12, atol=1e-14)
