"""Task 02.4: a matrix-valued kernel as one matrix over pairs (input, output)."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.kernel_gradient_descent.draws import Generator
from ntk_teach.spectrum import block_gram

__all__ = ["block_matrix"]


def drawn(rng: Generator, *, m: int, n: int, c: int) -> Arguments:
    """K(x, x') = J(x) J(x')ᵀ with blocks that are not symmetric; m = n means the data against themselves."""
    slopes = rng.normal(size=(n if m == n else m + n, c, c + 2)) * rng.uniform(0.5, 2.0, size=(1, c, 1))
    rows, columns = (slopes, slopes) if m == n else (slopes[:m], slopes[m:])
    return {"kernel": torch.from_numpy(np.einsum("mkp,nlp->mnkl", rows, columns))}


def reference(kernel: Tensor) -> Tensor:
    """The library's where it is a Gram matrix; it has none for two lists of inputs."""
    m, n, c, _ = kernel.shape
    return block_gram(kernel) if m == n else kernel.permute(0, 2, 1, 3).reshape(m * c, n * c)


# ---- wrong answers


def reshaped(kernel: Tensor) -> Tensor:
    """A reshape alone does not move axes: the numbers of one block end up in one row. The output of the first input
    has to come next to its input before rows and columns are joined.
    """
    m, n, c, _ = kernel.shape
    return kernel.reshape(m * c, n * c)


def outputs_first(kernel: Tensor) -> Tensor:
    """Your rows are ordered by output, then input: asked is input first, so that the c outputs of one input are
    neighbors and row i·c + k belongs to (x_i, k).
    """
    m, n, c, _ = kernel.shape
    return kernel.permute(2, 0, 3, 1).reshape(c * m, c * n)


def rows_and_columns_differ(kernel: Tensor) -> Tensor:
    """Rows and columns have different orders, one by input and the other by output: such a matrix is not symmetric,
    and no kernel.
    """
    m, n, c, _ = kernel.shape
    return kernel.permute(0, 2, 3, 1).reshape(m * c, c * n)


def columns_and_rows_differ(kernel: Tensor) -> Tensor:
    """Rows are ordered by output and columns by input: both need the same order, input first."""
    m, n, c, _ = kernel.shape
    return kernel.permute(2, 0, 1, 3).reshape(c * m, n * c)


def blocks_transposed(kernel: Tensor) -> Tensor:
    """The blocks are transposed: k belongs to the first input and is the row, k' to the second and is the column."""
    m, n, c, _ = kernel.shape
    return kernel.permute(0, 3, 1, 2).reshape(m * c, n * c)


def blocks_symmetrized(kernel: Tensor) -> Tensor:
    """You made each block symmetric: a block is not, the whole is, K(x, x') = K(x', x)ᵀ."""
    return reference((kernel + kernel.transpose(2, 3)) / 2)


def equal_outputs_only(kernel: Tensor) -> Tensor:
    """You kept k = k' alone: the outputs of this kernel are coupled, and K ⊗ Id is a special case."""
    return reference(kernel * torch.eye(kernel.shape[-1], dtype=kernel.dtype))


def equal_inputs_only(kernel: Tensor) -> Tensor:
    """Only the blocks of equal inputs are there: a block stands for each pair of inputs."""
    m, n = kernel.shape[:2]
    return reference(kernel * torch.eye(m, n, dtype=kernel.dtype)[:, :, None, None])


def summed_over_outputs(kernel: Tensor) -> Tensor:
    """You summed over the outputs: [m, n] is left, and each pair of outputs should keep its own entry."""
    return kernel.sum((2, 3))


def trace(kernel: Tensor) -> Tensor:
    """You took the trace of each block: that is the kernel of all outputs together, and each pair of outputs should
    keep its own entry.
    """
    return kernel.diagonal(dim1=2, dim2=3).sum(-1)


def mean_over_outputs(kernel: Tensor) -> Tensor:
    """You averaged over the outputs: [m, n] is left, and each pair of outputs should keep its own entry."""
    return kernel.mean((2, 3))


def divided_by_outputs(kernel: Tensor) -> Tensor:
    """You divided by the number of outputs: the entries of the kernel only move to new places."""
    return reference(kernel) / kernel.shape[-1]


def columns_of_the_first_output(kernel: Tensor) -> Tensor:
    """Your columns belong to one output alone: every input of the second list brings c columns."""
    return kernel[..., 0].transpose(1, 2).flatten(0, 1)


def averaged(kernel: Tensor) -> Tensor:
    """You divided by the number of inputs: that belongs to the mean of the gradient, not to the kernel."""
    return reference(kernel) / kernel.shape[1]


def first_output(kernel: Tensor) -> Tensor:
    """Every block repeats its first entry on the diagonal: that is K ⊗ Id for a kernel of one output."""
    first = kernel[:, :, 0, 0]
    return torch.kron(first, torch.eye(kernel.shape[-1], dtype=kernel.dtype))


def square_forced(kernel: Tensor) -> Tensor:
    """You averaged the reshaped matrix with its transpose: it is symmetric now, and the blocks are still torn."""
    m, n, c, _ = kernel.shape
    torn = kernel.reshape(m * c, n * c)
    return (torn + torn.T) / 2


# ---- right answers


def loops(kernel: Tensor) -> NDArray[np.float64]:
    m, n, c, _ = kernel.shape
    matrix = np.zeros((m * c, n * c))
    for i in range(m):
        for j in range(n):
            matrix[i * c : (i + 1) * c, j * c : (j + 1) * c] = kernel[i, j]
    return matrix


def concatenated(kernel: Tensor) -> Tensor:
    return torch.cat([torch.cat(list(row), dim=1) for row in kernel])


def swapped(kernel: Tensor) -> Tensor:
    return kernel.transpose(1, 2).flatten(2).flatten(0, 1)


def numpy_block(kernel: Tensor) -> NDArray[np.float64]:
    return np.block([[block.numpy() for block in row] for row in kernel])


def float32(kernel: Tensor) -> Tensor:
    return swapped(kernel).float()


block_matrix = Task(
    id="02.4",
    title="A kernel of several outputs as one matrix",
    signature="block_matrix(kernel) -> [m·c, n·c]",
    reference=reference,
    credit={"the data against the data": 1, "other inputs against the data": 1},
    cases=(
        Case("the data against the data", "4 inputs, 3 outputs", partial(drawn, m=4, n=4, c=3)),
        Case("the data against the data", "2 inputs, 2 outputs", partial(drawn, m=2, n=2, c=2)),
        Case("other inputs against the data", "3 inputs against 5, 2 outputs", partial(drawn, m=3, n=5, c=2)),
        Case("other inputs against the data", "5 inputs against 3, 4 outputs", partial(drawn, m=5, n=3, c=4)),
    ),
    misconceptions=tuple(
        map(
            Misconception,
            (
                reshaped,
                outputs_first,
                rows_and_columns_differ,
                columns_and_rows_differ,
                blocks_transposed,
                blocks_symmetrized,
                equal_outputs_only,
                equal_inputs_only,
                summed_over_outputs,
                trace,
                mean_over_outputs,
                divided_by_outputs,
                columns_of_the_first_output,
                averaged,
                first_output,
                square_forced,
            ),
        )
    ),
    alternatives=(loops, concatenated, swapped, numpy_block, float32),
)
