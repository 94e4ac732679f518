"""Batches of inputs that an architecture takes: vectors, sequences, images, or ``Ragged`` ones."""

from __future__ import annotations

from torch import Tensor

from ntk_teach.errors import ShapeError, check_array, check_pair, check_same, check_vectors, sentence
from ntk_teach.ragged import Ragged

__all__ = ["Inputs", "check_batch", "check_batches"]

Inputs = Tensor | Ragged
SHAPES = {2: "vectors [n, d]", 3: "sequences [n, t, d]", 4: "images [n, h, w, d]"}


def check_batch(x: object, *, name: str, where: str, sites: bool = True) -> Inputs:
    """A finite, non-empty floating batch with 2, 3 or 4 axes, or a ``Ragged`` one; without ``sites``, vectors."""
    if not sites:
        return check_vectors(x, name=name, where=where)
    if isinstance(x, Ragged):
        check_array(x.values, name=name, shape="[n, p, d]", where=where)
        return x
    if isinstance(x, Tensor) and x.dtype.is_floating_point and x.ndim not in SHAPES:
        do = "reshape to one row per input: x.reshape(n, -1), or x[None] for a single input"
        expected = "inputs of shape [n, d] (or [n, t, d], [n, h, w, d])"
        raise ShapeError(sentence(f"{where}, {name}", expected, str(list(x.shape)), do))
    return check_array(x, name=name, shape="[n, d]", where=where)


def check_batches(x1: object, x2: object | None, *, where: str, sites: bool = True) -> tuple[Inputs, Inputs | None]:
    """Two batches that fit together; ``x2`` may be None, meaning ``x1``."""
    if not sites:
        return check_pair(x1, x2, where=where)
    first = check_batch(x1, name="x1", where=where)
    if x2 is None:
        return first, None
    second = check_batch(x2, name="x2", where=where)
    one, two = (x.values if isinstance(x, Ragged) else x for x in (first, second))
    kinds = [_kind(x) for x in (first, second)]
    if kinds[0] != kinds[1]:
        received = f"{kinds[0]} (x1 of shape {list(one.shape)}) and {kinds[1]} (x2 of shape {list(two.shape)})"
        raise ShapeError(sentence(where, "x1 and x2 of one kind", received, "give both the same axes"))
    if one.shape[-1] != two.shape[-1]:
        expected = f"x1 and x2 with the same number of coordinates ({one.shape[-1]})"
        do = "check which axis holds the coordinates"
        raise ShapeError(sentence(where, expected, f"x2 of shape {list(two.shape)}", do))
    if one.ndim == 4 and one.shape[1:3] != two.shape[1:3]:
        received = f"x1 of shape {list(one.shape)} and x2 of shape {list(two.shape)}"
        raise ShapeError(sentence(where, "images of one size [n, h, w, d]", received, "resize them"))
    check_same(one, two, names=("x1", "x2"), where=where)
    return first, second


def _kind(x: Inputs) -> str:
    if isinstance(x, Ragged):
        return "Ragged.sequences" if x.edges is None else "Ragged.graphs"
    return SHAPES[x.ndim]
