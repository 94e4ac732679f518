"""Layers of graph networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ntk_teach.errors import DomainError, RuleError, check_flag, sentence
from ntk_teach.kernel import Kernel
from ntk_teach.layers.dense import Dense
from ntk_teach.layers.layer import sites_behind, sized, through
from ntk_teach.layers.residual import Branch
from ntk_teach.nn import AtEachSite, GraphTotal, Levels, Neighbors
from ntk_teach.nn.graph import neighbors
from ntk_teach.nn.sites import at_sites
from ntk_teach.sites import Sided, Sites

__all__ = ["Aggregate", "GraphSum", "JumpingKnowledge"]

Scale = Literal["uniform", "degree"]
PLAIN = Dense()


@dataclass(frozen=True)
class Aggregate:
    """Every node hears its neighbors and itself, a fixed linear map:  h_u ← c_u Σ_v (A + 1)_{uv} h_v.

    Args:
        scale: "uniform", c_u = 1; "degree", c_u = 1/(number of neighbors + 1), a mean.

    Raises: DomainError for another scale; RuleError where inputs are no graphs.

    Source: Du et al. 2019, section 3. Chapter: 11_graph_ntk.
    """

    scale: Scale = "uniform"
    random = False
    mixes_sites = True

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            do = "choose one of them"
            raise DomainError(sentence("Aggregate", f"scale one of {get_args(Scale)}", repr(self.scale), do))

    def enters(self, sites: Sites | None) -> None:
        _check_nodes(sites)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        return Neighbors(self.scale)

    def kernel(self, k: Kernel) -> Kernel:
        left, right = (self._matrices(side) for side in _graphs(k))
        return k.fixed(Sided(left, right))

    def _matrices(self, side: Sites) -> Tensor:
        assert side.edges is not None and side.present is not None
        return neighbors(side.edges, side.present, self.scale)


@dataclass(frozen=True)
class GraphSum:
    """The sum over the nodes of a graph:  Σ ← Σ_{u, u'} Σ(u, u').

    Source: Du et al. 2019, section 3. Chapter: 11_graph_ntk.
    """

    random = False
    reads_sites = True
    mixes_sites = True

    def enters(self, sites: Sites | None) -> None:
        _check_nodes(sites)

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[-1],)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        return GraphTotal()

    def kernel(self, k: Kernel) -> Kernel:
        _graphs(k)
        return k.weighted(lambda present: present)


@dataclass(frozen=True, repr=False)
class JumpingKnowledge:
    """Read out every level:  h = D_0 h_0 + D_1 h_1 + … with h_l = block_l(h_{l−1}) and a fresh random layer D_l each.

    The read-outs are independent, so the kernels of the levels add. It is what concatenation and one Dense layer do,
    with scales of their own for the levels.

    Args:
        blocks: ``serial(...)`` each; what one leaves enters the next.
        heads: the D_l, one Dense for all levels, or one for each.
        first: is the input h_0 a level, too?

    Raises: DomainError for a block that is no ``serial(...)`` or a wrong number of heads; RuleError, naming the layer
        inside, where a rule does not hold.

    Source: Xu et al. 2018; Du et al. 2019, section 3. Chapter: 11_graph_ntk.
    """

    blocks: Sequence[Branch]
    heads: Dense | Sequence[Dense] = PLAIN
    first: bool = True
    widths: Sequence[int] = ()  # of a finite network; filled in by Architecture.network
    random = True
    mixes_sites = True

    def __post_init__(self) -> None:
        listed = isinstance(self.blocks, Sequence) and len(self.blocks)
        if not listed or not all(getattr(block, "layers", None) for block in self.blocks):
            do = "write JumpingKnowledge([serial(Aggregate(), Dense(), relu), ...])"
            raise DomainError(sentence("JumpingKnowledge", "a list of serial(...)", repr(self.blocks), do))
        check_flag(self.first, name="first", where="JumpingKnowledge")
        if isinstance(self.heads, Dense):
            return
        if not isinstance(self.heads, Sequence) or not all(isinstance(head, Dense) for head in self.heads):
            do = "give one Dense() for all, or one for each level"
            raise DomainError(sentence("JumpingKnowledge", "heads of Dense", repr(self.heads), do))
        if len(self.heads) != self._levels:
            do = "give one Dense() for all, or one for each level"
            raise DomainError(sentence("JumpingKnowledge", f"{self._levels} heads", str(len(self.heads)), do))

    def enters(self, sites: Sites | None) -> None:
        _check_nodes(sites)
        for block in self.blocks:
            _check_kept(block, sites_behind(block.layers, sites))

    @property
    def _levels(self) -> int:
        return len(self.blocks) + self.first

    @property
    def _heads(self) -> Sequence[Dense]:
        return [self.heads] * self._levels if isinstance(self.heads, Dense) else self.heads

    @property
    def random_layers(self) -> int:
        """Widths that a finite network needs: one for each random layer in the blocks, and one for the sum."""
        return sum(layer.random for block in self.blocks for layer in block.layers) + 1

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        widths, entering = iter(self.widths), [fan_in]
        blocks: list[nn.Module] = []
        for block in self.blocks:
            modules = []
            for layer in block.layers:
                leaving = next(widths) if layer.random else fan_in
                modules.append(at_sites(sized(layer, leaving).module(fan_in, leaving, generator)))
                fan_in = leaving
            blocks.append(nn.Sequential(*modules))
            entering.append(fan_in)
        levels = entering if self.first else entering[1:]
        heads = [
            AtEachSite(head.module(fan, fan_out, generator)) for head, fan in zip(self._heads, levels, strict=True)
        ]
        return Levels(blocks, list(heads), first=self.first)

    def kernel(self, k: Kernel) -> Kernel:
        _graphs(k)
        levels = [k] if self.first else []
        for block in self.blocks:
            k = through(block.layers, k)
            _check_kept(block, k.sites and k.sites[0])
            levels.append(k)
        total = None
        for head, level in zip(self._heads, levels, strict=True):
            read = head.kernel(level)
            total = read if total is None else total.plus(read)
        assert total is not None
        return total

    def __repr__(self) -> str:
        return f"JumpingKnowledge([{', '.join(map(repr, self.blocks))}], heads={self.heads!r}, first={self.first})"


def _graphs(k: Kernel) -> tuple[Sites, Sites]:
    for side in k.sites or (None,):
        _check_nodes(side)
    assert k.sites is not None
    return k.sites


def _check_nodes(sites: Sites | None) -> None:
    if sites is None or sites.kind != "graphs":
        received = "vectors without nodes" if sites is None else sites.kind
        raise RuleError(f"expected graphs, received {received}; build them with Ragged.graphs(features, edges)")


def _check_kept(block: Branch, sites: Sites | None) -> None:
    if sites is None:
        do = "put the read-out behind JumpingKnowledge"
        raise RuleError(f"expected blocks that keep the nodes, received {block!r}; {do}")
