"""Task 02.1: the norm of a function that a kernel defines, an average over two independent inputs."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.kernel_gradient_descent.draws import Generator, gram, normal
from ntk_teach.spectrum import kernel_norm_squared

__all__ = ["kernel_norm"]


def drawn(rng: Generator, *, n: int, c: int) -> Arguments:
    return {"kernel": gram(rng, n, scale=float(rng.uniform(2, 4))), "d": normal(rng, n, c)}


def form(kernel: Tensor, d: Tensor) -> Tensor:
    """Σ_ij d_i · d_j K_ij."""
    return (d * (kernel @ d)).sum()


# ---- wrong answers


def averaged_once(kernel: Tensor, d: Tensor) -> Tensor:
    """You averaged once, over N inputs: the norm is a mean over two independent inputs x and x', over N² pairs."""
    return form(kernel, d) / len(d)


def not_averaged(kernel: Tensor, d: Tensor) -> Tensor:
    """You summed over the pairs: each of the two expectations over the data is a mean, not a sum."""
    return form(kernel, d)


def equal_inputs_only(kernel: Tensor, d: Tensor) -> Tensor:
    """Only the pairs x = x' are there: x and x' are drawn independently, so every pair of inputs counts."""
    return (kernel.diagonal()[:, None] * d.square()).sum() / len(d) ** 2


def one_input_for_both(kernel: Tensor, d: Tensor) -> Tensor:
    """You averaged over one input in both places: x and x' are drawn independently of each other."""
    return (kernel.diagonal()[:, None] * d.square()).sum() / len(d)


def different_inputs_only(kernel: Tensor, d: Tensor) -> Tensor:
    """The pairs x = x' are missing: two independent draws from the data coincide once in N times."""
    n = len(d)
    apart = kernel - torch.diag(kernel.diagonal())
    return form(apart, d) / (n * (n - 1))


def root_taken(kernel: Tensor, d: Tensor) -> Tensor:
    """This is the norm; its square is asked."""
    return form(kernel, d).sqrt() / len(d)


def without_the_kernel(kernel: Tensor, d: Tensor) -> Tensor:
    """The kernel is not in it: this is the mean square of d, its norm with respect to the inputs alone."""
    return d.square().sum() / len(d)


def inverse_kernel(kernel: Tensor, d: Tensor) -> Tensor:
    """You used the inverse of the kernel: that norm belongs to functions of the kernel's own space; d is on the other
    side, a direction that the kernel is applied to.
    """
    return form(torch.linalg.inv(kernel), d)


def inverse_kernel_averaged(kernel: Tensor, d: Tensor) -> Tensor:
    """The inverse of the kernel, averaged: no inverse occurs here, the kernel itself stands between the two values."""
    return form(torch.linalg.inv(kernel), d) / len(d) ** 2


def norm_of_the_gradient(kernel: Tensor, d: Tensor) -> Tensor:
    """You applied the kernel and took the mean square of the result: the kernel is in it twice."""
    return (kernel @ d / len(d)).square().sum() / len(d)


def paired_with_itself(kernel: Tensor, d: Tensor) -> Tensor:
    """You multiplied entry by entry where a matrix product is meant: d(x') was paired with itself, not with d(x)."""
    return (kernel @ d.square()).sum() / len(d) ** 2


def mean_first(kernel: Tensor, d: Tensor) -> Tensor:
    """You averaged d and the kernel separately: inside the double mean each entry weighs its own two values."""
    return kernel.mean() * d.mean(dim=0).square().sum()


def equal_pairs_not_counted(kernel: Tensor, d: Tensor) -> Tensor:
    """You divided by N(N − 1), the number of pairs without x = x': independent draws may coincide, so there are N²."""
    return form(kernel, d) / (len(d) * (len(d) - 1))


def centered(kernel: Tensor, d: Tensor) -> Tensor:
    """You subtracted the mean of d, as for a covariance: the inner product takes d as it is."""
    return form(kernel, d - d.mean(0)) / len(d) ** 2


def halved(kernel: Tensor, d: Tensor) -> Tensor:
    """There is a factor ½ too many: it belongs to the squared error, not to a norm."""
    return form(kernel, d) / len(d) ** 2 / 2


def first_output_alone(kernel: Tensor, d: Tensor) -> Tensor:
    """You used the first output alone: d(x)ᵀ d(x') adds up all of them."""
    return form(kernel, d[:, :1]) / len(d) ** 2


def averaged_over_outputs(kernel: Tensor, d: Tensor) -> Tensor:
    """You averaged over the outputs too: the inner product of two values in ℝᶜ is a sum over them."""
    return form(kernel, d) / len(d) ** 2 / d.shape[1]


def outputs_mixed(kernel: Tensor, d: Tensor) -> Tensor:
    """Different outputs were multiplied with each other: d(x)ᵀ d(x') pairs each output with itself."""
    return (d.T @ kernel @ d).sum() / len(d) ** 2


def one_number_an_output(kernel: Tensor, d: Tensor) -> Tensor:
    """You returned a number for each output: a norm is one number, the sum over the outputs."""
    value = (d * (kernel @ d)).sum(0) / len(d) ** 2
    return value if len(value) > 1 else value[0]


def matrix_returned(kernel: Tensor, d: Tensor) -> Tensor:
    """dᵀ K d is a matrix with a row for each output: a norm is one number. Which of its entries pair an output with
    itself?
    """
    value = d.T @ kernel @ d / len(d) ** 2
    return value if len(value) > 1 else value[0, 0]


# ---- right answers


def loops(kernel: Tensor, d: Tensor) -> float:
    n = len(d)
    return sum(float(kernel[i, j] * (d[i] @ d[j])) for i in range(n) for j in range(n)) / n**2


def einsum(kernel: Tensor, d: Tensor) -> Tensor:
    return torch.einsum("ik,ij,jk->", d, kernel, d) / kernel.numel()


def numpy_trace(kernel: Tensor, d: Tensor) -> NDArray[np.float64]:
    return np.asarray(np.trace(d.numpy().T @ kernel.numpy() @ d.numpy()) / len(d) ** 2)


def by_its_features(kernel: Tensor, d: Tensor) -> Tensor:
    """‖d‖²_K is the square of the mean of d ⊗ φ, whatever φ has the kernel."""
    phi = torch.linalg.cholesky(kernel)
    result: Tensor = (phi.T @ d / len(d)).square().sum()
    return result


def float32(kernel: Tensor, d: Tensor) -> Tensor:
    return form(kernel.float(), d.float()) / len(d) ** 2


kernel_norm = Task(
    id="02.1",
    title="The norm that a kernel defines",
    signature="kernel_norm_squared(kernel, d) -> float",
    reference=kernel_norm_squared,
    credit={"one output": 1, "several outputs": 1},
    cases=(
        Case("one output", "3 inputs, 1 output", partial(drawn, n=3, c=1)),
        Case("one output", "7 inputs, 1 output", partial(drawn, n=7, c=1)),
        Case("several outputs", "5 inputs, 3 outputs", partial(drawn, n=5, c=3)),
        Case("several outputs", "4 inputs, 4 outputs", partial(drawn, n=4, c=4)),
    ),
    misconceptions=(
        *map(
            Misconception,
            (
                averaged_once,
                not_averaged,
                equal_inputs_only,
                one_input_for_both,
                different_inputs_only,
                root_taken,
                without_the_kernel,
                inverse_kernel,
                inverse_kernel_averaged,
                norm_of_the_gradient,
                paired_with_itself,
                mean_first,
                equal_pairs_not_counted,
                centered,
                halved,
            ),
        ),
        Misconception(first_output_alone, keeps=1),
        Misconception(averaged_over_outputs, keeps=1),
        Misconception(outputs_mixed, keeps=1),
        Misconception(one_number_an_output, keeps=1),
        Misconception(matrix_returned, keeps=1),
    ),
    alternatives=(loops, einsum, numpy_trace, by_its_features, float32),
)
