"""Graph layers against the authors' values and the paper's loop over nodes."""

import numpy as np
import pytest
import torch
from oracles import sites
from site_networks import (
    close,
    graph_network,
    some_graphs,
    stored,
)

from ntk_teach import (
    Ragged,
)


def graphs_of(values: dict[str, torch.Tensor]) -> Ragged:
    edges = [values[f"A{i}"].double() for i in range(4)]
    return Ragged.graphs([values[f"X{i}"].double() for i in range(4)], [a - torch.eye(len(a)) for a in edges])


@pytest.mark.parametrize("key", [key for key in stored("gntk") if key[0] == "K"])
def test_the_graph_ntk_of_its_authors(key):
    """Their features are not divided by their number (4), and their last factor is 2."""
    values = stored("gntk")
    _, layers, inner, scale, jumping = key.split("_")
    arch = graph_network(int(layers[1:]) - 1, int(inner[1:]), scale, jumping == "jk1")
    close(8 * arch.ntk(graphs_of(values)), values[key], 1e-8)


@pytest.mark.parametrize("jumping", [False, True])
@pytest.mark.parametrize("scale", ["uniform", "degree"])
@pytest.mark.parametrize(("blocks", "inner"), [(1, 1), (2, 1), (2, 2), (3, 1)])
def test_the_papers_loop_over_nodes(blocks, inner, scale, jumping):
    """Graphs of unequal size."""
    features, edges = some_graphs()
    ours = graph_network(blocks, inner, scale, jumping).ntk(Ragged.graphs(features, edges))
    for i, j in np.ndindex(3, 3):
        pair = [(features[k].numpy(), edges[k].numpy()) for k in (i, j)]
        theirs = sites.graph(*pair, blocks, inner, scale, jumping)
        assert abs(float(ours[i, j]) - theirs) < (1e-6 if i == j else 1e-11) * abs(theirs)


def test_another_order_of_the_nodes_changes_nothing():
    """To the last digits: sums are taken in another order."""
    features, edges = some_graphs()
    order = [torch.randperm(len(part), generator=torch.Generator().manual_seed(1)) for part in features]
    turned = Ragged.graphs(
        [part[o] for part, o in zip(features, order, strict=True)],
        [part[o][:, o] for part, o in zip(edges, order, strict=True)],
    )
    arch = graph_network(2, 2, "degree", jumping=True)
    torch.testing.assert_close(arch.ntk(turned), arch.ntk(Ragged.graphs(features, edges)), rtol=1e-13, atol=0)
