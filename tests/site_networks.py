"""Networks with sites, and inputs for them, that several tests share."""

import math

import numpy as np
import torch
from references import HERE

import ntk_teach as ntk
from ntk_teach import (
    Aggregate,
    AverageSteps,
    AvgPool,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    GraphSum,
    JumpingKnowledge,
    LastStep,
    Ragged,
    Recurrent,
    Residual,
    erf,
    relu,
    serial,
)

ROOT = math.sqrt(2)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def stored(name: str) -> dict[str, torch.Tensor]:
    with np.load(HERE / f"authors_{name}.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def close(ours: torch.Tensor, theirs: torch.Tensor, allowed: float) -> None:
    error = ((ours - theirs) / theirs).abs().max()
    assert error <= allowed, f"relative error {float(error):.1e}"


def some_graphs() -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    features, edges = [], []
    for nodes in (3, 5, 4):
        half = (drawn(nodes, nodes, seed=nodes) > 0.3).double().triu(1)
        features.append(drawn(nodes, 3, seed=10 + nodes))
        edges.append(half + half.T)
    return features, edges


def graph_network(blocks: int, inner: int, scale: str, jumping: bool) -> ntk.Architecture:
    """Du et al.: aggregate, then ``inner`` layers, with He's scale from the second weight on; the first is plain."""
    parts = []
    for number in range(blocks):
        layers = [Aggregate(scale), Dense()] if number == 0 else [Dense(ROOT), Aggregate(scale)]
        layers += [relu, *(layer for _ in range(inner - 1) for layer in (Dense(ROOT), relu))]
        parts.append(serial(*layers))
    if jumping:
        return serial(JumpingKnowledge(parts, [Dense(), *[Dense(ROOT)] * blocks]), GraphSum())
    return serial(*parts, Dense(ROOT), GraphSum())


FAMILIES = {
    "strided and flat": serial(
        Conv2d(3, 2, sigma_w=ROOT, sigma_b=0.1),
        relu,
        Conv2d(2, 1, "valid", sigma_w=ROOT),
        relu,
        Flatten(),
        Dense(ROOT, 0.1),
    ),
    "pooled": serial(
        Conv2d(3, 1, "circular", sigma_w=ROOT),
        relu,
        AvgPool(2, 1, "same"),
        Conv2d(3, sigma_w=ROOT),
        relu,
        GlobalAvgPool(),
        Dense(),
    ),
    "residual": serial(
        Conv2d(sigma_w=ROOT, sigma_b=0.1), Residual(serial(relu, Conv2d(sigma_w=ROOT))), relu, GlobalAvgPool(), Dense()
    ),
    "recurrent, last": serial(Recurrent(relu, 1.2, 0.8, 0.1), LastStep(), Dense()),
    "recurrent, two layers, average": serial(
        Recurrent(relu, 1.2, 0.8, 0.1), Recurrent(erf, 1.1, 0.9, 0.2), AverageSteps(), Dense()
    ),
    "graph": serial(Aggregate("degree"), Dense(1, 0.1), relu, Dense(ROOT), Aggregate(), relu, GraphSum(), Dense()),
    "graph, residual": serial(Dense(), Residual(serial(relu, Dense(ROOT))), relu, Aggregate(), GraphSum(), Dense()),
    "graph, jumping": graph_network(2, 1, "uniform", jumping=True),
}


def batch(name: str) -> torch.Tensor | Ragged:
    if name.startswith("graph"):
        return Ragged.graphs(*some_graphs())
    if name.startswith("recurrent"):
        return Ragged.sequences([drawn(t, 2, seed=t) for t in (3, 5, 4)])
    images = drawn(3, 5, 6, 2, seed=4)
    images[0, :2] = 0
    return images


IMAGES, VECTORS, STEPS = drawn(2, 4, 4, 1), drawn(2, 16), drawn(2, 4, 3)
