"""A bound on the test error that can be computed before training: the norm of the labels in the kernel's space."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.generalization.checks import Targets, check_gram_and_targets, cholesky

__all__ = ["rkhs_norm", "rkhs_bound"]


def rkhs_norm(k: Float[Tensor, "n n"], y: Targets) -> Float[Tensor, "*c"]:
    """‖f‖_K = √(yᵀ K⁻¹ y), the least norm of a function in the kernel's space that passes through the targets.

    Args: k, Gram matrix of the training inputs [n, n]; y, targets [n], or [n, c] for c sets of targets.

    Returns: one norm for each set of targets: a scalar, or [c]. Dimensionless.

    Raises: ShapeError, DtypeError; DomainError for a Gram matrix that is singular to working precision.

    Cost: one Cholesky factor, n³/3. Chapter: 07_generalization.
    """
    return _norm(k, y, where="rkhs_norm")


def rkhs_bound(k: Float[Tensor, "n n"], y: Targets) -> Float[Tensor, "*c"]:
    """√(2 yᵀ H⁻¹ y / n), the leading term of a bound on the test loss of a trained two-layer relu network.

    The theorem: inputs of unit norm, |y| ≤ 1, H(x, x') = x·x' (π − arccos x·x') / 2π, the tangent kernel of the
    first layer alone; the width polynomial in n and 1/λ_min(H), the initialization small, gradient descent run
    long enough. Then with probability 1 − δ the test loss, for a loss with values in [0, 1] that is 1-Lipschitz and
    vanishes at the label, is at most this term + O(√(log(n / (λ_min δ)) / n)). The second term does not depend on
    the labels. For another kernel the number is a measure of how well it fits the labels, not this theorem.

    Args: k, Gram matrix H [n, n]; y, labels [n] in [−1, 1], or [n, c] for c labelings.
        H is ``serial(Dense(sigma_w=√d), relu, Dense(trained=False)).ntk(x)`` for x [n, d] of unit norm.

    Returns: a scalar, or [c]. Dimensionless; above 1 it says nothing.

    Raises: as ``rkhs_norm``. Cost: n³/3.

    Source: Arora, Du, Hu, Li & Wang 2019, Theorem 5.1. Chapter: 07_generalization.
    """
    return _norm(k, y, where="rkhs_bound") * math.sqrt(2 / len(k))


def _norm(k: Tensor, y: Tensor, *, where: str) -> Tensor:
    gram, targets = check_gram_and_targets(k, y, where=where)
    do = "remove duplicate inputs, or pass k + ridge * torch.eye(n)"
    factor = cholesky(gram, where=f"{where}, k", do=do)
    whitened = torch.linalg.solve_triangular(factor, targets, upper=False)  # L⁻¹y, so yᵀK⁻¹y = ‖L⁻¹y‖²   [n, c]
    norm: Tensor = whitened.square().sum(0).sqrt().reshape(y.shape[1:])  # [] or [c]
    return norm
