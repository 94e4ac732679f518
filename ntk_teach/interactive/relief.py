"""A surface over a square, seen from any side: the numbers, the projection, the cuts and their readings."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ntk_teach.errors import DomainError, sentence
from ntk_teach.interactive.bundle import round_up
from ntk_teach.plot.arrays import checked
from ntk_teach.plot.palette import TINTS

__all__ = ["GRID", "Relief", "short", "signed"]

GRID = 10_000  # units of the drawing, both ways; whole numbers, so that Python and the script agree
_RISE = 1.3  # how high the surface stands over a square whose diagonal is 2
_FIT = 1.25  # what is divided by, so that no view leaves the drawing
_Floats = npt.NDArray[np.float64]
_Point = tuple[int, int]


@dataclass(frozen=True)
class Relief:
    """S(a₁, a₂) on a square grid: the first index belongs to a₁, as in ``landscape.loss_surface``."""

    offsets: _Floats  # [k], increasing, in equal steps
    values: _Floats  # [k, k]

    @classmethod
    def of(cls, offsets: object, values: object, *, where: str) -> Relief:
        a = checked(offsets, ("k",), where=f"{where}, offsets")
        steps = np.diff(a)
        if len(a) < 3 or (steps <= 0).any() or np.ptp(steps) > 1e-3 * steps.max():
            do = "use torch.linspace(-1, 1, 25)"
            received = f"{len(a)} from {a[0]:g} to {a[-1]:g}"
            raise DomainError(sentence(f"{where}, offsets", "at least 3, increasing in equal steps", received, do))
        return cls(a, checked(values, (len(a), len(a)), where=f"{where}, values"))

    @property
    def range(self) -> tuple[float, float]:
        """Ends of the axis of heights: from the lowest value, or from 0 where all are positive, to the highest."""
        low, high = min(0.0, float(self.values.min())), float(self.values.max())
        return low, high if high > low else low + 1.0

    @property
    def ticks(self) -> list[float]:
        """Round numbers on the axis of heights."""
        low, high = self.range
        gap = round_up((high - low) / 5)
        return [round(gap * k, 12) for k in range(math.ceil(low / gap), math.floor(high / gap) + 1)]

    @property
    def heights(self) -> npt.NDArray[np.uint16]:
        """The values as they stand in the page: ten-thousandths of the axis, [k, k]."""
        low, high = self.range
        return np.rint((self.values - low) / (high - low) * GRID).astype("<u2")

    def place(self, i: float, j: float, height: float, turn: int, tilt: int) -> _Point:
        """Where a point of the grid stands in the drawing; the script computes the same, operation by operation."""
        last = len(self.offsets) - 1
        u, v = 2 * i / last - 1, 2 * j / last - 1
        sin, cos = math.sin(math.radians(turn)), math.cos(math.radians(turn))
        across = (u * cos - v * sin) / math.sqrt(2)
        away = (u * sin + v * cos) / math.sqrt(2)
        up = away * math.sin(math.radians(tilt)) + (height / GRID - 0.5) * _RISE * math.cos(math.radians(tilt))
        half = GRID / 2
        return math.floor(half + half * across / _FIT + 0.5), math.floor(half - half * up / _FIT + 0.5)

    def cells(self, turn: int, tilt: int) -> list[tuple[int, str]]:
        """(tint, path) of every cell, the farthest first, so that what is nearer is drawn over it."""
        last, h = len(self.offsets) - 1, self.heights.tolist()
        sin, cos = math.sin(math.radians(turn)), math.cos(math.radians(turn))
        rows = range(last - 1, -1, -1) if sin > 0 else range(last)
        columns = range(last - 1, -1, -1) if cos > 0 else range(last)
        drawn = []
        for i in rows:
            for j in columns:
                corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
                mean = sum(h[a][b] for a, b in corners) / 4
                tint = min(TINTS, 1 + math.floor(TINTS * mean / GRID))
                drawn.append((tint, path([self.place(a, b, h[a][b], turn, tilt) for a, b in corners]) + "z"))
        return drawn

    def cut(self, row: int, turn: int, tilt: int) -> str:
        """The cut a₁ = offsets[row], as a line on the surface."""
        heights = self.heights[row].tolist()
        return path([self.place(row, j, h, turn, tilt) for j, h in enumerate(heights)])

    def floor(self, turn: int, tilt: int) -> str:
        """The square under the surface."""
        last = len(self.offsets) - 1
        corners = [(0, 0), (last, 0), (last, last), (0, last)]
        return path([self.place(i, j, 0, turn, tilt) for i, j in corners]) + "z"

    def names(self, turn: int, tilt: int) -> list[_Point]:
        """Places of the letters on the near edges: the axis a₁, its two ends, the axis a₂, its two ends."""
        last, middle = len(self.offsets) - 1, (len(self.offsets) - 1) / 2
        sin, cos = math.sin(math.radians(turn)), math.cos(math.radians(turn))
        near, beside = (-0.1 * last if cos > 0 else 1.1 * last), (-0.1 * last if sin > 0 else 1.1 * last)
        low, high = 0.06 * last, 0.94 * last  # both axes end in the near corner: a little apart
        first = [(middle, near), (low, near), (high, near)]
        second = [(beside, middle), (beside, low), (beside, high)]
        return [self.place(i, j, 0, turn, tilt) for i, j in (*first, *second)]

    def profile(self, row: int) -> str:
        """The cut a₁ = offsets[row] as a curve over a₂, in the whole drawing."""
        last = len(self.offsets) - 1
        heights = self.heights[row].tolist()
        return path([(math.floor(GRID * j / last + 0.5), GRID - h) for j, h in enumerate(heights)])

    def readings(self, row: int) -> tuple[str, str, str]:
        """a₁ of a cut, its lowest value, and its smallest second difference divided by the square of the step."""
        values, step = self.values[row], float(self.offsets[1] - self.offsets[0])
        bend = (values[2:] - 2 * values[1:-1] + values[:-2]) / step**2
        return (
            placed(float(self.offsets[row])),
            signed(float(values.min())),
            signed(float(bend.min())),
        )

    def data(self) -> dict[str, str]:
        """What the script reads from the page, by name of the ``data-`` attribute."""
        rows = [self.readings(row) for row in range(len(self.offsets))]
        return {
            "heights": base64.b64encode(self.heights.tobytes()).decode(),
            "readings": json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
        }


def path(points: list[_Point]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def placed(offset: float) -> str:
    """Two decimals; what rounding left beside zero is zero."""
    return f"{round(offset, 2) + 0.0:.2f}".replace("-", "−")


def short(offset: float) -> str:
    """The same without the zeros that say nothing."""
    return placed(offset).rstrip("0").rstrip(".")


def signed(value: float) -> str:
    """Three significant digits, never an exponent, with a minus that is as wide as a digit."""
    decimals = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{min(max(decimals, 0), 6)}f}".replace("-", "−")
