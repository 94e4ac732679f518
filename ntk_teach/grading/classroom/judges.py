"""Judges: one process for each local worker, so that no worker waits for another one's turn in the interpreter.

They are forked from the grader once everything is imported and share its warm interpreter: a start costs milliseconds.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

import torch

from ntk_teach.grading.classroom import jobs
from ntk_teach.grading.classroom.jobs import Job, Result
from ntk_teach.grading.sandbox.sandboxes import sandboxes
from ntk_teach.grading.sandbox.system import die_with_parent

__all__ = ["DIED", "do", "start", "stop"]

DIED = "the grading process died over it, more than once"


def do(job: Job) -> Result:
    """``jobs.do``, by a judge where this process has some: a worker of another cluster has none, and needs none."""
    bench = _bench
    return jobs.do(job) if bench is None else bench.do(job)


def start(many: int, backend: str) -> None:
    """Let ``do`` go to this many processes, until ``stop``. Other systems than Linux judge in the grader's own.

    Raises: OSError if no sandbox can be started.
    """
    global _bench
    sandboxes(backend).wait()  # before the fork, so that they share it
    if sys.platform == "linux":
        _bench = Bench(many)


def stop() -> None:
    """End them; there may be none."""
    global _bench
    if _bench is not None:
        _bench.close()
    _bench = None


class Bench:
    """Judges who wait for work."""

    def __init__(self, many: int) -> None:
        self._closed = False
        self._all = [Judge("fork") for _ in range(many)]
        self._idle: queue.SimpleQueue[Judge] = queue.SimpleQueue()
        for judge in self._all:
            self._idle.put(judge)

    def do(self, job: Job) -> Result:
        """What the next free judge says; raises what it raised. One who dies is replaced, and the job tried again."""
        judge = self._idle.get()
        try:
            for _ in range(2):
                try:
                    said = judge.do(job)
                except (EOFError, ConnectionError):  # of the judge; a sandbox's own arrive as what was said
                    said = None
                if isinstance(said, Exception):
                    raise said
                if said is not None:
                    return said
                if self._closed:
                    break
                self._all.remove(judge)
                judge.close()
                judge = Judge("spawn")  # by now there are threads here, whose locks a fork would inherit
                self._all.append(judge)
            return Result(job.student, refused=DIED)
        finally:
            self._idle.put(judge)

    def close(self) -> None:
        """End them all, at once: what is unfinished now was given up."""
        self._closed = True
        for judge in list(self._all):
            judge.close()


class Judge:
    """One process that does one job after the other."""

    def __init__(self, way: str) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        starting = multiprocessing.get_context(way)
        self._process = starting.Process(target=_judge, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()  # or its end would not show

    def do(self, job: Job) -> Result | Exception:
        """What it says, or what was raised there. Raises EOFError or ConnectionError if it died over it."""
        self._ours.send(job)
        said: Result | Exception = self._ours.recv()
        return said

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._ours.close()


def _judge(channel: Connection) -> None:
    die_with_parent()
    for number in (signal.SIGINT, signal.SIGHUP):  # they reach all of a terminal's processes: the grader ends us
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)  # one judge a core; and a fork has none of its parent's threads
    with suppress(EOFError, ConnectionError):
        while True:
            job = channel.recv()
            try:
                said: Result | Exception = jobs.do(job)
            except Exception as error:
                said = error
            channel.send(said)


_bench: Bench | None = None
