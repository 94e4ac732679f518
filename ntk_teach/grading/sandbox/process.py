"""The grader's end of one sandbox: orders go in, frames come back, and none of them is believed unseen."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Mapping
from typing import Any

from ntk_teach.grading.sandbox.frames import BadFrame, Frame, receive, send
from ntk_teach.grading.sandbox.limits import Limits

__all__ = ["Ended", "Sandboxed"]

STARTED = 120.0  # seconds for an interpreter that is not warm, on a busy machine
REPORTED = 30.0  # seconds in which a warden on a busy machine says how its sandbox ended
WORDS = {
    "memory": "it used more memory than a submission may",
    "processes": "it started more processes than a submission may",
    "wall": "the time of the whole submission was used up",
    "clock": "it took too long and did not stop when asked",
    "flood": "it sent something that is no answer",
    "gone": "its sandbox was ended from outside",
}


class Ended(Exception):  # noqa: N818  (a reason, not a fault of ours)
    """The sandbox is gone. ``why`` is a key of WORDS, or empty where the process ended by itself."""

    def __init__(self, why: str, told: str) -> None:
        super().__init__(told)
        self.why = why

    def __reduce__(self) -> tuple[type[Ended], tuple[str, str]]:
        return Ended, (self.why, str(self))  # it travels from workers; by itself it would lose why


class Sandboxed:
    """An interpreter in a sandbox. Closing it ends everything that runs in there.

    Args:
        channel: frames to and from the interpreter.
        status: one message from the warden, when it has ended; closing it ends the sandbox.
        limits: what was agreed.
        backend: its name, for the record.
        warden: the warden, where it is a program that we started.
    """

    def __init__(
        self,
        channel: socket.socket,
        status: socket.socket,
        limits: Limits,
        backend: str,
        warden: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.channel, self.status, self.limits, self.backend, self.warden = channel, status, limits, backend, warden

    def begin(self, library: Mapping[str, str], refusal: str) -> None:
        """Hand over what the answers may import; returns when the interpreter is ready."""
        self._send({"library": dict(library), "refusal": refusal})
        self.ready(within=STARTED)

    def ready(self, *, within: float) -> None:
        """Wait for the first word from within, which comes before any of a student's."""
        header, _ = self._receive(within=within, most=1 << 16)
        if "ready" not in header:
            self.close()
            raise Ended("start", f"the sandbox could not be set up: {header.get('failed', 'no reason given')}")

    def run(self, source: str) -> tuple[list[object], object]:
        """Run one cell: its outputs, as it claims them, and its number."""
        self._send({"do": "run", "source": source})
        header, _ = self._receive(within=self.limits.clock, most=4 * self.limits.output + (1 << 20))
        outputs = header.get("outputs")
        return (outputs if isinstance(outputs, list) else []), header.get("count")

    def task(self, name: str) -> None:
        """From here on ``call`` reaches this function of the notebook, in a fork of its own."""
        self._send({"do": "task", "name": name})

    def call(self, arguments: list[dict[str, object]], body: bytes, within: float) -> Frame:
        """One call. A frame with ``ended`` says that the fork died instead of answering."""
        self._send({"do": "call", "arguments": arguments}, body)
        return self._receive(within=within, most=1 << 16, body=self.limits.answer)

    def done(self) -> None:
        """The task is over; the fork ends."""
        self._send({"do": "done"})
        self._receive(within=self.limits.clock, most=1 << 16)

    def close(self) -> None:
        """End everything that runs in the sandbox."""
        for end in (self.channel, self.status):
            with contextlib.suppress(OSError):
                end.close()
        if self.warden is not None:
            try:
                self.warden.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.warden.kill()
                self.warden.wait()

    def _send(self, header: Mapping[str, object], body: bytes = b"") -> None:
        try:
            send(self.channel, header, body, within=self.limits.clock)
        except TimeoutError:
            raise self._ended("clock") from None
        except OSError:
            raise self._ended("") from None

    def _receive(self, *, within: float, most: int, body: int = 0) -> Frame:
        try:
            return receive(self.channel, within=within, header=most, body=body)
        except TimeoutError:
            raise self._ended("clock") from None
        except BadFrame:
            raise self._ended("flood") from None
        except (EOFError, OSError):
            raise self._ended("") from None

    def _ended(self, why: str) -> Ended:
        """Ask the warden why, and close."""
        told: dict[str, Any] = {}
        if not why:
            try:
                self.status.settimeout(REPORTED)
                told = json.loads(self.status.recv(1 << 16))
            except (OSError, ValueError):  # closed without a word: the warden was killed, too
                why = "gone"
        self.close()
        why = why or str(told.get("why", ""))
        code = told.get("exit", 0)
        code = 128 - code if code > 128 else code
        if why in WORDS:
            return Ended(why, WORDS[why])
        if why and why != "asked":
            return Ended("start", f"the sandbox could not be set up: {why}")
        return Ended("cpu" if -code in PROCESSOR_TIME else "", ended_by(code))


PROCESSOR_TIME = (24, 26, 27)  # SIGXCPU, SIGVTALRM, SIGPROF


def ended_by(code: int) -> str:
    """Words for the exit code of a process; negative for a signal."""
    if -code in PROCESSOR_TIME:
        return "it used more processor time than a cell or task may"
    if code < 0:
        names = {
            9: "it was killed",
            11: "it crashed (segmentation fault)",
            6: "it aborted",
            25: "its file was too large",
        }
        return names.get(-code, f"it was ended by signal {-code}")
    return f"it ended its own process, with exit code {code}"


def pair(kind: int = socket.SOCK_STREAM) -> tuple[socket.socket, socket.socket]:
    """Two connected sockets, neither inherited by other programs."""
    one, two = socket.socketpair(socket.AF_UNIX, kind)
    for end in (one, two):
        os.set_inheritable(end.fileno(), False)
    return one, two
