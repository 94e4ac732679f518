"""How a command ends when it does not end by itself: a signal, a reader who has gone, a disk that takes no more.

The exit codes are a shell's: 128 and the number of the signal. Whoever asks twice is obeyed at once.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

from ntk_teach.errors import sentence
from ntk_teach.grading.cli.command import REFUSED

__all__ = ["CLOSED_PIPE", "Stopped", "flushed", "obeying", "streams", "told"]

CLOSED_PIPE = 141  # what a program has that the signal of a closed pipe ended; Python turns that signal into an error
# What a machine may refuse at any moment. Any other error of the system would be a fault of ours, and is shown whole.
REFUSALS = {errno.EPIPE, errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENOMEM}
REFUSALS |= {getattr(errno, name) for name in ("EDQUOT", "ESTALE", "ENFILE") if hasattr(errno, name)}
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_listening: dict[int, int] = {}  # the process that shall hear of a signal


class Stopped(KeyboardInterrupt):
    """A signal asked this program to end: for all that lies between, the same as Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


@contextlib.contextmanager
def obeying() -> Iterator[None]:
    """Turn the first signal into ``Stopped``; the second one ends the program where it stands."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    # What is ignored stays so: nohup wants a program that goes on without its terminal.
    asked = [number for number, old in before.items() if old not in (signal.SIG_IGN, None)]
    for number in asked:
        _listening[number] = os.getpid()
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in asked:
            if signal.getsignal(number) is _stop:  # otherwise this program is about to end
                signal.signal(number, before[number])


def _stop(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _listening.get(number):  # a fork that has not yet said what it wants: it has nothing to tell
        os._exit(128 + number)
    for one in SIGNALS:
        if signal.getsignal(one) is _stop:
            signal.signal(one, _leave)
    raise Stopped(number)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)  # the sandboxes end by themselves: they see their connection close


def told(error: BaseException) -> int:
    """Say why the command ends; return the exit code. What is a fault of ours is raised again."""
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE  # whoever closed it knows, and nobody listens
    if isinstance(error, KeyboardInterrupt):
        _say("stopped; what was finished is kept, run the same command again to go on")
        return error.code if isinstance(error, Stopped) else 128 + signal.SIGINT
    if isinstance(error, OSError):
        if error.errno not in REFUSALS:
            raise error
        received = f"{error.strerror or error}: {error.filename}" if error.filename else error.strerror or str(error)
        do = "free some space or mend its rights, and run this again: what was finished is kept"
        _say(sentence("this machine", "to read and write files", received, do))
        return REFUSED
    _say(str(error))
    return REFUSED


def streams() -> None:
    """Standard streams that stand any text. One that was closed leads nowhere: its number is no gradebook's."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the system gives the lowest number that is free
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a letter that this terminal lacks ends nothing


def flushed(code: int) -> int:
    """Give away what is written and not yet read; the exit code changes where nobody takes it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # None: the program was started with it closed
            try:
                stream.flush()
            except (OSError, ValueError) as error:
                _nowhere(stream)
                code = told(error)
    return code


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # whoever had closed this one learns it from the exit code
        print(f"ntk-teach: {text}", file=sys.stderr, flush=True)


def _nowhere(stream: TextIO) -> None:
    """What Python still holds for this stream is not written anymore, and is not complained about."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
