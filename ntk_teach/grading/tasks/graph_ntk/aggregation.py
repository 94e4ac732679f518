"""Task 11.1: the covariance of pairs of nodes when every node hears its neighbors and itself."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.graph_ntk.draws import adjacency
from ntk_teach.nn.graph import neighbors

__all__ = ["aggregation"]


def reference(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    left, right = (neighbors(a, a.new_ones(len(a)), "degree" if mean else "uniform") for a in (edges1, edges2))
    return left @ sigma @ right.T


# ---- inputs


def two_graphs(rng: np.random.Generator, *, sizes: tuple[int, int], mean: int) -> Arguments:
    """The covariance need not be one: entries of both signs, no symmetry."""
    return {
        "sigma": torch.from_numpy(rng.normal(size=sizes) + 0.5),
        "edges1": adjacency(rng, sizes[0]),
        "edges2": adjacency(rng, sizes[1]),
        "mean": mean,
    }


# ---- wrong answers


def _loops(edges: Tensor) -> Tensor:
    return edges + torch.eye(len(edges), dtype=edges.dtype)


def _summed(sigma: Tensor, edges1: Tensor, edges2: Tensor) -> Tensor:
    return _loops(edges1) @ sigma @ _loops(edges2).T


def _counts(edges1: Tensor, edges2: Tensor, *, itself: int = 1) -> tuple[Tensor, Tensor]:
    """The numbers of heard nodes as a column and as a row."""
    return edges1.sum(1)[:, None] + itself, edges2.sum(1)[None, :] + itself


def no_self_loops(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Your nodes hear their neighbors and not themselves: A alone has a diagonal of zeros, and what a node knew is
    lost.
    """
    counts = _counts(edges1, edges2, itself=0)
    heard = edges1 @ sigma @ edges2.T
    return heard / (counts[0] * counts[1]) if mean else heard


def no_self_loops_but_counted(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You counted each node among those that it hears, and left it out of the sum: the matrix needs a self loop."""
    counts = _counts(edges1, edges2)
    heard = edges1 @ sigma @ edges2.T
    return heard / (counts[0] * counts[1]) if mean else heard


def first_side_alone(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Only the nodes of the first graph hear anybody: both nodes of a pair are replaced by what they hear."""
    heard = _loops(edges1) @ sigma
    return heard / _counts(edges1, edges2)[0] if mean else heard


def second_side_alone(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Only the nodes of the second graph hear anybody: both nodes of a pair are replaced by what they hear."""
    heard = sigma @ _loops(edges2).T
    return heard / _counts(edges1, edges2)[1] if mean else heard


def self_pair_added(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You added the old pair to the pairs of neighbors: pairs of a node itself with a neighbor of the other are
    missing. Self loops belong in both matrices.
    """
    counts = _counts(edges1, edges2)
    heard = sigma + edges1 @ sigma @ edges2.T
    return heard / (counts[0] * counts[1]) if mean else heard


def sides_added(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You added what the first node hears to what the second one hears: the covariance of two sums runs over all pairs
    of terms.
    """
    one, two = _loops(edges1) @ sigma, sigma @ _loops(edges2).T
    counts = _counts(edges1, edges2)
    return one / counts[0] + two / counts[1] if mean else one + two


def first_graph_twice(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Both sides were aggregated along the edges of the first graph: columns belong to the second one, whose edges (and
    whose number of nodes) are others.
    """
    return reference(sigma, edges1, edges1, mean)


def second_graph_twice(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Both sides were aggregated along the edges of the second graph: rows belong to the first one, whose edges (and
    whose number of nodes) are others.
    """
    return reference(sigma, edges2, edges2, mean)


def graphs_swapped(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """The graphs are swapped: rows belong to the first graph, columns to the second."""
    return reference(sigma, edges2, edges1, mean)


def always_a_mean(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You divided although a sum was asked for: with mean = 0 the scale of every node is 1."""
    return reference(sigma, edges1, edges2, 1)


def mean_reversed(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You read `mean` the wrong way round: 1 asks for a mean, 0 for a sum."""
    return reference(sigma, edges1, edges2, 1 - mean)


def self_loops_twice(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """A node hears itself twice in your matrix: one self loop is enough."""
    one, two = (edges + 2 * torch.eye(len(edges), dtype=edges.dtype) for edges in (edges1, edges2))
    counts = _counts(edges1, edges2, itself=2)
    heard = one @ sigma @ two.T
    return heard / (counts[0] * counts[1]) if mean else heard


def mean_forgotten(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You always add: with mean = 1 each node divides by the number of nodes that it hears."""
    return reference(sigma, edges1, edges2, 0)


def itself_not_counted(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You divided by the number of neighbors: a node hears itself as well, so its mean has one term more."""
    counts = _counts(edges1, edges2, itself=0)
    heard = _summed(sigma, edges1, edges2)
    return heard / (counts[0] * counts[1]) if mean else heard


def rows_divided_alone(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Only the nodes of the first graph take a mean: the scale of the second node enters the covariance as well."""
    heard = _summed(sigma, edges1, edges2)
    return heard / _counts(edges1, edges2)[0] if mean else heard


def columns_divided_alone(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Only the nodes of the second graph take a mean: the scale of the first node enters the covariance as well."""
    heard = _summed(sigma, edges1, edges2)
    return heard / _counts(edges1, edges2)[1] if mean else heard


def second_not_transposed(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """Your second matrix is not transposed: as a sum it is symmetric and nobody notices, as a mean it is not. Each
    column of the result mixes columns with the weights of one *row* of the second matrix.
    """
    one, two = _loops(edges1), _loops(edges2)
    if mean:
        one, two = one / one.sum(1, keepdim=True), two / two.sum(1, keepdim=True)
    return one @ sigma @ two


def divided_by_the_speaker(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You divided by the number of nodes that hear the one who speaks: a mean divides by the number of nodes that the
    *listener* hears, a row of its matrix adds up to 1.
    """
    one, two = _loops(edges1), _loops(edges2)
    if mean:
        one, two = one / one.sum(0), two / two.sum(0)
    return one @ sigma @ two.T


def symmetric_scale(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You took the symmetric scale 1/√(d_u d_v) of other graph networks: a mean has the scale of the listener alone."""
    one, two = _loops(edges1), _loops(edges2)
    if mean:
        one, two = (m / (m.sum(1, keepdim=True) * m.sum(1)).sqrt() for m in (one, two))
    return one @ sigma @ two.T


def root_of_the_count(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You divided by the root of each count, as if independent terms were added: a mean divides by the count."""
    counts = _counts(edges1, edges2)
    heard = _summed(sigma, edges1, edges2)
    return heard / (counts[0] * counts[1]).sqrt() if mean else heard


def scale_squared(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """The scales are squared: each of the two nodes brings its own scale once."""
    counts = _counts(edges1, edges2)
    heard = _summed(sigma, edges1, edges2)
    return heard / (counts[0] * counts[1]) ** 2 if mean else heard


def counts_added(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You divided by the sum of the two counts: the covariance of two means is divided by their product."""
    counts = _counts(edges1, edges2)
    heard = _summed(sigma, edges1, edges2)
    return heard / (counts[0] + counts[1]) if mean else heard


def all_nodes_counted(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    """You divided by the number of all nodes: each node takes the mean of those that it hears."""
    heard = _summed(sigma, edges1, edges2)
    return heard / (len(edges1) * len(edges2)) if mean else heard


# ---- right answers


def pair_by_pair(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> NDArray[np.float64]:
    values, result = sigma.numpy(), np.zeros(sigma.shape)
    heard = [[[u, *np.flatnonzero(row)] for u, row in enumerate(edges.numpy())] for edges in (edges1, edges2)]
    for u, v in np.ndindex(*result.shape):
        terms = [values[a, b] for a in heard[0][u] for b in heard[1][v]]
        result[u, v] = np.mean(terms) if mean else np.sum(terms)
    return result


def summed_and_divided(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    cross = edges1 @ sigma @ edges2 + edges1 @ sigma + sigma @ edges2 + sigma
    return cross / ((1 + edges1.sum(0))[:, None] * (1 + edges2.sum(0))) if mean else cross


def one_large_graph(sigma: Tensor, edges1: Tensor, edges2: Tensor, mean: int) -> Tensor:
    p, q = sigma.shape
    both = torch.eye(p + q, dtype=sigma.dtype)
    both[:p, :p] += edges1
    both[p:, p:] += edges2
    if mean:
        both = both / both.sum(1, keepdim=True)
    padded = torch.zeros(p + q, p + q, dtype=sigma.dtype)
    padded[:p, p:] = sigma
    return (both @ padded @ both.mT)[:p, p:]


aggregation = Task(
    id="11.1",
    title="Hearing the neighbors",
    signature="aggregate(sigma, edges1, edges2, mean) -> [p, q]",
    reference=reference,
    credit={"a sum": 2, "a mean": 1},
    cases=(
        Case("a sum", "4 and 6 nodes", partial(two_graphs, sizes=(4, 6), mean=0)),
        Case("a sum", "7 and 5 nodes", partial(two_graphs, sizes=(7, 5), mean=0)),
        Case("a sum", "two graphs of 6 nodes", partial(two_graphs, sizes=(6, 6), mean=0)),
        Case("a mean", "mean of 6 and 4 nodes", partial(two_graphs, sizes=(6, 4), mean=1)),
        Case("a mean", "mean of 7 and 7 nodes", partial(two_graphs, sizes=(7, 7), mean=1)),
    ),
    misconceptions=(
        Misconception(no_self_loops),
        Misconception(no_self_loops_but_counted),
        Misconception(first_side_alone),
        Misconception(second_side_alone),
        Misconception(self_pair_added),
        Misconception(sides_added),
        Misconception(first_graph_twice),
        Misconception(second_graph_twice),
        Misconception(graphs_swapped),
        Misconception(always_a_mean),
        Misconception(mean_reversed),
        Misconception(self_loops_twice),
        Misconception(mean_forgotten, keeps=2),
        Misconception(itself_not_counted, keeps=2),
        Misconception(rows_divided_alone, keeps=2),
        Misconception(columns_divided_alone, keeps=2),
        Misconception(second_not_transposed, keeps=2),
        Misconception(divided_by_the_speaker, keeps=2),
        Misconception(symmetric_scale, keeps=2),
        Misconception(root_of_the_count, keeps=2),
        Misconception(scale_squared, keeps=2),
        Misconception(counts_added, keeps=2),
        Misconception(all_nodes_counted, keeps=2),
    ),
    alternatives=(pair_by_pair, summed_and_divided, one_large_graph),
)
