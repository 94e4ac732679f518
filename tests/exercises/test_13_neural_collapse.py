"""The exercise of chapter 13: what its demonstrations print is true, and its tasks ask for what the library gives."""

import re

import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient

import ntk_teach as ntk
from ntk_teach import neural_collapse
from ntk_teach.grading.tasks.neural_collapse import exercise

MEANS, RATES, VARIABILITY = (task.reference for task in exercise.tasks)
LABELS = torch.tensor([2, 0, 1, 0, 2, 2, 1, 0, 2])


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "13")


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    means, rates, variability = ([float(v) for v in re.findall(r"-?\d+\.\d+", text)] for text in shown)
    (c_before, n_before), (c_after, n_after) = means[:2], means[2:]
    assert c_before > n_before > 0  # digits of one class are alike before any training
    assert c_after / n_after > 1.15 * c_before / n_before
    overall, of_class, single = (rates[i : i + 3] for i in (0, 3, 6))
    assert overall[1] == overall[2]
    assert of_class[1] > of_class[0] > of_class[2]  # the block value is a mean of the group's
    assert single[1] > 3 * single[0] > 9 * single[2]
    before, after, others = variability
    assert after < 0.3 * before
    assert others > after


def kernel(seed: int = 0):
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x @ x.T


def test_the_means_make_the_librarys_nearest_kernel() -> None:
    """13.1: what is left has mean 0 over each kind of pair."""
    k = kernel()
    left = k - neural_collapse.BlockKernel(*MEANS(k, LABELS).tolist()).matrix(LABELS)
    same = LABELS[:, None] == LABELS
    one = torch.eye(9, dtype=torch.bool)
    for kind in (one, same & ~one, ~same):
        assert abs(float(left[kind].mean())) < 1e-12


def test_the_rates_are_those_of_kernel_pca() -> None:
    """13.2: modes of the library's own, whose eigenvalues are rates; γ_n negative."""
    block = neural_collapse.BlockKernel(5.0, 2.0, -0.25)
    k = block.matrix(torch.arange(3).repeat(4))
    found = ntk.kernel_pca(k, components=12).eigenvalues
    rows = RATES(*block, 3, 4)
    expected = torch.cat([row[0].repeat(int(row[1])) for row in rows]).sort(descending=True).values
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_variability_does_not_see_invertible_maps() -> None:
    """13.3: NC1 of A h + a is that of h for invertible A, where Σ_B has full rank."""
    generator = torch.Generator().manual_seed(1)
    h = torch.randn(9, 2, generator=generator, dtype=torch.float64)
    a = torch.randn(2, 2, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(VARIABILITY(h @ a + 3, LABELS), VARIABILITY(h, LABELS), rtol=1e-8, atol=0)
