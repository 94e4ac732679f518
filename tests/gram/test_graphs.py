"""Blocks of graphs sorted by size against the layers' own algebra on all of them, padded alike."""

import pytest
import torch
from site_networks import graph_network

import ntk_teach as ntk
from ntk_teach.gram.builder import plan_of
from ntk_teach.gram.graphs import GraphPlan


def graphs(sizes: list[int], seed: int) -> ntk.Ragged:
    """Random ones, some without any edge."""
    generator = torch.Generator().manual_seed(seed)
    features, edges = [], []
    for size in sizes:
        upper = torch.triu((torch.rand(size, size, generator=generator) < 0.4).double(), 1)
        edges.append(upper + upper.T)
        features.append(torch.randn(size, 3, generator=generator, dtype=torch.float64))
    return ntk.Ragged.graphs(features, edges)


SOME, OTHERS = [5, 1, 9, 3, 12, 3, 2], [4, 11, 1]


@pytest.mark.parametrize("scale", ["uniform", "degree"])
@pytest.mark.parametrize("room", [8, 8 * 12 * 12 * 4, 2**19])
def test_blocks_equal_the_plain_algebra(monkeypatch, scale, room):
    """One list and two, blocks of one graph, of two, of all; tiles of the engine, too."""
    monkeypatch.setattr("ntk_teach.gram.graphs.BLOCK", room)
    arch, one, two = graph_network(2, 2, scale, jumping=True), graphs(SOME, 1), graphs(OTHERS, 2)
    assert isinstance(plan_of(arch.layers, one, None), GraphPlan)
    for other in (None, two):
        k = arch.kernel(one, other)
        for tile in (None, 3):
            for found, expected in zip(arch.grams(one, other, tile=tile), (k.nngp, k.ntk), strict=True):
                torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_one_list_is_symmetric():
    """To the last digit."""
    kernel = graph_network(2, 1, "uniform", jumping=False).ntk(graphs(SOME, 3))
    assert torch.equal(kernel, kernel.T)
