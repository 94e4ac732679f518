"""Lee et al. 2018: the posterior of an infinitely wide network on real digits, as a classifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ntk_teach.activations import Activation, relu, tanh
from ntk_teach.data.mnist import mnist
from ntk_teach.experiments.result import Array
from ntk_teach.zoo import mlp

__all__ = ["by_class", "nngp", "one_hot", "posterior_mean", "standardized"]

# Activation, hidden layers, σ_w², σ_b²: the best of Lee et al. 2018, Table 1, for 1000 digits (MNIST:1k).
BEST: dict[str, tuple[Activation, int, float, float]] = {"relu": (relu, 20, 1.45, 0.28), "tanh": (tanh, 20, 1.96, 0.62)}


def nngp(
    *,
    sizes: Sequence[int] = (100, 200, 500, 1000, 2000, 4000),
    splits: int = 10,
    digits: int = 5000,
    activations: Sequence[str] = ("relu", "tanh"),
    noise: float = 1e-5,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """Accuracy of the NNGP posterior mean on MNIST by size of the training set, at the depth and scales of the paper.

    Regression on ``one_hot`` targets, the largest mean is the answer. Training sets hold equally many digits of each
    class; all other digits are the test set.

    Args:
        sizes: of the training set, multiples of 10.
        splits: random divisions into training and test set, with seeds 0, 1, …
        digits: all of them, at most 5000 (``data.mnist``; the paper has 50 000 and a test set of 10 000).
        activations: rows of the paper's Table 1, "relu" or "tanh".
        noise: standard deviation added to the targets, for the solution to be stable; σ² = 1e-10 in the paper's code.
        device: where the kernel is computed.

    Returns: ``sizes`` [sizes], and for each activation a ``accuracy_a`` and ``error_a`` (mean square over digits and
        classes) [sizes, splits].

    Cost: one kernel of digits² pairs and, for each split, Σ size³/3 operations.

    Source: Lee et al. 2018, section 3.1 and Table 1; details from the authors' code.
    Chapter: 04_gaussian_process_limit.
    """
    images, labels = (values.to(device) for values in mnist(digits, seed=0))
    x, targets = standardized(images), one_hot(labels)
    found: dict[str, Array] = {"sizes": np.array(sizes)}
    for name in activations:
        activation, hidden, weights, biases = BEST[name]
        kernel = mlp(hidden + 1, activation, sigma_w=weights**0.5, sigma_b=biases**0.5).nngp(x)
        scores = np.zeros((2, len(sizes), splits))
        for split in range(splits):
            order = by_class(labels, split)  # [10, digits per class]
            for row, size in enumerate(sizes):
                chosen, rest = order[:, : size // 10].reshape(-1), order[:, size // 10 :].reshape(-1)
                mean = posterior_mean(kernel, chosen, rest, targets[chosen], noise)
                right = (mean.argmax(1) == labels[rest]).double().mean()
                scores[:, row, split] = right, (mean - targets[rest]).square().mean()
        found |= {f"accuracy_{name}": scores[0], f"error_{name}": scores[1]}
    return found


def standardized(images: Tensor) -> Tensor:
    """Each image with mean 0 and variance 1 over its pixels, so that all have the norm √d.   [n, d]"""
    centered = images - images.mean(1, keepdim=True)
    return centered / centered.square().mean(1, keepdim=True).sqrt()


def one_hot(labels: Tensor) -> Tensor:
    """0.9 for the digit's own class and −0.1 for the nine others, so that their mean is 0.   [n, 10]"""
    return torch.nn.functional.one_hot(labels.long(), 10).double() - 0.1


def by_class(labels: Tensor, seed: int) -> Tensor:
    """The places of the digits, one row a class, each in random order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator).to(labels.device)
    rows = [order[labels[order] == digit] for digit in range(10)]
    shortest = min(len(row) for row in rows)
    return torch.stack([row[:shortest] for row in rows])


def posterior_mean(kernel: Tensor, chosen: Tensor, rest: Tensor, targets: Tensor, noise: float) -> Tensor:
    """Σ(x, X) (Σ(X, X) + σ²)⁻¹ y, by Cholesky: the variances are not asked for."""
    gram = kernel[chosen][:, chosen] + noise**2 * torch.eye(len(chosen), dtype=kernel.dtype, device=kernel.device)
    weights = torch.cholesky_solve(targets.to(kernel), torch.linalg.cholesky(gram))
    mean: Tensor = kernel[rest][:, chosen] @ weights
    return mean
