"""Small real digits, for what must take a second."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Int
from torch import Tensor

from ntk_teach.errors import DomainError, NTKError, check_count, sentence
from ntk_teach.shapes import Vectors

__all__ = ["digits"]


def digits(n: int | None = None, *, seed: int = 0) -> tuple[Vectors, Int[Tensor, " n"]]:
    """n of the 1797 handwritten digits of 8 × 8 pixels, drawn without replacement; None means all, in drawn order.

    Args: n, at most 1797; seed of the draw.

    Returns: x [n, 64], pixels divided by 16 so that they lie in [0, 1], float64; labels 0–9 [n], int64.

    Raises: DomainError for n above 1797; NTKError if the [data] extra is missing.

    Source: Alpaydin & Kaynak 1998, in the copy that scikit-learn carries. Chapter: 07_generalization.
    """
    where = "data.digits"
    generator = torch.Generator().manual_seed(check_count(seed, name="seed", where=where, minimum=0))
    count = None if n is None else check_count(n, name="n", where=where)
    images, labels = _digits()
    if count is not None and count > len(images):
        raise DomainError(sentence(where, f"at most {len(images)} digits", str(count), "choose a smaller n"))
    drawn = torch.randperm(len(images), generator=generator)[:count]
    return images[drawn], labels[drawn]


@cache
def _digits() -> tuple[Tensor, Tensor]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        do = 'pip install "ntk-teach[data]"'
        raise NTKError(sentence("data.digits", "the package scikit-learn", "none installed", do)) from None
    pixels, labels = load_digits(return_X_y=True)
    return torch.as_tensor(pixels, dtype=torch.float64) / 16, torch.as_tensor(labels, dtype=torch.int64)
