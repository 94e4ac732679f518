"""What comes in, in the form that the measurements want: vectors, one column for each output, not too many."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach.empirical.problem import readable
from ntk_teach.errors import DtypeError, ShapeError, check_array, check_same, sentence

__all__ = ["ROWS", "WHERE", "Rows", "drawn", "targets"]

WHERE = "diagnose"
ROWS = 2048  # the largest kernel matrix that is diagonalized, inputs times outputs


class Rows(nn.Module):
    """The same network on vectors: [n, d] → [n, c], whatever the axes of its inputs and outputs."""

    def __init__(self, network: nn.Module, shape: torch.Size) -> None:
        super().__init__()
        self.network = network
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return readable(self.network(x.reshape(len(x), *self.shape)), x, "x", WHERE)  # [n, c]


def targets(y: object, x: Tensor, outputs: int) -> Tensor:
    """y as [n, c]."""
    if isinstance(y, Tensor) and not y.dtype.is_floating_point:
        do = "write classes as columns: data.centered_one_hot(labels, classes).to(x)"
        raise DtypeError(sentence(f"{WHERE}, y", "targets of a floating-point dtype", str(y.dtype), do))
    target = check_array(y, name="y", shape="[n] or [n, c]", where=WHERE).detach()
    check_same(x, target, names=("x", "y"), where=WHERE)
    if target.shape == (len(x), outputs):
        return target
    if target.shape == (len(x),) and outputs == 1:
        return target[:, None]
    expected = f"targets of shape {[len(x), outputs]}" + (f" or {[len(x)]}" if outputs == 1 else "")
    do = "give one target for each input and output"
    raise ShapeError(sentence(f"{WHERE}, y", expected, str(list(target.shape)), do))


def drawn(given: int, most: int, seed: int) -> Tensor:
    """Which inputs are used, in their order: all of them, or so many without replacement."""
    if given <= most:
        return torch.arange(given)
    return torch.randperm(given, generator=torch.Generator().manual_seed(seed))[:most].sort().values
