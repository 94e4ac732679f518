"""Layers that do the same at every site, on inputs of unequal size."""

from __future__ import annotations

from torch import nn

from ntk_teach.ragged import Ragged

__all__ = ["AtEachSite"]


class AtEachSite(nn.Module):
    """A layer for the features of one site, applied to all sites of a ``Ragged`` batch."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, a: Ragged) -> Ragged:
        return a.holding(self.layer(a.values))
