"""Exercise 01: what its notebook shows is true, and its answers mean what the text says."""

import re

import numpy as np
import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient
from wrong_answers_01 import PARTIAL, ignores_one_dimension, no_case_for_biases

from ntk_teach import landscape, zoo
from ntk_teach.grading.answer import ask
from ntk_teach.grading.judge import judge_function, trials
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("01")
TASKS = {task.id: task for task in EXERCISE.tasks}


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> list[str]:
    """What the demonstrations of the solved notebook print, in order."""
    room = Classroom.opened(tmp_path_factory.mktemp("course"), "01")
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    return ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def test_normalized_slices_agree_where_raw_ones_do_not(shown) -> None:
    """The prediction of task 01.1."""
    same, raw, normalized = (float(line.rsplit(" ", 1)[1]) for line in shown[0].splitlines())
    assert same < 1e-12
    assert raw > 1
    assert normalized < 1e-12


def test_the_smallest_copy_is_the_same_from_either_side(shown) -> None:
    """Task 01.2: the same function, fewer squares than any copy shown, and one address for all of its copies."""
    lines = shown[1].splitlines()
    assert float(lines[0].rsplit(" ", 1)[1]) < 1e-12
    one, seven, smallest = numbers(lines[1].replace("times 7", ""))
    assert smallest < one < seven
    assert float(lines[2].rsplit(" ", 1)[1]) < 1e-12


def test_a_barrier_to_oneself(shown) -> None:
    """Task 01.3: none to the network itself, one to its renumbered copy."""
    itself, another, renumbered = (float(line.rsplit(" ", 1)[1]) for line in shown[2].splitlines())
    assert itself == 0
    assert another > 0.01
    assert renumbered > 0.01


def test_labels_do_not_matter_to_the_curvature(shown) -> None:
    """Task 01.4: both rows are the same, and the first point is the highest."""
    rows = [line.split(":")[1].split() for line in shown[3].splitlines()]
    assert rows[0] == rows[1]
    assert float(rows[0][0]) == max(map(float, rows[0]))


def test_jacobian_and_kernel_have_one_spectrum(shown) -> None:
    """Task 01.5: the same digits, for a matrix of gigabytes."""
    size, one, two = shown[4].splitlines()
    assert float(size.split()[-2]) > 1
    assert one.split(":")[1].split() == two.split(":")[1].split()


def test_01_1_is_the_library_s_normalization() -> None:
    """The reference agrees with ``landscape.filter_normalized`` for every parameter of a network."""
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = zoo.mlp(3).network(width=5, like=x, seed=1)
    d = landscape.random_direction(network, seed=2)
    whole = landscape.filter_normalized(d, network)
    for name, p in network.named_parameters():
        torch.testing.assert_close(TASKS["01.1"].reference(d[name], p.detach()), whole[name], rtol=1e-12, atol=0)


@pytest.mark.parametrize("wrong", [ignores_one_dimension, no_case_for_biases])
def test_moving_biases_cost_one_point(wrong) -> None:
    """Right for every filter, wrong for biases: 2 of 3, and the mistake is named."""
    for seed in range(3):
        verdict = judge_function(TASKS["01.1"], wrong, seed)
        assert verdict.points == 2
        assert "biases" in verdict.messages[0] or "each bias" in verdict.messages[0]


@pytest.mark.parametrize("task_id, wrong, words", [(key, *item) for key, items in PARTIAL.items() for item in items])
def test_confident_outputs_cost_one_point(task_id, wrong, words) -> None:
    """Confident on either side: an exponential of −yf overflows where they are wrong, one of f where they are right."""
    for seed in range(3):
        verdict = judge_function(TASKS[task_id], wrong, seed)
        assert verdict.points == 2, f"seed {seed}\n{verdict}"
        assert any(words in message for message in verdict.messages), f"seed {seed}\n{verdict}"


def test_no_other_copy_is_smaller() -> None:
    """01.2 from outside: the same function on random inputs, and no factor near the chosen one has fewer squares."""
    task = TASKS["01.2"]
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        w, b, v = (torch.randn(s, generator=generator, dtype=torch.float64) for s in ((6, 3), (6,), (2, 6)))
        rows = task.reference(w, b, v)
        x = torch.randn(20, 3, generator=generator, dtype=torch.float64)
        copy = torch.relu(x @ rows[:, :3].T + rows[:, 3]) @ rows[:, 4:]
        torch.testing.assert_close(copy, torch.relu(x @ w.T + b) @ v.T, rtol=1e-12, atol=1e-12)
        for factor in (0.98, 1.02):
            other = rows[:, :4].square().sum(1) * factor**2 + rows[:, 4:].square().sum(1) / factor**2
            assert (other > rows.square().sum(1)).all()


def test_the_highest_cost_is_not_the_largest_height() -> None:
    """01.3, the third case: whoever looks for the highest cost first finds another place, on any seed."""
    case = TASKS["01.3"].cases[2]
    for seed in range(50):
        one, two, x, y, steps = case.draw(np.random.default_rng(seed)).values()
        s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
        costs = []
        for a in s:
            w, b, v, c = ((1 - a) * p + a * q for p, q in zip(one, two, strict=True))
            costs.append((torch.relu(x @ w.T + b) @ v.T + c - y).square().sum() / (2 * len(x)))
        costs = torch.stack(costs)
        assert costs.argmax() != (costs - (1 - s) * costs[0] - s * costs[-1]).argmax()


def test_hills_are_hills_and_valleys_valleys() -> None:
    """01.3: the inputs that should show a barrier do, well above rounding; where the hidden layer is shared it is 0."""
    task = TASKS["01.3"]
    for seed in range(10):
        found = [float(t.expected) for t in trials(task, lambda a: ask(task.reference, a), seed)]
        assert min(found[:3]) > 0.05
        assert abs(found[3]) < 1e-12
