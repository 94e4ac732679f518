"""Wrong answers to the tasks of chapter 13, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

# 13.1


def mean_of_same_class_mask(kernel, labels):
    same = labels[:, None] == labels
    return torch.stack([kernel.diagonal().mean(), kernel[same].mean(), kernel[~same].mean()])


def masks_multiplied(kernel, labels):
    same = (labels[:, None] == labels).double()
    eye = torch.eye(len(labels)).double()
    return torch.stack([(kernel * eye).mean(), (kernel * (same - eye)).mean(), (kernel * (1 - same)).mean()])


def loop_over_blocks(kernel, labels):
    classes = labels.unique()
    inside, outside = [], []
    for a in classes:
        for b in classes:
            block = kernel[labels == a][:, labels == b]
            if a == b and len(block) > 1:
                inside.append(block[~torch.eye(len(block), dtype=torch.bool)].mean())
            elif a != b:
                outside.append(block.mean())
    return torch.stack([kernel.diagonal().mean(), torch.stack(inside).mean(), torch.stack(outside).mean()])


def loop_over_blocks_with_diagonal(kernel, labels):
    k, c = kernel.numpy(), labels.numpy()
    inside = [k[np.ix_(c == a, c == a)].mean() for a in np.unique(c)]
    outside = [k[np.ix_(c == a, c == b)].mean() for a in np.unique(c) for b in np.unique(c) if a != b]
    return np.array([np.diag(k).mean(), np.mean(inside), np.mean(outside)])


def class_means_only_inside(kernel, labels):
    same = labels[:, None] == labels
    inside = []
    for a in labels.unique():
        block = kernel[labels == a][:, labels == a]
        if len(block) > 1:
            inside.append((block.sum() - block.trace()) / (len(block) ** 2 - len(block)))
    return torch.stack([kernel.diagonal().mean(), torch.stack(inside).mean(), kernel[~same].mean()])


def off_diagonal_for_other_classes(kernel, labels):
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = (labels[:, None] == labels) & ~eye
    return torch.stack([kernel[eye].mean(), kernel[same].mean(), kernel[~eye].mean()])


def other_classes_second(kernel, labels):
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    return torch.stack([kernel[eye].mean(), kernel[~same].mean(), kernel[same & ~eye].mean()])


def totals(kernel, labels):
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    return torch.stack([kernel[eye].sum(), kernel[same & ~eye].sum(), kernel[~same].sum()])


def pairs_counted_once_too_few(kernel, labels):
    same = labels[:, None] == labels
    n = len(labels)
    pairs = (int(same.sum()) - n) / 2
    others = (n * n - int(same.sum())) / 2
    inside = kernel[same].sum() - kernel.trace()
    return torch.stack([kernel.trace() / n, inside / pairs, kernel[~same].sum() / others])


def cosines(kernel, labels):
    d = kernel.diagonal().rsqrt()
    k = kernel * d[:, None] * d
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    return torch.stack([k[eye].mean(), k[same & ~eye].mean(), k[~same].mean()])


def trace_not_divided(kernel, labels):
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    return torch.stack([kernel.trace(), kernel[same & ~eye].mean(), kernel[~same].mean()])


def takes_the_labels_as_sorted(kernel, labels):
    labels = torch.sort(labels)[0]
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    return torch.stack([kernel[eye].mean(), kernel[same & ~eye].mean(), kernel[~same].mean()])


def relative_values(kernel, labels):
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    d = kernel[eye].mean()
    return torch.stack([d / d, kernel[same & ~eye].mean() / d, kernel[~same].mean() / d])


def only_two_values(kernel, labels):
    same = labels[:, None] == labels
    return torch.stack([kernel[same].mean(), kernel[~same].mean()])


def whole_mean_for_the_rest(kernel, labels):
    eye = torch.eye(len(labels), dtype=torch.bool)
    same = labels[:, None] == labels
    return torch.stack([kernel[eye].mean(), kernel[same & ~eye].mean(), kernel.mean()])


# 13.2


def eigenvalues_themselves(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[a, n - classes], [b, classes - 1], [b + n * gamma_n, 1]])


def n_minus_one_of_the_first(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[a / n, n - 1], [b / n, classes - 1], [(b + n * gamma_n) / n, 1]])


def c_class_modes(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return np.array([[a, n * (n - classes)], [b, n * classes], [b + n * gamma_n, n]]) / n


def forgets_gamma_n_in_the_class(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    b = gamma_d + (per_class - 1) * gamma_c
    return [
        [(gamma_d - gamma_c) / n, n - classes],
        [b / n, classes - 1],
        [(b + (n - per_class) * gamma_n) / n, 1],
    ]


def unsorted_spaces(gamma_d, gamma_c, gamma_n, classes, per_class):
    group = np.repeat(np.arange(classes), per_class)
    k = np.where(group[:, None] == group, gamma_c, gamma_n)
    np.fill_diagonal(k, gamma_d)
    values, counts = np.unique(np.linalg.eigvalsh(k / len(k)).round(9), return_counts=True)
    return np.stack([values, counts], axis=1)


def largest_first(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[(b + n * gamma_n) / n, 1], [b / n, classes - 1], [a / n, n - classes]])


def multiplicity_first(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[n - classes, a / n], [classes - 1, b / n], [1, (b + n * gamma_n) / n]])


def sums_the_row_wrongly(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor(
        [
            [a / n, n - classes],
            [b / n, classes - 1],
            [(gamma_d + (per_class - 1) * gamma_c + n * gamma_n) / n, 1],
        ]
    )


def classes_and_sizes_mixed_up(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + classes * (gamma_c - gamma_n)
    return torch.tensor([[a / n, n - per_class], [b / n, per_class - 1], [(b + n * gamma_n) / n, 1]])


def terms_one_by_one(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    return torch.tensor(
        [
            [(gamma_d - gamma_c) / n, n - classes],
            [per_class * (gamma_c - gamma_n) / n, classes - 1],
            [n * gamma_n / n, 1],
        ]
    )


def diagonal_minus_others(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    b = gamma_d - gamma_c + per_class * (gamma_c - gamma_n)
    return torch.tensor([[(gamma_d - gamma_n) / n, n - classes], [b / n, classes - 1], [(b + n * gamma_n) / n, 1]])


def constants_feel_a_class(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[a / n, n - classes], [b / n, classes - 1], [(b + per_class * gamma_n) / n, 1]])


def mean_over_a_class(gamma_d, gamma_c, gamma_n, classes, per_class):
    n, m = classes * per_class, per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[a / m, n - classes], [b / m, classes - 1], [(b + n * gamma_n) / m, 1]])


def rates_with_a_two(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[2 * a / n, n - classes], [2 * b / n, classes - 1], [2 * (b + n * gamma_n) / n, 1]])


def three_rates_alone(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([a / n, b / n, (b + n * gamma_n) / n])


def absolute_rates(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[abs(a) / n, n - classes], [abs(b) / n, classes - 1], [abs(b + n * gamma_n) / n, 1]])


def rates_are_never_negative(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = a + per_class * (gamma_c - gamma_n)
    return torch.tensor([[max(a, 0) / n, n - classes], [max(b, 0) / n, classes - 1], [max(b + n * gamma_n, 0) / n, 1]])


def one_neighbor_less_everywhere(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    a = gamma_d - gamma_c
    b = gamma_d + (per_class - 1) * gamma_c
    return torch.tensor(
        [
            [a / n, n - classes],
            [(b - (per_class - 1) * gamma_n) / n, classes - 1],
            [(b + (n - per_class) * gamma_n) / n, 1],
        ]
    )


# 13.3


def class_means(features, labels):
    return torch.stack([features[labels == c].mean(0) for c in labels.unique()])


def within_of(features, labels):
    gaps = features - class_means(features, labels)[labels]
    return gaps.T @ gaps / len(features)


def between_of(features, labels):
    means = class_means(features, labels)
    return (means - means.mean(0)).T @ (means - means.mean(0)) / len(means)


def traces_divided(features, labels):
    return within_of(features, labels).trace() / between_of(features, labels).trace()


def traces_divided_over_c(features, labels):
    within, between = within_of(features, labels), between_of(features, labels)
    return within.trace() / between.trace() / (int(labels.max()) + 1)


def without_c(features, labels):
    return torch.trace(within_of(features, labels) @ torch.linalg.pinv(between_of(features, labels), rtol=1e-9))


def center_is_the_mean_of_all(features, labels):
    means = class_means(features, labels) - features.mean(0)
    between = means.T @ means / len(means)
    return torch.trace(within_of(features, labels) @ torch.linalg.pinv(between, rtol=1e-9)) / len(means)


def means_not_centered(features, labels):
    means = class_means(features, labels)
    between = means.T @ means / len(means)
    return torch.trace(within_of(features, labels) @ torch.linalg.pinv(between, rtol=1e-9)) / len(means)


def covariance_of_everything(features, labels):
    within = torch.cov(features.T, correction=0)
    between = between_of(features, labels)
    return torch.trace(within @ torch.linalg.pinv(between, rtol=1e-9)) / (int(labels.max()) + 1)


def torch_cov_of_each_class(features, labels):
    parts = [torch.cov(features[labels == c].T) for c in labels.unique()]
    means = class_means(features, labels)
    between = torch.cov(means.T)
    return torch.trace(sum(parts) / len(parts) @ torch.linalg.pinv(between, rtol=1e-9)) / len(means)


def mean_of_the_classes_covariances(features, labels):
    parts = [torch.cov(features[labels == c].T, correction=0) for c in labels.unique()]
    between = between_of(features, labels)
    return torch.trace(sum(parts) / len(parts) @ torch.linalg.pinv(between, rtol=1e-9)) / len(parts)


def inverse_over_direct(features, labels):
    within, between = within_of(features, labels), between_of(features, labels)
    return torch.trace(torch.linalg.pinv(within, rtol=1e-9) @ between) / (int(labels.max()) + 1)


def elementwise_division(features, labels):
    within, between = within_of(features, labels), between_of(features, labels)
    return torch.diagonal(within / between).sum() / (int(labels.max()) + 1)


def sums_for_means(features, labels):
    means = class_means(features, labels)
    gaps, spread = features - means[labels], means - means.mean(0)
    return torch.trace(gaps.T @ gaps @ torch.linalg.pinv(spread.T @ spread, rtol=1e-9)) / len(means)


def scatter_matrices_of_lda(features, labels):
    means = class_means(features, labels)
    spread = (means - features.mean(0))[labels]
    between = spread.T @ spread / len(features)
    return torch.trace(within_of(features, labels) @ torch.linalg.pinv(between, rtol=1e-9)) / len(means)


def distances_over_distances(features, labels):
    means = class_means(features, labels)
    inside = (features - means[labels]).norm(dim=1).mean()
    return inside / (means - means.mean(0)).norm(dim=1).mean()


def whole_product_summed(features, labels):
    within, between = within_of(features, labels), between_of(features, labels)
    return (within @ torch.linalg.pinv(between, rtol=1e-9)).sum() / (int(labels.max()) + 1)


def regularized_inverse(features, labels):
    within, between = within_of(features, labels), between_of(features, labels)
    inverse = torch.linalg.inv(between + 1e-6 * torch.eye(len(between), dtype=between.dtype))
    return torch.trace(within @ inverse) / (int(labels.max()) + 1)


def class_pairs_for_the_last(kernel, labels):
    kinds = labels.unique()
    same = labels[:, None] == labels
    inside = kernel[same & ~torch.eye(len(labels), dtype=torch.bool)].mean()
    outside = [kernel[labels == a][:, labels == b].mean() for a in kinds for b in kinds if a != b]
    return torch.stack([kernel.diagonal().mean(), inside, torch.stack(outside).mean()])


def numerically_by_size(gamma_d, gamma_c, gamma_n, classes, per_class):
    names = np.repeat(np.arange(classes), per_class)
    matrix = np.where(names[:, None] == names, gamma_c, gamma_n) + (gamma_d - gamma_c) * np.eye(len(names))
    found = np.linalg.eigvalsh(matrix) / len(names)
    return np.array([[found[0], len(names) - classes], [found[-2], classes - 1], [found[-1], 1]])


def diagonal_counted_again(gamma_d, gamma_c, gamma_n, classes, per_class):
    n = classes * per_class
    return torch.tensor(
        [
            [(gamma_d - gamma_c) / n, n - classes],
            [(gamma_d - gamma_c + per_class * (gamma_c - gamma_n)) / n, classes - 1],
            [(gamma_d + per_class * gamma_c + (n - per_class) * gamma_n) / n, 1],
        ]
    )


def covariance_by_torch(features, labels):
    means = torch.stack([features[labels == c].mean(0) for c in labels.unique()])
    spread = means - means.mean(0)
    inverse = torch.linalg.pinv(spread.T @ spread / len(means), rtol=1e-9)
    return torch.trace(torch.cov((features - means[labels]).T) @ inverse) / len(means)


WRONG = {
    "13.1": [
        (mean_of_same_class_mask, "contains the diagonal"),
        (masks_multiplied, "divided by all N² pairs"),
        (loop_over_blocks, "large blocks have more"),
        (loop_over_blocks_with_diagonal, "Two things at once"),
        (class_means_only_inside, "averaged within each class first"),
        (off_diagonal_for_other_classes, "everything off the diagonal"),
        (other_classes_second, "changed places"),
        (totals, "did not divide"),
        (pairs_counted_once_too_few, "counted each of them once"),
        (cosines, "cosines"),
        (trace_not_divided, "is the trace"),
        (takes_the_labels_as_sorted, "sorted by class"),
        (relative_values, "divided all three"),
        (only_two_values, "shape"),
        (whole_mean_for_the_rest, "whole kernel"),
        (class_pairs_for_the_last, "over pairs of classes"),
    ],
    "13.2": [
        (eigenvalues_themselves, "eigenvalues of the matrix"),
        (n_minus_one_of_the_first, "C conditions"),
        (c_class_modes, "N + 1"),
        (forgets_gamma_n_in_the_class, "left the other classes out"),
        (unsorted_spaces, "sorted by size"),
        (largest_first, "reverse order"),
        (multiplicity_first, "columns"),
        (sums_the_row_wrongly, "own class twice"),
        (classes_and_sizes_mixed_up, "changed places"),
        (terms_one_by_one, "three terms"),
        (diagonal_minus_others, "does not feel γ_n"),
        (constants_feel_a_class, "N entries"),
        (mean_over_a_class, "size of a class"),
        (rates_with_a_two, "twice as large"),
        (three_rates_alone, "shape"),
        (numerically_by_size, "from a sorted list"),
        (diagonal_counted_again, "the diagonal entry twice"),
        (absolute_rates, "lost their signs"),
        (rates_are_never_negative, "put 0 for every negative rate"),
        (one_neighbor_less_everywhere, "in the own class alone"),
    ],
    "13.3": [
        (traces_divided, "divided traces"),
        (traces_divided_over_c, "divided traces"),
        (without_c, "not divided by the number of classes"),
        (center_is_the_mean_of_all, "large classes weigh more"),
        (means_not_centered, "from the origin"),
        (covariance_of_everything, "covariance of all features"),
        (torch_cov_of_each_class, "one less"),
        (mean_of_the_classes_covariances, "over inputs"),
        (inverse_over_direct, "spread of the class means in units"),
        (elementwise_division, "entry by entry"),
        (sums_for_means, "sums"),
        (scatter_matrices_of_lda, "analysis of variance"),
        (distances_over_distances, None),
        (whole_product_summed, "all entries"),
        (regularized_inverse, "pseudo-inverse leaves"),
        (covariance_by_torch, "N − 1"),
    ],
}
