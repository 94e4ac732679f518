"""The exercise of chapter 04: what its notebook shows is true, and what its references are held to."""

import re

import numpy as np
import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient
from wrong_answers_04 import PARTIAL

from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("04")


def find(task_id):
    return EXERCISE.find(task_id)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "04")


@pytest.mark.parametrize("task_id, wrong, words", [(key, *item) for key, items in PARTIAL.items() for item in items])
def test_what_is_right_off_the_ray_keeps_its_points(task_id, wrong, words) -> None:
    """Two points, and the name of the mistake."""
    for seed in range(3):
        verdict = judge_function(find(task_id), wrong, seed)
        assert verdict.points == 2, f"seed {seed}\n{verdict}"
        assert any(words in message for message in verdict.messages), f"seed {seed}\n{verdict}"


def test_generic_covariances_have_a_diagonal_that_no_order_of_operations_moves() -> None:
    """So that a missing clip is told from other mistakes by the ray alone: each way to normalize gives exactly 1."""
    for seed in range(20):
        for case in find("04.2").cases[:2]:
            sigma = case.draw(np.random.default_rng(seed))["sigma"]
            q = sigma.diagonal()
            for root in (torch.outer(q, q).sqrt(), torch.outer(q.sqrt(), q.sqrt())):
                rho = sigma / root
                assert (rho.diagonal() == 1).all()
                assert (rho - torch.eye(len(q))).abs().max() < 1 - 1e-6
            assert (rho < -0.5).any()


def test_the_ray_is_where_a_missing_clip_shows() -> None:
    """NaN for every seed of 50, in the two usual ways to normalize."""
    draw = find("04.2").cases[-1].draw
    for seed in range(50):
        sigma = draw(np.random.default_rng(seed))["sigma"]
        q = sigma.diagonal()
        for root in (torch.outer(q, q).sqrt(), torch.outer(q.sqrt(), q.sqrt())):
            assert torch.arccos(sigma / root).isnan().any()


def test_one_third_way_to_forget_the_clip_is_named_as_well() -> None:
    """Divided by one deviation after the other: the pattern of NaN is that of no misconception, the words are there."""

    def unclipped(sigma):
        deviation = sigma.diagonal().sqrt()
        angle = torch.arccos(sigma / deviation[:, None] / deviation)
        return torch.outer(deviation, deviation) * (angle.sin() + (torch.pi - angle) * angle.cos()) / (2 * torch.pi)

    for seed in range(3):
        verdict = judge_function(find("04.2"), unclipped, seed)
        assert verdict.points == 2
        assert "clip" in " ".join(verdict.messages)


def test_the_kurtosis_is_that_of_a_simulated_chain() -> None:
    """The reference of 04.4 against 400 000 draws of q, five standard errors."""
    q, widths, sigma_b = 0.8, (7, 3, 12), 0.5
    expected = find("04.4").reference(torch.tensor([q]), torch.tensor([float(n) for n in widths]), sigma_b)
    generator = torch.Generator().manual_seed(3)
    variance = torch.full((400_000,), q, dtype=torch.float64)
    for n in widths:
        h = variance.sqrt()[:, None] * torch.randn(len(variance), n, generator=generator, dtype=torch.float64)
        variance = sigma_b**2 + h.relu().square().mean(1)
    ratios = variance.square().reshape(100, -1).mean(1) / variance.mean() ** 2
    error = 3 * ratios.std() / 10
    assert abs(3 * (ratios.mean() - 1) - expected.item()) < 5 * error < 0.5


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included: what the author shows is true."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    law, dual, depth, kurtosis, draws = shown
    narrow, wide, limit = ([float(x) for x in re.findall(r"-?\d+\.\d+", line)] for line in law.splitlines())
    assert abs(narrow[0] / limit[0] - 1) < 0.25  # 5 standard errors of a variance with this kurtosis
    assert abs(wide[0] / limit[0] - 1) < 0.18
    assert narrow[1] > 3 * wide[1]
    formula, average, error = (float(x) for x in re.findall(r"\d+\.\d+", dual))
    assert abs(formula - average) < 5 * error
    small, large = ([float(x) for x in re.findall(r" (\d\.\d{3})", line)] for line in depth.splitlines())
    assert small[-1] > 0.999
    assert large[-1] < 0.1
    fixed = [float(line.split()[-1]) for line in kurtosis.splitlines()]
    assert max(fixed[:3]) / min(fixed[:3]) < 1.2  # one ratio of depth to width
    assert fixed[3] > 20 * fixed[2]  # four times as deep
    gap, noise = (float(x) for x in re.findall(r"\d\.\d+", draws.splitlines()[0]))
    assert gap < 5 * noise
    assert float(draws.splitlines()[1].split()[-1]) < 0.15
