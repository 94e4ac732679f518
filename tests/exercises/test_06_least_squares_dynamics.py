"""The exercise of chapter 06: what its demonstrations print is true, and what is particular to its tasks."""

import math
import re

import numpy as np
import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient

from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import exercise
from ntk_teach.grading.tasks.least_squares_dynamics import covariance_alternatives, function_alternatives

TASKS = {task.id: task for task in exercise("06").tasks}


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> list[str]:
    """What the demonstrations of the solved notebook print, run from top to bottom with all visible checks."""
    room = Classroom.opened(tmp_path_factory.mktemp("course"), "06")
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    return ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?<![\w.])[+-]?\d+\.?\d*(?:e[+-]?\d+)?", text)]


def test_the_trained_function_ends_at_neither_the_start_nor_the_target(shown) -> None:
    """At t = 20 the reference values; at t = ∞ neither of f_0 and f* off the data."""
    start, later, last, target = shown[0].splitlines()
    assert start.endswith("+0.400000, -0.200000")
    assert later.endswith("+0.341229, -0.232651")
    assert last.endswith("+0.329516, -0.201090")
    assert target.endswith("-0.139708, +0.000000")


def test_slow_modes_are_the_ones_with_many_periods(shown) -> None:
    """By t = 100 the constant and the first wave are gone, the third one is not; the costs add up to the sum."""
    rows = [numbers(line.split(":")[1]) for line in shown[1].splitlines()]
    assert all(sum(row[:5]) == pytest.approx(row[5], abs=3e-4) for row in rows)
    assert rows[2][0] < 1e-4 and rows[2][1] < 1e-3 < rows[2][3]


def test_the_kernel_diverges_above_the_edge_and_the_network_does_not(shown) -> None:
    """Below the critical rate the cost goes, above it runs away; the network rises, falls, and has a flatter kernel."""
    below, above, network, edges = (numbers(line) for line in shown[2].splitlines())
    assert below[-1] < 1e-10 and above[-1] > 1e6
    first, most, last = network[-3:]
    assert most > 2 * first and last < 1e-6
    assert edges[1] > 1.5 * edges[0]


def test_the_variance_of_networks_lies_near_the_law_and_above_the_posterior(shown) -> None:
    """Width 64: between the law and twice the law; the posterior below both (Gauss–Markov)."""
    for line in shown[3].splitlines():
        _, _, law, _, measured, posterior = numbers(line.replace("test point", "point"))
        assert posterior < law < measured < 2 * law


def test_more_noise_means_an_earlier_stop(shown) -> None:
    """Without noise there is no reason to stop; with noise the best time falls, and the end costs σ²."""
    rows = [numbers(line) for line in shown[4].splitlines()]
    times = [row[1] for row in rows]
    assert times == sorted(times, reverse=True)
    assert rows[0][1] > 1e5 and all(row[2] < row[3] for row in rows[1:])
    assert [row[3] for row in rows] == pytest.approx([row[0] ** 2 for row in rows], abs=1e-3)


# ---- particular to the tasks


def test_a_repeated_input_costs_one_point_of_the_first_task() -> None:
    """The formula with an inverse is right for distinct inputs, and the verdict says where it is not."""

    def inverse(k, k_test, y, f0, f0_test, t):
        learned = torch.eye(len(k), dtype=k.dtype) - torch.linalg.matrix_exp(-t * k / len(k))
        return f0_test + k_test @ torch.linalg.inv(k) @ learned @ (y - f0)

    verdict = judge_function(TASKS["06.1"], inverse, 0)
    assert verdict.points == 2
    assert any("two of them equal" in message for message in verdict.messages)


def test_infinite_time_costs_one_point_of_the_covariance() -> None:
    """∞ times a matrix is not a number: two points, and the reason."""

    def exponential(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
        left = torch.linalg.matrix_exp(-t * ntk / len(ntk))
        moved = ntk_test @ torch.linalg.inv(ntk) @ (torch.eye(len(ntk), dtype=ntk.dtype) - left)
        return nngp_test_test + moved @ nngp @ moved.T - moved @ nngp_test.T - nngp_test @ moved.T

    verdict = judge_function(TASKS["06.4"], exponential, 0)
    assert verdict.points == 2
    assert any("let the time meet the eigenvalues" in message for message in verdict.messages)


def test_the_alternatives_satisfy_the_exact_identities() -> None:
    """f_{t+s} = (f_t)_s on the data; the covariance at a training input is 0 at t = ∞ and the prior's at t = 0."""
    rng = np.random.default_rng(0)
    a = TASKS["06.1"].cases[0].draw(rng)
    k, y, f0 = a["k"], a["y"], a["f0"]
    flow = function_alternatives.mode_by_mode
    half = flow(k, k, y, f0, f0, 3.0)
    torch.testing.assert_close(flow(k, k, y, half, half, 4.0), flow(k, k, y, f0, f0, 7.0))
    q = TASKS["06.4"].cases[0].draw(rng)
    law = covariance_alternatives.one_linear_map
    on_data = law(q["ntk"], q["nngp"], q["ntk"], q["nngp"], q["nngp"], math.inf)
    assert on_data.abs().max() < 1e-10
    torch.testing.assert_close(
        law(q["ntk"], q["nngp"], q["ntk_test"], q["nngp_test"], q["nngp_test_test"], 0.0), q["nngp_test_test"]
    )
