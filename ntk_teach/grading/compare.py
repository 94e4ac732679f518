"""When two arrays are the same answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Close"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Close:
    """max |a − b| ≤ rtol · max |b|: relative to the largest entry, because a kernel's small entries are differences.

    Args:
        rtol: for answers computed in float64.
        rtol_single: for answers that arrive in float32; None where the task needs float64.
    """

    rtol: float = 1e-6
    rtol_single: float | None = 2e-3

    def agree(self, value: Array, expected: Array, *, single: bool = False) -> bool:
        """Is the answer right?"""
        if value.shape != expected.shape or not np.isfinite(value).all():
            return False
        return self.error(value, expected) <= self.tolerance(single)

    def same(self, one: Array, other: Array, *, single: bool = False) -> bool:
        """Are two answers, right or wrong, the same? NaN equals NaN here: a missing clip has a pattern of them."""
        if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
            return False
        finite = np.isfinite(other)
        return not finite.any() or self.error(one[finite], other[finite]) <= self.tolerance(single)

    def tolerance(self, single: bool) -> float:
        return self.rtol if not single or self.rtol_single is None else self.rtol_single

    def error(self, value: Array, expected: Array) -> float:
        """Largest difference, in units of the largest expected entry."""
        largest = float(np.abs(expected).max(initial=0.0))
        difference = float(np.abs(value - expected).max(initial=0.0))
        return difference / largest if largest else difference
