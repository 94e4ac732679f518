"""Task 11.3: from the kernels of node pairs at each level to one number for two graphs, and to the normalized one."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.graph_ntk.draws import joint

__all__ = ["read_out"]

Levels = list[Tensor]


def reference(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    one, both, two = (_total(levels) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / (one * two).sqrt()])


def _total(levels: Levels) -> Tensor:
    return torch.stack([level.sum() for level in levels]).sum()


# ---- inputs


def two_graphs(rng: np.random.Generator, *, sizes: tuple[int, int], levels: int) -> Arguments:
    """Θ of all node pairs at each level; each graph is long at levels of its own, and neither is like the other or
    unlike it altogether.
    """
    p, q = sizes
    while True:
        whole = []
        for level in range(levels):
            length = np.repeat(rng.uniform(0.4, 1.6, size=2), sizes) * (1.9 if level == 0 else 1.0)
            shift = rng.uniform(0.3, 1.2)
            whole.append(joint(rng, p + q, shift=shift) * torch.from_numpy(np.outer(length, length)))
        one, both, two = (
            float(sum(theta[rows, columns].sum() for theta in whole))
            for rows, columns in (
                (slice(p), slice(p)),
                (slice(p), slice(p, None)),
                (slice(p, None), slice(p, None)),
            )
        )
        size = (one * two) ** 0.5
        if 0.3 < both / size < 0.9:
            break
    whole = [theta * (2.3 / size) for theta in whole]
    return {
        "levels11": [theta[:p, :p].clone() for theta in whole],
        "levels12": [theta[:p, p:].clone() for theta in whole],
        "levels22": [theta[p:, p:].clone() for theta in whole],
    }


# ---- wrong answers


def _normalized(one: Tensor, both: Tensor, two: Tensor) -> Tensor:
    return torch.stack([both, both / (one * two).sqrt()])


def mean_over_pairs(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You averaged over the pairs of nodes: the read-out adds, so a larger graph has a larger kernel."""
    return _normalized(*(torch.stack([x.mean() for x in levels]).sum() for levels in (levels11, levels12, levels22)))


def mean_over_levels(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You averaged over the levels: each level has a read-out of its own, and independent read-outs add."""
    return reference(levels11, levels12, levels22) / torch.tensor([float(len(levels12)), 1.0], dtype=torch.float64)


def last_level_alone(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """Only the last level was read out: with jumping knowledge every level is."""
    return reference(levels11[-1:], levels12[-1:], levels22[-1:])


def features_forgotten(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """The first level is missing: the raw features are read out as well."""
    kept = slice(1, None) if len(levels12) > 1 else slice(None)
    return reference(levels11[kept], levels12[kept], levels22[kept])


def last_level_for_the_lengths(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You normalized with the last level alone: the length of a graph is that of the kernel with all its levels."""
    return _normalized(levels11[-1].sum(), _total(levels12), levels22[-1].sum())


def equal_places(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You paired the first node with the first and the second with the second: nodes of two graphs have no common
    order, every node of one meets every node of the other.
    """
    return _normalized(
        *(torch.stack([x.diagonal().sum() for x in levels]).sum() for levels in (levels11, levels12, levels22))
    )


def traces_for_the_lengths(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You normalized with the diagonals of the graphs' own kernels: K(G, G) runs over all pairs of nodes of G, not only
    of each node with itself.
    """
    one, two = (torch.stack([x.diagonal().sum() for x in levels]).sum() for levels in (levels11, levels22))
    return _normalized(one, _total(levels12), two)


def level_by_level(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You normalized each level and added the quotients: first add the levels, then normalize once, or the result is no
    cosine.
    """
    quotients = [b.sum() / (a.sum() * c.sum()).sqrt() for a, b, c in zip(levels11, levels12, levels22, strict=True)]
    return torch.stack([_total(levels12), torch.stack(quotients).sum()])


def mean_of_quotients(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You normalized each level and averaged the quotients: first add the levels, then normalize once."""
    return level_by_level(levels11, levels12, levels22) / torch.tensor([1.0, len(levels12)], dtype=torch.float64)


def node_by_node(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You normalized the pairs of nodes before adding: asked is the cosine of two *graphs*, of what is left after the
    read-out.
    """
    cosines = [
        (b / (a.diagonal()[:, None] * c.diagonal()[None, :]).sqrt()).sum()
        for a, b, c in zip(levels11, levels12, levels22, strict=True)
    ]
    return torch.stack([_total(levels12), torch.stack(cosines).sum()])


def root_forgotten(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """The root is missing: you divided by squared lengths."""
    both = _total(levels12)
    return torch.stack([both, both / (_total(levels11) * _total(levels22))])


def arithmetic_mean(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You divided by the arithmetic mean of K(G, G) and K(G', G'): a cosine divides by the product of the lengths."""
    both = _total(levels12)
    return torch.stack([both, 2 * both / (_total(levels11) + _total(levels22))])


def numbers_of_nodes(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You divided by the numbers of nodes: the lengths of the two graphs are those that their own kernels give."""
    both = _total(levels12)
    return torch.stack([both, both / levels12[0].numel()])


def root_of_the_numbers(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You divided by the root of the numbers of nodes: the lengths of the graphs are those that their own kernels
    give.
    """
    both = _total(levels12)
    return torch.stack([both, both / levels12[0].numel() ** 0.5])


def largest_pair(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You took the largest pair of each level: the read-out adds all pairs."""
    return _normalized(*(torch.stack([x.max() for x in levels]).sum() for levels in (levels11, levels12, levels22)))


def squares_added(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You took Frobenius norms, the roots of sums of squares: the entries themselves are added, and those of opposite
    sign cancel.
    """
    return _normalized(
        *(torch.stack([x.square().sum() for x in levels]).sum().sqrt() for levels in (levels11, levels12, levels22))
    )


def levels_multiplied(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You multiplied the levels: independent read-outs are added, so their kernels add."""
    return _normalized(*(torch.stack([x.sum() for x in levels]).prod() for levels in (levels11, levels12, levels22)))


def order_swapped(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You returned the normalized kernel first: asked is K, then the normalized one."""
    return reference(levels11, levels12, levels22).flip(0)


def normalized_twice(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """Both numbers are normalized: the first one is the kernel as it is."""
    return reference(levels11, levels12, levels22)[1].expand(2).clone()


def not_normalized(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """Neither number is normalized: the second one is a cosine, and 1 for a graph with itself."""
    return _total(levels12).expand(2).clone()


def distance(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """Your second number is a squared distance of the two graphs: asked is the cosine of their angle."""
    both = _total(levels12)
    return torch.stack([both, _total(levels11) + _total(levels22) - 2 * both])


def last_level_missing(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """Your sum stops before the last level: ℓ goes from 0 to B, both of them included."""
    if len(levels12) == 1:
        return reference(levels11, levels12, levels22)
    return reference(levels11[:-1], levels12[:-1], levels22[:-1])


def first_level_alone(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You returned after the first level: all of them are added."""
    return reference(levels11[:1], levels12[:1], levels22[:1])


def lengths_level_by_level(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You took the root level by level and then added: the length of a graph is the root of its whole kernel with
    itself.
    """
    both = _total(levels12)
    lengths = [(one.sum() * two.sum()).sqrt() for one, two in zip(levels11, levels22, strict=True)]
    return torch.stack([both, both / torch.stack(lengths).sum()])


def over_the_larger(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """You divided by the larger of the two kernels: both graphs have a length, and the product of both stands below."""
    one, both, two = (_total(levels) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / torch.maximum(one, two)])


# ---- right answers


def with_numpy(levels11: Levels, levels12: Levels, levels22: Levels) -> list[float]:
    one, both, two = (float(sum(np.sum(x.numpy()) for x in levels)) for levels in (levels11, levels12, levels22))
    return [both, both / np.sqrt(one) / np.sqrt(two)]


def one_vector_a_side(levels11: Levels, levels12: Levels, levels22: Levels) -> Tensor:
    """The sum of a matrix is 1ᵀ Θ 1, and sums over levels and nodes may change places."""
    left = torch.ones(len(levels12[0]), dtype=levels12[0].dtype)
    right = torch.ones(levels12[0].shape[1], dtype=levels12[0].dtype)
    both = left @ torch.stack(levels12).sum(0) @ right
    lengths = [(v @ torch.stack(x).sum(0) @ v).sqrt() for v, x in ((left, levels11), (right, levels22))]
    return torch.stack([both, both / lengths[0] / lengths[1]])


def flat(levels11: Levels, levels12: Levels, levels22: Levels) -> NDArray[np.float64]:
    gram = np.empty((2, 2))
    gram[0, 0], gram[0, 1], gram[1, 1] = (
        np.concatenate([x.numpy().ravel() for x in levels]).sum() for levels in (levels11, levels12, levels22)
    )
    length = np.sqrt(gram.diagonal())
    return np.array([gram[0, 1], (gram / length[:, None] / length)[0, 1]])


read_out = Task(
    id="11.3",
    title="From pairs of nodes to a pair of graphs",
    signature="graph_kernel(levels11, levels12, levels22) -> [2]",
    reference=reference,
    credit={"jumping knowledge": 2, "one level": 1},
    cases=(
        Case("jumping knowledge", "3 levels of 4 and 6 nodes", partial(two_graphs, sizes=(4, 6), levels=3)),
        Case("jumping knowledge", "2 levels of 5 and 3 nodes", partial(two_graphs, sizes=(5, 3), levels=2)),
        Case("jumping knowledge", "4 levels of 4 and 4 nodes", partial(two_graphs, sizes=(4, 4), levels=4)),
        Case("one level", "1 level of 7 and 4 nodes", partial(two_graphs, sizes=(7, 4), levels=1)),
    ),
    misconceptions=(
        Misconception(mean_over_pairs),
        Misconception(mean_over_levels),
        Misconception(last_level_alone),
        Misconception(features_forgotten),
        Misconception(last_level_for_the_lengths),
        Misconception(equal_places),
        Misconception(traces_for_the_lengths),
        Misconception(level_by_level),
        Misconception(mean_of_quotients),
        Misconception(node_by_node),
        Misconception(root_forgotten),
        Misconception(arithmetic_mean),
        Misconception(numbers_of_nodes),
        Misconception(root_of_the_numbers),
        Misconception(largest_pair),
        Misconception(squares_added),
        Misconception(levels_multiplied),
        Misconception(order_swapped),
        Misconception(normalized_twice),
        Misconception(not_normalized),
        Misconception(distance),
        Misconception(last_level_missing),
        Misconception(first_level_alone),
        Misconception(lengths_level_by_level),
        Misconception(over_the_larger),
    ),
    alternatives=(with_numpy, one_vector_a_side, flat),
)
