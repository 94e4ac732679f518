"""Sites: where in an input a unit sits (pixels, time steps, nodes), and linear maps that act on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ntk_teach.errors import RuleError
from ntk_teach.ragged import Ragged

__all__ = ["Sided", "Sites", "check_summands", "sites_of"]


@dataclass(frozen=True, eq=False)
class Sites:
    """The sites of one list of inputs.

    Args:
        grid: how they lie: (h, w) of pixels, (t,) of time steps, (p,) of nodes.
        present: 1 where a site is there, 0 where it was padded; None where all are. [n, p]
        edges: adjacency of graphs. [n, p, p]
    """

    grid: tuple[int, ...]
    present: Tensor | None = None
    edges: Tensor | None = None

    @property
    def count(self) -> int:
        return math.prod(self.grid)

    @property
    def kind(self) -> str:
        if self.edges is not None:
            return "graphs"
        return "images" if len(self.grid) == 2 else "sequences"


@dataclass(frozen=True, eq=False)
class Sided:
    """A linear map that depends on the input, given by a matrix for each: cov(x, x') ← M(x) cov M(x')ᵀ.

    Args:
        left: of the first list. [n, p', p]
        right: of the second list. [m, q', q]
    """

    left: Tensor
    right: Tensor

    def pair(self, cov: Tensor) -> Tensor:  # [n, m, p, q]
        return self.left[:, None] @ cov @ self.right[None].mT

    def own1(self, cov: Tensor) -> Tensor:  # [n, p, p]
        return self.left @ cov @ self.left.mT

    def own2(self, cov: Tensor) -> Tensor:
        return self.right @ cov @ self.right.mT


def sites_of(x: Tensor | Ragged) -> Sites | None:
    """The sites of a list of inputs; None of vectors."""
    if isinstance(x, Ragged):
        return Sites((x.values.shape[1],), x.present, x.edges)
    return None if x.ndim == 2 else Sites(tuple(x.shape[1:-1]))


def check_summands(ours: Sequence[int], theirs: Sequence[int]) -> None:
    """Two summands have one grid of sites."""
    if list(ours) != list(theirs):
        raise RuleError(
            f"expected summands at the same sites, received {list(ours)} and {list(theirs)}; let the branch keep the "
            "number of sites (stride 1 and padding), or put the same pool before both"
        )
