"""A process that belongs to one program and one case. It is told on a pipe what to do and answers in JSON lines.

Run by every side's own interpreter, so it needs nothing but numpy and that side.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

WARM = 0.05  # seconds of calls in a round, at least
STEP = 128  # at most so many rows and columns of a result are compared


def resident(field: str) -> int:
    """Bytes of this process: VmRSS (now) or VmHWM (at most). getrusage's maximum would also count the process that
    started this one, and cannot be set back."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def forget_maximum() -> None:
    """Let the maximum start again from what is resident now."""
    with suppress(OSError):  # where the system has no such file, what the import took counts as well
        Path("/proc/self/clear_refs").write_text("5")


def sample(array: np.ndarray) -> np.ndarray:
    """Every so-manieth row and column, the same ones, so that a diagonal stays a diagonal."""
    step = -(-max(array.shape[:2]) // STEP)
    return array[tuple(slice(None, None, step) for _ in array.shape[:2])].astype(np.float64)


class Work:
    """One prepared task and what can be asked about it."""

    def __init__(self, side: str, task: str, parameters: dict[str, Any]) -> None:
        self.side = importlib.import_module(f"benchmarks.sides.{side}")
        self.call = self.side.TASKS[task](**parameters)

    def timed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        wall, cpu = time.perf_counter(), time.process_time()
        result = self.call()
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}, result

    def first(self, numbers: str) -> dict[str, Any]:
        """The first call, with all that is compiled or cached in it: its time, its memory, its numbers to a file."""
        forget_maximum()
        gc.collect()
        before = resident("VmRSS")
        clock, result = self.timed()
        clock["peak_bytes"] = max(0, resident("VmHWM") - before)
        arrays = {name: self.side.as_numpy(array) for name, array in result.items()}
        clock["result_bytes"] = sum(a.nbytes for a in arrays.values())
        clock["dtypes"] = sorted({str(a.dtype) for a in arrays.values()})
        np.savez(numbers, **{name: sample(a) for name, a in arrays.items()})
        return clock

    def again(self) -> dict[str, Any]:
        """One later call, or, where it is short, the median of as many as fill ``WARM``: the first of them finds in the
        caches what the collector and another program left there."""
        gc.collect()
        clocks: list[dict[str, Any]] = []
        while sum(clock["wall"] for clock in clocks) < WARM:
            clocks.append(self.timed()[0])
        return sorted(clocks, key=lambda clock: clock["cpu"])[len(clocks) // 2]

    def versions(self) -> dict[str, str]:
        return {"python": sys.version.split()[0], **self.side.versions()}


def main() -> None:
    """Answers go to the pipe that was standard output; what libraries print there goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    work: Work | None = None
    for line in sys.stdin:
        order = json.loads(line)
        do = order.pop("do")
        try:
            if do == "prepare":
                work = Work(**order)
                answer: dict[str, Any] = {"versions": work.versions()}
            else:
                answer = getattr(work, do)(**order)
        except NotImplementedError as reason:
            answer = {"unavailable": str(reason)}
        except Exception as fault:
            traceback.print_exc()
            answer = {"fault": f"{type(fault).__name__}: {fault}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
