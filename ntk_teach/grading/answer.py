"""From whatever a student's function returns to an array of float64, or to a sentence that says what is wrong."""

from __future__ import annotations

import copy
import linecache
import numbers
import os
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Argument, Arguments

__all__ = ["Answer", "ask", "read"]


@dataclass(frozen=True)
class Answer:
    """What one call gave.

    Args:
        kind: ``value``, or why there is none: ``unanswered``, ``raised``, ``nothing``, ``unreadable``, ``mutated``.
        value: the array in float64, for the kind ``value``.
        problem: the sentence for the student, for the other kinds.
        single: the array arrived in float32, so it is compared with that precision.
        note: an oddity that is accepted.
    """

    kind: str
    value: NDArray[np.float64] | None = None
    problem: str = ""
    single: bool = False
    note: str = ""


def ask(function: Callable[..., object], arguments: Arguments) -> Answer:
    """Call the function on its own copy of the arguments, and read what comes back.

    Arguments go by position: their names are the student's to choose. Whatever is raised becomes a sentence.
    """
    given = [_copied(argument) for argument in arguments.values()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a division warning in a right answer is no fault
            raw = function(*given)
    except NotImplementedError:
        return Answer("unanswered", problem="not answered yet: replace the line that raises NotImplementedError")
    except (Exception, SystemExit) as error:
        return Answer("raised", problem=_told(error))
    for name, before, after in zip(arguments, arguments.values(), given, strict=True):
        if not _unchanged(before, after):
            problem = f"your function changes its argument {name!r} in place: work on a copy, or write `a = a + b`"
            return Answer("mutated", problem=problem)
    return read(raw)


def read(raw: object) -> Answer:
    """Accept numpy, torch, lists and numbers; refuse what is not an array of real numbers, with its reason."""
    if raw is None:
        return Answer("nothing", problem="your function returned None: is a `return` missing, or on the wrong indent?")
    note = ""
    if isinstance(raw, Tensor):
        if raw.requires_grad:
            note = "the result requires a gradient; it was detached"
        raw = raw.detach().cpu().to_dense().resolve_conj().resolve_neg()
        if str(raw.dtype) in ("torch.float16", "torch.bfloat16"):
            return Answer("unreadable", problem=f"the result is {raw.dtype}, with 3 digits: return float64 or float32")
    try:
        array = np.asarray(_detached(raw))
    except ValueError:
        problem = f"the result, a {type(raw).__name__}, is not an array: its rows have different lengths"
        return Answer("unreadable", problem=problem)
    except Exception as error:  # an object of the student's may raise anything when it is made an array
        problem = f"the result, a {type(raw).__name__}, cannot be made an array ({type(error).__name__}: {error})"[:300]
        return Answer("unreadable", problem=problem)
    if array.dtype.kind not in "iuf":
        problem = f"expected an array of real numbers, received {type(raw).__name__} of {array.dtype}"
        return Answer("unreadable", problem=problem)
    if array.dtype == np.float16:
        return Answer("unreadable", problem="the result is float16, with 3 digits: return float64 or float32")
    if not isinstance(raw, (Tensor, np.ndarray, numbers.Real)):
        note = f"a {type(raw).__name__} was read as an array"
    return Answer("value", array.astype(np.float64), single=array.dtype == np.float32, note=note)


def _detached(raw: object) -> object:
    """Tensors in lists as numbers: numpy refuses those that require a gradient, and knows no bfloat16."""
    if isinstance(raw, Tensor):
        return raw.detach().cpu().double().numpy() if str(raw.dtype) == "torch.bfloat16" else raw.detach().cpu().numpy()
    return [_detached(part) for part in raw] if isinstance(raw, (list, tuple)) else raw


def _copied(argument: Argument) -> Argument:
    if isinstance(argument, Tensor):
        return argument.clone()
    return copy.deepcopy(argument)


def _unchanged(before: Argument, after: Argument) -> bool:
    if isinstance(before, Tensor):
        return isinstance(after, Tensor) and before.shape == after.shape and bool((before == after).all())
    if isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            return False
        return all(_unchanged(b, a) for b, a in zip(before, after, strict=True))
    return True  # numbers cannot change


def _told(error: BaseException) -> str:
    """Type, text and the line of the student's code where it was raised: the last frame that is not a library's."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is ours
    theirs = ("site-packages", os.path.join("grading", "sandbox"))  # a library's, and where a sandbox runs the function
    own = [frame for frame in frames if not any(part in frame.filename for part in theirs)] or frames
    text = " ".join(str(error).split()) or "without a text"
    shown = text if len(text) <= 300 else text[:300] + " …"
    place = ""
    if own:
        last = own[-1]
        line = (last.line or linecache.getline(last.filename, last.lineno or 0)).strip()
        place = f", at line {last.lineno} of {last.name}: `{line}`" if line else f", in {last.name}"
    return f"your function raised {type(error).__name__}: {shown}{place}"
