"""Kernel regression on random subsets of a data set: the error predicted from the spectrum, and the error measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, check_count, check_scale, sentence
from ntk_teach.generalization.checks import Targets, check_gram_and_targets, cholesky
from ntk_teach.generalization.learning_curve import LearningCurve, learning_curve

__all__ = ["empirical_learning_curve", "held_out_error"]


def empirical_learning_curve(
    k: Float[Tensor, "n n"], y: Targets, n: Sequence[int], *, ridge: float = 0.0
) -> LearningCurve:
    """E = N/(N − n) · E₀ Σ_i (1 − L_i)² v_i², training on n of N examples: λ_i = eig(K + δ I)/N, v_i² = (u_iᵀy)²/N.

    Seen from the examples left out, a ridge δ is the kernel K + δ I without a ridge: they agree off the diagonal. So
    ``learning_curve`` with ridge 0 gives the error averaged over all N, which is 0 on the n trained ones; the others
    bear it. In the limit of large N and n this is exact for eigenvectors in general position (a random orthogonal
    matrix). Real eigenvectors are not random, and how far it carries is what ``held_out_error`` measures.

    Args: k, Gram matrix of all N examples; y, targets [N], or [N, c] whose squared errors are added;
        n, sizes of the training set, below N; ridge δ, added to the diagonal of the training Gram matrix.

    Returns: LearningCurve of K + δ I with the modes in falling order; ``test_error`` is that of the examples left out,
        ``train_error`` that of ridge regression on the n. Eigenvalues of K below N ε λ_max count as 0.

    Raises: ShapeError, DtypeError; DomainError for n not below N. Cost: one eigendecomposition, about 9 N³.

    Source: Simon, Dickens, Karkada & DeWeese 2023 for the curve; the steps for a finite set of examples are ours.
    Chapter: 07_generalization.
    """
    where = "empirical_learning_curve"
    gram, targets = check_gram_and_targets(k, y, where=where)
    check_scale(ridge, name="ridge", where=where)
    total = len(gram)
    sizes = _sizes(n, total, where)
    values, vectors = torch.linalg.eigh(gram)
    rounding = total * torch.finfo(gram.dtype).eps * values[-1]
    eigenvalues = torch.where(values > rounding, values, 0.0).flip(0) / total
    power = (vectors.T @ targets).square().sum(1).flip(0) / total  # [N]
    curve = learning_curve(eigenvalues + ridge / total, power, sizes)
    held_out = total / (total - curve.n) * curve.test_error
    # ‖δ (K_XX + δ I)⁻¹ y_X‖² = −δ² ∂/∂δ y_Xᵀ(K_XX + δ I)⁻¹y_X, and that form is Σ v²/(λ + δ/N + κ)
    shrunk = 1 / (eigenvalues + ridge / total + curve.kappa[:, None])  # [sizes, N]
    rise = shrunk.mean(1) / ((eigenvalues + ridge / total) * shrunk.square()).sum(1)  # ∂(κ + δ/N)/∂δ   [sizes]
    train = ridge**2 * rise * (shrunk.square() @ power) / curve.n if ridge > 0 else curve.train_error
    return replace(curve, test_error=held_out, train_error=train)


def held_out_error(
    k: Float[Tensor, "n n"],
    y: Targets,
    n: Sequence[int],
    *,
    draws: int = 10,
    ridge: float = 0.0,
    seed: int = 0,
) -> Float[Tensor, "sizes draws"]:
    """mean over the examples left out of |y − K(x, X)(K(X, X) + δ I)⁻¹ y_X|², for random subsets X of n examples.

    Args: k, y, n and ridge as ``empirical_learning_curve``; draws of the subset for each size; seed of the draws.

    Returns: one error for each size and draw, [sizes, draws]; its mean over draws is what the curve predicts.

    Raises: as ``empirical_learning_curve``; DomainError if a training Gram matrix is singular.

    Cost: draws · Σ (n³/3 + n N). Chapter: 07_generalization.
    """
    where = "held_out_error"
    gram, targets = check_gram_and_targets(k, y, where=where)
    check_count(draws, name="draws", where=where)
    check_scale(ridge, name="ridge", where=where)
    generator = torch.Generator().manual_seed(check_count(seed, name="seed", where=where, minimum=0))
    errors = []
    for size in _sizes(n, len(gram), where):
        for _ in range(draws):
            order = torch.randperm(len(gram), generator=generator).to(gram.device)
            inside, outside = order[:size], order[size:]
            block = gram[inside][:, inside] + ridge * torch.eye(size, dtype=gram.dtype, device=gram.device)
            factor = cholesky(
                block, where=f"{where}, n = {size}", do="remove duplicate inputs, or choose a ridge above 0"
            )
            weights = torch.cholesky_solve(targets[inside], factor)  # [n, c]
            residual = targets[outside] - gram[outside][:, inside] @ weights  # [N − n, c]
            errors.append(residual.square().sum(1).mean())
    return torch.stack(errors).reshape(-1, draws)  # [sizes, draws]


def _sizes(n: Sequence[int], total: int, where: str) -> list[int]:
    sizes = [check_count(size, name="n", where=where) for size in n]
    if not sizes or max(sizes) >= total:
        do = "choose training sets that leave some examples to test on"
        raise DomainError(sentence(where, f"sizes n below N = {total}", str(sizes), do))
    return sizes
