"""A worker process as its commander sees it: pinned, single-threaded unless told otherwise, and silent."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Side

ROOT = Path(__file__).parents[1]


class UnavailableError(Exception):
    """This side cannot do this here, and that is no fault."""


class FaultError(Exception):
    """This side failed."""


class Program:
    """One side of one case in its own process. Use it in a ``with`` block; its end is the process's end."""

    def __init__(self, side: Side, interpreter: Path, cores: list[int], *, timeout: float) -> None:
        self.side, self.timeout = side, timeout
        threads = str(side.cores)
        environment = os.environ | {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "JAX_PLATFORMS": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
            "PYTHONPATH": str(ROOT),
        }
        # The last cores: the first ones serve most of the machine's interrupts.
        mine = set(cores[-side.cores :])
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(
            [interpreter, "-m", "benchmarks.worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, mine)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def prepare(self, case: Case, parameters: dict[str, Any]) -> dict[str, str]:
        """Import the program and make its inputs; its versions."""
        order = {"side": self.side.module, "task": case.task, "parameters": parameters | dict(self.side.options)}
        versions: dict[str, str] = self.ask("prepare", **order)["versions"]
        return versions

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """One order, one answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            print(json.dumps({"do": do, **order}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise FaultError(self._ended()) from None
        if not select.select([self.process.stdout], [], [], self.timeout)[0]:
            raise FaultError(f"no result within {self.timeout:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise FaultError(self._ended())
        answer: dict[str, Any] = json.loads(line)
        if "unavailable" in answer:
            raise UnavailableError(answer["unavailable"])
        if "fault" in answer:
            raise FaultError(answer["fault"])
        return answer

    def _ended(self) -> str:
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        return f"its process ended with status {self.process.wait()}: {said[-1] if said else 'no message'}"
