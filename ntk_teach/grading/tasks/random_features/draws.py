"""Generic inputs: sizes that differ, features with a mean, steps that are neither tiny nor unstable."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments

__all__ = ["features", "labels", "network", "saved_grams", "start", "to_descend", "to_end", "two_batches"]

Generator = np.random.Generator


def features(rng: Generator, n: int, count: int) -> Tensor:
    """f^(p)(x_i) [n, count]: of different sizes, with means over inputs and over features that are not zero."""
    values = rng.normal(size=(n, count)) * np.exp(rng.uniform(-0.5, 0.5, size=(n, 1)))
    return torch.from_numpy(values + rng.uniform(0.3, 0.8, size=count))


def labels(rng: Generator, n: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=n) + 0.5)


def start(rng: Generator, count: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=count))


def two_batches(rng: Generator, *, n: int, m: int, count: int) -> Arguments:
    """Features of two batches of inputs; with m = 0 the second is the first."""
    first = features(rng, n, count)
    return {"f1": first, "f2": features(rng, m, count) if m else first.clone()}


def to_descend(rng: Generator, *, n: int, count: int, steps: int) -> Arguments:
    """A start, data, and a step size between a quarter and three quarters of the critical one."""
    f = features(rng, n, count)
    fastest = float(torch.linalg.eigvalsh(f @ f.T / (count * n))[-1])
    lr = float(rng.uniform(0.5, 1.5)) / fastest
    return {"theta": start(rng, count), "features": f, "y": labels(rng, n), "lr": lr, "steps": steps}


def to_end(rng: Generator, *, n: int, count: int, zero: bool, repeated: bool = False) -> Arguments:
    """Data and a start; ``repeated``: the last input is the first, with another label."""
    f = features(rng, n, count)
    if repeated:
        f[-1] = f[0]
    theta = torch.zeros(count, dtype=torch.float64) if zero else start(rng, count)
    return {"features": f, "y": labels(rng, n), "theta0": theta}


def saved_grams(rng: Generator, *, counts: tuple[int, ...], draws: int, n: int) -> Arguments:
    """Gram matrices about a limit: error of an unknown power, with a bias, and now and then a bad draw."""
    power, level = rng.uniform(0.3, 0.9), rng.uniform(0.3, 2.0)
    root = rng.normal(size=(n, n))
    limit = root @ root.T / n
    noise = rng.normal(size=(len(counts), draws, n, n))
    noise = noise + noise.swapaxes(2, 3)
    noise = noise * np.exp(rng.normal(size=(len(counts), draws, 1, 1)))
    bias = rng.uniform(0.3, 1.2, size=(len(counts), 1, 1, 1)) * (rng.normal(size=(n, n)) + np.eye(n))
    count = np.array(counts, dtype=np.float64)
    sizes = (level * count**-power)[:, None, None, None]
    grams = limit + sizes * (noise + bias + bias.swapaxes(2, 3))
    return {"counts": torch.from_numpy(count), "grams": torch.from_numpy(grams), "limit": torch.from_numpy(limit)}


def network(rng: Generator, *, width: int, d: int, n: int, hidden_moves: bool) -> Arguments:
    """One hidden layer, a displacement of its weights that is not small, and inputs of different lengths."""
    w, dw = rng.normal(size=(2, width, d))
    v, dv = rng.normal(size=(2, width))
    x = rng.normal(size=(n, d)) * np.exp(rng.uniform(-0.5, 0.5, size=(n, 1)))
    moved = dw if hidden_moves else np.zeros_like(dw)
    values = {"w": w, "v": v, "dw": moved, "dv": dv, "x": x}
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in values.items()}
