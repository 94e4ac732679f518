"""Task 01.5: eigenvalues of the Gauss-Newton matrix, from the side of the data."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["spectrum"]


def top(eigenvalues: Tensor, k: int) -> Tensor:
    """The k largest, falling; zeros where there are no more."""
    falling = eigenvalues.flatten().sort(descending=True).values[:k]
    return torch.cat([falling, falling.new_zeros(k - len(falling))])


def flat(jacobian: Tensor) -> Tensor:
    """[n·c, P]."""
    return jacobian.flatten(0, 1)


def reference(jacobian: Tensor, k: int) -> Tensor:
    j = flat(jacobian)
    return top(torch.linalg.eigvalsh(j @ j.T / len(jacobian)).clamp(min=0), k)


# ---- right answers that look different


def on_the_side_of_the_parameters(jacobian: Tensor, k: int) -> Tensor:
    g = torch.einsum("nkp,nkq->pq", jacobian, jacobian) / len(jacobian)
    result: Tensor = torch.linalg.eigvalsh(g).flip(0)[:k]
    return result


def singular_values(jacobian: Tensor, k: int) -> NDArray[np.float64]:
    values = np.linalg.svd(jacobian.numpy().reshape(-1, jacobian.shape[2]), compute_uv=False) ** 2 / len(jacobian)
    return np.pad(values, (0, max(0, k - len(values))))[:k]


def blocks(jacobian: Tensor, k: int) -> Tensor:
    theta = torch.einsum("nkp,mlp->nkml", jacobian, jacobian)
    size = theta.shape[0] * theta.shape[1]
    values = torch.linalg.eigvalsh(theta.reshape(size, size)) / len(theta)
    padded = torch.zeros(max(k, size), dtype=values.dtype)
    padded[:size] = values.flip(0)
    return padded[:k]


def float32(jacobian: Tensor, k: int) -> Tensor:
    return reference(jacobian.float(), k)


# ---- wrong answers


def gram(j: Tensor) -> Tensor:
    result: Tensor = torch.linalg.eigvalsh(j @ j.T)
    return result


def no_mean(jacobian: Tensor, k: int) -> Tensor:
    """The 1/N is missing: the cost is a mean over the inputs, and so is its Gauss-Newton matrix."""
    return len(jacobian) * reference(jacobian, k)


def outputs_averaged(jacobian: Tensor, k: int) -> Tensor:
    """You divided by the number of rows, inputs times outputs: the cost is a mean over the inputs and a sum over the
    outputs.
    """
    return reference(jacobian, k) / jacobian.shape[1]


def divided_by_parameters(jacobian: Tensor, k: int) -> Tensor:
    """You divided by the number of parameters: the cost is a mean over the inputs."""
    return reference(jacobian, k) * len(jacobian) / jacobian.shape[2]


def divided_twice(jacobian: Tensor, k: int) -> Tensor:
    """You divided by N twice: once is the mean of the cost."""
    return reference(jacobian, k) / len(jacobian)


def roots(jacobian: Tensor, k: int) -> Tensor:
    """These are singular values of J/√N: the eigenvalues of JᵀJ/N are their squares."""
    return reference(jacobian, k).sqrt()


def singular_values_averaged(jacobian: Tensor, k: int) -> Tensor:
    """You divided singular values of J by N: the eigenvalues of JᵀJ are their squares."""
    return (reference(jacobian, k) * len(jacobian)).sqrt() / len(jacobian)


def squared_again(jacobian: Tensor, k: int) -> Tensor:
    """You squared eigenvalues: only singular values of J need a square."""
    return reference(jacobian, k) ** 2


def rising(jacobian: Tensor, k: int) -> Tensor:
    """The right eigenvalues in rising order: the largest first."""
    return reference(jacobian, k).flip(0)


def smallest(jacobian: Tensor, k: int) -> Tensor:
    """These are the smallest eigenvalues of the kernel's Gram matrix: the largest are asked, the largest first."""
    j = flat(jacobian)
    lowest = (gram(j) / len(jacobian)).clamp(min=0)[:k]
    return torch.cat([lowest, lowest.new_zeros(k - len(lowest))])


def outputs_summed(jacobian: Tensor, k: int) -> Tensor:
    """You added up the outputs before multiplying: that is the matrix of one output, their sum."""
    return top(gram(jacobian.sum(1)) / len(jacobian), k)


def outputs_meaned(jacobian: Tensor, k: int) -> Tensor:
    """You averaged the outputs before multiplying: that is the matrix of one output, their mean."""
    return top(gram(jacobian.mean(1)) / len(jacobian), k)


def traced(jacobian: Tensor, k: int) -> Tensor:
    """Your Gram matrix has one row an input, its outputs added up: J has a row for each input and output."""
    return top(gram(jacobian.flatten(1)) / len(jacobian), k)


def first_output(jacobian: Tensor, k: int) -> Tensor:
    """You used the first output alone: the cost adds up all of them."""
    return top(gram(jacobian[:, 0]) / len(jacobian), k)


def outputs_apart(jacobian: Tensor, k: int) -> Tensor:
    """You took the outputs one at a time: they share their parameters, so the blocks k ≠ k' are not zero."""
    values = torch.cat([gram(jacobian[:, c]) for c in range(jacobian.shape[1])])
    return top(values / len(jacobian), k)


def inputs_apart(jacobian: Tensor, k: int) -> Tensor:
    """You took the inputs one at a time: they share their parameters, and the kernel between two is not zero."""
    return top(torch.cat([gram(j) for j in jacobian]) / len(jacobian), k)


def centered(jacobian: Tensor, k: int) -> Tensor:
    """You subtracted the mean over the inputs, as for a covariance: Gauss-Newton has no such mean."""
    return top(gram(flat(jacobian - jacobian.mean(0))) / len(jacobian), k)


def diagonal(jacobian: Tensor, k: int) -> Tensor:
    """These are diagonal entries of the Gram matrix: eigenvalues need the entries beside it."""
    return top(flat(jacobian).square().sum(1) / len(jacobian), k)


def diagonal_of_the_parameters(jacobian: Tensor, k: int) -> Tensor:
    """These are diagonal entries of the Gauss-Newton matrix: eigenvalues need the entries beside it."""
    return top(flat(jacobian).square().sum(0) / len(jacobian), k)


def doubled(jacobian: Tensor, k: int) -> Tensor:
    """Your eigenvalues are twice too large, those of a cost without its 1/2: the 1/2 takes the 2 of the square away."""
    return 2 * reference(jacobian, k)


def half_kept(jacobian: Tensor, k: int) -> Tensor:
    """You kept the 1/2 of the cost: the derivative of the square brings a 2 that takes it away."""
    return reference(jacobian, k) / 2


def singular_values_of_the_jacobian(jacobian: Tensor, k: int) -> Tensor:
    """These are singular values of J: the eigenvalues of JᵀJ/N are their squares, divided by N."""
    return (reference(jacobian, k) * len(jacobian)).sqrt()


def mean_of_the_spectra(jacobian: Tensor, k: int) -> Tensor:
    """You averaged the eigenvalues of the inputs: those of a mean of matrices are not the means of theirs."""
    return top(torch.linalg.eigvalsh(jacobian.transpose(1, 2) @ jacobian).mean(0), k)


def torn_rows(jacobian: Tensor, k: int) -> Tensor:
    """Your matrix has P columns in the wrong way: a reshape to [P, …] reads the numbers row by row and moves no axis.
    Join the first two axes, and leave the last as it is.
    """
    j = jacobian.reshape(jacobian.shape[2], -1).T
    return top(gram(j) / len(jacobian), k)


def no_zeros(jacobian: Tensor, k: int) -> Tensor:
    """Your list is too short: the Gauss-Newton matrix is [P, P], and those of its P eigenvalues that the Gram matrix
    does not have are 0.
    """
    return reference(jacobian, k)[: flat(jacobian).shape[0]]


def drawn(rng: np.random.Generator, *, n: int, c: int, parameters: int, k: int) -> Arguments:
    """Inputs and outputs of unequal size that overlap: a common part in all gradients."""
    jacobian = rng.normal(size=(n, c, parameters)) + 0.7 * rng.normal(size=parameters)
    jacobian *= np.exp(rng.uniform(-0.7, 0.7, size=(n, 1, 1))) * np.exp(rng.uniform(-0.5, 0.5, size=(1, c, 1)))
    return {"jacobian": torch.from_numpy(jacobian), "k": k}


LARGEST, MORE = "the largest eigenvalues", "more eigenvalues than outputs"

spectrum = Task(
    id="01.5",
    title="A spectrum without the matrix",
    signature="gauss_newton_spectrum(jacobian, k) -> [k]",
    reference=reference,
    credit={LARGEST: 2, MORE: 1},
    cases=(
        Case(LARGEST, "7 inputs, 3 outputs, 40 parameters", partial(drawn, n=7, c=3, parameters=40, k=5)),
        Case(LARGEST, "6 inputs, 2 outputs, 9 parameters", partial(drawn, n=6, c=2, parameters=9, k=4)),
        Case(LARGEST, "5 inputs, 1 output, 30 parameters", partial(drawn, n=5, c=1, parameters=30, k=3)),
        Case(MORE, "10 eigenvalues, 3 inputs, 2 outputs", partial(drawn, n=3, c=2, parameters=25, k=10)),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                no_mean,
                outputs_averaged,
                divided_by_parameters,
                divided_twice,
                roots,
                singular_values_averaged,
                squared_again,
                rising,
                smallest,
                outputs_summed,
                outputs_meaned,
                traced,
                first_output,
                outputs_apart,
                inputs_apart,
                centered,
                diagonal,
                diagonal_of_the_parameters,
                doubled,
                half_kept,
                singular_values_of_the_jacobian,
                mean_of_the_spectra,
                torn_rows,
            )
        ),
        Misconception(no_zeros, keeps=2),
    ),
    alternatives=(on_the_side_of_the_parameters, singular_values, blocks, float32),
)
