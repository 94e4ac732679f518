"""Inside the sandbox: an interpreter that runs cells and calls functions as it is told, over one socket.

Nothing here is trusted by the grader: a student's code shares this process and may rewrite all of it. What it can reach
by that is its own answers, which it was to write anyway.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from ntk_teach.grading.sandbox import provided, shell, tasks
from ntk_teach.grading.sandbox.frames import receive, send
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.view import HOME

__all__ = ["live", "warm"]

LARGEST = 64 << 20  # bytes of the arguments of a call
ENVIRONMENT = {
    "HOME": HOME,
    "TMPDIR": "/tmp",
    "USER": "student",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": HOME,
    "IPYTHONDIR": f"{HOME}/.ipython",
}


def warm() -> None:
    """Import what a notebook imports, and use once what is slow at its first use."""
    import importlib

    import numpy
    import torch
    from torch.func import functional_call, jacrev, vmap

    for name in ("matplotlib.pyplot", "scipy.special", "jaxtyping", "torch.nn.functional", "IPython.core.completer"):
        importlib.import_module(name)
    torch.set_num_threads(1)
    os.register_at_fork(after_in_child=partial(_renew, torch.set_num_threads))
    with torch.random.fork_rng(devices=[]):
        layer = torch.nn.Linear(2, 2)
        parameters, x = dict(layer.named_parameters()), torch.ones(3, 2)
        jacrev(lambda p: functional_call(layer, p, (x,)).sum(1))(parameters)
        vmap(jacrev(lambda a: (a @ a, a)), 0)(x)
        torch.autograd.grad(layer(x).sum(), list(layer.parameters()))
    numpy.linalg.eigh(numpy.eye(3))
    shell.make()


def _renew(set_num_threads: Callable[[int], None]) -> None:
    """Give a fork its own pool of threads and its own autograd engine, while it has one thread.

    torch would do so at its first use of them, and without a lock: two threads of a student that came at once would
    find no pool ("Invalid thread pool!") or an engine already freed.
    """
    import torch

    set_num_threads(1)
    torch.ones((), requires_grad=True).exp()


def live(channel: socket.socket, limits: Limits) -> None:
    """Do what arrives until the other side closes."""
    home = HOME if os.path.isdir(HOME) else os.getcwd()
    os.environ.clear()
    os.environ.update(ENVIRONMENT | {"HOME": home, "PATH": f"{sys.prefix}/bin:/usr/bin:/bin"})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    hello, _ = receive(channel, within=60, header=LARGEST)
    sys.path[:] = [path for path in sys.path if os.path.isdir(path) or path.endswith(".zip")] + [home]
    sys.path_importer_cache.clear()
    provided.install(hello["library"], hello["refusal"])
    _seed()
    _one_thread()
    session = shell.make()
    session.open(limits)
    own = os.getpid()
    send(channel, {"ready": own})
    while True:
        try:
            order, _ = receive(channel, within=limits.wall, header=LARGEST, body=LARGEST)
        except (EOFError, TimeoutError):
            return
        if order["do"] in ("run", "task"):  # the rest was meant for a fork that had already ended, and was told so
            done = _done(order, channel, session, limits)
            if os.getpid() != own:
                return  # a process that a cell has made, and that came to the end of the cell too: one of them answers
            send(channel, done)


def _done(order: dict[str, Any], channel: socket.socket, session: shell.Shell, limits: Limits) -> dict[str, object]:
    if order["do"] == "run":
        with tasks.clock(limits.cpu):
            return {"outputs": session.run(order["source"]), "count": session.cells}
    return {"ended": tasks.serve(channel, session.user_ns.get(order["name"]), order["name"], limits)}


def _seed() -> None:
    """The same for everybody, so that a grading can be repeated; a fork would share its parent's numbers anyway."""
    import numpy
    import torch

    random.seed(0)
    numpy.random.seed(0)  # noqa: NPY002  (the generator that students' notebooks use without naming it)
    torch.manual_seed(0)


def _one_thread() -> None:
    """A process that has computed with several threads cannot fork: the copy would wait for threads that it lacks."""
    import torch

    def ignored(number: int) -> None:
        """The number of threads stays one while this notebook is graded."""

    for name in ("set_num_threads", "set_num_interop_threads"):
        setattr(torch, name, ignored)
