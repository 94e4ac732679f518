"""Sequences and graphs of unequal size in one batch."""

import pytest
import torch
from site_networks import IMAGES, STEPS, VECTORS, drawn, graph_network, some_graphs

import ntk_teach as ntk
from ntk_teach import (
    Aggregate,
    Dense,
    GraphSum,
    Ragged,
    relu,
    serial,
)


def test_sequences_end_together():
    """Padding goes in front, where it is marked."""
    both = Ragged.sequences([drawn(2, 3), drawn(4, 3, seed=1)])
    assert both.present.tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]
    assert torch.equal(both.values[0, 2:], drawn(2, 3))
    assert not both.values[0, :2].any()


def test_a_batch_is_cut_like_a_tensor():
    """Rows, dtype; the order of the batch is the order of the kernel."""
    features, edges = some_graphs()
    whole = Ragged.graphs(features, edges)
    assert len(whole[1:]) == 2
    assert whole.to(dtype=torch.float32).edges.dtype == torch.float32
    arch = graph_network(1, 1, "uniform", jumping=False)
    torch.testing.assert_close(arch.ntk(whole[1:]), arch.ntk(whole)[1:, 1:])


def test_what_is_padded_does_not_count():
    """A graph beside a larger one has the kernel that it has alone, with biases, too."""
    features, edges = some_graphs()
    arch = serial(Aggregate(), Dense(1, 0.3), relu, Dense(1, 0.2), Aggregate(), relu, GraphSum(), Dense(1, 0.1))
    alone = arch.ntk(Ragged.graphs(features[:1], edges[:1]))
    torch.testing.assert_close(arch.ntk(Ragged.graphs(features, edges))[:1, :1], alone)


@pytest.mark.boundary
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ragged.sequences([]), "at least one input"),
        (lambda: Ragged.sequences([STEPS[0], IMAGES[0]]), "same d in every input"),
        (lambda: Ragged.graphs([VECTORS], [torch.eye(2, dtype=torch.float64)]), "no self loops"),
        (lambda: Ragged.graphs([VECTORS], [torch.zeros(3, 3, dtype=torch.float64)]), r"shape \[2, 2\]"),
    ],
)
def test_what_is_no_list_of_inputs_is_refused(make, words):
    with pytest.raises(ntk.errors.NTKError, match=words):
        make()
