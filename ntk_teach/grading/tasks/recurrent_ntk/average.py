"""Task 10.3: the read-out of all steps, for series of unequal lengths."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["average"]


def reference(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    one, two = (present / present.sum(1, keepdim=True) for present in (present1, present2))
    return torch.einsum("nt,nmts,ms->nm", one, k, two)


def pairs(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """1 at the pairs of steps that are there. [n, m, t, s]"""
    return present1[:, None, :, None] * present2[None, :, None, :]


def summed(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    return (k * pairs(k, present1, present2)).sum((2, 3))


def common(k: Tensor, present1: Tensor, present2: Tensor) -> tuple[Tensor, Tensor]:
    """The kernel at steps equally far from the end, and which of them both series have. [n, m, c]"""
    count = min(k.shape[2:])
    diagonal = k[..., -count:, -count:].diagonal(dim1=2, dim2=3)
    return diagonal, present1[:, None, -count:] * present2[None, :, -count:]


# ---- inputs


def batch(rng: np.random.Generator, *, n: int, m: int, t: int, s: int, ragged: bool) -> Arguments:
    """Steps end together; where a step is absent the kernel holds a number without meaning."""

    def present(count: int, longest: int) -> Tensor:
        lengths = rng.permutation(np.arange(count) % (longest - 1) + 1) if ragged else np.full(count, longest)
        if ragged:
            lengths[0] = longest  # the padding is as long as the longest
        return torch.from_numpy((np.arange(longest) >= longest - lengths[:, None]).astype(float))

    k = rng.normal(size=(n, m, t, s)) + 1.5
    return {"k": torch.from_numpy(k), "present1": present(n, t), "present2": present(m, s)}


# ---- wrong answers


def padding_counted(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You averaged over the padding as well: a step that is not there has no state."""
    return k.mean((2, 3))


def divided_by_the_longest(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You left the padding out of the sum and counted it all the same: each series is divided by its own length."""
    return summed(k, present1, present2) / (k.shape[2] * k.shape[3])


def equal_times(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You compared steps equally far from the end and no others: the mean of one series' states meets the mean of the
    other's, so all pairs of times occur.
    """
    diagonal, there = common(k, present1, present2)
    return (diagonal * there).sum(2) / there.sum(2)


def equal_times_squared(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """The sum runs over equal times, and is divided by the number of all pairs: different times are missing."""
    diagonal, there = common(k, present1, present2)
    return (diagonal * there).sum(2) / (present1.sum(1)[:, None] * present2.sum(1))


def equal_times_and_the_last(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You added equal times, and the last one once more: that is a network with a read-out for every step, not a mean
    of its states.
    """
    diagonal, there = common(k, present1, present2)
    return ((diagonal * there).sum(2) + k[..., -1, -1]) / there.sum(2)


def last_step(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You read the last state: asked is the mean over all steps."""
    return k[..., -1, -1]


def sum_of_all(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You added up and did not divide: a mean has weights that sum to 1, for either series."""
    return summed(k, present1, present2)


def divided_by_the_first(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided by the length of the first series alone: both are averaged."""
    return summed(k, present1, present2) / present1.sum(1)[:, None]


def divided_by_the_second(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided by the length of the second series alone: both are averaged."""
    return summed(k, present1, present2) / present2.sum(1)


def first_length_twice(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided by the square of the first length: each side of a pair has a length of its own."""
    return summed(k, present1, present2) / present1.sum(1)[:, None] ** 2


def root_of_lengths(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided by the root of the number of pairs: the mean of the states is divided by T, not by √T."""
    return summed(k, present1, present2) / (present1.sum(1)[:, None] * present2.sum(1)).sqrt()


def first_mask_alone(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """The steps of the second series are all counted: its padding is to be left out, too."""
    return reference(k, present1, torch.ones_like(present2))


def second_mask_alone(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """The steps of the first series are all counted: its padding is to be left out, too."""
    return reference(k, torch.ones_like(present1), present2)


def one_length_for_all(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided every pair by the mean length of the batch: each series has a length of its own, and its kernel must
    not depend on its neighbors.
    """
    return summed(k, present1, present2) / (present1.sum(1).mean() * present2.sum(1).mean())


def second_series_last(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You averaged over the first series and read the last state of the second: both are averaged."""
    return torch.einsum("nt,nmt->nm", present1 / present1.sum(1, keepdim=True), k[..., -1])


def first_series_last(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You averaged over the second series and read the last state of the first: both are averaged."""
    return torch.einsum("ms,nms->nm", present2 / present2.sum(1, keepdim=True), k[..., -1, :])


def common_steps(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You used the steps that both series have: every step of the longer one has a state and counts."""
    count = min(k.shape[2:])
    both = present1[:, None, -count:] * present2[None, :, -count:]  # [n, m, c]
    inner = k[..., -count:, -count:] * both[..., :, None] * both[..., None, :]
    return inner.sum((2, 3)) / both.sum(2) ** 2


def masks_inverted(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You averaged over the padding: 1 marks the steps that are there."""
    one, two = ((1 - p) / (1 - p).sum(1, keepdim=True).clamp(min=1) for p in (present1, present2))
    return torch.einsum("nt,nmts,ms->nm", one, k, two)


def product_of_sums(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided by the sum of the two lengths: the number of pairs is their product."""
    return summed(k, present1, present2) / (present1.sum(1)[:, None] + present2.sum(1))


def padding_behind(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You kept the first steps of each row: the padding lies in front, the steps that are there come last."""
    one, two = (p.sort(dim=1, descending=True).values for p in (present1, present2))
    return reference(k, one, two)


def divided_by_the_batch(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You divided by the number of steps of the whole batch: every pair of series has its own number."""
    return summed(k, present1, present2) / (present1.sum() * present2.sum())


def either_is_there(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """You kept a pair of steps where one of the two is there: both are needed, or the number has no meaning."""
    there = torch.maximum(present1[:, None, :, None], present2[None, :, None, :])
    return (k * there).sum((2, 3)) / there.sum((2, 3))


# ---- right answers


def masked_mean(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    there = pairs(k, present1, present2)
    return (k * there).sum((2, 3)) / there.sum((2, 3))


def pair_by_pair(k: Tensor, present1: Tensor, present2: Tensor) -> NDArray[np.float64]:
    found = np.zeros(k.shape[:2])
    for i, j in np.ndindex(*found.shape):
        found[i, j] = float(k[i, j][present1[i] > 0][:, present2[j] > 0].mean())
    return found


def cut_at_the_end(k: Tensor, present1: Tensor, present2: Tensor) -> Tensor:
    """The last T and the last T' steps of each pair."""
    lengths1, lengths2 = present1.sum(1).long(), present2.sum(1).long()
    rows = [[k[i, j, -int(t) :, -int(s) :].mean() for j, s in enumerate(lengths2)] for i, t in enumerate(lengths1)]
    return torch.stack([torch.stack(row) for row in rows])


average = Task(
    id="10.3",
    title="Reading out all steps",
    signature="average_kernel(k, present1, present2) -> [n, m]",
    reference=reference,
    credit={"any lengths": 2, "one length": 1},
    cases=(
        Case("any lengths", "longest 5 and 4", partial(batch, n=4, m=3, t=5, s=4, ragged=True)),
        Case("any lengths", "longest 6 and 6", partial(batch, n=3, m=5, t=6, s=6, ragged=True)),
        Case("one length", "all steps are there", partial(batch, n=2, m=3, t=4, s=4, ragged=False)),
    ),
    misconceptions=(
        Misconception(padding_counted),
        Misconception(divided_by_the_longest),
        Misconception(equal_times),
        Misconception(equal_times_squared),
        Misconception(equal_times_and_the_last),
        Misconception(last_step),
        Misconception(sum_of_all),
        Misconception(divided_by_the_first),
        Misconception(divided_by_the_second),
        Misconception(first_length_twice),
        Misconception(root_of_lengths),
        Misconception(first_mask_alone),
        Misconception(second_mask_alone),
        Misconception(one_length_for_all),
        Misconception(second_series_last),
        Misconception(first_series_last),
        Misconception(common_steps),
        Misconception(masks_inverted),
        Misconception(product_of_sums),
        Misconception(padding_behind),
        Misconception(divided_by_the_batch),
        Misconception(either_is_there),
    ),
    alternatives=(masked_mean, pair_by_pair, cut_at_the_end),
    when_nan="a series without a step was divided by 0; here every series has at least one",
)
