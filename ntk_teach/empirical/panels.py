"""Adding up products over blocks of inputs: within the memory allowed, and each pair of inputs once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from ntk_teach.empirical.reading import Reading
from ntk_teach.errors import DomainError, sentence
from ntk_teach.inputs import Inputs

__all__ = ["Term", "Sum", "Terms", "Budget", "fill", "mirror", "blocks"]

PANEL = 128  # inputs: nearly half the flops of a symmetric product, and still nearly the speed of one large product


class Term(NamedTuple):
    """One term of Θ at a block of b inputs: (gain·⟨units, units'⟩ + constant)·⟨slopes, slopes'⟩."""

    slopes: Tensor  # [s, b, r, size]
    constant: float = 1.0
    gain: float = 0.0
    units: Tensor | None = None  # [b, fan_in]; None: the constant alone

    def rows(self, block: slice) -> Term:
        units = None if self.units is None else self.units[block]
        return self._replace(slopes=self.slopes[:, block], units=units)

    def empty(self, n: int) -> Term:
        """The same for n inputs that are yet to come."""
        (s, _, r, size), units = self.slopes.shape, self.units
        units = None if units is None else units.new_empty(n, *units.shape[1:])
        return self._replace(slopes=self.slopes.new_empty(s, n, r, size), units=units)


@runtime_checkable
class Sum(Protocol):
    """A term whose parts are not there until two blocks meet, and then a few at a time."""

    def rows(self, block: slice) -> Sum: ...

    def empty(self, n: int) -> Sum: ...

    def parts(self, other: Any) -> Iterator[tuple[Term, Term]]: ...

    def __iter__(self) -> Iterator[Any]: ...


Block = Sequence[Term | Sum]
Terms = Callable[[Inputs], Block]  # a block of inputs to its terms


class Budget(NamedTuple):
    """How many inputs may be in memory at a time, how many pairs, and what is left for work on a few inputs."""

    inputs: int
    pairs: int
    room: float  # bytes

    @classmethod
    def of(
        cls, memory: float, reading: Reading, *, per_input: int, working: int, itemsize: int, least: int, where: str
    ) -> Budget:
        """From bytes: an eighth for products of pairs, the rest for blocks of inputs, of which ``least`` must fit; of
        that a little for work, ``working`` bytes at least, where blocks are made some inputs at a time."""
        s, r = reading.stack
        per_pair = 2 * itemsize * s * r * r
        needed = max(8 * per_pair, -(-8 * (least * per_input + working) // 7))
        if memory < needed:
            do = "raise memory= to that, or take a smaller network"
            expected = f"memory of at least {needed} bytes, for the smallest block of inputs"
            raise DomainError(sentence(where, expected, f"{memory:.0f}", do))
        room = max(working, memory / 32) if working else 0.0
        return cls(int((memory * 7 / 8 - room) // per_input), int(memory / 8 // per_pair), room)


def fill(theta: Tensor, x1: Inputs, x2: Inputs | None, terms1: Terms, terms2: Terms, budget: Budget) -> None:
    """Add Σ_terms to ``theta`` [s, n, r, m, r], of which only the upper triangle is right where ``x2`` is None."""
    second = x1 if x2 is None else x2
    n, m = len(x1), len(second)
    # The block that stays is large and the one that passes by small: x2 comes once for every block of x1.
    whole = budget.inputs >= (n if x2 is None else n + m)
    staying = n if whole else min(n, max(1, 3 * budget.inputs // 4))
    passing = m if whole else budget.inputs - staying

    for rows in blocks(0, n, staying):
        _meet(theta[:, rows], rows, x1, x2, terms1, terms2, passing, budget.pairs)


def mirror(theta: Tensor) -> None:
    """Copy the upper triangle of [s, n, r, n, r] to the lower one: exactly symmetric, whatever the rounding."""
    matrices = theta.flatten(3).flatten(1, 2)  # [s, n·r, n·r]
    for panel in blocks(0, matrices.shape[1], PANEL):
        matrices[:, panel.stop :, panel] = matrices[:, panel, panel.stop :].mT
        corner = matrices[:, panel, panel]
        corner.copy_(corner.triu() + corner.triu(1).mT)


def blocks(start: int, stop: int, size: int) -> Iterator[slice]:
    """Slices of ``size`` from ``start`` to ``stop``, the last one perhaps shorter."""
    for begin in range(start, stop, size):
        yield slice(begin, min(begin + size, stop))


def _meet(
    theta: Tensor, rows: slice, x1: Inputs, x2: Inputs | None, terms1: Terms, terms2: Terms, passing: int, pairs: int
) -> None:
    """One block of x1 meets itself and what comes after it, or all of x2; its terms are gone when the next are made."""
    left = terms1(x1[rows])
    second, start = (x1, rows.stop) if x2 is None else (x2, 0)
    if x2 is None:
        _add(theta[:, :, :, rows], left, left, pairs, below=False)
    for columns in blocks(start, len(second), passing):
        _add(theta[:, :, :, columns], left, terms2(second[columns]), pairs)


def _add(theta: Tensor, left: Block, right: Block, pairs: int, below: bool = True) -> None:
    """theta += Σ_terms, what is there first and then what is made; what is below the diagonal may be left out."""
    both = list(zip(left, right, strict=True))
    there = [(one, other) for one, other in both if isinstance(one, Term) and isinstance(other, Term)]
    _add_products(theta, there, pairs, below)
    for one, other in both:
        if not isinstance(one, Term):
            for part in one.parts(other):
                _add_products(theta, [part], pairs, below)


def _add_products(theta: Tensor, products: list[tuple[Term, Term]], pairs: int, below: bool) -> None:
    """A panel of rows at a time and ``pairs`` at most."""
    n, m = theta.shape[1], theta.shape[3]
    height = max(1, min(n, PANEL, pairs // m))
    width = max(1, pairs // height)
    for rows in blocks(0, n, height):
        for columns in blocks(0 if below else rows.start, m, width):
            tile = theta[:, rows, :, columns]
            for one, other in products:
                _add_term(tile, one.rows(rows), other.rows(columns))


def _add_term(tile: Tensor, one: Term, other: Term) -> None:
    s, b, r, d, _ = tile.shape
    slopes, slopes_t = one.slopes.flatten(1, 2), other.slopes.flatten(1, 2).mT  # [s, b·r, size], [s, size, d·r]
    if one.units is None or other.units is None:
        tile.add_(torch.bmm(slopes, slopes_t).view(s, b, r, d, r), alpha=one.constant)
        return
    inner = (one.units @ other.units.T).mul_(one.gain).add_(one.constant)  # [b, d]
    tile.addcmul_(torch.bmm(slopes, slopes_t).view(s, b, r, d, r), inner[:, None, :, None])
