"""How far a class is: a row for each submission, and under them a line that is drawn again and again."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntk_teach.grading.classroom.report import Row

__all__ = ["Progress"]

WIDTH = 24


class Progress:
    """Rows go to standard output, the line to standard error, and only where somebody looks at it.

    Args:
        quiet: no rows, for output that programs read.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet, self.looked_at = quiet, _looked_at()
        self.started = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.drawn = False

    def tell(self, row: Row, total: int) -> None:
        """One more submission."""
        self.counts[row.status] += 1
        self.end()
        if not self.quiet:
            print(row, flush=True)
        if self.looked_at:
            # A line that is longer than the window would go on in the next one, and could not be taken away.
            line = self.line(total, time.monotonic() - self.started)
            sys.stderr.write(fitting(line, _columns()))
            sys.stderr.flush()
            self.drawn = True

    def line(self, total: int, seconds: float) -> str:
        """Done, how many of each kind, rate, and the time that is left at this rate."""
        done = sum(self.counts.values())
        filled = WIDTH * done // max(total, 1)
        kinds = " · ".join(f"{number} {status}" for status, number in sorted(self.counts.items()))
        rate = done / seconds if seconds > 0 else 0.0
        left = (total - done) / rate if rate else 0.0
        bar = "█" * filled + "░" * (WIDTH - filled)
        return f"{bar} {done}/{total}  {kinds}  {60 * rate:.0f}/min  {_clock(left)} left"

    def end(self) -> None:
        """Take the line away: what is printed next stands in its place."""
        if self.drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.drawn = False


def fitting(line: str, columns: int) -> str:
    """The line without its bar, and then without its end, where the window is too narrow for it."""
    most = max(columns - 1, 1)  # a terminal may begin a new line after the last column
    if len(line) > most:
        line = line.lstrip("█░").lstrip()
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _looked_at() -> bool:
    """Is standard error a terminal that can take a line away?"""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
