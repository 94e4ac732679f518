"""How a matrix of pairs is cut: panels of rows, blocks of a panel, tiles of a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Block", "panels_of", "tiles_of"]

PANEL = 1024  # rows that are noted as done together where the result goes to a file


@dataclass(frozen=True)
class Block:
    """Pairs that are computed together; ``mirrored`` says that their transposes are wanted, too."""

    panel: int
    rows: slice
    columns: slice
    mirrored: bool


def panels_of(shape: tuple[int, int], step: int, *, symmetric: bool, columns: int) -> list[list[Block]]:
    """Blocks in rows of ``step`` (or whole panels, where columns are wider), panel by panel; upper triangle only where
    symmetric. All edges are multiples of ``step``, whatever the parcels, so that results do not depend on them."""
    height = max(step, PANEL // step * step)
    width = max(step, columns // step * step)
    panels = []
    for number, top in enumerate(range(0, shape[0], height)):
        bottom = min(top + height, shape[0])
        rows_at_a_time = step if width == step else height
        panel = []
        for first in range(top, bottom, rows_at_a_time):
            rows = slice(first, min(first + rows_at_a_time, bottom))
            if symmetric:
                panel.append(Block(number, rows, rows, mirrored=False))
            for left in range(rows.stop if symmetric else 0, shape[1], width):
                columns_ = slice(left, min(left + width, shape[1]))
                panel.append(Block(number, rows, columns_, mirrored=symmetric))
        panels.append(panel)
    return panels


def tiles_of(n: int, m: int, step: int, symmetric: bool) -> Iterator[tuple[slice, slice]]:
    for top in range(0, n, step):
        for left in range(top if symmetric else 0, m, step):
            yield slice(top, min(top + step, n)), slice(left, min(left + step, m))
