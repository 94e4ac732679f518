"""Class labels as targets of regression."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from ntk_teach.errors import DomainError, DtypeError, ShapeError, check_count, sentence

__all__ = ["two_classes", "centered_one_hot"]

Inputs = Num[Tensor, "n *shape"]
SomeInputs = Num[Tensor, "m *shape"]


def two_classes(
    x: Inputs, labels: Int[Tensor, " n"], *, minus: int = 0, plus: int = 1
) -> tuple[SomeInputs, Float[Tensor, " m"]]:
    """The inputs of two classes, with y = −1 for ``minus`` and y = +1 for ``plus``, in the order they stand.

    Args: x, inputs [n, …]; labels [n], whole numbers; the two classes.

    Returns: x [m, …] as it was, and y [m] float64.

    Raises: ShapeError if x and labels differ in length; DomainError if a class is absent. Chapter: 07_generalization.
    """
    where = "data.two_classes"
    _check_labels(labels, where)
    if len(x) != len(labels):
        do = "pass the labels that belong to these inputs"
        raise ShapeError(sentence(where, f"{len(x)} labels", str(len(labels)), do))
    for name, label in (("minus", minus), ("plus", plus)):
        if not bool((labels == label).any()):
            do = "choose a class that occurs"
            present = str(torch.unique(labels).tolist())
            raise DomainError(sentence(f"{where}, {name}", f"a class among {present}", str(label), do))
    if minus == plus:
        raise DomainError(sentence(where, "two different classes", f"{minus} twice", "choose another class"))
    kept = (labels == minus) | (labels == plus)
    return x[kept], torch.where(labels[kept] == plus, 1.0, -1.0).double()


def centered_one_hot(labels: Int[Tensor, " n"], classes: int) -> Float[Tensor, "n classes"]:
    """y_ic = 1 − 1/C for the class c of example i and −1/C otherwise: a row sums to 0. For ten classes .9 and −.1.

    Args: labels [n], whole numbers from 0 to C − 1; classes, C.

    Returns: y [n, C], float64; its largest entry in a row names the class.

    Raises: DtypeError, ShapeError; DomainError for a label outside 0 … C − 1.

    Source: these targets are those of Lee et al. 2018 and Arora et al. 2019. Chapter: 07_generalization.
    """
    where = "data.centered_one_hot"
    check_count(classes, name="classes", where=where, minimum=2)
    _check_labels(labels, where)
    smallest, largest = int(labels.min()), int(labels.max())
    if smallest < 0 or largest >= classes:
        do = "count the classes from 0"
        raise DomainError(sentence(where, f"labels from 0 to {classes - 1}", f"{smallest} to {largest}", do))
    return torch.nn.functional.one_hot(labels.long(), classes).double() - 1 / classes


def _check_labels(labels: object, where: str) -> None:
    if not isinstance(labels, Tensor) or labels.dtype.is_floating_point or labels.dtype == torch.bool:
        received = str(labels.dtype) if isinstance(labels, Tensor) else type(labels).__name__
        raise DtypeError(sentence(f"{where}, labels", "a tensor of whole numbers [n]", received, "call .long() on it"))
    if labels.ndim != 1 or not len(labels):
        received = str(list(labels.shape))
        raise ShapeError(sentence(f"{where}, labels", "labels [n], at least one", received, "pass one label an input"))
