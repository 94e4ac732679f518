"""Programs that are started for a sandbox: what they are told and see, and nothing of the grader's environment."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.process import Sandboxed, pair
from ntk_teach.grading.sandbox.view import HOME, shown, withheld

__all__ = ["cold", "environment", "paths", "probe", "python"]

HERE = Path(__file__).parent
NEEDED = ("errors.py", "grading/answer.py", "grading/task.py", "grading/compare.py", "grading/sandbox")


@cache
def paths() -> tuple[list[str], list[str]]:
    """What a sandbox shows of the machine, and what it covers of that."""
    sites = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    interpreter = os.path.dirname(os.path.realpath(sys.executable))
    shows = shown([sys.prefix, sys.base_prefix, interpreter, *sites])
    return shows, withheld(sites, str(HERE.parents[1]), shows)


def environment(home: str) -> dict[str, str]:
    """Nothing of the grader's own: that may hold tokens, and a process shows its first environment for ever."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": home,
        "MPLCONFIGDIR": home,
        "IPYTHONDIR": home,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
    }


def python(*words: str) -> list[str]:
    """The command line of one of ``start.main``'s programs."""
    return [sys.executable, "-I", str(HERE), *words]


def cold(backend: str, limits: Limits, *, interior: str = "interior") -> Sandboxed:
    """A sandbox with an interpreter of its own: under bubblewrap, or under nothing.

    Args:
        backend: ``bubblewrap`` or ``unsandboxed``.
        limits: what the submission may use.
        interior: the program of ``start.main`` that runs inside.
    """
    channel, theirs = pair()
    status, wardens = pair()
    described = json.dumps(asdict(limits))
    confined = backend == "bubblewrap"
    inside = python(interior, str(theirs.fileno()), described, *(["confined"] if confined else []))
    program = [*_bubblewrap(limits), *inside] if confined else inside
    own = tempfile.mkdtemp(prefix="ntk-sandbox-")  # the warden removes it
    warden = python("warden", str(wardens.fileno()), described, str(theirs.fileno()), own, *program)
    with contextlib.closing(theirs), contextlib.closing(wardens):
        started = subprocess.Popen(
            warden,
            pass_fds=[theirs.fileno(), wardens.fileno()],
            env=environment(own),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return Sandboxed(channel, status, limits, backend, started)


def probe(backend: str, limits: Limits) -> None:
    """Build a sandbox and hear one word from within. Raises Ended or OSError with what went wrong."""
    folder = tempfile.mkdtemp(prefix="ntk-probe-")
    try:
        if backend == "bubblewrap":
            one = cold(backend, limits, interior="hello")
        else:
            channel, theirs = pair()
            status, wardens = pair()
            shows, hides = paths()
            request = {"backend": backend, "limits": asdict(limits), "shows": shows, "hides": hides}
            with contextlib.closing(theirs), contextlib.closing(wardens):
                started = subprocess.Popen(
                    python("probe", str(theirs.fileno()), str(wardens.fileno()), json.dumps(request)),
                    pass_fds=[theirs.fileno(), wardens.fileno()],
                    env=environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            one = Sandboxed(channel, status, limits, backend, started)
        with contextlib.closing(one):
            one.ready(within=limits.wall)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bubblewrap(limits: Limits) -> list[str]:
    words = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"]
    for name, value in environment(HOME).items():
        words += ["--setenv", name, value]
    shows, hides = paths()
    words += ["--size", str(limits.disk), "--tmpfs", "/tmp"]  # first, for what is shown may stand below it
    for path in shows:
        link = os.path.islink(path)
        words += ["--symlink", os.readlink(path), path] if link else ["--ro-bind", path, path]
    empty = [path for path in hides if os.path.isdir(path)]
    for path in hides:
        words += ["--tmpfs", path] if path in empty else ["--ro-bind", "/dev/null", path]
    words += ["--proc", "/proc", "--dev", "/dev", "--ro-bind", "/dev/null", "/dev/zero"]  # see view.DEVICES
    for folder in (HOME, "/dev/shm"):
        words += ["--size", str(limits.disk), "--tmpfs", folder]
    package = HERE.parents[1]
    for name in NEEDED:
        words += ["--ro-bind", f"{package}/{name}", f"{package}/{name}"]
    for path in (*empty, "/dev", "/"):
        words += ["--remount-ro", path]
    return [*words, "--chdir", HOME, "--"]
