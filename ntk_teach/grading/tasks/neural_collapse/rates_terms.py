"""Task 13.2: the three rates, and a copy with some of the six numbers replaced."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.neural_collapse import BlockKernel
from ntk_teach.neural_collapse import block_rates as library

__all__ = ["reference", "with_"]


def reference(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    found = library(BlockKernel(gamma_d, gamma_c, gamma_n), classes=classes, per_class=per_class)
    values = torch.tensor(found[:3], dtype=torch.float64) / (classes * per_class)
    return torch.stack([values, torch.tensor(found.multiplicities, dtype=torch.float64)], dim=1)


def with_(right: Tensor, **wrong: float) -> Tensor:
    """The right answer with some of its six numbers replaced: s, c, g and their multiplicities ns, nc, ng."""
    changed = right.clone()
    for place, value in wrong.items():
        changed["scg".index(place[-1]), int(place[0] == "n")] = value
    return changed
