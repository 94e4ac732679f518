"""Reads the frozen values of tests/reference (see its README for their origin and conventions)."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).parent / "reference"


@dataclass(frozen=True)
class Reference:
    """One network with the kernels another program computed for it."""

    name: str
    layers: list
    x1: Tensor
    x2: Tensor
    nngp11: Tensor
    nngp12: Tensor
    ntk11: Tensor
    ntk12: Tensor

    @property
    def dense(self) -> list[tuple[float, float]]:
        return [(layer[1], layer[2]) for layer in self.layers if layer[0] == "dense"]

    @property
    def activation(self) -> tuple[str, dict]:
        return next(((layer[0], layer[1]) for layer in self.layers if layer[0] != "dense"), ("none", {}))


def load(name: str) -> Reference:
    with np.load(HERE / f"{name}.npz") as stored:
        arrays = {key: torch.tensor(stored[key]) for key in ("x1", "x2", "nngp11", "nngp12", "ntk11", "ntk12")}
        return Reference(name, json.loads(str(stored["layers"])), **arrays)


def empirical() -> dict[str, Tensor]:
    with np.load(HERE / "empirical_relu.npz") as stored:
        return {key: torch.tensor(stored[key]) for key in stored.files}


def relative_error(ours: Tensor, theirs: Tensor, diagonal1: Tensor, diagonal2: Tensor) -> Tensor:
    """|K - K'| / √(K_ii K_jj), the error that a correlation would have.   [n, m]"""
    return (ours - theirs).abs() / torch.sqrt(diagonal1[:, None] * diagonal2[None, :])


def collinear(x1: Tensor, x2: Tensor) -> Tensor:
    """Which pairs lie on one line through the origin, to 1e-6 in the correlation.   [n, m]"""
    norms = x1.norm(dim=1)[:, None] * x2.norm(dim=1)[None, :]
    return ((x1 @ x2.T).abs() / norms) > 1 - 1e-6
