"""The exercise of chapter 07: what its demonstrations print is true, and what is particular to its tasks."""

import re
from importlib import import_module

import numpy as np
import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient

import ntk_teach as ntk
from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import exercise

TASKS = {task.id: task for task in exercise("07").tasks}
NAMES = ("complexity", "leave_one_out", "degrees", "learning_curve", "energy")  # in the package, these are the tasks
complexity, leave_one_out, degrees, learning_curve, energy = (
    import_module(f"ntk_teach.grading.tasks.generalization.{name}") for name in NAMES
)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?<![\w.])[+-]?\d+\.\d+", text)]


def test_the_solved_notebook_runs_from_top_to_bottom(tmp_path) -> None:
    """Demonstrations and visible checks included: what the author shows is true."""
    room = Classroom.opened(tmp_path / "course", "07")
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    labels, left_out, spectrum, curve, cube = shown

    true, shuffled = numbers(labels)[::2], numbers(labels)[1::2]
    assert true == sorted(true, reverse=True)
    assert shuffled == sorted(shuffled)
    assert true[-1] < 1 < shuffled[0]

    for row in left_out.splitlines():
        _, inside, outside = numbers(row)
        assert 0.6 < inside / outside < 1.6

    bare, biased, deep = (numbers(row.partition(": ")[2]) for row in spectrum.splitlines())
    assert bare[3] == bare[5] == 0.0  # odd degrees above 1 are missing with one hidden layer and no biases
    assert min(biased[3], biased[5], deep[3], deep[5]) > 1e-4

    for row in curve.splitlines():
        predicted, measured, error = numbers(row)
        assert abs(predicted - measured) < 5 * error + 0.02

    first, majority, parity = (numbers(row) for row in cube.splitlines())
    assert first == [1.0, 0.0, 0.0]
    assert majority == [0.75, 0.25, 0.042]  # 1/4 of (1 − 100/120)
    assert parity == [0.0, 1.0, 0.167]


def test_the_bound_does_not_see_the_scale_of_the_kernel() -> None:
    """Multiply K by 7 and nothing changes; for K(x, x) = 1/2 it is the number of Arora et al."""
    k, y = ntk.zoo.mlp(3).ntk(ntk.data.sphere(8, 4)), ntk.data.gaussian(8)[0]
    torch.testing.assert_close(complexity.reference(7 * k, y), complexity.reference(k, y))
    half = k / (2 * k.diagonal().mean())
    torch.testing.assert_close(complexity.reference(half, y), ntk.rkhs_bound(half, y))


def test_leaving_out_is_what_regression_does() -> None:
    """The reference trains again without each example; the closed form of the chapter gives the same."""
    rng = np.random.default_rng(0)
    for case in TASKS["07.2"].cases:
        drawn = case.draw(rng)
        torch.testing.assert_close(leave_one_out.reference(**drawn), leave_one_out.closed_form(**drawn))


@pytest.mark.parametrize("dimension", [2, 3, 5, 8])
def test_the_quadrature_agrees_with_the_library(dimension: int) -> None:
    """A ReLU network's kernel, through the student's five arguments and through ``sphere_spectrum``."""
    kappa = ntk.zonal(ntk.zoo.mlp(3, sigma_b=0.5).ntk, dimension)
    drawn = degrees.sampled(np.random.default_rng(0), dimension=dimension, degree=5)
    found = degrees.reference(kappa(drawn["angles"].cos()), *list(drawn.values())[1:])
    expected = ntk.sphere_spectrum(kappa, dimension, range(6)).eigenvalues
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


def test_noise_alone_is_amplified() -> None:
    """v = 0 and no ridge: E = E₀ σ² > σ², what the text has the student predict."""
    drawn = TASKS["07.4"].cases[3].draw(np.random.default_rng(1))
    drawn["power"] = torch.zeros_like(drawn["power"])
    assert bool((learning_curve.reference(**drawn) > drawn["noise"] ** 2).all())


def test_the_energies_add_up_and_do_not_depend_on_the_order() -> None:
    """Σ W_k = E[f²]; shuffling the rows of x together with the values changes nothing."""
    drawn = energy.tabulated(np.random.default_rng(2), dimension=4)
    energies = energy.reference(**drawn)
    assert float(energies.sum()) == pytest.approx(float(drawn["values"].square().mean()))
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    again = energy.reference(drawn["x"][order], drawn["values"][order])
    torch.testing.assert_close(again, energies)


@pytest.mark.parametrize(
    ("task_id", "answer", "points"),
    [
        ("07.2", leave_one_out.by_leverage, 2),  # right with a ridge; 0/0 without one
        ("07.3", degrees.started_at_zero, 2),  # right on spheres; 0/0 on the circle
        ("07.4", learning_curve.noise_not_amplified, 2),
    ],
)
def test_what_is_half_right_keeps_its_points(task_id: str, answer, points: int) -> None:
    for seed in range(3):
        verdict = judge_function(TASKS[task_id], answer, seed)
        assert verdict.points == points, str(verdict)
        assert len(verdict.messages) == 1


def test_a_student_is_told_why_nan_appears() -> None:
    """A recursion started at k = 0 with numpy, in the student's own words."""

    def numpy_from_zero(values, angles, weights, dimension, degree):
        t, mass = np.cos(angles.numpy()), weights.numpy() * np.sin(angles.numpy()) ** (dimension - 2)
        p = [np.zeros_like(t), np.ones_like(t)]
        for k in range(degree):
            p.append(((2 * k + dimension - 2) * t * p[-1] - k * p[-2]) / np.float64(k + dimension - 2))
        return np.array([(mass * values.numpy() * q).sum() / mass.sum() for q in p[1:]])

    verdict = judge_function(TASKS["07.3"], numpy_from_zero, 0)
    assert verdict.points == 2
    assert "cannot be started at k = 0" in verdict.messages[0]


def test_points() -> None:
    """13 by machine, 4 by a person."""
    assert sum(task.points for task in exercise("07").tasks) == 13
    assert exercise("07").points == 17
