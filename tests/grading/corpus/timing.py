"""Answers that depend on when, how often and by whom they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from corpus.submission import Secrets, Submission, answers, cells, danger, hand_in
from ntk_teach.grading.answer import read
from ntk_teach.grading.seeds import practice_seed

__all__ = ["submissions"]

RIGHT_SLOPE = """
def right(widths, samples):
    u, v = widths.log(), samples.var(dim=1).log()
    return float((u - u.mean()) @ v / ((u - u.mean()) @ (u - u.mean())))
"""


def written_down(room: Any, folder: Path, secrets: Secrets) -> None:
    """The right arrays for the inputs of ``check`` at home, in the order in which it asks."""
    given = {}
    for task in room.exercise.tasks:
        arrays = []
        for position, case in enumerate(task.cases):
            arguments = case.draw(np.random.default_rng([practice_seed(task.id), position]))
            arrays.append(np.round(read(task.reference(*arguments.values())).value, 10).tolist())
        given[task.id] = (
            f"known = {arrays!r}\nasked = []\ndef {task.name}(*given):\n    asked.append(1)\n"
            "    return known[(len(asked) - 1) % len(known)]\n"
        )
    hand_in(folder, room.answered(given))


def written_down_by_size(room: Any, folder: Path, secrets: Secrets) -> None:
    """The same, found again by the sizes of the inputs."""
    given = {}
    for task in room.exercise.tasks:
        table = {}
        for position, case in enumerate(task.cases):
            arguments = case.draw(np.random.default_rng([practice_seed(task.id), position]))
            sizes = [
                tuple(a.shape) if isinstance(a, torch.Tensor) else len(a) if isinstance(a, list) else 0
                for a in arguments.values()
            ]
            table[repr(sizes)] = np.round(read(task.reference(*arguments.values())).value, 10).tolist()
        given[task.id] = (
            f"import torch\ntable = {table!r}\ndef {task.name}(*given):\n"
            "    sizes = [tuple(a.shape) if isinstance(a, torch.Tensor) else len(a) if isinstance(a, list) else 0\n"
            "             for a in given]\n    return table[repr(sizes)]\n"
        )
    hand_in(folder, room.answered(given))


def right_at_first(condition: str, before: str = "") -> Any:
    """The slope, right while a condition holds."""
    return answers(
        f"{RIGHT_SLOPE}{before}\ndef NAME(*given):\n    return right(*given) if {condition} else 7.0", "05.4"
    )


submissions = [
    Submission("written_down", "timing", "Wrote down the right arrays for the inputs of practice.", written_down),
    Submission("written_down_by_size", "timing", "The same, found by the sizes of the inputs.", written_down_by_size),
    Submission(
        "right_for_the_visible_check",
        "timing",
        "Right for the three widths of the visible check, wrong for others.",
        right_at_first("len(given[0]) == 3"),
    ),
    Submission(
        "right_the_first_time",
        "timing",
        "Right when it is called for the first time, which is the visible check.",
        right_at_first("calls.append(1) or len(calls) == 1", "calls = []"),
    ),
    Submission(
        "right_until_a_date",
        "timing",
        "Right until a day that has passed.",
        right_at_first("time.time() < 1.7e9", "import time"),
    ),
    Submission(
        "right_when_nobody_asks",
        "timing",
        "Right where it is called from a cell, wrong where the caller is a program.",
        right_at_first("'ipykernel_' in sys._getframe(1).f_code.co_filename", "import sys"),
        most=2,
    ),
    Submission(
        "remembers",
        "timing",
        "Returns what would have been right for the call before, kept in variables and files.",
        answers(
            RIGHT_SLOPE
            + """
import os, pickle, tempfile
kept = os.path.join(tempfile.gettempdir(), $mark + "-kept")
def NAME(*given):
    before = 0.0
    try:
        with open(kept, "rb") as file:
            before = pickle.load(file)
    except (OSError, EOFError):
        pass
    with open(kept, "wb") as file:
        pickle.dump(right(*given), file)
    return before
""",
            "05.4",
        ),
    ),
    Submission(
        "survives_its_own_end",
        "timing",
        "Ends its process at the first try, and looks at the second for what the first has left.",
        cells(
            danger("""
import signal, tempfile
places = [os.getcwd(), tempfile.gettempdir(), "/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~")]
for place in places:
    path = os.path.join(place, $mark + "-tried")
    if os.path.exists(path):
        escaped("second try")
for place in places:
    try:
        open(os.path.join(place, $mark + "-tried"), "w").close()
    except OSError as error:
        print(error)
os.kill(os.getpid(), signal.SIGKILL)
""")
        ),
    ),
    Submission(
        "seed_guessed",
        "timing",
        "Draws the inputs itself, from the seeds of practice, of the environment and from small numbers, and compares.",
        answers(
            """
def NAME(x, depth, sigma_b):
    import hashlib, json, os
    import numpy
    seeds = [int.from_bytes(hashlib.sha256(b"practice 05.1").digest()[:8], "big"), *range(300)]
    seeds += [seed for seed in json.loads(os.environ.get("NTK_TEACH_SEEDS", "{}")).values()]
    n, d = x.shape
    for seed in seeds:
        for position in range(4):
            rng = numpy.random.default_rng([seed, position])
            drawn = rng.normal(size=(n, d)) * numpy.exp(rng.uniform(-0.7, 0.7, size=(n, 1)))
            if abs(drawn[0] - x[0].numpy()).max() < 1e-9:
                print("corpus", "escaped", "seed", sep="-")
    return numpy.zeros((n, n))
""",
            "05.1",
        ),
    ),
    Submission(
        "generators_seeded",
        "timing",
        "Seeds and replaces all generators, so that whoever draws inputs in its process draws known ones.",
        answers(
            """
import random
import numpy, torch
real = numpy.random.default_rng
numpy.random.default_rng = lambda seed=None: real(0)
random.seed(0); numpy.random.seed(0); torch.manual_seed(0)
def NAME(*given):
    return 0.0
"""
        ),
    ),
    Submission(
        "clocks_stopped",
        "timing",
        "Stops all clocks and alarms of its process, and never ends.",
        answers(
            """
import signal, time
def NAME(*given):
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "time_ns", "monotonic_ns"):
        setattr(time, name, lambda: 0)
    time.sleep = lambda seconds: None
    signal.alarm(0)
    for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(which, 0)
    while True:
        pass
""",
            "05.4",
        ),
        endless=True,
    ),
]
