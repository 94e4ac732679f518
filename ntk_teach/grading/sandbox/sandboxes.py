"""Sandboxes for a class: one warm interpreter, and a fork of it for each submission."""

from __future__ import annotations

import atexit
import contextlib
import json
import select
import shutil
import socket
import subprocess
import tempfile
import threading
from dataclasses import asdict

from ntk_teach.grading.sandbox.launch import cold, environment, paths, python
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.process import STARTED, Sandboxed, pair

__all__ = ["Sandboxes", "close", "sandboxes"]

WARM = ("root", "user")  # the backends that fork a warm interpreter


class Sandboxes:
    """Starts sandboxes of one backend (see ``backends.chosen``). Safe to use from several threads."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self._folder = ""
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False
        if backend in WARM:
            self._folder = tempfile.mkdtemp(prefix="ntk-sandbox-")
            self._start()

    def open(self, limits: Limits) -> Sandboxed:
        """A new sandbox, which is still to ``begin``. Raises OSError if none can be started."""
        if self.backend not in WARM:
            return cold(self.backend, limits)
        channel, theirs = pair()
        status, wardens = pair()
        one = Sandboxed(channel, status, limits, self.backend)
        with contextlib.closing(theirs), contextlib.closing(wardens):
            try:
                self._ask(limits, [theirs.fileno(), wardens.fileno()])
            except OSError:
                one.close()
                raise
        return one

    def wait(self) -> None:
        """Return when the first sandbox can be opened. Raises OSError if none ever can."""
        if self.backend in WARM:
            with self._lock:
                self._await()

    def alive(self) -> bool:
        """Can another sandbox be opened? Its end of the socket says so in a fork of this process, too."""
        if self.backend not in WARM:
            return True
        if self._control is None:
            return False
        watched = select.poll()
        watched.register(self._control, 0)
        return not watched.poll(0)

    def close(self) -> None:
        """End the warm interpreter, and with it every sandbox that is left."""
        self._end()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Sandboxes:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self) -> None:
        self._control, theirs = pair(socket.SOCK_SEQPACKET)
        self._control.settimeout(STARTED)
        self._ready = False
        with contextlib.closing(theirs):
            self._zygote = subprocess.Popen(
                python("zygote", str(theirs.fileno()), self._folder),
                pass_fds=[theirs.fileno()],
                env=environment(self._folder),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )

    def _ask(self, limits: Limits, descriptors: list[int]) -> None:
        shows, hides = paths()
        request = {"backend": self.backend, "limits": asdict(limits), "shows": shows, "hides": hides}
        with self._lock:
            if self._ready and not self.alive():  # killed, by a person or for want of memory: once more
                self._end()
                self._start()
            control = self._await()
            try:
                socket.send_fds(control, [json.dumps(request).encode()], descriptors)
            except OSError as error:
                raise OSError(f"the warm interpreter has ended: {self._end() or error}") from None

    def _await(self) -> socket.socket:
        """The way to it, once it has said that it is ready."""
        try:
            if self._control is None:
                raise OSError("closed")
            self._ready = self._ready or bool(self._control.recv(1 << 16))
            if not self._ready:
                raise OSError("no word from it")
        except OSError as error:
            raise OSError(f"the warm interpreter has ended: {self._end() or error}") from None
        return self._control

    def _end(self) -> str:
        """End the warm interpreter; the last line of what it said."""
        self._ready = False
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._zygote is None:
            return ""
        self._zygote.kill()
        said = self._zygote.communicate()[1].decode("utf-8", "replace").strip().splitlines()
        self._zygote = None
        return said[-1] if said else ""


_open: dict[str, Sandboxes] = {}
_one_at_a_time = threading.Lock()


def sandboxes(backend: str) -> Sandboxes:
    """The sandboxes of this process: its warm interpreter is started once, and again if it has died."""
    with _one_at_a_time:
        known = _open.get(backend)
        if known is None or not known.alive():
            if known is not None:
                known.close()
            _open[backend] = known = Sandboxes(backend)
        return known


@atexit.register
def close() -> None:
    """End the warm interpreters of this process."""
    for one in _open.values():
        one.close()
    _open.clear()
