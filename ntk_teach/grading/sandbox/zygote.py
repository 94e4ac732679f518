"""A warm interpreter that forks: everything slow was imported once, before any student's code came near.

It knows no secret: it is started with an empty environment, reads no file of a course, and imports nothing of this
library but the sandbox itself. It has one thread, or its children would hang on locks that nobody holds any more.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
from typing import Any, NoReturn

from ntk_teach.grading.sandbox import interior, system
from ntk_teach.grading.sandbox.fork import start
from ntk_teach.grading.sandbox.limits import Limits

__all__ = ["serve"]


def serve(control: socket.socket, folder: str) -> None:
    """Fork a sandbox for each request: JSON, and two descriptors, the channel and the status.

    Args:
        control: requests come through it.
        folder: what was written at the imports; removed at the end.

    Ends when the grader's end of ``control`` closes, however the grader ended. (The kernel's own signal at a parent's
    death would come with the death of the thread that started us.)
    """
    system.adopt_orphans()
    system.name_process("ntk-zygote")
    interior.warm()
    gc.collect()
    gc.freeze()
    system.collapse()
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(f"the warm interpreter has {threads} threads, expected 1: OMP_NUM_THREADS=1 must be set")
    control.send(json.dumps({"ready": os.getpid()}).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the wardens
    count = 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 2)
        if not message:
            break
        count += 1
        with contextlib.suppress(
            BlockingIOError
        ):  # no more processes: this grader sees its sockets close, others go on
            if os.fork() == 0:
                _fork(json.loads(message), descriptors, count)
        for descriptor in descriptors:
            os.close(descriptor)
    shutil.rmtree(folder, ignore_errors=True)


def _fork(request: dict[str, Any], descriptors: list[int], count: int) -> NoReturn:
    """In the fork: the two sockets as 3 and 4, and nothing else of the zygote's open."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    for descriptor, number in zip(descriptors, (200, 201), strict=True):  # they may be 4 and 3 themselves
        os.dup2(descriptor, number)
    for number, wanted in ((200, 3), (201, 4)):
        os.dup2(number, wanted)
    os.closerange(5, 4096)
    channel, status = socket.socket(fileno=3), socket.socket(fileno=4)
    limits = Limits(**request["limits"])
    start(channel, status, request, count, lambda: interior.live(channel, limits))
