"""Arora et al. 2019, Li et al. 2019: convolutional kernels as classifiers of real digits, beside the dense one."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.architecture import Architecture, serial
from ntk_teach.data.mnist import mnist
from ntk_teach.experiments.nngp import by_class, one_hot, posterior_mean
from ntk_teach.experiments.result import Array
from ntk_teach.layers import AvgPool, Conv2d, Dense, Flatten, GlobalAvgPool, Layer
from ntk_teach.zoo import mlp

__all__ = ["cntk"]

SCALE = 2**0.5  # of the weights, so that relu keeps the variance


def cntk(
    *,
    sizes: Sequence[int] = (100, 200, 400, 1000, 2000, 4000),
    splits: int = 10,
    digits: int = 5000,
    side: int = 28,
    depths: Sequence[int] = (3, 6),
    kernels: Sequence[str] = ("dense", "flatten", "global"),
    window: int = 5,
    noise: float = 1e-2,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """Accuracy of NTK regression on MNIST by size of the training set, for kernels that know pixels and one that not.

    Regression on one-hot targets, the largest output is the answer. Images are divided by their norm, which for relu
    without biases is to divide the kernel by the roots of its diagonal.

    Args:
        sizes: of the training set, multiples of 10, equally many digits of each class; all other digits are tested.
        splits: random divisions into training and test set, with seeds 0, 1, …
        digits: all of them, at most 5000 (``data.mnist``).
        side: pixels on a side, 28, or 14 or 7 by means over squares.
        depths: numbers of 3 × 3 convolutions, or of hidden dense layers.
        kernels: "dense", fully connected; "flatten", CNTK with a weight for each pixel; "global", with global average
            pooling; "local", with a mean over ``window`` × ``window`` pixels around each, then flattened.
        window: of the local means, in pixels.
        noise: ridge as a standard deviation, with the kernel's mean diagonal as the unit.
        device: where the kernels are computed, in float32.

    Returns: ``sizes`` [sizes], ``depths`` [depths], and for each kernel k ``accuracy_k`` [depths, sizes, splits] and
        ``seconds_k`` [depths] that its matrix took.

    Cost: "global" has (digits·side²)²/2 pairs of pixels in each layer: for 5000 digits of 28 × 28 pixels 10¹³.

    Source: Arora et al. 2019, section 5; Li et al. 2019, section 5, for local pooling. Chapter: 09_convolutional_ntk.
    """
    x, labels = mnist(digits, seed=0)
    images = _shrunk(x.view(-1, 28, 28), side).to(device=device, dtype=torch.float32)[..., None]
    labels = labels.to(device)
    found: dict[str, Array] = {"sizes": np.array(sizes), "depths": np.array(depths)}
    for name in kernels:
        accuracy, seconds = np.zeros((len(depths), len(sizes), splits)), np.zeros(len(depths))
        for place, depth in enumerate(depths):
            started = _now(images)
            kernel = _network(name, depth, window).ntk(images.flatten(1) if name == "dense" else images).double()
            seconds[place] = _now(images) - started
            kernel = kernel / kernel.diagonal().mean()
            accuracy[place] = _accuracies(kernel, labels, sizes, splits, noise)
        found |= {f"accuracy_{name}": accuracy, f"seconds_{name}": seconds}
    return found


def _network(name: str, depth: int, window: int) -> Architecture:
    if name == "dense":
        return mlp(depth + 1, relu, sigma_w=SCALE, sigma_b=0.0)
    trunk = [layer for _ in range(depth) for layer in (Conv2d(3, sigma_w=SCALE), relu)]
    read: dict[str, list[Layer]] = {
        "flatten": [Flatten()],
        "global": [GlobalAvgPool()],
        "local": [AvgPool(window, stride=1, padding="same"), Flatten()],
    }
    return serial(*trunk, *read[name], Dense())


def _shrunk(images: Tensor, side: int) -> Tensor:
    """Means over squares of pixels, then images of norm 1 times the root of the number of pixels.  [n, side, side]"""
    pooled: Tensor = torch.nn.functional.avg_pool2d(images[:, None], 28 // side)[:, 0]
    norms: Tensor = torch.linalg.vector_norm(pooled, dim=(1, 2), keepdim=True)
    return pooled * side / norms


def _accuracies(kernel: Tensor, labels: Tensor, sizes: Sequence[int], splits: int, noise: float) -> Array:
    targets = one_hot(labels)
    found = np.zeros((len(sizes), splits))
    for split in range(splits):
        order = by_class(labels, split)
        for row, size in enumerate(sizes):
            chosen, rest = order[:, : size // 10].reshape(-1), order[:, size // 10 :].reshape(-1)
            mean = posterior_mean(kernel, chosen, rest, targets[chosen], noise)
            found[row, split] = float((mean.argmax(1) == labels[rest]).double().mean())
    return found


def _now(x: Tensor) -> float:
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return time.perf_counter()
