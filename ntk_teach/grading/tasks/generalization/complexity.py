"""Task 07.1: the part of the bound that depends on the labels."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach import rkhs_bound
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.generalization.draws import gram, inverse, solve, targets

__all__ = ["complexity"]


def reference(k: Tensor, y: Tensor) -> Tensor:
    """``rkhs_bound`` is made for K(x, x) = 1/2; the scale of the kernel drops out of the product with the trace."""
    return rkhs_bound(k / (2 * k.diagonal().mean()), y)


def squared_norms(k: Tensor, y: Tensor) -> Tensor:
    return (y * solve(k, y)).sum(0)  # [c]


# wrong


def not_inverted(k: Tensor, y: Tensor) -> Tensor:
    """You computed yᵀKy: large where the labels follow the kernel's strong modes, and those are the cheap ones. The
    norm of a function through y asks for the inverse.
    """
    return 2 * (k.trace() * (y * (k @ y)).sum(0)).sqrt() / len(k)


def inverted_entry_by_entry(k: Tensor, y: Tensor) -> Tensor:
    """You took the reciprocal of each entry: K⁻¹ is the inverse of the matrix."""
    return 2 * (k.trace() * (y * ((1 / k) @ y)).sum(0)).sqrt() / len(k)


def coefficients(k: Tensor, y: Tensor) -> Tensor:
    """You took the length of the coefficients K⁻¹y: the norm of the function Σ αᵢ K(xᵢ, ·) is √(αᵀKα)."""
    return 2 * k.trace().sqrt() * solve(k, y).square().sum(0).sqrt() / len(k)


def labels_only(k: Tensor, y: Tensor) -> Tensor:
    """You took the length of the labels: it is the same for true and for shuffled ones, so it tells nothing about
    them. The kernel has to weigh them.
    """
    return 2 * (k.trace() * y.square().sum(0)).sqrt() / len(k)


def no_root(k: Tensor, y: Tensor) -> Tensor:
    """A root is missing: the bound is proportional to the norm of the function, not to its square."""
    return 4 * k.trace() * squared_norms(k, y) / len(k) ** 2


def root_of_the_norm_only(k: Tensor, y: Tensor) -> Tensor:
    """The trace stands outside the root: the mean length of the features enters as √tr K. Then the scale of the
    kernel drops out of the product, as it must.
    """
    return 2 * k.trace() * squared_norms(k, y).sqrt() / len(k)


def unit_diagonal(k: Tensor, y: Tensor) -> Tensor:
    """You took tr K = N, which is so for K(x, x) = 1 alone: here the diagonal is uneven."""
    return 2 * (squared_norms(k, y) / len(k)).sqrt()


def as_arora_prints_it(k: Tensor, y: Tensor) -> Tensor:
    """You computed √(2 yᵀK⁻¹y / N): that is the formula for a kernel with K(x, x) = 1/2, as Arora et al. have it.
    Multiply K by 7 and your number changes; training would not notice.
    """
    return (2 * squared_norms(k, y) / len(k)).sqrt()


def largest_diagonal(k: Tensor, y: Tensor) -> Tensor:
    """You bounded every K(xᵢ, xᵢ) by the largest: that is true and weaker; the trace has them all."""
    return 2 * (k.diagonal().max() * squared_norms(k, y) / len(k)).sqrt()


def cosines(k: Tensor, y: Tensor) -> Tensor:
    """You divided K by the lengths of the features, entry by entry: that is the kernel of other features, in which
    all have length 1. The trace is there to measure them as they are.
    """
    length = k.diagonal().sqrt()
    return 2 * (squared_norms(k / length[:, None] / length, y) / len(k)).sqrt()


def frobenius(k: Tensor, y: Tensor) -> Tensor:
    """You took the Frobenius norm of K: it has the entries off the diagonal in it. The lengths of the features are
    the diagonal alone.
    """
    size = k.square().sum().sqrt()
    return 2 * (size * squared_norms(k, y)).sqrt() / len(k)


def largest_eigenvalue(k: Tensor, y: Tensor) -> Tensor:
    """You took the largest eigenvalue in the place of the trace, which is the sum of all."""
    largest: Tensor = torch.linalg.eigvalsh(k)[-1]
    return 2 * (largest * squared_norms(k, y)).sqrt() / len(k)


def divided_by_root_n(k: Tensor, y: Tensor) -> Tensor:
    """You divided by √N: the average over the examples divides by N; what falls like 1/√N is the whole expression,
    since the trace grows with N.
    """
    return 2 * (k.trace() * squared_norms(k, y)).sqrt() / math.sqrt(len(k))


def no_average(k: Tensor, y: Tensor) -> Tensor:
    """The division by N is missing: the cost is an average over the examples."""
    return 2 * (k.trace() * squared_norms(k, y)).sqrt()


def no_two(k: Tensor, y: Tensor) -> Tensor:
    """The factor 2 is missing: you computed the Rademacher complexity itself, and the bound has twice of it, from the
    exchange of the sample with a second one.
    """
    return (k.trace() * squared_norms(k, y)).sqrt() / len(k)


def two_inside(k: Tensor, y: Tensor) -> Tensor:
    """The 2 stands under the root: twice the complexity is asked for, so it stands in front."""
    return (2 * k.trace() * squared_norms(k, y)).sqrt() / len(k)


def labelings_added(k: Tensor, y: Tensor) -> Tensor:
    """You added all labelings up: each column of y is a labeling of its own, with a number of its own."""
    return 2 * (k.trace() * squared_norms(k, y).sum()).sqrt() / len(k)


def labelings_paired(k: Tensor, y: Tensor) -> Tensor:
    """You returned yᵀK⁻¹y of every pair of labelings, [c, c]: each labeling has one number."""
    return 2 * (k.trace() * (y.T @ solve(k, y))).sqrt() / len(k)


def labels_centered(k: Tensor, y: Tensor) -> Tensor:
    """You subtracted the mean of the labels: the function has to go through the labels as they are."""
    return 2 * (k.trace() * squared_norms(k, y - y.mean(0))).sqrt() / len(k)


def labels_of_length_one(k: Tensor, y: Tensor) -> Tensor:
    """You scaled the labels to length 1: labels twice as large ask for a function of twice the norm."""
    return 2 * (k.trace() * squared_norms(k, y / y.norm(dim=0))).sqrt() / len(k)


def trace_of_the_inverse(k: Tensor, y: Tensor) -> Tensor:
    """The trace is that of the inverse: it should measure the features, which is what K itself does."""
    return 2 * (inverse(k).trace() * squared_norms(k, y)).sqrt() / len(k)


def all_entries(k: Tensor, y: Tensor) -> Tensor:
    """You summed all entries of K where the trace belongs, the sum of the diagonal."""
    return 2 * (k.sum() * squared_norms(k, y)).sqrt() / len(k)


def diagonal_of_the_inverse(k: Tensor, y: Tensor) -> Tensor:
    """You used the diagonal of K⁻¹ alone: the products y_i y_j of different examples belong to the norm as well."""
    return 2 * (k.trace() * (y.square() * inverse(k).diagonal()[:, None]).sum(0)).sqrt() / len(k)


def reciprocal_diagonal(k: Tensor, y: Tensor) -> Tensor:
    """You used 1/K(x, x) and no other entry: that is the norm if the inputs know nothing of each other."""
    return 2 * (k.trace() * (y.square() / k.diagonal()[:, None]).sum(0)).sqrt() / len(k)


def one_less_than_n(k: Tensor, y: Tensor) -> Tensor:
    """You divided by N − 1: nothing was estimated, and the cost is an average over N examples."""
    return 2 * (k.trace() * squared_norms(k, y)).sqrt() / (len(k) - 1)


# right


def by_eigenvalues(k: Tensor, y: Tensor) -> Tensor:
    values: Tensor
    values, vectors = torch.linalg.eigh(k)
    along: Tensor = (vectors.T @ y).square() / values[:, None]
    return 2 * values.sum().sqrt() * along.sum(0).sqrt() / len(k)


def by_cholesky(k: Tensor, y: Tensor) -> Tensor:
    factor: Tensor = torch.linalg.cholesky(k)
    whitened: Tensor = torch.linalg.solve_triangular(factor, y, upper=False)
    return 2 * factor.square().sum().sqrt() * whitened.square().sum(0).sqrt() / len(k)


def numpy_loop(k: Tensor, y: Tensor) -> NDArray[np.float64]:
    inverse, labels = np.linalg.inv(k.numpy()), y.numpy()
    squares = [column @ inverse @ column for column in labels.T]
    costs: NDArray[np.float64] = 2 * np.sqrt(np.trace(k.numpy()) * np.array(squares)) / len(labels)
    return costs


def float32(k: Tensor, y: Tensor) -> Tensor:
    return by_cholesky(k.float(), y.float())


def labeled(rng: np.random.Generator, *, n: int, labelings: int) -> Arguments:
    return {"k": rng.uniform(0.4, 3.0) * gram(rng, n), "y": targets(rng, n, labelings)}


complexity = Task(
    id="07.1",
    title="What the labels cost",
    signature="complexity(k, y) -> [c]",
    reference=reference,
    credit={"one number a labeling": 2},
    cases=(
        Case("one number a labeling", "9 examples, 3 labelings", partial(labeled, n=9, labelings=3)),
        Case("one number a labeling", "6 examples, 2 labelings", partial(labeled, n=6, labelings=2)),
        Case("one number a labeling", "5 examples, 1 labeling", partial(labeled, n=5, labelings=1)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            not_inverted,
            inverted_entry_by_entry,
            coefficients,
            labels_only,
            no_root,
            root_of_the_norm_only,
            unit_diagonal,
            as_arora_prints_it,
            largest_diagonal,
            largest_eigenvalue,
            cosines,
            frobenius,
            divided_by_root_n,
            no_average,
            no_two,
            two_inside,
            labelings_added,
            labelings_paired,
            labels_centered,
            labels_of_length_one,
            trace_of_the_inverse,
            all_entries,
            diagonal_of_the_inverse,
            reciprocal_diagonal,
            one_less_than_n,
        )
    ),
    alternatives=(by_eigenvalues, by_cholesky, numpy_loop, float32),
    when_nan="the root of a negative number: yᵀK⁻¹y is positive for the inverse of the matrix.",
)
