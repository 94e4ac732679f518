"""Graphs with node labels: the MUTAG molecules, and any data set in the text format of TU Dortmund."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from ntk_teach.data.folder import contents, damaged, find
from ntk_teach.errors import DomainError, NTKError, check_count, sentence
from ntk_teach.ragged import Ragged

__all__ = ["mutag", "tu_graphs"]

Classes = Int[Tensor, " n"]


def mutag(n: int | None = None, *, seed: int = 0) -> tuple[Ragged, Classes]:
    """MUTAG: 188 nitroaromatic molecules; does a molecule cause mutations in a bacterium?

    A node is an atom, an edge is a bond. Hydrogen is left out and kinds of bonds are not told apart.

    Args:
        n: how many, drawn without replacement; None means all 188, in the order of the file.
        seed: of the draw.

    Returns: graphs with one-hot features of the 7 kinds of atoms (C, N, O, F, I, Cl, Br), float64; labels 1
        (mutagenic, 125 of them) and −1 [n].

    Raises: DomainError for n above 188; NTKError if the [data] extra is missing.

    Source: Debnath et al. 1991; the files are those that the package grakel carries. Chapter: 11_graph_ntk.
    """
    graphs, labels = _molecules()
    if n is None:
        return graphs, labels.clone()
    if check_count(n, name="n", where="data.mutag") > len(graphs):
        raise DomainError(sentence("data.mutag", f"at most {len(graphs)} molecules", str(n), "choose a smaller n"))
    drawn = torch.randperm(len(graphs), generator=torch.Generator().manual_seed(seed))[:n]
    return graphs[drawn], labels[drawn]


@cache
def _molecules() -> tuple[Ragged, Tensor]:
    """All of them, read once."""
    found = importlib.util.find_spec("grakel")  # its files are wanted, not its code
    if found is None or found.origin is None:
        do = 'pip install "ntk-teach[data]"'
        raise NTKError(sentence("data.mutag", "the package grakel", "none installed", do))
    return tu_graphs(Path(found.origin).parent / "tests" / "data" / "MUTAG", "MUTAG")


def tu_graphs(folder: str | Path, name: str) -> tuple[Ragged, Classes]:
    """A data set of graphs in the text format of TU Dortmund: ``name_A.txt`` and its companions in ``folder``.

    Args:
        folder: holds name_A.txt (one "i, j" a line, every edge in both directions), name_graph_indicator.txt (the
            graph of each node) and name_graph_labels.txt; all of them count from 1. Where name_node_labels.txt
            is there, too, a node's features say which label it has; otherwise all nodes have the one feature 1.
            Other files, such as labels of edges, are not read.
        name: of the data set, such as "MUTAG".

    Returns: graphs with one-hot features, one for each node label that occurs, in increasing order, float64; labels of
        the graphs as they stand in the file [n], int64.

    Raises: NTKError if the folder or a file is absent; DomainError, with the line, for one that is not of this format:
        no integers, a node or a graph that there is not, an edge between two graphs, in one direction only, or from a
        node to itself, a graph without nodes.

    Source: Morris et al. 2020. Chapter: 11_graph_ntk.
    """
    edges, ends = _table(folder, f"{name}_A.txt", columns=2)
    home, owners = _table(folder, f"{name}_graph_indicator.txt", columns=1)
    tags, classes = _table(folder, f"{name}_graph_labels.txt", columns=1)
    owner, nodes, graphs = owners[:, 0] - 1, len(owners), len(classes)
    _all(home, (owner >= 0) & (owner < graphs), f"graphs from 1 to {graphs}, the lines of {tags.name}", owners)
    _all(edges, ((ends >= 1) & (ends <= nodes)).all(1), f"nodes from 1 to {nodes}, the lines of {home.name}", ends)
    i, j = (ends - 1).unbind(1)
    _all(edges, i != j, "no edge from a node to itself", ends)
    _all(edges, owner[i] == owner[j], "edges inside a graph", ends)
    there, back = i * nodes + j, j * nodes + i
    _all(edges, torch.isin(back, there), "each edge in both directions", ends)
    sizes = torch.bincount(owner, minlength=graphs)
    _all(tags, sizes > 0, f"a node in {home.name} for each graph", classes)

    features = _features(folder, name, nodes)
    place = torch.empty_like(owner)  # of a node in its own graph
    order = owner.argsort(stable=True)
    place[order] = torch.cat([torch.arange(int(size)) for size in sizes])
    owned = [order[owner[order] == graph] for graph in range(graphs)]
    matrices = [torch.zeros(len(mine), len(mine), dtype=torch.float64) for mine in owned]
    for graph, u, v in zip(owner[i].tolist(), place[i].tolist(), place[j].tolist(), strict=True):
        matrices[graph][u, v] = 1.0
    return Ragged.graphs([features[mine] for mine in owned], matrices), classes[:, 0]


def _features(folder: str | Path, name: str, nodes: int) -> Tensor:
    file = f"{name}_node_labels.txt"
    if not (Path(folder).expanduser() / file).is_file():
        return torch.ones(nodes, 1, dtype=torch.float64)
    path, labels = _table(folder, file, columns=1)
    if len(labels) != nodes:
        raise damaged(path, f"{nodes} lines, one a node", str(len(labels)), where=_WHERE)
    kinds = sorted(set(labels[:, 0].tolist()))
    return (labels == torch.tensor(kinds)).double()


_WHERE = "data.tu_graphs"


def _table(folder: str | Path, file: str, *, columns: int) -> tuple[Path, Tensor]:
    """The file, and its integers, one row a line."""
    path = find(folder, [file], where=_WHERE, do="unpack the data set there; nothing is downloaded")
    lines = contents(path, where=_WHERE).decode("utf-8", "replace").splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = [int(part) for part in line.split(",")]
        except ValueError:
            row = []
        if len(row) != columns:
            wanted = "one integer" if columns == 1 else f"{columns} integers with a comma between them"
            raise damaged(path, f"{wanted} in line {number}", repr(line[:40]), where=_WHERE)
        rows.append(row)
    if not rows:
        raise damaged(path, "at least one line", "none", where=_WHERE)
    return path, torch.tensor(rows)


def _all(path: Path, right: Tensor, expected: str, rows: Tensor) -> None:
    """Otherwise the first row for which it is not."""
    if not bool(right.all()):
        first = int((~right).nonzero()[0])
        received = ", ".join(map(str, rows[first].tolist()))
        raise damaged(path, expected, f"{received} in line {first + 1}", where=_WHERE)
