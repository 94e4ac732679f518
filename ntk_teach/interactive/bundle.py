"""What the width slider shows: kernels at several widths, checked, measured, and made small enough for a page."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ntk_teach.errors import DomainError, sentence
from ntk_teach.plot.arrays import Curve, Curves, checked, checked_by_width
from ntk_teach.plot.palette import tints

__all__ = ["Bundle"]

_GRID = 10_000  # units of the drawing, both ways; whole numbers, so that Python and the script agree to the letter
_LARGEST = 2**15 - 1  # 16-bit integer
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bundle:
    """Kernels Θ_n(x₀, x(γ)) of several seeds at several widths, and the limit."""

    gamma: _Floats  # [points]
    curves: Mapping[int, _Floats]  # by increasing width, each [seeds, points]
    limit: _Floats  # [points]

    @classmethod
    def of(cls, angles: Curve, curves: Mapping[int, Curves], limit: Curve, *, where: str) -> Bundle:
        gamma = checked(angles, ("points",), where=f"{where}, angles")
        if len(gamma) < 2 or (np.diff(gamma) <= 0).any() or np.abs(gamma).min() > 1e-9:
            do = "use torch.linspace(-math.pi, math.pi, 121)"
            raise DomainError(sentence(f"{where}, angles", "increasing angles with 0 among them", f"{gamma}", do))
        seeds = len(next(iter(curves.values()), ()))
        by_width = checked_by_width(curves, (seeds, len(gamma)), where=f"{where}, curves")
        if len(by_width) < 2 or seeds < 2:
            expected, received = "at least 2 widths and 2 seeds", f"{len(by_width)} and {seeds}"
            raise DomainError(sentence(f"{where}, curves", expected, received, "a slider needs somewhere to go"))
        return cls(gamma, by_width, checked(limit, (len(gamma),), where=f"{where}, limit"))

    @property
    def widths(self) -> list[int]:
        return list(self.curves)

    @property
    def extremes(self) -> tuple[float, float]:
        every = np.concatenate([self.limit[None], *self.curves.values()])
        return float(every.min()), float(every.max())

    @property
    def range(self) -> tuple[float, float]:
        """Ends of the vertical axis, the same for every width: all curves, zero, and a little air above."""
        low, high = min(0.0, self.extremes[0]), self.extremes[1]
        return low, high + 0.04 * (high - low)

    @property
    def ticks(self) -> list[float]:
        """Round numbers on the vertical axis."""
        low, high = self.range
        gap = round_up((high - low) / 8)
        return [round(gap * k, 12) for k in range(math.ceil(low / gap), math.floor(high / gap) + 1)]

    @property
    def step(self) -> float:
        """What one unit of a stored number is worth: the least round number that lets the largest value fit."""
        return round_up(max(map(abs, self.extremes)) / _LARGEST)

    def stored(self, width: int) -> npt.NDArray[np.int16]:
        """The curves of one width as they stand in the page, [seeds, points]."""
        return np.rint(self.curves[width] / self.step).astype("<i2")

    def across(self) -> list[int]:
        """Horizontal places of the points, in units of the drawing."""
        share = (self.gamma - self.gamma[0]) / (self.gamma[-1] - self.gamma[0])
        return [math.floor(_GRID * x + 0.5) for x in share.tolist()]

    def path(self, values: _Floats) -> str:
        """One curve as SVG path data; the script computes the same, operation by operation."""
        low, high = self.range
        down = [math.floor(_GRID * (high - value) / (high - low) + 0.5) for value in values.tolist()]
        return "M" + "L".join(f"{x} {y}" for x, y in zip(self.across(), down, strict=True))

    def readings(self, width: int) -> tuple[str, str, str]:
        """Spread at x₀, spread × √n, largest gap to the limit: from the curves in full precision."""
        curves = self.curves[width]
        spread = float(np.std(curves[:, np.argmin(np.abs(self.gamma))], ddof=1))
        gap = float(np.abs(curves - self.limit).max())
        return _digits(spread), _digits(spread * math.sqrt(width)), _digits(gap)

    def data(self, shown: int) -> dict[str, str]:
        """What the script reads from the page, by name of the ``data-`` attribute."""
        stored = np.concatenate([self.stored(width) for width in self.widths])  # [widths * seeds, points]
        fields = {
            "widths": self.widths,
            "shown": shown,
            "tints": tints(len(self.widths)),
            "across": self.across(),
            "range": self.range,
            "step": self.step,
            "readings": [self.readings(width) for width in self.widths],
        }
        text = {name: json.dumps(value, ensure_ascii=False, separators=(",", ":")) for name, value in fields.items()}
        return text | {"curves": base64.b64encode(stored.tobytes()).decode()}


def round_up(value: float) -> float:
    """The least of 1, 2, 5 · 10^k that is not below a positive ``value``."""
    power = math.floor(math.log10(value))
    steps = [float(f"{mantissa}e{power}") for mantissa in (1, 2, 5, 10)]
    return next(step for step in steps if step >= value * (1 - 1e-12))


def _digits(value: float) -> str:
    """Three significant digits, never an exponent."""
    decimals = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{max(decimals, 0)}f}"
