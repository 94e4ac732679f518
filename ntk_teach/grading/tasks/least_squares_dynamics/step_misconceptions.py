"""Wrong critical learning rates."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception

__all__ = ["ALL"]


def laid_out(k: Tensor) -> Tensor:
    n, c = k.shape[0], k.shape[2]
    return k.permute(0, 2, 1, 3).reshape(n * c, n * c)


def eigenvalues(k: Tensor) -> Tensor:
    """Of the matrix over all pairs (input, output), rising."""
    values: Tensor = torch.linalg.eigvalsh(laid_out(k))
    return values


def no_average(k: Tensor) -> float:
    """The 1/N is missing: the cost is a mean over the inputs, so the fastest mode decays at λ_max/N."""
    return float(2 / eigenvalues(k)[-1])


def averaged_twice(k: Tensor) -> float:
    """You divided by N twice: the kernel's operator is one mean over the inputs."""
    return float(2 * len(k) ** 2 / eigenvalues(k)[-1])


def arrives_in_one_step(k: Tensor) -> float:
    """That is half of it, the step with which the fastest mode arrives at once: beyond it that mode overshoots, and
    still decays until it overshoots by as much as it was away.
    """
    return float(len(k) / eigenvalues(k)[-1])


def twice_too_large(k: Tensor) -> float:
    """That is twice the critical rate: there the fastest mode is multiplied by −3 at each step."""
    return float(4 * len(k) / eigenvalues(k)[-1])


def for_the_slowest_mode(k: Tensor) -> float:
    """You took the smallest eigenvalue: all modes share one step, and the fastest one is the first to run away."""
    return float(2 * len(k) / eigenvalues(k)[0])


def best_step(k: Tensor) -> float:
    """2/(λ_min + λ_max) is the step that shrinks the worst mode most, not the one at which descent ends."""
    return float(2 * len(k) / (eigenvalues(k)[0] + eigenvalues(k)[-1]))


def by_the_trace(k: Tensor) -> float:
    """You took the trace, the sum of all eigenvalues: that is safe and too cautious, the largest one alone decides."""
    return float(2 * len(k) / eigenvalues(k).sum())


def by_the_mean_eigenvalue(k: Tensor) -> float:
    """You took the mean of the eigenvalues: the largest one is the first to run away."""
    return float(2 * len(k) / eigenvalues(k).mean())


def by_the_frobenius_norm(k: Tensor) -> float:
    """You took the norm of all entries: the norm that counts is the spectral one, the largest eigenvalue."""
    return float(2 * len(k) / k.norm())


def by_the_diagonal(k: Tensor) -> float:
    """You took the largest diagonal entry: the inputs move each other, so a mode can be faster than any one input."""
    return float(2 * len(k) / laid_out(k).diagonal().max())


def by_row_sums(k: Tensor) -> float:
    """You took the largest row sum, which only bounds the largest eigenvalue from above."""
    return float(2 * len(k) / laid_out(k).abs().sum(1).max())


def the_rate(k: Tensor) -> float:
    """You returned the rate of the fastest mode: asked is the learning rate, which is large where the rate is small."""
    return float(eigenvalues(k)[-1] / len(k))


def averaged_over_outputs(k: Tensor) -> float:
    """You divided by inputs times outputs: the cost sums over the outputs and averages over the inputs alone."""
    return float(2 * k.shape[0] * k.shape[2] / eigenvalues(k)[-1])


def reshaped_as_it_lies(k: Tensor) -> float:
    """You reshaped [n, n, c, c] as it lies in memory: rows are pairs (input, output), so the axes must be brought in
    that order first.
    """
    size = k.shape[0] * k.shape[2]
    return float(2 * len(k) / torch.linalg.eigvalsh(k.reshape(size, size))[-1])


def reshaped_and_symmetrized(k: Tensor) -> float:
    """You reshaped [n, n, c, c] as it lies in memory and made the result symmetric: a kernel's matrix over the pairs
    (input, output) is symmetric by itself.
    """
    size = k.shape[0] * k.shape[2]
    matrix = k.reshape(size, size)
    return float(2 * len(k) / torch.linalg.eigvalsh((matrix + matrix.T) / 2)[-1])


def first_output_alone(k: Tensor) -> float:
    """You looked at the first output only: the outputs move each other, and one mode runs through all of them."""
    return float(2 * len(k) / torch.linalg.eigvalsh(k[:, :, 0, 0])[-1])


def fastest_output_alone(k: Tensor) -> float:
    """You treated every output by itself: the blocks between different outputs couple them, and make modes faster."""
    own = torch.linalg.eigvalsh(k.diagonal(dim1=2, dim2=3).permute(2, 0, 1))
    return float(2 * len(k) / own.max())


def outputs_traced(k: Tensor) -> float:
    """You took the trace over the outputs, which leaves a kernel of the inputs: a mode is a function of both."""
    return float(2 * len(k) / torch.linalg.eigvalsh(k.diagonal(dim1=2, dim2=3).sum(2))[-1])


def outputs_summed(k: Tensor) -> float:
    """You summed over the pairs of outputs: that is the kernel of the sum of all outputs, one function of many."""
    return float(2 * len(k) / torch.linalg.eigvalsh(k.sum(dim=(2, 3)))[-1])


def outputs_averaged(k: Tensor) -> float:
    """You averaged the kernels of the outputs: each moves at its own rates, and the blocks between them count too."""
    return float(2 * len(k) / torch.linalg.eigvalsh(k.diagonal(dim1=2, dim2=3).mean(2))[-1])


def neither_half_nor_average(k: Tensor) -> float:
    """You took 1/λ of the matrix: the operator divides by the number of inputs, and a mode still decays while a step
    overshoots by less than it was away.
    """
    return float(1 / eigenvalues(k)[-1])


def half_the_rate(k: Tensor) -> float:
    """You turned the fraction round: the faster the fastest mode, the smaller the learning rate must be."""
    return float(eigenvalues(k)[-1] / (2 * len(k)))


def condition_number(k: Tensor) -> float:
    """You returned the condition number: it says how many steps the slowest mode needs, not how long a step may be."""
    return float(eigenvalues(k)[-1] / eigenvalues(k)[0])


def by_the_median(k: Tensor) -> float:
    """You took an eigenvalue from the middle: the largest one is the first to run away."""
    return float(2 * len(k) / eigenvalues(k).median())


def root_of_the_eigenvalue(k: Tensor) -> float:
    """You took a root of the eigenvalue: singular values of the features have roots, those of the kernel have none."""
    return float(2 * len(k) / eigenvalues(k)[-1].sqrt())


def by_the_sum_of_entries(k: Tensor) -> float:
    """You took the sum of all entries: that is how much a constant moves, and the fastest mode need not be one."""
    return float(2 * len(k) / k.sum())


def first_input_alone(k: Tensor) -> float:
    """You looked at the block of one input only: the inputs move each other, and one mode runs through all of them."""
    return float(2 * len(k) / torch.linalg.eigvalsh(k[0, 0])[-1])


def outputs_added(k: Tensor) -> float:
    """You added the largest eigenvalues of the outputs up: a sum of maxima only bounds that of the whole kernel."""
    own = torch.linalg.eigvalsh(k.diagonal(dim1=2, dim2=3).permute(2, 0, 1))
    return float(2 * len(k) / own[:, -1].sum())


def pairs_averaged(k: Tensor) -> float:
    """You averaged over the pairs of outputs: that leaves a kernel of the inputs, and a mode is a function of both."""
    return float(2 * len(k) / torch.linalg.eigvalsh(k.mean(dim=(2, 3)))[-1])


def reshaped_with_complex_eigenvalues(k: Tensor) -> float:
    """You reshaped [n, n, c, c] as it lies in memory, and its eigenvalues may be complex: that is the matrix of no
    kernel. Rows are pairs (input, output), so the axes must be brought in that order first.
    """
    size = k.shape[0] * k.shape[2]
    return float(2 * len(k) / torch.linalg.eigvals(k.reshape(size, size)).abs().max())


def reshaped_with_singular_values(k: Tensor) -> float:
    """You reshaped [n, n, c, c] as it lies in memory and took a singular value of that: rows are pairs (input, output),
    so the axes must be brought in that order first.
    """
    size = k.shape[0] * k.shape[2]
    return float(2 * len(k) / torch.linalg.svdvals(k.reshape(size, size))[0])


EVERYWHERE = (
    no_average,
    averaged_twice,
    arrives_in_one_step,
    twice_too_large,
    for_the_slowest_mode,
    best_step,
    by_the_trace,
    by_the_mean_eigenvalue,
    by_the_frobenius_norm,
    by_the_diagonal,
    by_row_sums,
    the_rate,
    neither_half_nor_average,
    half_the_rate,
    condition_number,
    by_the_median,
    root_of_the_eigenvalue,
    by_the_sum_of_entries,
    first_input_alone,
)
SEVERAL_OUTPUTS = (
    averaged_over_outputs,
    reshaped_as_it_lies,
    reshaped_and_symmetrized,
    first_output_alone,
    fastest_output_alone,
    outputs_traced,
    outputs_summed,
    outputs_averaged,
    outputs_added,
    pairs_averaged,
    reshaped_with_complex_eigenvalues,
    reshaped_with_singular_values,
)
ALL = (
    *(Misconception(wrong) for wrong in EVERYWHERE),
    *(Misconception(wrong, keeps=1) for wrong in SEVERAL_OUTPUTS),
)
