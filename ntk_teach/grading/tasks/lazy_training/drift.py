"""Task 08.4: how far the kernel has moved."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["drift"]


def kernels(jacobians: Tensor) -> Tensor:
    return jacobians @ jacobians.mT  # [t, n, n]


def size(matrices: Tensor) -> Tensor:
    moved: Tensor = torch.linalg.matrix_norm(matrices)
    return moved


def reference(jacobians: Tensor) -> Tensor:
    theta = kernels(jacobians)
    return size(theta - theta[0]) / size(theta[0])


# ---- inputs


def path(rng: np.random.Generator, *, times: int, n: int, parameters: int) -> Arguments:
    """Jacobians that walk away. Their second entry, on a path, is the first one turned in parameter space, which the
    kernel does not see.
    """
    steps = rng.normal(size=(times, n, parameters)) * rng.uniform(0.2, 0.5)
    steps[0] = rng.normal(size=(n, parameters))
    jacobians = steps.cumsum(0)
    if times > 2:
        rotation, _ = np.linalg.qr(rng.normal(size=(parameters, parameters)))
        jacobians[1] = jacobians[0] @ rotation
    return {"jacobians": torch.from_numpy(jacobians)}


# ---- wrong answers


def of_the_jacobian(jacobians: Tensor) -> Tensor:
    """This is the drift of the Jacobian: a rotation of all gradients alike moves it and leaves the kernel J Jᵀ."""
    return size(jacobians - jacobians[0]) / size(jacobians[0])


def in_parameter_space(jacobians: Tensor) -> Tensor:
    """You compared JᵀJ, parameters by parameters: the kernel is J Jᵀ, inputs by inputs."""
    gram = jacobians.mT @ jacobians
    return size(gram - gram[0]) / size(gram[0])


def increments(jacobians: Tensor) -> Tensor:
    """You compared each kernel with the one before: the drift is measured from the start."""
    theta = kernels(jacobians)
    before = torch.cat([theta[:1], theta[:-1]])
    return size(theta - before) / size(theta[0])


def relative_to_the_end(jacobians: Tensor) -> Tensor:
    """You divided by the norm of the moved kernel: the yardstick is the kernel at the start."""
    theta = kernels(jacobians)
    return size(theta - theta[0]) / size(theta)


def difference_of_norms(jacobians: Tensor) -> Tensor:
    """You subtracted norms: a kernel can move far and keep its norm. Subtract the kernels first."""
    norms = size(kernels(jacobians))
    return (norms - norms[0]).abs() / norms[0]


def not_relative(jacobians: Tensor) -> Tensor:
    """The change is not divided by anything: a relative drift compares it with the kernel at the start."""
    theta = kernels(jacobians)
    return size(theta - theta[0])


def squared(jacobians: Tensor) -> Tensor:
    """You summed squares and took no root, above and below: this is the square of the drift."""
    return reference(jacobians).square()


def spectral_norm(jacobians: Tensor) -> Tensor:
    """You took the operator norm: asked is the Frobenius norm, the root of the sum of all squared entries."""
    theta = kernels(jacobians)
    moved: Tensor = torch.linalg.matrix_norm(theta - theta[0], ord=2) / torch.linalg.matrix_norm(theta[0], ord=2)
    return moved


def largest_entries(jacobians: Tensor) -> Tensor:
    """You compared the largest entries: asked is the Frobenius norm, the root of the sum of all squared entries."""
    theta = kernels(jacobians)
    return (theta - theta[0]).abs().amax((1, 2)) / theta[0].abs().max()


def entry_by_entry(jacobians: Tensor) -> Tensor:
    """You averaged the relative change of each entry: entries near 0 take over. Divide norms, not entries."""
    theta = kernels(jacobians)
    return ((theta - theta[0]) / theta[0]).abs().mean((1, 2))


def of_the_trace(jacobians: Tensor) -> Tensor:
    """You looked at the trace alone: entries off the diagonal move as well, and changes of opposite sign cancel."""
    trace = kernels(jacobians).diagonal(dim1=1, dim2=2).sum(1)
    return (trace - trace[0]).abs() / trace[0]


def over_the_trace(jacobians: Tensor) -> Tensor:
    """You divided by ‖J‖², which is the trace of the kernel: its Frobenius norm is another number."""
    theta = kernels(jacobians)
    return size(theta - theta[0]) / jacobians[0].square().sum()


def kernel_of_the_change(jacobians: Tensor) -> Tensor:
    """You built the kernel of J(t) − J(0): the change of J Jᵀ has a mixed term, and it is the large one."""
    return size(kernels(jacobians - jacobians[0])) / size(kernels(jacobians[0]))


def diagonal_only(jacobians: Tensor) -> Tensor:
    """Only the diagonal was compared: the kernel between different inputs moves as well."""
    diagonal = kernels(jacobians).diagonal(dim1=1, dim2=2)
    moved: Tensor = (diagonal - diagonal[0]).norm(dim=1) / diagonal[0].norm()
    return moved


def angle(jacobians: Tensor) -> Tensor:
    """You measured the angle between the kernels: one that is twice as large has moved, and the angle is 0."""
    theta = kernels(jacobians)
    return 1 - (theta * theta[0]).sum((1, 2)) / (size(theta) * size(theta[0]))


def length_of_the_path(jacobians: Tensor) -> Tensor:
    """You added up all steps on the way: the drift is the distance from the start, and a path may turn back."""
    return increments(jacobians).cumsum(0)


def sums_of_magnitudes(jacobians: Tensor) -> Tensor:
    """You summed magnitudes: asked is the Frobenius norm, the root of the sum of all squared entries."""
    theta = kernels(jacobians)
    return (theta - theta[0]).abs().sum((1, 2)) / theta[0].abs().sum()


def divided_by_the_end(jacobians: Tensor) -> Tensor:
    """You divided by the norm of the last kernel, at all times: the yardstick is the kernel at the start."""
    theta = kernels(jacobians)
    return size(theta - theta[0]) / size(theta[-1])


def seen_from_the_end(jacobians: Tensor) -> Tensor:
    """You measured the distance to the last kernel: the drift is measured from the first one."""
    theta = kernels(jacobians)
    return size(theta - theta[-1]) / size(theta[-1])


def one_factor_moved(jacobians: Tensor) -> Tensor:
    """You multiplied J(t) with the transpose of J(0): both factors of the kernel are from the same time."""
    theta = jacobians @ jacobians[0].T
    return size(theta - theta[0]) / size(theta[0])


def scaled_to_one(jacobians: Tensor) -> Tensor:
    """You brought each kernel to norm 1 before you compared: how much it has grown is part of its motion."""
    theta = kernels(jacobians)
    return size(theta / size(theta)[:, None, None] - theta[0] / size(theta[0]))


# ---- right answers


def time_by_time(jacobians: Tensor) -> list[float]:
    j = jacobians.numpy()
    start = j[0] @ j[0].T
    return [float(np.sqrt(((now @ now.T - start) ** 2).sum() / (start**2).sum())) for now in j]


def flattened(jacobians: Tensor) -> Tensor:
    theta = torch.einsum("tnp,tmp->tnm", jacobians, jacobians).flatten(1)
    moved: Tensor = torch.linalg.vector_norm(theta - theta[:1], dim=1) / theta[0].norm()
    return moved


def as_a_ratio_of_means(jacobians: Tensor) -> Tensor:
    theta = kernels(jacobians)
    return ((theta - theta[0]).square().mean((1, 2)) / theta[0].square().mean()).sqrt()


drift = Task(
    id="08.4",
    title="How far the kernel has moved",
    signature="kernel_drift(jacobians) -> [t]",
    reference=reference,
    credit={"a path": 1, "more inputs than parameters": 1},
    cases=(
        Case("a path", "before and after", partial(path, times=2, n=3, parameters=7)),
        Case("a path", "5 times", partial(path, times=5, n=4, parameters=9)),
        Case("more inputs than parameters", "7 times", partial(path, times=7, n=5, parameters=3)),
    ),
    misconceptions=(
        Misconception(of_the_jacobian),
        Misconception(in_parameter_space),
        Misconception(increments),
        Misconception(relative_to_the_end),
        Misconception(difference_of_norms),
        Misconception(not_relative),
        Misconception(squared),
        Misconception(spectral_norm),
        Misconception(largest_entries),
        Misconception(entry_by_entry),
        Misconception(of_the_trace),
        Misconception(over_the_trace),
        Misconception(kernel_of_the_change),
        Misconception(diagonal_only),
        Misconception(angle),
        Misconception(length_of_the_path),
        Misconception(sums_of_magnitudes),
        Misconception(divided_by_the_end),
        Misconception(seen_from_the_end),
        Misconception(one_factor_moved),
        Misconception(scaled_to_one),
    ),
    alternatives=(time_by_time, flattened, as_a_ratio_of_means),
)
