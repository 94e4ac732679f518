"""The fork that becomes the warden of one sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, NoReturn

from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.warden import enclose

__all__ = ["start"]

FIRST_USER, USERS = 61200, 4000  # ids that no package claims; systemd, too, draws passing users from about here


def start(
    channel: socket.socket, status: socket.socket, request: dict[str, Any], count: int, inside: Callable[[], None]
) -> NoReturn:
    """Make the sandbox that was asked for, stay until it has ended, and end.

    Args:
        channel, status: the two sockets of ``warden.enclose``.
        request: ``backend``, ``limits``, ``shows`` and ``hides``.
        count: of the sandboxes before this one, so that each has a user of its own.
        inside: what runs in it.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        user = FIRST_USER + (os.getppid() + count) % USERS if request["backend"] == "root" else None
        limits = Limits(**request["limits"])
        enclose(channel, status, limits, uid=user, shows=request["shows"], hides=request["hides"], inside=inside)
    except BaseException as error:
        with contextlib.suppress(OSError):
            status.send(json.dumps({"exit": 1, "why": f"{type(error).__name__}: {error}"}).encode())
    finally:
        os._exit(0)
