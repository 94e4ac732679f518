"""Task 13.1: the three values of the nearest block-structured kernel."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.neural_collapse.draws import classes_of, gram
from ntk_teach.neural_collapse import block_kernel

__all__ = ["means"]


def reference(kernel: Tensor, labels: Tensor) -> Tensor:
    return torch.tensor(block_kernel(kernel, labels), dtype=torch.float64)


def masks(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One input, two of one class, two classes."""
    same = labels[:, None] == labels[None, :]
    one = torch.eye(len(labels), dtype=torch.bool)
    return one, same & ~one, ~same


def with_(kernel: Tensor, labels: Tensor, **wrong: Tensor) -> Tensor:
    """The right answer with some of d, c, n replaced."""
    right = dict(zip("dcn", reference(kernel, labels), strict=True))
    return torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in (right | wrong).values()])


# ---- inputs


def kernel_and_labels(
    rng: np.random.Generator, *, sizes: tuple[int, ...], shuffled: bool = True, apart: float = 0.0
) -> Arguments:
    """A mean over blocks must differ from one over pairs, by more than ``apart`` of the largest value, to be told."""
    while True:
        labels = classes_of(rng, sizes, shuffled=shuffled)
        kernel = gram(rng, labels)
        right = reference(kernel, labels)
        gaps = [(wrong(kernel, labels) - right).abs().max() for wrong in (class_by_class, between_block_by_block)]
        if min(gaps) >= apart * right.abs().max():
            return {"kernel": kernel, "labels": labels}


# ---- wrong answers


def diagonal_in_the_class(kernel: Tensor, labels: Tensor) -> Tensor:
    """The mean over a class contains the diagonal: γ_c is about two *different* inputs, and K(x, x) has a mean of its
    own.
    """
    _, c, _ = masks(labels)
    return with_(kernel, labels, c=kernel[c | torch.eye(len(labels), dtype=torch.bool)].mean())


def class_by_class(kernel: Tensor, labels: Tensor) -> Tensor:
    """You averaged within each class first and then over classes: every pair counts alike, so a large class, which has
    more pairs, counts more.
    """
    blocks = []
    for c in range(int(labels.max()) + 1):
        block = kernel[labels == c][:, labels == c]
        size = len(block)
        if size > 1:
            blocks.append((block.sum() - block.trace()) / (size * (size - 1)))
    return with_(kernel, labels, c=torch.stack(blocks).mean())


def blocks_alike(kernel: Tensor, labels: Tensor) -> Tensor:
    """You averaged the blocks of pairs of classes, each as one number: the mean is over all pairs of inputs, and large
    blocks have more of them.
    """
    present = range(int(labels.max()) + 1)
    inside, between = [], []
    for a in present:
        for b in present:
            block = kernel[labels == a][:, labels == b]
            if a != b:
                between.append(block.mean())
            elif len(block) > 1:
                inside.append((block.sum() - block.trace()) / (len(block) * (len(block) - 1)))
    return with_(kernel, labels, c=torch.stack(inside).mean(), n=torch.stack(between).mean())


def diagonal_in_each_block(kernel: Tensor, labels: Tensor) -> Tensor:
    """Two things at once: you averaged the blocks, each as one number, and the blocks of a class contain the diagonal.
    Every pair of different inputs counts alike.
    """
    present = range(int(labels.max()) + 1)
    inside = [kernel[labels == a][:, labels == a].mean() for a in present]
    between = [kernel[labels == a][:, labels == b].mean() for a in present for b in present if a != b]
    return with_(kernel, labels, c=torch.stack(inside).mean(), n=torch.stack(between).mean())


def all_off_the_diagonal(kernel: Tensor, labels: Tensor) -> Tensor:
    """Your γ_n is the mean of everything off the diagonal: pairs within a class do not belong to it."""
    return with_(kernel, labels, n=kernel[~torch.eye(len(labels), dtype=torch.bool)].mean())


def everything(kernel: Tensor, labels: Tensor) -> Tensor:
    """Your γ_n is the mean of the whole kernel: it is about pairs from two different classes only."""
    return with_(kernel, labels, n=kernel.mean())


def swapped(kernel: Tensor, labels: Tensor) -> Tensor:
    """γ_c and γ_n have changed places: the order is one input, one class, two classes."""
    return reference(kernel, labels)[[0, 2, 1]]


def reversed_order(kernel: Tensor, labels: Tensor) -> Tensor:
    """The three come in reverse order: the order is one input, one class, two classes."""
    return reference(kernel, labels).flip(0)


def sums(kernel: Tensor, labels: Tensor) -> Tensor:
    """You summed and did not divide: each value is a mean over its pairs."""
    return torch.stack([kernel[mask].sum() for mask in masks(labels)])


def over_all_pairs(kernel: Tensor, labels: Tensor) -> Tensor:
    """You divided by all N² pairs: each mean has its own number of pairs. (A mask times the kernel puts zeros into the
    mean.)
    """
    return torch.stack([kernel[mask].sum() / kernel.numel() for mask in masks(labels)])


def half_of_the_pairs(kernel: Tensor, labels: Tensor) -> Tensor:
    """You summed over half of the pairs and divided by all of them, or the other way round: (i, j) and (j, i) are two
    pairs, in the sum as in the count.
    """
    one, c, n = masks(labels)
    return torch.stack([kernel[one].mean(), kernel[c].mean() / 2, kernel[n].mean() / 2])


def twice_the_pairs(kernel: Tensor, labels: Tensor) -> Tensor:
    """You summed over all pairs (i, j) and (j, i) and counted each of them once: the sum and the count go over the same
    pairs.
    """
    one, c, n = masks(labels)
    return torch.stack([kernel[one].mean(), kernel[c].mean() * 2, kernel[n].mean() * 2])


def trace_for_the_mean(kernel: Tensor, labels: Tensor) -> Tensor:
    """Your γ_d is the trace, a sum: it is a mean, like the other two."""
    return with_(kernel, labels, d=kernel.trace())


def normalized_first(kernel: Tensor, labels: Tensor) -> Tensor:
    """You divided the kernel by √(K(x, x) K(x', x')) first: those are cosines. The values are means of K as it is."""
    scale = kernel.diagonal().sqrt()
    return reference(kernel / scale[:, None] / scale, labels)


def relative_to_the_diagonal(kernel: Tensor, labels: Tensor) -> Tensor:
    """You divided all three by γ_d: asked are the values themselves."""
    found = reference(kernel, labels)
    return found / found[0]


def magnitudes(kernel: Tensor, labels: Tensor) -> Tensor:
    """You averaged magnitudes: entries of a kernel have signs, and means between classes live on their cancelling."""
    return reference(kernel.abs(), labels)


def medians(kernel: Tensor, labels: Tensor) -> Tensor:
    """You took medians: the nearest block-structured kernel in the Frobenius norm has means."""
    return torch.stack([torch.quantile(kernel[mask], 0.5) for mask in masks(labels)])


def first_and_others(kernel: Tensor, labels: Tensor) -> Tensor:
    """You looked from the first input alone: the means go over all inputs, in both arguments."""
    row, same = kernel[0], labels == labels[0]
    inside = row[same][1:].mean() if int(same.sum()) > 1 else row[0]
    return torch.stack([row[0], inside, row[~same].mean()])


def sorted_labels(kernel: Tensor, labels: Tensor) -> Tensor:
    """You took the inputs as sorted by class: the labels say where each one stands."""
    return reference(kernel, labels.sort().values)


def neighbors(kernel: Tensor, labels: Tensor) -> Tensor:
    """You compared each input with the next one only: all pairs count, in both orders."""
    beside, same = kernel.diagonal(1), labels[1:] == labels[:-1]
    zero = torch.zeros((), dtype=kernel.dtype)
    inside, between = (beside[mask].mean() if bool(mask.any()) else zero for mask in (same, ~same))
    return torch.stack([kernel.diagonal().mean(), inside, between])


def product_of_labels(kernel: Tensor, labels: Tensor) -> Tensor:
    """You multiplied labels: the product does not say whether they are the same class, and class 0 has product 0 with
    all of them. Labels are names, whose size means nothing.
    """
    weights = (labels[:, None] * labels[None, :]).to(kernel)
    off = ~torch.eye(len(labels), dtype=torch.bool)
    inside = (kernel * weights)[off].sum() / weights[off].sum()
    return with_(kernel, labels, c=inside)


def centered(kernel: Tensor, labels: Tensor) -> Tensor:
    """You centered the kernel first: the values are means of K as it is, and a constant part belongs to them."""
    rows = kernel.mean(0, keepdim=True)
    return reference(kernel - rows - rows.T + kernel.mean(), labels)


def between_block_by_block(kernel: Tensor, labels: Tensor) -> Tensor:
    """You averaged γ_n over pairs of classes: every pair of inputs counts alike, so two large classes, which have more
    pairs, count more.
    """
    present = range(int(labels.max()) + 1)
    blocks = [kernel[labels == a][:, labels == b].mean() for a in present for b in present if a != b]
    return with_(kernel, labels, n=torch.stack(blocks).mean())


def rows_sorted_alone(kernel: Tensor, labels: Tensor) -> Tensor:
    """You sorted the rows by class and left the columns as they were: an input is a row and a column, and both move."""
    order = labels.argsort(stable=True)
    return torch.stack([kernel[order][mask].mean() for mask in masks(labels[order])])


# ---- right answers


def loops(kernel: Tensor, labels: Tensor) -> list[float]:
    k, c = kernel.numpy(), labels.tolist()
    found: list[list[float]] = [[], [], []]
    for i in range(len(c)):
        for j in range(len(c)):
            found[0 if i == j else 1 if c[i] == c[j] else 2].append(float(k[i, j]))
    return [sum(entries) / len(entries) for entries in found]


def one_hot(kernel: Tensor, labels: Tensor) -> Tensor:
    rows = torch.nn.functional.one_hot(labels).to(kernel)
    n, total, trace = len(labels), kernel.sum(), kernel.trace()
    inside, pairs = (rows.T @ kernel @ rows).trace(), rows.sum(0).square().sum()
    return torch.stack([trace / n, (inside - trace) / (pairs - n), (total - inside) / (n**2 - pairs)])


def upper_triangle(kernel: Tensor, labels: Tensor) -> Tensor:
    i, j = torch.triu_indices(len(labels), len(labels), offset=1)
    values, same = kernel[i, j], labels[i] == labels[j]
    return torch.stack([kernel.diagonal().mean(), values[same].mean(), values[~same].mean()])


def least_squares(kernel: Tensor, labels: Tensor) -> Tensor:
    columns = torch.stack([mask.reshape(-1).to(kernel) for mask in masks(labels)], dim=1)
    found: Tensor = torch.linalg.lstsq(columns, kernel.reshape(-1, 1)).solution[:, 0]
    return found


ANY, ALONE = "classes of any size", "a class with a single input"

means = Task(
    id="13.1",
    title="The three values of the blocks",
    signature="block_means(kernel, labels) -> [3]",
    reference=reference,
    credit={ANY: 2, ALONE: 1},
    cases=(
        Case(ANY, "three classes of three, sorted", partial(kernel_and_labels, sizes=(3, 3, 3), shuffled=False)),
        Case(ANY, "classes of 2, 6, and 3", partial(kernel_and_labels, sizes=(2, 6, 3), apart=0.02)),
        Case(ALONE, "a class with a single input", partial(kernel_and_labels, sizes=(5, 1, 2, 4))),
    ),
    misconceptions=(
        Misconception(diagonal_in_the_class),
        Misconception(class_by_class),
        Misconception(blocks_alike),
        Misconception(diagonal_in_each_block),
        Misconception(all_off_the_diagonal),
        Misconception(everything),
        Misconception(swapped),
        Misconception(reversed_order),
        Misconception(sums),
        Misconception(over_all_pairs),
        Misconception(half_of_the_pairs),
        Misconception(twice_the_pairs),
        Misconception(trace_for_the_mean),
        Misconception(normalized_first),
        Misconception(relative_to_the_diagonal),
        Misconception(magnitudes),
        Misconception(medians),
        Misconception(first_and_others),
        Misconception(sorted_labels),
        Misconception(neighbors),
        Misconception(product_of_labels),
        Misconception(centered),
        Misconception(between_block_by_block),
        Misconception(rows_sorted_alone),
    ),
    alternatives=(loops, one_hot, upper_triangle, least_squares),
)
