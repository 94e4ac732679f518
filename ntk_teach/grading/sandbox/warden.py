"""The process between grader and sandbox: it starts the sandbox, counts what all its processes use, and ends it.

Three processes for each submission. The warden stays in the machine's namespaces and never runs a student's line. Its
child is process 1 of the sandbox: when that one ends, the kernel ends everything in there, daemons too. Its grandchild
is the interpreter in which the notebook runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator

from ntk_teach.grading.sandbox import system
from ntk_teach.grading.sandbox.confine import confine
from ntk_teach.grading.sandbox.frames import send
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.view import arrange

__all__ = ["enclose", "watch"]

LOOK = 0.05  # seconds between two looks at the processes of a sandbox
KIB = 1024


def enclose(
    channel: socket.socket,
    status: socket.socket,
    limits: Limits,
    *,
    uid: int | None,
    shows: list[str],
    hides: list[str],
    inside: Callable[[], None],
) -> None:
    """Become the warden of a new sandbox; returns when the sandbox has ended and that was reported on ``status``.

    Args:
        channel: what the interpreter inside talks through.
        status: to the grader, who ends the sandbox by closing it.
        limits: what the submission may use.
        uid: the user inside, when called by root; None makes a user namespace, in which the user owns nothing.
        shows, hides: see ``view.arrange``.
        inside: what runs in the sandbox.
    """
    os.setsid()
    system.die_with_parent()
    system.name_process("ntk-warden")
    user, group = os.getuid(), os.getgid()
    system.unshare(system.NEW_PROCESSES | (system.NEW_USER if uid is None else 0))
    if uid is None:
        for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {user} 1"), ("gid_map", f"1000 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    first = os.fork()
    if first == 0:
        _be_first(channel, limits, uid, shows, hides, inside)
    channel.close()
    watch(first, status, limits)


def _be_first(
    channel: socket.socket,
    limits: Limits,
    uid: int | None,
    shows: list[str],
    hides: list[str],
    inside: Callable[[], None],
) -> None:
    """Process 1 of the sandbox: build it, give up all rights, start the interpreter, wait for whoever ends."""
    code = 1
    try:
        system.die_with_parent()
        os.closerange(channel.fileno() + 1, 4096)
        system.unshare(system.NEW_MOUNTS | system.NEW_UTS | system.NEW_IPC | system.NEW_NETWORK)
        own = 1000 if uid is None else uid
        arrange(own, own, shows=shows, hides=hides, disk=limits.disk)
        confine(limits, uid)
        system.name_process("ntk-first")
        system.own_memory(False)  # code put into this one would be counted as nobody's
        child = os.fork()
        if child == 0:
            system.own_memory(True)
            # Not process 1, which ignores the signals it sends itself; and the leader of a session of its own.
            os.setsid()
            system.die_with_parent()
            inside()
            os._exit(0)
        channel.close()
        while True:
            ended, result = os.wait()
            if ended == child:
                code = _code(result)
                break
    except BaseException as error:
        with contextlib.suppress(OSError, TimeoutError):  # nobody listens any more
            send(channel, {"failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(code)


def watch(first: int, status: socket.socket, limits: Limits, own: int = 0) -> None:
    """Wait for the sandbox whose process 1 this is; end it when it uses too much or the grader closes ``status``.

    Args:
        first, status, limits: see ``enclose``.
        own: bytes that an interpreter which is no fork of ours may have beyond the limits.
    """
    shared = _memory(os.getpid())[0]
    end = time.monotonic() + limits.wall
    asked = select.poll()
    asked.register(status, select.POLLIN)
    why = ""
    while True:
        ended, result = os.waitpid(first, os.WNOHANG)
        if ended:
            break
        if not why:
            why = _too_much(first, limits, shared, own)
            if time.monotonic() > end:
                why = "wall"
            if asked.poll(LOOK * 1000):
                why = why or "asked"  # closed: nothing is ever sent in this direction
            if why:
                _end(first)
        else:
            time.sleep(0.005)
    with contextlib.suppress(OSError):
        status.setblocking(False)
        status.send(json.dumps({"exit": _code(result), "why": why}).encode())


def _end(first: int) -> None:
    """The first process, and with its namespace all others; without a namespace, everything that descends from it."""
    for pid in [first, *_below(first)]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _too_much(first: int, limits: Limits, shared: int, own: int) -> str:
    used = processes = 0
    for pid in _below(first):
        memory, threads = _memory(pid)
        used += max(memory - shared, 0)
        processes += threads
    if used > limits.memory + own:
        return "memory"
    return "processes" if processes > limits.processes + 8 else ""


def _below(pid: int) -> Iterator[int]:
    """All descendants. An orphan in the sandbox is a child of its process 1."""
    for task in _threads(pid):
        try:
            with open(f"/proc/{pid}/task/{task}/children") as file:
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from _below(child)


def _threads(pid: int) -> list[str]:
    """Of one process; none of one that has just ended."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _memory(pid: int) -> tuple[int, int]:
    """(bytes in memory that are not a file's, threads) of one process; nothing for one that has just ended."""
    found = _status(f"/proc/{pid}/status")
    for thread in () if b"RssAnon" in found else _threads(pid):  # if the first one has ended, the others tell
        found = _status(f"/proc/{pid}/task/{thread}/status") | found
    return (found.get(b"RssAnon", 0) + found.get(b"RssShmem", 0)) * KIB, found.get(b"Threads", 0)


def _status(path: str) -> dict[bytes, int]:
    """The numbers in such a file. It is read as bytes: the process names itself there, and not always in UTF-8."""
    found = {}
    with contextlib.suppress(OSError), open(path, "rb") as file:
        for line in file:
            name, _, value = line.partition(b":")
            if name in (b"RssAnon", b"RssShmem", b"Threads"):
                found[name] = int(value.split()[0])
    return found


def _code(result: int) -> int:
    """As a shell says it: the exit code, or 128 + the signal."""
    code = os.waitstatus_to_exitcode(result)
    return code if code >= 0 else 128 - code
