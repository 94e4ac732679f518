"""Layers of graph networks, of ``Ragged`` graphs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach.ragged import Ragged

__all__ = ["GraphTotal", "Levels", "Neighbors", "neighbors"]


def neighbors(edges: Tensor, present: Tensor, scale: str) -> Tensor:
    """c_u (A + 1)_{uv} of each graph: c_u = 1 ("uniform"), or 1 over the number of nodes that u hears ("degree").

    [n, p, p]; rows and columns of padded nodes are 0.
    """
    matrix = edges + torch.diag_embed(present)
    if scale == "uniform":
        return matrix
    heard = matrix.sum(-1, keepdim=True)
    return matrix / torch.where(heard > 0, heard, 1.0)


class Neighbors(nn.Module):
    """h_u ← c_u Σ_v (A + 1)_{uv} h_v."""

    def __init__(self, scale: str) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, h: Ragged) -> Ragged:
        assert h.edges is not None
        return h.holding(neighbors(h.edges, h.present, self.scale) @ h.values)


class GraphTotal(nn.Module):
    """The sum over the nodes that are there."""

    def forward(self, h: Ragged) -> Tensor:
        return (h.values * h.present[..., None]).sum(1)


class Levels(nn.Module):
    """Σ_l D_l h_l: what a block leaves goes into the next one and, by a read-out of its own, into the sum."""

    def __init__(self, blocks: list[nn.Module], heads: list[nn.Module], *, first: bool) -> None:
        super().__init__()
        self.blocks, self.heads, self.first = nn.ModuleList(blocks), nn.ModuleList(heads), first

    def forward(self, h: Ragged) -> Ragged:
        levels = [h] if self.first else []
        for block in self.blocks:
            h = block(h)
            levels.append(h)
        read = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        return h.holding(torch.stack([level.values for level in read]).sum(0))
