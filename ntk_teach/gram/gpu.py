"""The plan of a convolutional network on a GPU: blocks of the Gram matrix by the fused kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntk_teach.errors import DomainError
from ntk_teach.gram.fused_convolutions import cntk_gram, supported
from ntk_teach.layers import Layer

__all__ = ["FusedConvolutionPlan", "fused_convolution_plan"]


@dataclass(frozen=True)
class FusedConvolutionPlan:
    """Blocks as large as a file's panels, each in a few launches."""

    x1: Tensor
    x2: Tensor
    layers: tuple[Layer, ...]
    symmetric: bool
    height = 1024

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        second = None if self.symmetric and rows == columns else self.x2[columns]
        nngp, ntk = cntk_gram(self.layers, self.x1[rows], second)
        return nngp, ntk if both else None

    def sliced(self, rows: slice, columns: slice) -> FusedConvolutionPlan:
        return replace(self, x1=self.x1[rows], x2=self.x2[columns], symmetric=self.symmetric and rows == columns)

    def signature(self) -> object:
        return [float(kernel) for kernel in cntk_gram(self.layers, self.x1[:1])]


def fused_convolution_plan(layers: Sequence[Layer], x1: Tensor, x2: Tensor | None) -> FusedConvolutionPlan | None:
    """The plan, or None where the kernel does not know the network or the numbers are not float32 on a CUDA device."""
    sizes = {tuple(x.shape[1:]) for x in (x1, x2) if x is not None}
    if x1.device.type != "cuda" or x1.dtype != torch.float32 or len(sizes) > 1 or supported(layers, x1) is not None:
        return None
    plan = FusedConvolutionPlan(x1, x1 if x2 is None else x2, tuple(layers), symmetric=x2 is None)
    try:
        plan.signature()
    except DomainError:  # nothing here compiles it: torch and CuPy were asked
        return None
    return plan
