"""Layers that do the same at every site, on inputs of unequal size."""

from __future__ import annotations

from torch import nn

from ntk_teach.nn.linear import Linear, Pointwise, Residual
from ntk_teach.ragged import Ragged

__all__ = ["AtEachSite", "at_sites"]


class AtEachSite(nn.Module):
    """A layer for the features of one site, applied to all sites of a ``Ragged`` batch."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, a: Ragged) -> Ragged:
        return a.holding(self.layer(a.values))


class ResidualAtSites(nn.Module):
    """a + branch(a) of a ``Ragged`` batch, whose branch may know of its sites."""

    def __init__(self, branch: nn.Sequential) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, a: Ragged) -> Ragged:
        added: Ragged = self.branch(a)
        return a.holding(a.values + added.values)


def at_sites(module: nn.Module) -> nn.Module:
    """The module for a ``Ragged`` batch: what knows nothing of sites is applied to the features of each of them."""
    if isinstance(module, Residual):
        return ResidualAtSites(nn.Sequential(*map(at_sites, module.branch)))
    return AtEachSite(module) if isinstance(module, Linear | Pointwise) else module
