"""How far a long computation is, on one line of the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["progress_line"]


def progress_line(label: str = "kernel") -> Callable[[int, int], None]:
    """A ``progress=`` function that keeps one line on standard error: share done, rate, remaining time."""
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        seconds = time.monotonic() - started
        remaining = f", {seconds * (total - done) / done:.0f} s left" if done else ""
        end = "\n" if done == total else ""
        sys.stderr.write(
            f"\r{label}: {done}/{total} blocks, {100 * done / max(total, 1):.0f} %, {seconds:.0f} s{remaining}   {end}"
        )
        sys.stderr.flush()

    return show
