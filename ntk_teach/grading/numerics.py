"""What wrong numbers say by themselves: shape, NaN, axes, a factor, an offset, the diagonal, too few digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Task
from ntk_teach.grading.trial import Trial

__all__ = ["described"]

Array = NDArray[np.float64]
Pair = tuple[Array, Array]  # answered, expected
Labelled = Callable[[Arguments], Iterator[tuple[str, float]]]


def described(task: Task, wrong: list[Trial]) -> str:
    """One sentence about trials that all gave an array, but not the right one."""
    trial = wrong[0]
    pairs = [(t.answer.value, t.expected) for t in wrong if t.answer.value is not None]
    value, expected = pairs[0]
    axes = _axes(task, pairs)
    if axes:
        return axes
    if value.shape != expected.shape:
        return (
            f"{trial.case.name}: expected shape {list(expected.shape)}, received {list(value.shape)}; {task.signature}"
        )
    bad = np.argwhere(~np.isfinite(value))
    if len(bad):
        what = (
            f"{trial.case.name}: {len(bad)} of {value.size} entries are NaN or infinite, the first at {_place(bad[0])}"
        )
        return f"{what}. {task.when_nan}".strip()
    same_shape = [t for t in wrong if t.answer.value is not None and t.answer.value.shape == t.expected.shape]
    common = _digits(task, trial) or _factor(task, same_shape) or _offset(task, same_shape) or _diagonal(task, pairs)
    return common or _one_entry(trial)


def _axes(task: Task, pairs: list[Pair]) -> str:
    """The right numbers with their axes in another order."""
    axes = pairs[0][1].ndim
    if axes < 2 or any(value.ndim != axes for value, _ in pairs):
        return ""
    for order in permutations(range(axes)):
        if all(task.compare.agree(value.transpose(order), expected) for value, expected in pairs):
            return f"the numbers are right but the axes are not in order: transpose{order} of your result is expected"
    return ""


def _factor(task: Task, wrong: list[Trial]) -> str:
    """The answer is a multiple of the expected one: by how much, and is that a size of the inputs?"""
    ratios = []
    for trial in wrong:
        value, expected = _arrays(trial)
        at = np.unravel_index(np.abs(expected).argmax(), expected.shape)
        ratio = float(value[at] / expected[at]) if expected[at] else 0.0
        if not ratio or task.compare.error(value, np.asarray(ratio * expected)) > 10 * task.compare.rtol:
            return ""
        ratios.append(ratio)
    if sum(trial.expected.size for trial in wrong) < 2:
        return ""  # one number is always a multiple of another
    if np.ptp(ratios) <= 1e-5 * abs(ratios[0]):
        return f"your result is {ratios[0]:.6g} times the expected one, everywhere"
    for label in _common(wrong, ratios, _powers):
        return f"your result is {label} times the expected one"
    return ""


def _offset(task: Task, wrong: list[Trial]) -> str:
    """The answer is off by one number everywhere."""
    offsets = []
    for trial in wrong:
        value, expected = _arrays(trial)
        difference = value - expected
        scale = max(float(np.abs(expected).max(initial=0.0)), 1e-300)
        if value.size < 2 or float(np.ptp(difference)) > 10 * task.compare.rtol * scale:
            return ""
        offsets.append(float(difference.mean()))
    for label in _common(wrong, offsets, _values):
        return f"your result is off by the same number in every entry: {label}"
    return f"your result is off by the same number in every entry ({offsets[0]:.4g} for: {wrong[0].case.name})"


def _diagonal(task: Task, pairs: list[Pair]) -> str:
    """Square arrays that are wrong only on, or only off, the diagonal."""
    if any(value.shape != e.shape or e.ndim != 2 or e.shape[0] != e.shape[1] or len(e) < 2 for value, e in pairs):
        return ""
    on = all(task.compare.agree(np.diag(value), np.diag(e)) for value, e in pairs)
    off = all(
        task.compare.agree(value[~np.eye(len(e), dtype=bool)], e[~np.eye(len(e), dtype=bool)]) for value, e in pairs
    )
    if on and not off:
        return "the diagonal is right, the other entries are not: what changes between two different inputs?"
    return "only the diagonal is wrong: what is special about two equal inputs?" if off and not on else ""


def _digits(task: Task, trial: Trial) -> str:
    """Nearly right."""
    value, expected = _arrays(trial)
    error = task.compare.error(value, expected)
    if error > 1e-4:
        return ""
    agreed, needed = int(-np.log10(error)), int(-np.log10(task.compare.tolerance(trial.answer.single)))
    hidden = "single precision, a finite difference, a small number that you added, or a loop that stops too early"
    return f"right to {agreed} digits, expected {needed}: what is left out? Look for {hidden}"


def _one_entry(trial: Trial) -> str:
    value, expected = _arrays(trial)
    at = np.unravel_index(np.abs(value - expected).argmax(), expected.shape)
    where = f"entry {_place(at)}: " if expected.ndim else ""
    return f"{trial.case.name}: {where}expected {expected[at]:.6g}, received {value[at]:.6g}"


def _arrays(trial: Trial) -> Pair:
    if trial.answer.value is None:
        raise TypeError("expected a trial with a value")
    return trial.answer.value, trial.expected


def _place(index: object) -> str:
    return str([int(i) for i in np.atleast_1d(np.asarray(index))])


def _common(wrong: list[Trial], numbers: list[float], labelled: Labelled) -> Iterator[str]:
    """Labels that give, in every trial, the number that was found there."""
    tables = [dict(labelled(trial.arguments)) for trial in wrong]
    for label in tables[0]:
        if all(abs(table.get(label, 0.0) - n) <= 1e-5 * abs(n) for table, n in zip(tables, numbers, strict=True)):
            yield label


def _sizes(arguments: Arguments) -> Mapping[str, float]:
    sizes: dict[str, float] = {}
    for name, argument in arguments.items():
        if isinstance(argument, Tensor):
            for axis, label in zip(argument.shape, ("rows", "columns"), strict=False):
                sizes[f"(number of {label} of {name})"] = float(axis)
        elif isinstance(argument, (int, float)):
            sizes[name] = float(argument)
    return sizes


def _powers(arguments: Arguments) -> Iterator[tuple[str, float]]:
    for label, size in _sizes(arguments).items():
        if size > 0:
            yield label, size
            yield f"1/{label}", 1 / size
            yield f"√{label}", size**0.5
            yield f"1/√{label}", size**-0.5
            yield f"{label}²", size**2
            yield f"1/{label}²", size**-2


def _values(arguments: Arguments) -> Iterator[tuple[str, float]]:
    for name, value in arguments.items():
        if isinstance(value, (int, float)):
            for sign, word in ((1, ""), (-1, "minus ")):
                yield f"{word}{name}", sign * float(value)
                yield f"{word}{name}²", sign * float(value) ** 2
