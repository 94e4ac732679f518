"""The exercise of chapter 11: what its demonstrations print is true, and its tasks ask for what the library gives."""

import re

import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient
from site_networks import some_graphs

import ntk_teach as ntk
from ntk_teach.experiments.mutag import architecture
from ntk_teach.grading.tasks.graph_ntk import exercise

AGGREGATE, BLOCK, READ_OUT = (task.reference for task in exercise.tasks)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "11")


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    tables, kernels, alike = ([float(v) for v in re.findall(r"\d+\.\d+", text)] for text in shown)
    assert tables == [1.0, 1.0, 4.0, 15.0]  # a mean of ones is one; the center hears 5, an end of the path 2
    assert kernels[0::2] == pytest.approx(kernels[1::2], abs=1e-4)
    assert len(kernels) == 6
    assert alike[0] == pytest.approx(36 / 3)  # six carbon atoms in both, three kinds of atoms
    assert alike[1] == pytest.approx(36 / 37, abs=1e-4)
    none, one, two, four = alike[1::2]
    assert one > max(none, two)
    assert two > four


@pytest.mark.parametrize("scale", ["uniform", "degree"])
def test_the_tasks_together_are_the_librarys_kernel(unchecked, scale) -> None:
    """11.1 makes the matrices of 11.2, whose levels 11.3 reads out: three graphs of unequal size, three blocks."""
    features, edges = some_graphs()
    graphs = ntk.Ragged.graphs(features, edges)
    mean = int(scale == "degree")
    heard = [AGGREGATE(torch.eye(len(e)).double(), e, torch.zeros_like(e), mean) for e in edges]
    pairs = [(i, j) for i in range(3) for j in range(3)]
    sigma = {(i, j): features[i] @ features[j].T / 3 for i, j in pairs}
    theta, levels = dict(sigma), {pair: [sigma[pair]] for pair in pairs}
    for _ in range(3):
        new = {(i, j): BLOCK(sigma[i, i], sigma[i, j], sigma[j, j], theta[i, j], heard[i], heard[j]) for i, j in pairs}
        sigma, theta = {pair: both[0] for pair, both in new.items()}, {pair: both[1] for pair, both in new.items()}
        for pair in pairs:
            levels[pair].append(theta[pair])
    gram = architecture(3, 1, scale, jumping=True).ntk(graphs)
    length = gram.diagonal().sqrt()
    for i, j in pairs:
        expected = torch.stack([gram[i, j], gram[i, j] / length[i] / length[j]])
        torch.testing.assert_close(READ_OUT(levels[i, i], levels[i, j], levels[j, j]), expected, rtol=1e-6, atol=0)
