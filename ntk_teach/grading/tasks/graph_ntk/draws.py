"""Random graphs and covariances between their nodes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["adjacency", "aggregation", "joint"]


def adjacency(rng: np.random.Generator, nodes: int) -> Tensor:
    """A random tree and some more edges, so that degrees differ and no node is alone.   [nodes, nodes]"""
    edges = np.zeros((nodes, nodes))
    for u in range(1, nodes):
        edges[u, rng.integers(u)] = 1.0
    more = np.triu(rng.uniform(size=(nodes, nodes)) < 0.25, 2)
    edges = np.clip(edges + edges.T + more + more.T, 0.0, 1.0)
    order = rng.permutation(nodes)
    return torch.from_numpy(edges[order][:, order].copy())


def aggregation(rng: np.random.Generator, nodes: int, *, mean: bool) -> Tensor:
    """S = diag(c) (A + 1), with c = 1 or 1 over the number of nodes that are heard. Of three nodes or more, some hear
    more than others: otherwise means are symmetric, and S transposed passes for S.   [nodes, nodes]"""
    equal = True
    while equal:
        heard = adjacency(rng, nodes) + torch.eye(nodes, dtype=torch.float64)
        counts = heard.sum(1, keepdim=True)
        equal = mean and nodes > 2 and bool((counts == counts[0]).all())
    return heard / counts if mean else heard


def joint(rng: np.random.Generator, nodes: int, *, features: int = 4, shift: float = 0.0) -> Tensor:
    """The covariance of all nodes, with entries of both signs and unequal variances.   [nodes, nodes]"""
    values = (rng.normal(size=(nodes, features)) + shift) * rng.uniform(0.5, 1.6, size=(nodes, 1))
    return torch.from_numpy(values @ values.T / features + 0.05 * np.eye(nodes))
