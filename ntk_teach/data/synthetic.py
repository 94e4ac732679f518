"""Targets that depend on few coordinates of many: a kernel that treats all directions alike learns them slowly."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ntk_teach.errors import DomainError, ShapeError, check_count, sentence
from ntk_teach.shapes import Labels, Vectors

__all__ = ["parity", "single_index"]


def parity(n: int, dimension: int, k: int, *, seed: int = 0) -> tuple[Vectors, Labels]:
    """y = x₁x₂…x_k, for x uniform on {−1, 1}^d.

    The products of k coordinates are C(d, k) orthonormal functions that a rotation-invariant kernel cannot tell apart,
    so it needs about as many examples, d^k; a network that learns features can do with fewer.

    Args: n inputs; dimension d; k, at most d, the number of coordinates that count; seed of the draw.

    Returns: x [n, d] and y [n], all ±1, float64.

    Raises: DomainError for k above d or a count below 1. Chapter: 08_lazy_training.
    """
    where = "data.parity"
    check_count(dimension, name="dimension", where=where)
    if check_count(k, name="k", where=where) > dimension:
        do = "choose a smaller k or a larger dimension"
        raise DomainError(sentence(where, f"k at most the dimension, {dimension}", str(k), do))
    check_count(n, name="n", where=where)
    generator = torch.Generator().manual_seed(check_count(seed, name="seed", where=where, minimum=0))
    x = 2 * torch.randint(0, 2, (n, dimension), generator=generator).double() - 1
    return x, x[:, :k].prod(1)


def single_index(n: int, dimension: int, link: Callable[[Tensor], Tensor], *, seed: int = 0) -> tuple[Vectors, Labels]:
    """y = g(x₁) for x ~ 𝒩(0, I_d): one direction counts. It is the first axis; for rotation-invariant learners any.

    Args: n inputs; dimension d; link g, pointwise on a tensor [n]; seed of the draw.

    Returns: x [n, d] and y [n], float64.

    Raises: DomainError for a count below 1; ShapeError if the link is not pointwise. Chapter: 08_lazy_training.
    """
    where = "data.single_index"
    check_count(n, name="n", where=where)
    check_count(dimension, name="dimension", where=where)
    generator = torch.Generator().manual_seed(check_count(seed, name="seed", where=where, minimum=0))
    x = torch.randn(n, dimension, generator=generator, dtype=torch.float64)
    y = link(x[:, 0])
    if y.shape != (n,):
        do = "give a pointwise function such as torch.relu"
        raise ShapeError(sentence(f"{where}, link", f"values of shape [{n}]", str(list(y.shape)), do))
    return x, y
