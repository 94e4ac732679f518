"""What the functions of this package ask of labels and kernels."""

from __future__ import annotations

from jaxtyping import Int
from torch import Tensor

from ntk_teach.errors import DtypeError, ShapeError, check_gram, sentence

__all__ = ["Classes", "check_kernel", "check_labels"]

Classes = Int[Tensor, " n"]


def check_kernel(kernel: Tensor, labels: Tensor, *, where: str) -> tuple[Tensor, Tensor]:
    gram = check_gram(kernel, name="kernel", where=where)
    labels = check_labels(labels, where=where)
    if len(labels) != len(gram):
        expected, do = f"{len(gram)} labels", "give one class for each input"
        raise ShapeError(sentence(f"{where}, labels", expected, str(list(labels.shape)), do))
    return gram, labels


def check_labels(labels: object, *, where: str) -> Tensor:
    place = f"{where}, labels"
    if not isinstance(labels, Tensor) or labels.dtype.is_floating_point or labels.dtype.is_complex:
        received = str(labels.dtype) if isinstance(labels, Tensor) else type(labels).__name__
        raise DtypeError(sentence(place, "a tensor of integers [n]", received, "call .long() on it"))
    if labels.ndim != 1 or not len(labels):
        do = "one class for each input, not one-hot rows: y.argmax(1)"
        raise ShapeError(sentence(place, "classes of shape [n]", str(list(labels.shape)), do))
    return labels
