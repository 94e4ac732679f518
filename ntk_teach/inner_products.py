"""Inner products of inputs that keep their digits where two inputs point the same or the opposite way.

A matrix product rounds x·x' by some eps·√d of ‖x‖‖x'‖. For collinear inputs that is the whole angle between them, and
a kinked activation turns it into an error of its square root: 1e-7 in float64, 1e-3 in float32. There the angle is
taken from the difference of the directions instead, which cancels nothing:  x·x' = ±‖x‖‖x'‖ (1 − ½‖x̂ ∓ x̂'‖²).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.shapes import Gram, OtherVectors, Vectors

__all__ = ["inner_products", "nearly_collinear", "refined"]

BLOCK = 2**22  # numbers held at once while pairs are mended


def inner_products(x1: Vectors, x2: OtherVectors) -> Gram:
    """x·x' for every pair, [n, m]."""
    norms1, norms2 = (torch.linalg.vector_norm(x, dim=1) for x in (x1, x2))
    return refined(x1 @ x2.T, x1, x2, norms1, norms2)


def nearly_collinear(dtype: torch.dtype) -> float:
    """From this |cos| on the rounding of a matrix product may exceed a thousandth of the angle's square."""
    return 1 - 4096 * torch.finfo(dtype).eps


def refined(product: Gram, x1: Vectors, x2: OtherVectors, norms1: Tensor, norms2: Tensor) -> Gram:
    """The same inner products with those of nearly collinear pairs computed anew, d operations for each of them.

    ``norms1`` [n] and ``norms2`` [m] are ‖x‖ and ‖x'‖.
    """
    bound = nearly_collinear(product.dtype) * norms1[:, None] * norms2
    rows, columns = torch.nonzero((product.abs() > bound).detach(), as_tuple=True)
    step = max(1, BLOCK // x1.shape[1])
    for start in range(0, len(rows), step):
        i, j = rows[start : start + step], columns[start : start + step]
        sign = product[i, j].detach().sign()
        apart = x1[i] / norms1[i, None] - sign[:, None] * x2[j] / norms2[j, None]  # [pairs, d]
        mended = sign * norms1[i] * norms2[j] * (1 - apart.square().sum(1) / 2)
        product = product.index_put((i, j), mended)
    return product
