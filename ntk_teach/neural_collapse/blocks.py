"""The block structure of a kernel: its three values, how far they carry, and the rates that follow from them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, check_count, sentence
from ntk_teach.neural_collapse.checks import Classes, check_kernel, check_labels

__all__ = ["BlockKernel", "BlockRates", "block_kernel", "block_distance", "block_rates"]

Square = Float[Tensor, "n n"]


class BlockKernel(NamedTuple):
    """A kernel that sees nothing but the classes: γ_d on one input, γ_c in one class, γ_n between two classes."""

    gamma_d: float
    gamma_c: float
    gamma_n: float

    def matrix(self, labels: Classes) -> Square:
        """The kernel between inputs of these classes. labels [n] -> [n, n], float64."""
        labels = check_labels(labels, where="BlockKernel.matrix")
        one, same = masks(labels)
        values = torch.tensor(self, dtype=torch.float64, device=labels.device)
        return torch.where(one, values[0], torch.where(same, values[1], values[2]))


def block_kernel(kernel: Square, labels: Classes) -> BlockKernel:
    """The block-structured kernel nearest to K in the Frobenius norm: its three values are means of entries of K.

    γ_d = mean of K(x_i, x_i), γ_c = mean of K(x_i, x_j) over i ≠ j of one class, γ_n = mean over pairs of two classes.
    For a network with several outputs pass ``empirical_ntk_trace``, the mean of Θ_kk over the outputs.

    Args: kernel [n, n]; labels [n], integers, any number of inputs in each class.

    Returns: BlockKernel. Raises: ShapeError, DtypeError; DomainError for a matrix that is not symmetric, for one class
        alone, and where no class has two inputs. Cost: n².

    Source: Seleznova, Weitzner, Giryes, Kutyniok & Chou 2023. Chapter: 13_neural_collapse.
    """
    kernel, labels = check_kernel(kernel, labels, where="block_kernel")
    one, same = masks(labels)
    parts = (kernel[one], kernel[same & ~one], kernel[~same])
    for part, what, do in zip(
        parts[1:],
        ("two inputs of one class", "two classes"),
        ("pass more inputs of each class", "pass inputs of at least two classes"),
        strict=True,
    ):
        if not len(part):
            raise DomainError(sentence("block_kernel, labels", f"at least {what}", str(labels.tolist()[:9]), do))
    return BlockKernel(*(float(part.mean()) for part in parts))


def block_distance(kernel: Square, labels: Classes) -> Float[Tensor, ""]:
    """‖K − B‖_F / ‖K‖_F with B = ``block_kernel(K, labels)``: 0 for a kernel that sees nothing but the classes.

    Arguments and errors as ``block_kernel``, and DomainError for a kernel that is zero. Returns: a scalar in [0, 1].

    Chapter: 13_neural_collapse.
    """
    kernel, labels = check_kernel(kernel, labels, where="block_distance")
    nearest = block_kernel(kernel, labels).matrix(labels).to(kernel)
    if not kernel.norm() > 0:
        raise DomainError(sentence("block_distance", "a kernel that is not zero", "zeros", "check the kernel"))
    distance: Tensor = (kernel - nearest).norm() / kernel.norm()
    return distance


class BlockRates(NamedTuple):
    """Eigenvalues of a block-structured kernel matrix; along its modes residuals decay at the rates λ/N.

    Args:
        lambda_single: functions that average to 0 over each class.
        lambda_class: functions that are constant on each class and average to 0.
        lambda_global: constants.
        multiplicities: dimensions of these three spaces, N − C, C − 1 and 1.
    """

    lambda_single: float
    lambda_class: float
    lambda_global: float
    multiplicities: tuple[int, int, int]


def block_rates(block: BlockKernel, *, classes: int, per_class: int) -> BlockRates:
    """λ_single = γ_d − γ_c,  λ_class = λ_single + m (γ_c − γ_n),  λ_global = λ_class + N γ_n,  with N = C m inputs.

    They are eigenvalues of the matrix [N, N]: rates of descent on half the *sum* of squares, and N times the rates in
    the cost of this library, which is a mean.

    Args: block, or any three numbers γ_d, γ_c, γ_n; classes C ≥ 2; per_class m ≥ 2, the same number in each.

    Returns: BlockRates. Raises: DomainError for too few. Cost: none.

    Source: Seleznova, Weitzner, Giryes, Kutyniok & Chou 2023. Chapter: 13_neural_collapse.
    """
    where = "block_rates"
    check_count(classes, name="classes", where=where, minimum=2)
    check_count(per_class, name="per_class", where=where, minimum=2)
    gamma_d, gamma_c, gamma_n = block
    inputs = classes * per_class
    single = gamma_d - gamma_c
    of_class = single + per_class * (gamma_c - gamma_n)
    return BlockRates(single, of_class, of_class + inputs * gamma_n, (inputs - classes, classes - 1, 1))


def masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """The pairs of one input with itself, and those of one class."""
    same = labels[:, None] == labels[None, :]
    return torch.eye(len(labels), dtype=torch.bool, device=labels.device), same
