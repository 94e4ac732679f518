"""Descriptions of common architectures by depth, and nothing else."""

from __future__ import annotations

from ntk_teach.activations import Activation, relu
from ntk_teach.architecture import Architecture, serial
from ntk_teach.errors import check_count
from ntk_teach.layers import Dense

__all__ = ["mlp"]


def mlp(depth: int, activation: Activation = relu, *, sigma_w: float = 1.0, sigma_b: float = 0.1) -> Architecture:
    """Fully connected network of ``depth`` weight layers: Dense, φ, Dense, φ, …, Dense.

    Args:
        depth: L, the number of weight layers (L − 1 hidden layers).
        activation: φ between them.
        sigma_w, sigma_b: scales of all weights and biases. The defaults are those of the experiments of Jacot,
            Gabriel & Hongler 2018, section 6 (β = 0.1).

    Returns: Architecture. Raises: DomainError for a depth below 1. Chapter: 00_notation.
    """
    check_count(depth, name="depth", where="zoo.mlp")
    dense = Dense(sigma_w, sigma_b)
    return serial(dense, *[layer for _ in range(depth - 1) for layer in (activation, dense)])
