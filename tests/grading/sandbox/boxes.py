"""Sandboxes for the tests of this folder, and the few questions that all of them ask."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ntk_teach.grading.sandbox.limits import MB, Limits
from ntk_teach.grading.sandbox.process import Ended, Sandboxed
from ntk_teach.grading.sandbox.sandboxes import Sandboxes

LIBRARY = {"ntk_teach": "relu = 'the provided one'\n", "ntk_teach.kernel": "Dual = tuple\n"}
REFUSAL = "this is what the exercise asks you to write"
SMALL = {
    "cpu": 1.0,
    "patience": 6.0,
    "wall": 60.0,
    "memory": 256 * MB,
    "processes": 16,
    "file_size": 4 * MB,
    "disk": 8 * MB,
    "output": 64 * 1024,
    "messages": 20,
}


@contextmanager
def opened(sandboxes: Sandboxes, **limits: float) -> Iterator[Sandboxed]:
    """A sandbox of one's own, with little of everything."""
    with closing(sandboxes.open(Limits(**(SMALL | limits)))) as box:
        box.begin(LIBRARY, REFUSAL)
        yield box


def said(box: Sandboxed, source: str) -> str:
    """What a cell printed, showed and raised, as one text."""
    words = []
    for output in box.run(source)[0]:
        words += [str(output.get(key, "")) for key in ("text", "data", "ename", "evalue")]
    return "".join(words)


def printed(box: Sandboxed, source: str) -> list[str]:
    """The lines that a cell prints; it must do nothing else."""
    outputs, _ = box.run(source)
    assert all(output["output_type"] == "stream" for output in outputs), outputs
    return "".join(output["text"] for output in outputs).splitlines()


def ending(box: Sandboxed, source: str) -> tuple[str, str]:
    """Why a cell ended its sandbox, as a key and in words."""
    try:
        outputs, _ = box.run(source)
    except Ended as end:
        return end.why, str(end)
    raise AssertionError(f"the sandbox goes on: {outputs}")


def eventually(holds: Callable[[], bool], within: float = 20.0) -> bool:
    """Does it come true in time?"""
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def living_in(namespace: str) -> list[int]:
    """Processes of this machine that stand in a namespace of processes, given as the link in /proc; without its first,
    which only root may look at."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.readlink(f"/proc/{name}/ns/pid") == namespace:
                status = Path(f"/proc/{name}/status").read_text()
                found += [int(name)] * (not re.search(r"^NSpid:.*\s1$", status, re.MULTILINE))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found
