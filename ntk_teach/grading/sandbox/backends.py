"""What can keep a submission apart from the machine here: each way is tried out, none is assumed."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass

from ntk_teach.errors import NTKError, sentence
from ntk_teach.grading.sandbox import launch
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.process import Ended

__all__ = ["NAMES", "UNSANDBOXED", "Backend", "SandboxError", "chosen", "found"]

UNSANDBOXED = "unsandboxed"
NAMES = ("root", "user", "bubblewrap")  # in the order of preference
ABOUT = {
    "root": "namespaces and a user of its own for each submission, from a warm interpreter",
    "user": "namespaces of an ordinary user, from a warm interpreter",
    "bubblewrap": "the program bwrap; each submission starts its own interpreter, some seconds",
    UNSANDBOXED: "NO SANDBOX: limits of one process, nothing else",
}


class SandboxError(NTKError):
    """There is no sandbox here, or not the one that was asked for."""


@dataclass(frozen=True)
class Backend:
    """One way to make a sandbox, tried out."""

    name: str
    works: bool
    detail: str


def found() -> list[Backend]:
    """Every way, tried out on this machine: a sandbox is built, and a process in it says that it lives."""
    return [_tried(name) for name in NAMES]


def chosen(asked: str = "auto") -> str:
    """The name of the backend to use.

    Args:
        asked: ``auto``: the first of NAMES that works; or one by name, which must work.

    Raises: SandboxError with what was tried and what can be done.
    """
    if asked == UNSANDBOXED:
        return asked
    tried = []
    for name in NAMES if asked == "auto" else (asked,):
        backend = _tried(name)
        if backend.works:
            return name
        tried.append(f"{name}: {backend.detail}")
    do = (
        "install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap), grade in a "
        "Linux container (see the instructor's guide), or, with submissions that you trust, say --unsandboxed"
    )
    raise SandboxError(sentence("sandbox", "a way to keep submissions apart from this machine", "; ".join(tried), do))


def _tried(name: str) -> Backend:
    if name not in NAMES:
        return Backend(name, False, f"expected one of auto, {', '.join(NAMES)}")
    if not sys.platform.startswith("linux"):
        return Backend(name, False, f"needs Linux, this is {sys.platform}")
    if name == "root" and os.getuid() != 0:
        return Backend(name, False, "needs root; an ordinary user has the next one")
    if name != "root" and os.getuid() == 0:
        do = "grade as an ordinary user" if name == "user" else "the same holds"
        return Backend(name, False, f"started by root, its processes would stay the machine's root: {do}")
    if name == "bubblewrap" and not shutil.which("bwrap"):
        return Backend(name, False, "the program bwrap is not installed")
    try:
        launch.probe(name, Limits(cpu=5, wall=20))
    except (Ended, OSError) as error:
        return Backend(name, False, str(error))
    return Backend(name, True, ABOUT[name])
