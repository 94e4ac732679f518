"""Task 07.2: the error on an example that was left out, from one solve with all of them."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.generalization.draws import gram, inverse, solve, targets

__all__ = ["leave_one_out"]


def reference(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """Train N times. [n]"""
    residuals = []
    for i in range(len(y)):
        rest = torch.arange(len(y)) != i
        weights = solve(regularized(k[rest][:, rest], ridge), y[rest])
        residuals.append(y[i] - k[i, rest] @ weights)
    return torch.stack(residuals)


def regularized(k: Tensor, ridge: float) -> Tensor:
    return k + ridge * torch.eye(len(k), dtype=k.dtype)


def solved(k: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """(K + δ Id)⁻¹y [n] and the diagonal of that inverse [n]."""
    inverted = inverse(regularized(k, ridge))
    return inverted @ y, inverted.diagonal()


# wrong


def training_residual(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You returned the residuals on the training data: each example was seen by the fit that it judges."""
    return y - k @ solved(k, y, ridge)[0]


def predictions(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You returned what is predicted for the example left out: its residual is the label minus that."""
    return y - reference(k, y, ridge)


def sign_reversed(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """The sign is reversed: label minus prediction is asked for."""
    return -reference(k, y, ridge)


def squared(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You squared the residuals: they are asked for with their signs."""
    return reference(k, y, ridge).square()


def averaged(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You averaged the squares: one residual for each example is asked for."""
    return reference(k, y, ridge).square().mean()


def not_refitted(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You left the example out of the sum but not out of the training: the other coefficients still know its label.
    (Inverting the diagonal of K + δ Id gives the same number: the diagonal of the inverse is another thing.)
    """
    alpha, _ = solved(k, y, ridge)
    return y - (k @ alpha - k.diagonal() * alpha)


def label_zeroed(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You set the label to 0 and kept the example: it still takes part, and pulls the fit to 0 where you test it."""
    hat = k @ inverse(regularized(k, ridge))
    return y - (hat @ y - hat.diagonal() * y)


def magnitudes(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You took magnitudes: the residuals are asked for with their signs."""
    return reference(k, y, ridge).abs()


def standardized(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided by the root of the diagonal of the inverse: that gives residuals in units of their standard
    deviation. Asked for are the residuals themselves.
    """
    alpha, diagonal = solved(k, y, ridge)
    return alpha / diagonal.sqrt()


def coefficients(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You returned the coefficients (K + δ Id)⁻¹y: each has to be divided by how freely it can move, an entry of the
    diagonal of the inverse.
    """
    return solved(k, y, ridge)[0]


def multiplied(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You multiplied the coefficient by the entry of the inverse: the residual that enforces it is the quotient."""
    alpha, diagonal = solved(k, y, ridge)
    return alpha * diagonal


def average_leverage(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided every residual by the average of the diagonal: that is generalized cross-validation, an
    approximation. Each example has an entry of its own.
    """
    alpha, diagonal = solved(k, y, ridge)
    return alpha / diagonal.mean()


def ridge_forgotten(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """The ridge is missing."""
    return reference(k, y, 0.0)


def ridge_times_n(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You multiplied the ridge by N: here it is added to the Gram matrix as it stands."""
    return reference(k, y, len(y) * ridge)


def ridge_not_in_the_diagonal(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided by the diagonal of K⁻¹: the ridge belongs to that inverse, too."""
    return solved(k, y, ridge)[0] / inverse(k).diagonal()


def squared_leverage(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided by the square of 1 − Hᵢᵢ: only in the squared error is there a square."""
    alpha, diagonal = solved(k, y, ridge)
    kept = ridge * diagonal if ridge else diagonal
    return alpha / diagonal / kept


def by_leverage(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """With a ridge you are right. Without one your quotient is rounding by rounding: the training residuals vanish,
    and so do 1 − Hᵢᵢ. Cancel the ridge from both before you divide.
    """
    hat = k @ inverse(regularized(k, ridge))
    return (y - hat @ y) / (1 - hat.diagonal())


def ridge_divided(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided the ridge by N: here it is added to the Gram matrix as it stands."""
    return reference(k, y, ridge / len(y))


def labels_centered(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You subtracted the mean of the labels: this regression has no constant term, and the mean knows every label."""
    return reference(k, y - y.mean(), ridge)


def mean_label(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You set the label to the mean of all and kept the example: it still takes part in the training."""
    hat = k @ inverse(regularized(k, ridge))
    return y - (hat @ y + hat.diagonal() * (y.mean() - y))


def trained_once(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You trained once, without the first example, and took the residuals of all: each example has a training of its
    own, without it.
    """
    weights = solve(regularized(k[1:, 1:], ridge), y[1:])
    return y - k[:, 1:] @ weights


def over_the_leverage(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided by Hᵢᵢ: how much an example determines its own prediction. What counts is the rest, 1 − Hᵢᵢ."""
    hat = k @ inverse(regularized(k, ridge))
    return (y - hat @ y) / hat.diagonal()


def times_the_rest(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You multiplied by 1 − Hᵢᵢ: the fit has already pulled each residual towards 0, and more so where Hᵢᵢ is large."""
    hat = k @ inverse(regularized(k, ridge))
    return (y - hat @ y) * (1 - hat.diagonal())


def root_of_the_rest(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    """You divided by the root of 1 − Hᵢᵢ: that brings training residuals to one variance and is no error of an example
    that was left out.
    """
    inverted = inverse(regularized(k, ridge))
    return math.sqrt(ridge) * (inverted @ y) / inverted.diagonal().sqrt()


# right


def closed_form(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    alpha, diagonal = solved(k, y, ridge)
    return alpha / diagonal


def by_eigenvalues(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    values: Tensor
    vectors: Tensor
    values, vectors = torch.linalg.eigh(k)
    shrunk = 1 / (values + ridge)
    return (vectors * shrunk) @ (vectors.T @ y) / (vectors.square() @ shrunk)


def numpy_schur(k: Tensor, y: Tensor, ridge: float) -> NDArray[np.float64]:
    """What remains of example i once the others have explained what they can: the same as a Schur complement."""
    matrix = k.numpy() + ridge * np.eye(len(y))
    alpha = np.linalg.solve(matrix, y.numpy())
    left = np.empty(len(alpha))
    for i in range(len(alpha)):
        rest = np.arange(len(alpha)) != i
        left[i] = matrix[i, i] - matrix[i, rest] @ np.linalg.solve(matrix[np.ix_(rest, rest)], matrix[rest, i])
    return alpha * left


def float32(k: Tensor, y: Tensor, ridge: float) -> Tensor:
    return closed_form(k.float(), y.float(), ridge)


def fitted(rng: np.random.Generator, *, n: int, ridge: bool) -> Arguments:
    strength = float(rng.uniform(0.2, 0.8)) if ridge else 0.0
    return {"k": rng.uniform(0.6, 2.0) * gram(rng, n), "y": targets(rng, n), "ridge": strength}


leave_one_out = Task(
    id="07.2",
    title="Leave one out",
    signature="leave_one_out(k, y, ridge) -> [n]",
    reference=reference,
    credit={"with a ridge": 2, "without a ridge": 1},
    cases=(
        Case("with a ridge", "7 examples", partial(fitted, n=7, ridge=True)),
        Case("with a ridge", "10 examples", partial(fitted, n=10, ridge=True)),
        Case("without a ridge", "8 examples, ridge = 0, all training residuals 0", partial(fitted, n=8, ridge=False)),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                training_residual,
                predictions,
                sign_reversed,
                squared,
                averaged,
                not_refitted,
                coefficients,
                label_zeroed,
                magnitudes,
                standardized,
                multiplied,
                average_leverage,
                ridge_forgotten,
                ridge_times_n,
                ridge_not_in_the_diagonal,
                squared_leverage,
                ridge_divided,
                labels_centered,
                mean_label,
                trained_once,
                over_the_leverage,
                times_the_rest,
                root_of_the_rest,
            )
        ),
        Misconception(by_leverage, keeps=2),
    ),
    alternatives=(closed_form, by_eigenvalues, numpy_schur, float32),
    when_nan="0/0: without a ridge the training residuals are 0, and so are 1 − Hᵢᵢ; cancel the ridge first.",
)
