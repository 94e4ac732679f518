"""Which part of Θ_kl(x, x') is wanted: all of it, the blocks k = l, or their mean.

Θ is a sum of terms ⟨a_k(x), a_l(x')⟩ with vectors a [b, c, size]. Each reading lays these out as a stack of s
matrices in which one input has r rows, so that one batched product gives what is wanted, and nothing else is formed:

    Full         [1, b, c, size]      every output with every output    → [1, n, c, m, c]
    PerOutput    [c, b, 1, size]      each output with itself           → [c, n, 1, m, 1]
    Trace        [1, b, 1, c·size]    the sum over outputs              → [1, n, 1, m, 1]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Full", "PerOutput", "Trace", "Reading"]


@dataclass(frozen=True)
class Full:
    """Θ_kl for all k and l."""

    outputs: int

    @property
    def stack(self) -> tuple[int, int]:
        """(s, r)."""
        return 1, self.outputs

    def laid_out(self, vectors: Tensor) -> Tensor:
        """[b, c, size] → [s, b, r, size or c·size]; a view where it can be."""
        return vectors[None]  # [1, b, c, size]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The outputs that meet."""
        return ((k, other) for k in range(self.outputs) for other in range(self.outputs))

    def part(self, theta: Tensor, k: int, other: int) -> Tensor:
        """Where the products of these two outputs are added up: a view [1, n, 1, m, 1] of ``theta``."""
        return theta[:, :, k : k + 1, :, other : other + 1]

    def returned(self, theta: Tensor) -> Tensor:
        """From [s, n, r, m, r] to what the public function returns."""
        return theta[0, :, 0, :, 0] if self.outputs == 1 else theta[0].transpose(1, 2)  # [n, m] or [n, m, c, c]


@dataclass(frozen=True)
class PerOutput:
    """Θ_kk for all k."""

    outputs: int

    @property
    def stack(self) -> tuple[int, int]:
        return self.outputs, 1

    def laid_out(self, vectors: Tensor) -> Tensor:
        return vectors.transpose(0, 1)[:, :, None]  # [c, b, 1, size]

    def pairs(self) -> Iterator[tuple[int, int]]:
        return ((k, k) for k in range(self.outputs))

    def part(self, theta: Tensor, k: int, other: int) -> Tensor:
        return theta[k : k + 1]

    def returned(self, theta: Tensor) -> Tensor:
        return theta[:, :, 0, :, 0].permute(1, 2, 0)  # [n, m, c]


@dataclass(frozen=True)
class Trace:
    """The mean of Θ_kk over k."""

    outputs: int

    @property
    def stack(self) -> tuple[int, int]:
        return 1, 1

    def laid_out(self, vectors: Tensor) -> Tensor:
        return vectors.flatten(1)[None, :, None]  # [1, b, 1, c·size]

    def pairs(self) -> Iterator[tuple[int, int]]:
        return ((k, k) for k in range(self.outputs))

    def part(self, theta: Tensor, k: int, other: int) -> Tensor:
        return theta

    def returned(self, theta: Tensor) -> Tensor:
        return theta[0, :, 0, :, 0].div_(self.outputs)  # [n, m]


Reading = Full | PerOutput | Trace
