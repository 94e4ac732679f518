"""The architectures of this package: fully connected layers in a row, read as numbers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.architecture import Architecture
from ntk_teach.errors import RuleError, sentence
from ntk_teach.layers import Dense

__all__ = ["Block", "blocks_of", "first_variance", "ratio"]


class Block(NamedTuple):
    """An activation and the dense layer after it."""

    activation: Activation
    dense: Dense


def first_variance(dense: Dense, x: Tensor) -> Tensor:
    """σ_w² ‖x‖²/d + σ_b², the variance that the first layer gives, in float64."""
    return dense.sigma_w**2 * x.double().square().mean(1) + dense.sigma_b**2


def blocks_of(arch: Architecture, where: str) -> tuple[Dense, list[Block]]:
    """The first layer, and the activations each with the dense layer after it."""
    first, blocks = arch.layers[0], []
    for activation, dense in zip(arch.layers[1::2], arch.layers[2::2], strict=False):
        if isinstance(activation, Activation) and isinstance(dense, Dense):
            blocks.append(Block(activation, dense))
    if not isinstance(first, Dense) or len(arch.layers) != 1 + 2 * len(blocks):
        do = "what a finite width changes is derived for fully connected layers in a row only"
        raise RuleError(sentence(where, "Dense, activation, Dense, ..., Dense", repr(arch), do))
    return first, blocks


def ratio(over: Tensor, under: Tensor, otherwise: float = 0.0) -> Tensor:
    """over/under, and ``otherwise`` where nothing flows (a zero input without biases) or nothing fluctuates."""
    return torch.where(under > 0, over / torch.where(under > 0, under, 1.0), otherwise)
