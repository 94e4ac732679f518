"""What a Gram matrix and its targets must be before anything is solved with them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, check_gram, check_outputs, sentence

__all__ = ["Targets", "check_gram_and_targets", "cholesky"]

Targets = Float[Tensor, "n *c"]  # one set of targets [n], or c of them


def check_gram_and_targets(k: object, y: object, *, where: str) -> tuple[Tensor, Tensor]:
    """k [n, n] symmetric and y [n] or [n, c], both finite, of one dtype and device; y comes back as [n, c]."""
    gram = check_gram(k, where=where)
    return gram, check_outputs(y, gram, name="y", where=where).reshape(len(gram), -1)  # [n, c]


def cholesky(k: Tensor, *, where: str, do: str) -> Tensor:
    """Lower L with L Lᵀ = k. A pivot that is rounding noise is refused: what is solved with it would be noise too."""
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(k)
    diagonal = k.diagonal()
    floor = len(k) * torch.finfo(k.dtype).eps * float(diagonal.max())
    smallest = 0.0 if int(failed) else float(factor.diagonal().min().square())
    if smallest <= floor:
        expected = "a positive definite Gram matrix"
        raise DomainError(sentence(where, expected, f"a singular one (smallest pivot {smallest:.1e})", do))
    return factor
