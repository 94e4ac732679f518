"""Alemohammad et al. 2020: kernels of recurrent networks as classifiers of real time series."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ntk_teach.data.targets import centered_one_hot
from ntk_teach.data.time_series import time_series as archive
from ntk_teach.experiments.result import Array
from ntk_teach.ragged import Ragged
from ntk_teach.zoo import mlp, rnn

__all__ = ["GRIDS", "RIDGES", "classified", "left_out", "time_series"]

Kernel = Callable[[Tensor | Ragged, Tensor | Ragged | None], Tensor]

RIDGES = tuple(10.0**power for power in range(-6, 2))  # in units of the mean of the kernel's diagonal
# Five choices for each family, so that none is favored by a longer search.
GRIDS: dict[str, tuple[float, ...]] = {
    "last": (1.0, 1.2, 1.3, 1.38, math.sqrt(2)),  # σ_w, one recurrent ReLU layer
    "average": (1.0, 1.2, 1.3, 1.38, math.sqrt(2)),
    "dense": (2.0, 3.0, 4.0, 5.0, 6.0),  # weight layers
    "rbf": (0.1, 0.3, 1.0, 3.0, 10.0),  # length, in units of the median distance of two training series
}
SIGMA_B = 0.1  # of the three networks; σ_u = 1


def time_series(
    *,
    names: Sequence[str] = ("ItalyPowerDemand", "GunPoint", "ArrowHead", "JapaneseVowels"),
    families: Sequence[str] = ("last", "average", "dense", "rbf"),
    order: int = 0,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """Accuracy on the archive's test set of four families of kernels, each tuned on the training set alone.

    Ridge regression of ``centered_one_hot`` targets, the largest output is the answer. Of 5 kernels (``GRIDS``) and 8
    ridges (``RIDGES``) the pair is taken that misclassifies the fewest training series when each is left out once;
    among equals, the one with the smaller squared error. Nothing random is left.

    Args:
        names: of ``data.time_series``.
        families: "last" and "average", the NTK of a recurrent network (ReLU, σ_u = 1, σ_b = 0.1) by its read-out;
            "dense", the NTK of a fully connected one (ReLU, σ_w = √2, σ_b = 0.1) and "rbf", a Gaussian, both of the
            whole series as one vector. Shorter series are filled up with zeros in front for these two.
        order: seed of one order of the time steps that is drawn for each data set and imposed on all of its series of
            equal length, "last" alone, as the family "shuffled".
        device: where the kernels are computed.

    Returns: for each name and family ``name_family``: accuracy on the test set, accuracy when left out, the chosen
    parameter of the kernel and ridge [4]; and ``name_sizes``: training series, test series, steps, classes [4].

    Cost: "average" needs all pairs of steps of all pairs of series, 5 n² t² of them on the training set.
    Source: Alemohammad et al. 2020, section 4 (who have support vector machines). Chapter: 10_recurrent_ntk.
    """
    found: dict[str, Array] = {}
    for name in names:
        x, labels, x_test, truth = archive(name)
        x, x_test = x.to(device=device), x_test.to(device=device)
        tables = dict.fromkeys(families, (x, x_test))
        if "last" in families and isinstance(x, Tensor) and isinstance(x_test, Tensor):
            steps = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(order)).to(x.device)
            tables["shuffled"] = x[:, steps], x_test[:, steps]
        values = x.values if isinstance(x, Ragged) else x
        classes = int(labels.max()) + 1
        found[f"{name}_sizes"] = np.array([len(labels), len(truth), values.shape[1], classes])
        for family, (train, test) in tables.items():
            found[f"{name}_{family}"] = np.array(classified(family, train, labels, test, truth))
    return found


def classified(
    family: str, x: Tensor | Ragged, labels: Tensor, x_test: Tensor | Ragged, truth: Tensor
) -> tuple[float, float, float, float]:
    """Accuracy on the test set, accuracy when left out, the chosen parameter and ridge.

    Chapter: 10_recurrent_ntk.
    """
    targets = centered_one_hot(labels, int(labels.max()) + 1).to(x.device)
    grid = "last" if family == "shuffled" else family
    steps = max((part.values if isinstance(part, Ragged) else part).shape[1] for part in (x, x_test))
    best: tuple[float, float] = (math.inf, math.inf)
    for parameter in GRIDS[grid]:
        kernel = _kernel(grid, parameter, x, steps)
        gram = kernel(x, None)
        unit = float(gram.diagonal().mean())
        for ridge in RIDGES:
            outputs = left_out(gram, targets, ridge * unit)
            wrong = int((outputs.argmax(1).cpu() != labels).sum())
            score = (float(wrong), float((outputs - targets).square().mean()))
            if score < best:
                best, chosen = score, (parameter, ridge)
                weights = _solved(gram, targets, ridge * unit)
    answers = (_kernel(grid, chosen[0], x, steps)(x_test, x) @ weights).argmax(1).cpu()
    return float((answers == truth).double().mean()), 1 - best[0] / len(labels), *chosen


def left_out(gram: Tensor, targets: Tensor, ridge: float) -> Tensor:
    """What ridge regression says of each example after learning from all others: y_i − [H⁻¹y]_i / [H⁻¹]_ii, H = K + δI.

    gram [n, n], targets [n, c] -> [n, c]. Source: Rasmussen & Williams 2006, equation 5.12. Chapter: 10_recurrent_ntk.
    """
    inverse = torch.linalg.inv(gram + ridge * torch.eye(len(gram), dtype=gram.dtype, device=gram.device))
    said: Tensor = targets - inverse @ targets / inverse.diagonal()[:, None]
    return said


def _solved(gram: Tensor, targets: Tensor, ridge: float) -> Tensor:
    weights: Tensor = torch.linalg.solve(
        gram + ridge * torch.eye(len(gram), dtype=gram.dtype, device=gram.device), targets
    )
    return weights


def _kernel(family: str, parameter: float, x: Tensor | Ragged, steps: int) -> Kernel:
    """The kernel of a family at one parameter; the median distance is that of the training series ``x``."""
    if family in ("last", "average"):
        recurrent = rnn(average=family == "average", sigma_w=parameter, sigma_b=SIGMA_B)
        return lambda one, two: recurrent.ntk(one, two)
    if family == "dense":
        dense = mlp(int(parameter), sigma_w=math.sqrt(2), sigma_b=SIGMA_B)
        return lambda one, two: dense.ntk(_flat(one, steps), None if two is None else _flat(two, steps))
    flat = _flat(x, steps)
    length = parameter * torch.pdist(flat).median()

    def gaussian(one: Tensor | Ragged, two: Tensor | Ragged | None) -> Tensor:
        distances = torch.cdist(_flat(one, steps), _flat(one if two is None else two, steps))
        found: Tensor = (-((distances / length) ** 2) / 2).exp()
        return found

    return gaussian


def _flat(x: Tensor | Ragged, steps: int) -> Tensor:
    """All steps as one vector, with zeros in front of a series shorter than ``steps``.   [n, t d]"""
    values = x.values if isinstance(x, Ragged) else x
    return torch.nn.functional.pad(values, (0, 0, steps - values.shape[1], 0)).flatten(1)
