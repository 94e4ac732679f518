"""Descriptions of common architectures by depth, and nothing else."""

from __future__ import annotations

import math

from ntk_teach.activations import Activation, relu
from ntk_teach.architecture import Architecture, serial
from ntk_teach.errors import DomainError, check_count, sentence
from ntk_teach.layers import (
    Aggregate,
    AverageSteps,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    GraphSum,
    LastStep,
    Layer,
    Recurrent,
)
from ntk_teach.layers.window import Padding

__all__ = ["cnn", "gnn", "mlp", "rnn"]


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


def cnn(
    depth: int,
    activation: Activation = relu,
    *,
    window: int = 3,
    padding: Padding = "same",
    pool: bool = True,
    sigma_w: float = math.sqrt(2),
    sigma_b: float = 0.0,
) -> Architecture:
    """Convolutional network of ``depth`` weight layers: Conv2d, φ, …, Conv2d, φ, a read-out, Dense.

    Args:
        depth: L, the number of weight layers: L − 1 convolutions and the last Dense.
        activation: φ after each convolution.
        window, padding: of every convolution; the stride is 1.
        pool: read out the mean over all pixels (CNTK-GAP), or all of them with weights of their own.
        sigma_w, sigma_b: scales of all weights and biases. The default is He's, as in Arora et al. 2019.

    Returns: Architecture of images [n, h, w, c]. Raises: DomainError for a depth below 2.
    Chapter: 09_convolutional_ntk.
    """
    check_count(depth, name="depth", where="zoo.cnn", minimum=2)
    convolution = Conv2d(window, padding=padding, sigma_w=sigma_w, sigma_b=sigma_b)
    body = [layer for _ in range(depth - 1) for layer in (convolution, activation)]
    return serial(*body, GlobalAvgPool() if pool else Flatten(), Dense(sigma_w, sigma_b))


def rnn(
    depth: int = 1,
    activation: Activation = relu,
    *,
    average: bool = False,
    sigma_w: float = math.sqrt(2),
    sigma_u: float = 1.0,
    sigma_b: float = 0.1,
) -> Architecture:
    """Recurrent network: ``depth`` recurrent layers, a read-out of the last step or of all, Dense.

    Args:
        depth: number of recurrent layers.
        activation: φ of every step.
        average: read out the mean over all steps instead of the last one.
        sigma_w, sigma_u, sigma_b: scales from step to step, of the input, of the biases.

    Returns: Architecture of sequences [n, t, d] or ``Ragged`` ones. Raises: DomainError for a depth below 1.
    Chapter: 10_recurrent_ntk.
    """
    check_count(depth, name="depth", where="zoo.rnn")
    layers = [Recurrent(activation, sigma_w, sigma_u, sigma_b)] * depth
    return serial(*layers, AverageSteps() if average else LastStep(), Dense())


def gnn(blocks: int, inner: int = 1, activation: Activation = relu, *, scale: str = "uniform") -> Architecture:
    """Graph network of Du et al. 2019: in each block nodes hear their neighbors and pass ``inner`` layers; then a sum.

    Args:
        blocks: number of blocks, each Aggregate and ``inner`` times Dense, φ.
        inner: layers in a block.
        activation: φ.
        scale: of ``Aggregate``.

    Returns: Architecture of ``Ragged.graphs``, with σ_w = 1 at the features and √2 behind a ReLU, as the authors have.
    Raises: DomainError for fewer than one block or layer. Chapter: 11_graph_ntk.
    """
    for name, value in (("blocks", blocks), ("inner", inner)):
        check_count(value, name=name, where="zoo.gnn")
    if scale not in ("uniform", "degree"):
        raise DomainError(sentence("zoo.gnn", "scale 'uniform' or 'degree'", repr(scale), "choose one of them"))
    he = Dense(math.sqrt(2))
    layers: list[Layer] = []
    for number in range(blocks):
        layers.append(Aggregate("uniform" if scale == "uniform" else "degree"))
        for step in range(inner):
            layers += [Dense() if number == step == 0 else he, activation]
    return serial(*layers, GraphSum(), he)
