"""One block of pairs on its way through the layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Tile", "mirror"]


@dataclass
class Tile:
    """Σ and Θ of one block of pairs, [rows, columns], and room for three intermediate results of the same shape."""

    rows: slice | Tensor
    columns: slice | Tensor
    nngp: Tensor
    ntk: Tensor | None  # None: only Σ is wanted
    room: list[Tensor]
    own: bool = False  # its diagonal is pairs (x, x), which are written afterwards and must not look collinear
    careful: bool = False  # mend what rounding does to collinear pairs
    collinear: bool = False  # found on the way: this tile has such pairs and must be done again, carefully


def mirror(kernel: Tensor, diagonal: Tensor) -> None:
    """Make a square block exactly symmetric, in place, with this diagonal."""
    kernel.copy_(torch.triu(kernel, 1))
    kernel.add_(kernel.T.clone())
    kernel.diagonal().copy_(diagonal)
