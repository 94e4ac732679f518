"""Task 03.1: the tangent kernel of given features, an inner product."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach import RandomFeatures
from ntk_teach.grading.task import Case, Misconception, Task
from ntk_teach.grading.tasks.random_features.draws import two_batches

__all__ = ["gram"]


def reference(f1: Tensor, f2: Tensor) -> Tensor:
    return RandomFeatures(lambda features: features, count=f1.shape[1]).gram(f1, f2)


def unit(f: Tensor) -> Tensor:
    """Rows of length one."""
    rows: Tensor = f / f.norm(dim=1, keepdim=True)
    return rows


def outer_product(f1: Tensor, f2: Tensor) -> Tensor:
    """That is the outer product, a P × P matrix over pairs of features: the Hessian lives there. The kernel is an inner
    product, one number for each pair of inputs.
    """
    return f1.T @ f2 / f1.shape[1]


def hessian(f1: Tensor, f2: Tensor) -> Tensor:
    """You computed the Hessian of the cost, an average over the inputs for each pair of parameters. The kernel is an
    average over the features for each pair of inputs.
    """
    return f1.T @ f2 / len(f1)


def not_averaged(f1: Tensor, f2: Tensor) -> Tensor:
    """The sum over the features is not divided by P: each of the two gradients brings a factor 1/√P."""
    return f1 @ f2.T


def one_root_only(f1: Tensor, f2: Tensor) -> Tensor:
    """You divided by √P once: each of the two gradients brings a factor 1/√P, and there are two gradients."""
    return f1 @ f2.T / math.sqrt(f1.shape[1])


def averaged_over_inputs(f1: Tensor, f2: Tensor) -> Tensor:
    """You divided by the number of inputs: the kernel is an average over the features. The 1/N belongs to the cost."""
    return f1 @ f2.T / len(f1)


def covariance_of_rows(f1: Tensor, f2: Tensor) -> Tensor:
    """You subtracted from each row its mean over the features: K is the second moment E[f f'], with nothing taken off,
    and equals a covariance only where the features have mean zero.
    """
    one, two = (f - f.mean(dim=1, keepdim=True) for f in (f1, f2))
    return one @ two.T / f1.shape[1]


def sample_covariance(f1: Tensor, f2: Tensor) -> Tensor:
    """That is the sample covariance, centered and divided by P − 1: the kernel is the plain average of products."""
    one, two = (f - f.mean(dim=1, keepdim=True) for f in (f1, f2))
    return one @ two.T / (f1.shape[1] - 1)


def correlation(f1: Tensor, f2: Tensor) -> Tensor:
    """That is a correlation, centered and divided by standard deviations: the kernel is the plain average of products,
    and keeps the sizes of the features.
    """
    one, two = (f - f.mean(dim=1, keepdim=True) for f in (f1, f2))
    return unit(one) @ unit(two).T


def centered_features(f1: Tensor, f2: Tensor) -> Tensor:
    """You centered every feature over the batch, as principal component analysis does: the kernel of two inputs must
    not depend on which others stand in the batch.
    """
    return (f1 - f1.mean(dim=0)) @ (f2 - f2.mean(dim=0)).T / f1.shape[1]


def cosine_similarity(f1: Tensor, f2: Tensor) -> Tensor:
    """You divided by the lengths of the feature vectors: that is a cosine. The kernel keeps the lengths."""
    return unit(f1) @ unit(f2).T


def product_of_means(f1: Tensor, f2: Tensor) -> Tensor:
    """You multiplied two averages: the kernel is the average of the products f(x) f(x'), feature by feature."""
    return torch.outer(f1.mean(dim=1), f2.mean(dim=1))


def first_batch_twice(f1: Tensor, f2: Tensor) -> Tensor:
    """The second batch is not used: rows belong to the inputs of f1, columns to those of f2."""
    return f1 @ f1.T / f1.shape[1]


def batches_swapped(f1: Tensor, f2: Tensor) -> Tensor:
    """Rows and columns are exchanged: rows belong to the inputs of f1, columns to those of f2."""
    return f2 @ f1.T / f1.shape[1]


def averaged_over_both(f1: Tensor, f2: Tensor) -> Tensor:
    """You divided by the number of all entries: the kernel is an average over the P features alone."""
    return f1 @ f2.T / f1.numel()


def divided_by_the_square(f1: Tensor, f2: Tensor) -> Tensor:
    """You divided by P twice: each of the two gradients brings 1/√P, together one P."""
    return f1 @ f2.T / f1.shape[1] ** 2


def one_degree_less(f1: Tensor, f2: Tensor) -> Tensor:
    """You divided by P − 1, as for a variance about a mean: nothing is subtracted here, and the average is over P."""
    return f1 @ f2.T / (f1.shape[1] - 1)


def second_batch_twice(f1: Tensor, f2: Tensor) -> Tensor:
    """The first batch is not used: rows belong to the inputs of f1, columns to those of f2."""
    return f2 @ f2.T / f1.shape[1]


def by_einsum(f1: Tensor, f2: Tensor) -> Tensor:
    return torch.einsum("ip,jp->ij", f1, f2) / f1.shape[1]


def by_jacobian(f1: Tensor, f2: Tensor) -> Tensor:
    """∂f/∂θ by automatic differentiation of the model."""
    theta = torch.zeros(f1.shape[1], dtype=torch.float64)
    one, two = (torch.func.jacrev(lambda t, f=f: f @ t / math.sqrt(len(theta)))(theta) for f in (f1, f2))
    gram: Tensor = one @ two.T
    return gram


def one_feature_at_a_time(f1: Tensor, f2: Tensor) -> np.ndarray:
    pairs = zip(f1.numpy().T, f2.numpy().T, strict=True)
    return np.asarray(np.mean([np.outer(one, two) for one, two in pairs], axis=0))


def in_single_precision(f1: Tensor, f2: Tensor) -> Tensor:
    return (f1.float() @ f2.float().T) / f1.shape[1]


gram = Task(
    id="03.1",
    title="Inner, not outer",
    signature="feature_gram(f1, f2) -> [n, m]",
    reference=reference,
    credit={"one batch": 1, "two batches": 1},
    cases=(
        Case("one batch", "more features than inputs", partial(two_batches, n=5, m=0, count=8)),
        Case("one batch", "fewer features than inputs", partial(two_batches, n=7, m=0, count=3)),
        Case("two batches", "4 and 6 inputs, 9 features", partial(two_batches, n=4, m=6, count=9)),
        Case("two batches", "7 and 3 inputs, 5 features", partial(two_batches, n=7, m=3, count=5)),
    ),
    misconceptions=(
        Misconception(outer_product),
        Misconception(hessian),
        Misconception(not_averaged),
        Misconception(one_root_only),
        Misconception(averaged_over_inputs),
        Misconception(covariance_of_rows),
        Misconception(sample_covariance),
        Misconception(correlation),
        Misconception(centered_features),
        Misconception(cosine_similarity),
        Misconception(product_of_means),
        Misconception(averaged_over_both),
        Misconception(divided_by_the_square),
        Misconception(one_degree_less),
        Misconception(first_batch_twice, keeps=1),
        Misconception(second_batch_twice, keeps=1),
        Misconception(batches_swapped, keeps=1),
    ),
    alternatives=(by_einsum, by_jacobian, one_feature_at_a_time, in_single_precision),
)
