"""What can go wrong, said in one form: where, what was expected, what was received, what to do.

Inner code raises the bare fact; the outermost call adds the place, once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import torch
from torch import Tensor, nn

__all__ = ["NTKError", "ShapeError", "DomainError", "DtypeError", "RuleError", "ConvergenceError"]


class NTKError(Exception):
    """Any error that this library raises on purpose."""


class ShapeError(NTKError, ValueError):
    """An array has the wrong number of axes, or sizes that do not fit together."""


class DomainError(NTKError, ValueError):
    """A value lies where the formula is not defined (NaN, a negative width, an empty batch)."""


class DtypeError(NTKError, TypeError):
    """Not a floating-point tensor, or two tensors of different dtype or device."""


class RuleError(NTKError, ValueError):
    """The three rules of the infinite-width limit do not cover what was asked."""


class ConvergenceError(NTKError, ValueError):
    """A series did not reach its tolerance, so its value would be silently wrong."""


def sentence(where: str, expected: str, received: str, do: str) -> str:
    """The form of every message of this library."""
    return f"{where}: expected {expected}, received {received}; {do}"


def check_array(x: object, *, name: str, shape: str, where: str) -> Tensor:
    """A finite, non-empty floating tensor with any number of axes; ``shape`` says in words what it should be."""
    place = f"{where}, {name}"
    if not isinstance(x, Tensor):
        do = "convert it with torch.as_tensor(...)"
        raise DtypeError(sentence(place, f"a torch.Tensor {shape}", type(x).__name__, do))
    if not x.dtype.is_floating_point:
        raise DtypeError(sentence(place, "a floating-point tensor", str(x.dtype), "call .double() on it"))
    if x.numel() == 0:
        raise DomainError(sentence(place, f"a non-empty {shape}", str(list(x.shape)), "check the batch"))
    # A finite sum has finite terms; only where it is not is each entry looked at.
    if not math.isfinite(float(x.detach().sum())) and (bad := int((~torch.isfinite(x)).sum())):
        do = "remove or impute these entries first"
        raise DomainError(sentence(place, "finite entries", f"{bad} NaN or infinite of {x.numel()}", do))
    return x


def check_vectors(x: object, *, name: str, where: str) -> Tensor:
    """Return ``x`` if it is a finite, non-empty floating tensor [n, d]; raise what is wrong otherwise."""
    if isinstance(x, Tensor) and x.dtype.is_floating_point and x.ndim != 2:
        do = "reshape to one row per input: x.reshape(n, -1), or x[None] for a single input"
        raise ShapeError(sentence(f"{where}, {name}", "inputs of shape [n, d]", str(list(x.shape)), do))
    return check_array(x, name=name, shape="[n, d]", where=where)


def check_pair(x1: object, x2: object | None, *, where: str) -> tuple[Tensor, Tensor | None]:
    """Check two batches of inputs and that they fit together; ``x2`` may be None, meaning ``x1``."""
    first = check_vectors(x1, name="x1", where=where)
    if x2 is None:
        return first, None
    second = check_vectors(x2, name="x2", where=where)
    if first.shape[1] != second.shape[1]:
        expected = f"x1 and x2 with the same number of coordinates ({first.shape[1]})"
        do = "check which axis holds the coordinates"
        raise ShapeError(sentence(where, expected, f"x2 of shape {list(second.shape)}", do))
    check_same(first, second, names=("x1", "x2"), where=where)
    return first, second


def check_same(one: Tensor, other: Tensor, *, names: tuple[str, str], where: str) -> None:
    """Two tensors that meet in a formula have one dtype and one device."""
    if one.dtype != other.dtype or one.device != other.device:
        received = f"{names[0]} {one.dtype} on {one.device}, {names[1]} {other.dtype} on {other.device}"
        raise DtypeError(sentence(where, "one dtype and one device", received, f"use {names[1]}.to({names[0]})"))


def check_accepts(network: nn.Module, x: Tensor, *, name: str, where: str) -> Tensor:
    """The network's output at the first input of ``x``; what its layers say, with the place, if the two do not fit."""
    for parameter in network.parameters():
        check_same(parameter, x, names=("network", name), where=where)
    try:
        with torch.no_grad():
            output: Tensor = network(x[:1])
    except (RuntimeError, ShapeError) as fault:
        expected = f"{name} of a shape that the network accepts"
        raise ShapeError(sentence(where, expected, str(list(x.shape)), f"its forward says: {fault}")) from None
    return output


def check_scale(value: object, *, name: str, where: str, minimum: float = 0.0) -> float:
    """A finite real number that is at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise DomainError(sentence(where, f"{name} a number", repr(value), "pass a float"))
    if not math.isfinite(value) or value < minimum:
        do = f"choose {name} >= {minimum:g}"
        raise DomainError(sentence(where, f"{name} finite and at least {minimum:g}", repr(value), do))
    return float(value)


def check_flag(value: object, *, name: str, where: str) -> bool:
    """True or False, and nothing that merely counts as one of them."""
    if not isinstance(value, bool):
        raise DomainError(sentence(where, f"{name} True or False", repr(value), "pass one of them"))
    return value


def check_count(value: object, *, name: str, where: str, minimum: int = 1) -> int:
    """A whole number that is at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < minimum:
        expected = f"{name} a whole number, at least {minimum}"
        raise DomainError(sentence(where, expected, repr(value), f"choose {name} >= {minimum}"))
    return int(value)


def check_widths(width: int | Sequence[int], hidden: int, *, where: str) -> list[int]:
    """One width for all ``hidden`` layers, or exactly one for each."""
    if isinstance(width, Sequence):
        if len(width) != hidden:
            do = "give one width for each hidden layer, or a single number"
            raise ShapeError(sentence(where, f"{hidden} hidden widths", str(list(width)), do))
        return [check_count(w, name="width", where=where) for w in width]
    return [check_count(width, name="width", where=where)] * hidden


def check_gram(k: object, *, name: str = "k", where: str) -> Tensor:
    """A kernel between the inputs of one list: [n, n], finite, symmetric but for rounding."""
    place = f"{where}, {name}"
    gram = check_array(k, name=name, shape="[n, n]", where=where)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        do = "pass the kernel between the training inputs, arch.ntk(x)"
        raise ShapeError(sentence(place, "a square kernel matrix [n, n]", str(list(gram.shape)), do))
    gap, size = float((gram - gram.T).abs().max()), float(gram.abs().max())
    if gap > math.sqrt(torch.finfo(gram.dtype).eps) * size:
        received = f"max |K − Kᵀ| = {gap:.3g} beside max |K| = {size:.3g}"
        raise DomainError(sentence(place, "a symmetric matrix, K(x, x') = K(x', x)", received, "check the kernel"))
    return gram


def check_cross(k_test: object, like: Tensor, *, name: str = "k_test", where: str) -> Tensor:
    """A kernel between other inputs and the n inputs of ``like``: [m, n], the rows are the evaluation points."""
    place = f"{where}, {name}"
    cross, n = check_array(k_test, name=name, shape="[m, n]", where=where), like.shape[0]
    if cross.ndim != 2 or cross.shape[1] != n:
        do = "rows are evaluation points, columns training points: arch.ntk(x_test, x)"
        raise ShapeError(sentence(place, f"a kernel [m, {n}]", str(list(cross.shape)), do))
    check_same(like, cross, names=("k", name), where=where)
    return cross


def check_outputs(f: object, like: Tensor, *, name: str, where: str) -> Tensor:
    """Values at the n inputs of ``like``: [n] for one output, [n, c] for several."""
    values, n = check_array(f, name=name, shape="[n] or [n, c]", where=where), like.shape[0]
    if values.ndim not in (1, 2) or values.shape[0] != n:
        expected, do = f"values of shape [{n}] or [{n}, c]", "give one row for each input"
        raise ShapeError(sentence(f"{where}, {name}", expected, str(list(values.shape)), do))
    check_same(like, values, names=("k", name), where=where)
    return values
