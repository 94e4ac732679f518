"""A function that lives in a sandbox, asked as if it lived here: arrays go over as npy, and come back looked at."""

from __future__ import annotations

import io
import math
import re

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.answer import Answer
from ntk_teach.grading.classroom.sanitize import plain
from ntk_teach.grading.sandbox.process import PROCESSOR_TIME, Ended, Sandboxed, ended_by
from ntk_teach.grading.task import Arguments

__all__ = ["Missing", "Remote", "loaded"]

# An npy file of float64 as numpy writes it. Nothing is evaluated to read it, and no other form is taken.
HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<f8', 'fortran_order': (True|False), 'shape': \(([0-9, ]{0,400})\), \} *\n",
    re.DOTALL,
)
AXES = 32
SILENT = ("unanswered", "raised", "nothing", "unreadable", "mutated")
DIGITS = re.compile(r"(\d\.\d{3})\d{3,}")  # a message must not carry the grader's inputs out


class Missing(Exception):  # noqa: N818  (a reason, not a fault of ours)
    """The notebook has no such function."""


class Remote:
    """``answering`` of ``judge.judge``: arguments to an answer, until the function's process has died.

    Args:
        box: the sandbox, told which task it is.
        patience: seconds on the clock for each call.
    """

    def __init__(self, box: Sandboxed, patience: float) -> None:
        self.box, self.patience = box, patience
        self.dead: Answer | None = None
        self.over = False  # a limit ended it
        self.waits = True  # its fork is there, and wants to hear that the task is over
        self.lost = False  # the whole sandbox is gone

    def __call__(self, arguments: Arguments) -> Answer:
        if self.dead is None:
            answer = self._asked(arguments)
            if not self.dead:
                return answer
        return self.dead

    def _asked(self, arguments: Arguments) -> Answer:
        described, body = packed(arguments)
        try:
            header, content = self.box.call(described, body, self.patience)
        except Ended as end:
            self.lost, self.waits, self.over = True, False, end.why not in ("", "flood")
            return self._died(f"your function stopped the whole notebook: {end}")
        if "ended" in header:
            code, self.waits = header["ended"], False
            code = code if isinstance(code, int) and abs(code) < 256 else 1
            self.over = -code in PROCESSOR_TIME
            return self._died(f"your function stopped its process: {ended_by(code)}")
        kind, problem = header.get("kind"), line(header.get("problem"), 400)
        if kind == "missing":
            raise Missing(problem)
        if header.get("over"):
            self.over = True
            return self._died(problem)
        if kind in SILENT:
            return Answer(str(kind), problem=DIGITS.sub(r"\1…", problem))
        value = loaded(content) if kind == "value" else None
        if value is None:
            return Answer("unreadable", problem="what came back is not an array of real numbers")
        return Answer("value", value, single=bool(header.get("single")), note=line(header.get("note"), 200))

    def _died(self, problem: str) -> Answer:
        self.dead = Answer("raised", problem=problem)
        return self.dead


def line(claimed: object, most: int) -> str:
    """One line of a verdict, from what should be a text: a second line could look like a verdict of its own."""
    return " ".join(plain(claimed, most).split()) if isinstance(claimed, str) else ""


def packed(arguments: Arguments) -> tuple[list[dict[str, object]], bytes]:
    """Descriptions of the arguments, and the arrays among them one after the other."""
    described: list[dict[str, object]] = []
    stream = io.BytesIO()
    for name, argument in arguments.items():
        if isinstance(argument, Tensor):
            np.save(stream, argument.numpy(), allow_pickle=False)
            described.append({"name": name, "kind": "tensor"})
        elif isinstance(argument, list):
            for part in argument:
                np.save(stream, part.numpy(), allow_pickle=False)
            described.append({"name": name, "kind": "list", "value": [0] * len(argument)})
        else:
            described.append({"name": name, "kind": "number", "value": argument})
    return described, stream.getvalue()


def loaded(content: bytes) -> NDArray[np.float64] | None:
    """The array in an npy file of float64; None for anything else. Sizes are compared before any memory is taken."""
    header = HEADER.match(content)
    if header is None:
        return None
    shape = [int(axis) for axis in header[2].replace(b" ", b"").split(b",") if axis]
    if len(shape) > AXES or max(shape, default=0) > len(content) or math.prod(shape) * 8 != len(content) - header.end():
        return None
    flat = np.frombuffer(content, np.dtype("<f8"), offset=header.end())
    return np.array(flat.reshape(shape, order="F" if header[1] == b"True" else "C"))
