"""Graphs from files in the text format of TU Dortmund: what is read, what is refused, and the molecules."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError, NTKError

# A path a-b-c with labels 5, 9, 5, of class −1, and an edge with labels 9, 7, of class 4.
FILES = {
    "A": "1, 2\n2, 1\n2, 3\n3, 2\n5,4\n4,5\n",
    "graph_indicator": "1\n1\n1\n2\n2\n",
    "graph_labels": "-1\n4\n",
    "node_labels": "5\n9\n5\n9\n7\n",
}


def written(folder: Path, **others: str | None) -> Path:
    for name, text in {**FILES, **others}.items():
        if text is not None:
            (folder / f"TINY_{name}.txt").write_text(text)
    return folder


def test_what_the_files_say(tmp_path):
    """One-hot labels in increasing order, adjacency within each graph, the graphs' labels as they stand."""
    graphs, labels = ntk.data.tu_graphs(written(tmp_path), "TINY")
    assert labels.tolist() == [-1, 4]
    assert labels.dtype == torch.int64
    assert graphs.present.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert graphs.values[0].tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert graphs.values[1].tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert graphs.edges[0].tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert graphs.edges[1].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_nodes_in_any_order_and_without_labels(tmp_path):
    """The nodes of a graph need not stand together; without their labels all are alike."""
    other = {"A": "1, 3\n3, 1\n3, 5\n5, 3\n4, 2\n2, 4\n", "graph_indicator": "1\n2\n1\n2\n1\n", "node_labels": None}
    graphs, _ = ntk.data.tu_graphs(str(written(tmp_path, **other)), "TINY")
    assert graphs.edges[0].tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert graphs.edges[1].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert torch.equal(graphs.values[..., 0], graphs.present)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"A": "1, 2\n2\n"}, "TINY_A.txt: expected 2 integers with a comma between them in line 2, received '2'"),
        ({"A": "1, 2\ntwo, 1\n"}, "2 integers with a comma between them in line 2, received 'two, 1'"),
        ({"A": ""}, "at least one line, received none"),
        ({"A": "1, 2\n2, 1\n5, 6\n6, 5\n"}, "nodes from 1 to 5, the lines of TINY_graph_indicator.txt, received 5, 6"),
        ({"A": "0, 1\n1, 0\n"}, "nodes from 1 to 5, the lines of TINY_graph_indicator.txt, received 0, 1 in line 1"),
        ({"A": "1, 2\n2, 1\n2, 3\n"}, "each edge in both directions, received 2, 3 in line 3"),
        ({"A": "1, 2\n2, 1\n2, 2\n"}, "no edge from a node to itself, received 2, 2 in line 3"),
        ({"A": "3, 4\n4, 3\n"}, "edges inside a graph, received 3, 4 in line 1"),
        ({"graph_indicator": "1\n1\n1\n2\n3\n"}, "graphs from 1 to 2, the lines of TINY_graph_labels.txt, received 3"),
        ({"graph_indicator": "1\n1\n1.5\n2\n2\n"}, "one integer in line 3, received '1.5'"),
        ({"graph_labels": "-1\n4\n0\n"}, "a node in TINY_graph_indicator.txt for each graph, received 0 in line 3"),
        ({"node_labels": "5\n9\n"}, "5 lines, one a node, received 2"),
    ],
)
def test_damage_is_found_with_its_line(tmp_path, damage, message):
    """Each is one sentence that names the file."""
    with pytest.raises(DomainError, match=re.escape(message)):
        ntk.data.tu_graphs(written(tmp_path, **damage), "TINY")


def test_what_is_not_there(tmp_path):
    """A folder that is absent, and a file that is: with what there is."""
    with pytest.raises(NTKError, match=r"expected a folder, received nothing of that name"):
        ntk.data.tu_graphs(tmp_path / "none", "TINY")
    with pytest.raises(NTKError, match=r"expected a file OTHER_A.txt, received a folder with TINY_A.txt"):
        ntk.data.tu_graphs(written(tmp_path), "OTHER")


@pytest.fixture(scope="module")
def molecules() -> tuple[ntk.Ragged, torch.Tensor]:
    """All of them. Skipped without the [data] extra, but never where CI is set."""
    if importlib.util.find_spec("grakel") is None:
        reason = 'the package grakel is missing: pip install "ntk-teach[data]"'
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return ntk.data.mutag()


def test_the_molecules_are_molecules(molecules):
    """188 of them, 125 mutagenic, 10 to 28 atoms, connected, at most four bonds, nitrogen and oxygen in nearly all."""
    graphs, labels = molecules
    assert (len(graphs), int((labels == 1).sum()), int((labels == -1).sum())) == (188, 125, 63)
    atoms = graphs.present.sum(1)
    assert (int(atoms.min()), int(atoms.max()), int(atoms.sum())) == (10, 28, 3371)
    assert torch.equal(graphs.values.sum(2), graphs.present)
    assert graphs.values.sum((0, 1)).tolist() == [2395, 345, 593, 12, 1, 23, 2]
    bonds = graphs.edges.sum(2)
    assert float(bonds.max()) <= 4
    assert float(bonds[graphs.present == 1].min()) >= 1
    reached = torch.linalg.matrix_power(graphs.edges + torch.diag_embed(graphs.present), 28)
    assert ((reached > 0).double() == graphs.present[:, :, None] * graphs.present[:, None, :]).all()


def test_a_draw_of_molecules_has_its_seed(molecules):
    """A smaller draw is the beginning of a larger one; the order of the file without a number."""
    few, labels = ntk.data.mutag(5, seed=3)
    more, others = ntk.data.mutag(9, seed=3)
    assert torch.equal(few.values, more.values[:5])
    assert torch.equal(labels, others[:5])
    assert not torch.equal(few.values, ntk.data.mutag(5, seed=4)[0].values)
    assert molecules[1][:4].tolist() == [1, -1, -1, 1]
    with pytest.raises(DomainError, match="at most 188 molecules, received 189"):
        ntk.data.mutag(189)


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    """One sentence that names the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    sys.modules["ntk_teach.data.mutag"]._molecules.cache_clear()  # what an earlier test read
    with pytest.raises(NTKError, match=r'pip install "ntk-teach\[data\]"'):
        ntk.data.mutag(3)
