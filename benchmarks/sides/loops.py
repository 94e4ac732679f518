"""The graph kernel as the paper writes it, one pair of nodes after the other: the oracle of the tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import ntk_teach as ntk
from tests.oracles import sites  # of the repository, not of the package


def as_numpy(array: np.ndarray) -> np.ndarray:
    return array


def versions() -> dict[str, str]:
    return {"numpy": np.__version__}


def gntk(*, n: int, blocks: int, dtype: str) -> Callable[[], dict[str, np.ndarray]]:
    """Half of the pairs, the others being the same."""
    graphs = ntk.data.mutag()[0][:n]
    assert graphs.edges is not None
    parts = []
    for values, present, edges in zip(graphs.values, graphs.present, graphs.edges, strict=True):
        here = present.bool()
        parts.append((values[here].numpy().astype(dtype), edges[here][:, here].numpy()))

    def call() -> dict[str, np.ndarray]:
        gram = np.zeros((n, n))
        for i, one in enumerate(parts):
            for j, two in enumerate(parts[: i + 1]):
                gram[i, j] = gram[j, i] = sites.graph(one, two, blocks, 1, "uniform", jumping=True)
        return {"ntk": gram}

    return call


TASKS = {"gntk": gntk}
