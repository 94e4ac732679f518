"""Task 13.3: wrong values of NC1; what a student is told stands below each name."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_collapse.variability_terms import count, covariances, means_of, over, reference

__all__ = ["NAMED"]


def ratio_of_traces(features: Tensor, labels: Tensor) -> Tensor:
    """You divided traces: asked is the trace of a product, in which every direction of the class means is measured by
    its own spread.
    """
    within, between = covariances(features, labels)
    return within.trace() / between.trace()


def ratio_of_traces_over_classes(features: Tensor, labels: Tensor) -> Tensor:
    """You divided traces, and by C: asked is the trace of a product, in which every direction of the class means is
    measured by its own spread.
    """
    return ratio_of_traces(features, labels) / count(labels)


def not_over_classes(features: Tensor, labels: Tensor) -> Tensor:
    """The trace is not divided by the number of classes."""
    return reference(features, labels) * count(labels)


def over_directions(features: Tensor, labels: Tensor) -> Tensor:
    """You divided by C − 1, the number of directions of the class means: the definition divides by C."""
    return reference(features, labels) * count(labels) / (count(labels) - 1)


def over_coordinates(features: Tensor, labels: Tensor) -> Tensor:
    """You divided by the number of features: the definition divides by the number of classes."""
    return reference(features, labels) * count(labels) / features.shape[1]


def over_inputs(features: Tensor, labels: Tensor) -> Tensor:
    """You divided the trace by the number of inputs: it is divided by the number of classes, and Σ_W has its mean over
    inputs in it already.
    """
    return reference(features, labels) * count(labels) / len(labels)


def mean_of_all(features: Tensor, labels: Tensor) -> Tensor:
    """The center of the class means is their own mean, every class counted once: yours is the mean of all features, in
    which large classes weigh more.
    """
    within, _ = covariances(features, labels)
    spread = means_of(features, labels) - features.mean(0)
    return over(within, spread.T @ spread / count(labels), count(labels))


def weighted_between(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_B counts every class as often as it has inputs: it is a mean over classes, each counted once."""
    within, _ = covariances(features, labels)
    spread = (means_of(features, labels) - means_of(features, labels).mean(0))[labels]
    return over(within, spread.T @ spread / len(features), count(labels))


def anova(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_B is that of an analysis of variance: mean of all features, and every class as often as it has inputs.
    Here every class counts once, in the center and in the mean.
    """
    within, _ = covariances(features, labels)
    spread = (means_of(features, labels) - features.mean(0))[labels]
    return over(within, spread.T @ spread / len(features), count(labels))


def within_class_by_class(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_W is a mean of the classes' covariances: it is a mean over inputs, so that a large class weighs more."""
    _, between = covariances(features, labels)
    parts = []
    for c in range(count(labels)):
        gaps = features[labels == c] - features[labels == c].mean(0)
        parts.append(gaps.T @ gaps / len(gaps))
    return over(torch.stack(parts).mean(0), between, count(labels))


def within_class_by_class_and_center_of_all(features: Tensor, labels: Tensor) -> Tensor:
    """You averaged class by class in Σ_W and took the mean of all features for the center: it is the other way round,
    Σ_W is a mean over inputs, and the center one over classes.
    """
    spread = means_of(features, labels) - features.mean(0)
    parts = []
    for c in range(count(labels)):
        gaps = features[labels == c] - features[labels == c].mean(0)
        parts.append(gaps.T @ gaps / len(gaps))
    return over(torch.stack(parts).mean(0), spread.T @ spread / count(labels), count(labels))


def unbiased_by_class(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_W is a mean of covariances, each divided by its number of inputs minus one: it is a plain mean over
    inputs.
    """
    _, between = covariances(features, labels)
    parts = []
    for c in range(count(labels)):
        gaps = features[labels == c] - features[labels == c].mean(0)
        parts.append(gaps.T @ gaps / (len(gaps) - 1))
    return over(torch.stack(parts).mean(0), between, count(labels))


def both_unbiased(features: Tensor, labels: Tensor) -> Tensor:
    """You divided by one less, in the covariances of the classes and in that of their means: both are plain means."""
    return unbiased_by_class(features, labels) * (count(labels) - 1) / count(labels)


def within_degrees_of_freedom(features: Tensor, labels: Tensor) -> Tensor:
    """You divided Σ_W by N − C, as an unbiased estimate does: it is a plain mean over the N inputs."""
    return reference(features, labels) * len(labels) / (len(labels) - count(labels))


def between_unbiased(features: Tensor, labels: Tensor) -> Tensor:
    """You divided Σ_B by C − 1: it is a plain mean over the C classes."""
    return reference(features, labels) * (count(labels) - 1) / count(labels)


def within_sum(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_W is a sum: it is a mean over the inputs."""
    return reference(features, labels) * len(labels)


def between_sum(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_B is a sum: it is a mean over the classes, and NC1 comes out C times too small."""
    return reference(features, labels) / count(labels)


def both_sums(features: Tensor, labels: Tensor) -> Tensor:
    """Both of your matrices are sums: Σ_W is a mean over the inputs, Σ_B one over the classes, and the two counts do
    not cancel.
    """
    return reference(features, labels) * len(labels) / count(labels)


def total(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_W is the covariance of all features: subtract from each the mean of its own class."""
    _, between = covariances(features, labels)
    gaps = features - features.mean(0)
    return over(gaps.T @ gaps / len(features), between, count(labels))


def from_the_center(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_W measures from the center of the class means: subtract from each feature the mean of its own class."""
    _, between = covariances(features, labels)
    gaps = features - means_of(features, labels).mean(0)
    return over(gaps.T @ gaps / len(features), between, count(labels))


def center_forgotten(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_B measures the class means from the origin: subtract their center, where features sit tells nothing of
    classes.
    """
    within, _ = covariances(features, labels)
    means = means_of(features, labels)
    return over(within, means.T @ means / len(means), count(labels))


def nothing_subtracted(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_W contains the features themselves: subtract from each the mean of its own class."""
    _, between = covariances(features, labels)
    return over(features.T @ features / len(features), between, count(labels))


def upside_down(features: Tensor, labels: Tensor) -> Tensor:
    """You measured the spread of the class means in units of the classes' own: NC1 has Σ_B⁺, and is small where classes
    are tight.
    """
    within, between = covariances(features, labels)
    return over(between, within, count(labels))


def entry_by_entry(features: Tensor, labels: Tensor) -> Tensor:
    """You inverted entry by entry: Σ_B⁺ is the (pseudo-)inverse of a matrix."""
    within, between = covariances(features, labels)
    return (within / between).trace() / count(labels)


def all_entries(features: Tensor, labels: Tensor) -> Tensor:
    """You summed all entries of the product Σ_W Σ_B⁺: the trace takes its diagonal."""
    within, between = covariances(features, labels)
    value: Tensor = (within @ torch.linalg.pinv(between, hermitian=True, rtol=1e-9)).sum() / count(labels)
    return value


def of_the_norms(features: Tensor, labels: Tensor) -> Tensor:
    """You divided norms of the matrices: asked is the trace of a product with Σ_B⁺."""
    within, between = covariances(features, labels)
    value: Tensor = within.norm() / between.norm() / count(labels)
    return value


def root(features: Tensor, labels: Tensor) -> Tensor:
    """You took the root: NC1 is a ratio of variances."""
    return reference(features, labels).sqrt()


def with_a_ridge(features: Tensor, labels: Tensor) -> Tensor:
    """You made Σ_B invertible by adding to its diagonal: in the directions that no class mean uses that is a division
    by almost 0. The pseudo-inverse leaves these directions out.
    """
    within, between = covariances(features, labels)
    return torch.trace(within @ torch.linalg.inv(between + 1e-6 * torch.eye(len(between)).to(between))) / count(labels)


def between_pairs(features: Tensor, labels: Tensor) -> Tensor:
    """Your Σ_B averages over pairs of class means: that is twice the spread around the center. It measures each mean
    from the center.
    """
    within, between = covariances(features, labels)
    return over(within, 2 * between, count(labels))


def within_unbiased(features: Tensor, labels: Tensor) -> Tensor:
    """You divided Σ_W by N − 1, as many programs do for a covariance: it is a plain mean over the N inputs."""
    return reference(features, labels) * len(labels) / (len(labels) - 1)


def diagonals_multiplied(features: Tensor, labels: Tensor) -> Tensor:
    """You multiplied the diagonals of Σ_W and Σ_B⁺: the diagonal of a product of matrices has the other entries in it
    as well.
    """
    within, between = covariances(features, labels)
    inverse: Tensor = torch.linalg.pinv(between, hermitian=True, rtol=1e-9)
    return (within.diagonal() * inverse.diagonal()).sum() / count(labels)


NAMED = (
    Misconception(ratio_of_traces),
    Misconception(ratio_of_traces_over_classes),
    Misconception(not_over_classes),
    Misconception(over_directions),
    Misconception(over_coordinates),
    Misconception(over_inputs),
    Misconception(mean_of_all),
    Misconception(weighted_between),
    Misconception(anova),
    Misconception(within_class_by_class),
    Misconception(within_class_by_class_and_center_of_all),
    Misconception(unbiased_by_class),
    Misconception(both_unbiased),
    Misconception(within_degrees_of_freedom),
    Misconception(between_unbiased),
    Misconception(within_sum),
    Misconception(between_sum),
    Misconception(both_sums),
    Misconception(total),
    Misconception(from_the_center),
    Misconception(center_forgotten),
    Misconception(nothing_subtracted),
    Misconception(upside_down),
    Misconception(entry_by_entry),
    Misconception(all_entries),
    Misconception(of_the_norms),
    Misconception(root),
    Misconception(with_a_ridge),
    Misconception(between_pairs),
    Misconception(within_unbiased),
    Misconception(diagonals_multiplied),
)
