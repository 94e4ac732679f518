"""One task, in a fork of its own: a crash or an endless loop ends the fork, and the notebook goes on."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from types import FrameType

import numpy as np
import torch

from ntk_teach.grading.answer import Answer, ask
from ntk_teach.grading.sandbox import system
from ntk_teach.grading.sandbox.frames import receive, send
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.task import Argument

__all__ = ["clock", "serve", "unpacked"]

LARGEST = 64 << 20
PLACES = 15.0  # seconds to wait for a place for one more process


class OutOfTime(TimeoutError):  # noqa: N818  (a reason, not a fault of ours)
    """Raised in the student's code when the processor time is used up."""


def serve(channel: socket.socket, function: object, name: str, limits: Limits) -> int:
    """Answer the grader's calls of one function; the exit code of the fork, negative for a signal."""
    child = _forked()
    if child == 0:
        try:
            os.setsid()
            with contextlib.suppress(OSError, AttributeError):
                system.die_with_parent()
            nothing = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):  # what a function prints while it is graded would show the grader's inputs
                os.dup2(nothing, standard)
            hard, most = int(limits.cpu) + 3, resource.getrlimit(resource.RLIMIT_CPU)[1]
            hard = hard if most == resource.RLIM_INFINITY else min(hard, most)  # what is left of the whole may be less
            resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
            with clock(limits.cpu):
                _answer(channel, function, name)
        except BaseException:
            os._exit(70)
        os._exit(0)
    try:
        _, result = os.waitpid(child, 0)
    except ChildProcessError:  # the notebook has asked the system not to keep what became of its children
        result = 0
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(result)


def _forked() -> int:
    """A fork. Processes that a cell has made may take all places: those that have ended, until somebody asks for their
    exit code, and those that are about to."""
    end = time.monotonic() + PLACES
    while True:
        try:
            return os.fork()
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.05)


def _answer(channel: socket.socket, function: object, name: str) -> None:
    asked = os.getpid()
    while True:
        order, body = receive(channel, within=3600, header=1 << 20, body=LARGEST)
        if order["do"] != "call":
            return
        if not callable(function):
            what = "there is no function" if function is None else f"it is a {type(function).__name__}:"
            send(channel, {"kind": "missing", "problem": f"{what} `{name}`"})
            continue
        arguments = unpacked(order["arguments"], body)
        try:
            answer = ask(function, arguments)
        except BaseException as error:
            answer = Answer("raised", problem=f"your function raised {type(error).__name__}")
        if os.getpid() != asked:
            return  # a process that the function has made, and that came back from it too: one of them answers
        header = {"kind": answer.kind, "problem": answer.problem, "single": answer.single, "note": answer.note}
        if "OutOfTime" in answer.problem:
            header["over"] = "cpu"
        buffer = io.BytesIO()
        if answer.value is not None:
            np.save(buffer, answer.value, allow_pickle=False)
        send(channel, header, buffer.getvalue())


def unpacked(described: list[dict[str, object]], body: bytes) -> dict[str, Argument]:
    """Arguments from their description and the arrays in the body, in order."""
    stream = io.BytesIO(body)

    def one(kind: object, value: object) -> Argument:
        if kind == "tensor":
            return torch.from_numpy(np.load(stream, allow_pickle=False))
        if kind == "list" and isinstance(value, list):
            return [torch.from_numpy(np.load(stream, allow_pickle=False)) for _ in value]
        if isinstance(value, (int, float)):
            return value
        raise TypeError(f"argument of kind {kind}")

    return {str(item["name"]): one(item["kind"], item.get("value")) for item in described}


@contextlib.contextmanager
def clock(seconds: float) -> Iterator[None]:
    """Processor time for what is inside: an exception in the code when it is used up, the end of the process if that
    is caught, or never reached because a library does not return.
    """

    def over(number: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True  # IPython leaves this frame out
        raise OutOfTime(f"more than {seconds:g} s of processor time")

    # The second timer, for code that catches the exception or is in a library that does not return, ends the process.
    signal.signal(signal.SIGPROF, over)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds + 2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
