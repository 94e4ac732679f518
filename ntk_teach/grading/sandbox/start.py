"""The programs that are started by path: each gets descriptors as numbers and the rest as words."""

from __future__ import annotations

import json
import os
import shutil
import site
import socket
import subprocess
import sys

from ntk_teach.grading.sandbox.frames import send
from ntk_teach.grading.sandbox.limits import Limits

__all__ = ["main"]

COLD = 640 << 20  # bytes: an interpreter with its imports, and the fork that a task is


def main(words: list[str]) -> None:
    """``zygote CONTROL FOLDER`` | ``warden STATUS LIMITS CHANNEL FOLDER PROGRAM…`` |
    ``interior CHANNEL LIMITS [confined]`` | ``probe CHANNEL STATUS REQUEST`` | ``hello CHANNEL …``.

    Imports are deferred: a probe or a warden starts in a moment, an interior brings torch.
    """
    what, number, *rest = words
    first = socket.socket(fileno=int(number))
    if what == "zygote":
        from ntk_teach.grading.sandbox.zygote import serve

        serve(first, rest[0])
    elif what == "warden":
        _warden(first, Limits(**json.loads(rest[0])), int(rest[1]), rest[2], rest[3:])
    elif what == "probe":
        from ntk_teach.grading.sandbox.fork import start

        start(first, socket.socket(fileno=int(rest[0])), json.loads(rest[1]), 0, lambda: _hello(first))
    elif what == "hello":
        _hello(first)
    else:
        _interior(first, Limits(**json.loads(rest[0])), rest[1:] == ["confined"])


def _hello(channel: socket.socket) -> None:
    """The sandbox stands, and whoever lives in it can read Python."""
    for folder in (sys.prefix, os.path.dirname(os.__file__), *site.getsitepackages()):
        if os.path.lexists(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(f"{folder} is for its owner alone: chmod -R o+rX {folder}")
    send(channel, {"ready": os.getpid()})


def _warden(status: socket.socket, limits: Limits, channel: int, folder: str, program: list[str]) -> None:
    from ntk_teach.grading.sandbox import system
    from ntk_teach.grading.sandbox.warden import watch

    linux = os.path.exists("/proc/self/task")
    os.setsid()
    if linux:
        system.adopt_orphans()
    child = subprocess.Popen(program, cwd=folder, pass_fds=[channel], stdin=subprocess.DEVNULL)
    os.close(channel)
    try:
        watch(child.pid, status, limits, COLD)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _interior(channel: socket.socket, limits: Limits, confined: bool) -> None:
    """Without a warm interpreter. Under bubblewrap the namespaces stand; what is left to give up is ours to do."""
    from ntk_teach.grading.sandbox import confine, interior

    interior.warm()
    if confined:
        confine.confine(limits, None)
    else:
        confine.restrict(limits)
    interior.live(channel, limits)
