"""Alternating repetitions, and what is read off them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Ratio(NamedTuple):
    """other / reference, over the pairs of neighboring calls."""

    median: float
    low: float
    high: float


def paired_ratio(reference: Sequence[float], other: Sequence[float]) -> Ratio:
    """Median, smallest and largest of other_i / reference_i. Neighbors in time share the machine's mood, which the
    quotient of two means does not."""
    ratios = [b / a for a, b in zip(reference, other, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def alternate(
    calls: Mapping[str, Callable[[], dict[str, float]]], *, seconds: float, least: int, most: int
) -> dict[str, list[dict[str, float]]]:
    """Each in turn, again and again: at least ``least`` rounds, at most ``most``, and none begun after ``seconds``.
    Every second round runs backwards, so that no side always finds the caches that the same other one left."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in calls}
    spent = 0.0
    for number in range(most):
        if number >= least and spent >= seconds:
            break
        for name in list(calls)[:: -1 if number % 2 else 1]:
            clock = calls[name]()
            rounds[name].append(clock)
            spent += clock["wall"]
    return rounds
