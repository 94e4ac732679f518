"""Task 13.2: the rates of a block-structured kernel and how many functions each of them has."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.neural_collapse import BlockKernel
from ntk_teach.neural_collapse import block_rates as library

__all__ = ["rates"]


def reference(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    found = library(BlockKernel(gamma_d, gamma_c, gamma_n), classes=classes, per_class=per_class)
    values = torch.tensor(found[:3], dtype=torch.float64) / (classes * per_class)
    return torch.stack([values, torch.tensor(found.multiplicities, dtype=torch.float64)], dim=1)


def with_(right: Tensor, **wrong: float) -> Tensor:
    """The right answer with some of its six numbers replaced: s, c, g and their multiplicities ns, nc, ng."""
    changed = right.clone()
    for place, value in wrong.items():
        changed["scg".index(place[-1]), int(place[0] == "n")] = value
    return changed


# ---- inputs


def blocks(
    rng: np.random.Generator, *, classes: tuple[int, int], per_class: tuple[int, int], structured: bool = True
) -> Arguments:
    """γ_d > γ_c > γ_n > 0, or an order in which the constants are slowest."""
    gamma_n = float(rng.uniform(10, 20)) if structured else -float(rng.uniform(2, 4))
    gamma_c = gamma_n + float(rng.uniform(20, 40))
    return {
        "gamma_d": gamma_c + float(rng.uniform(150, 300)),
        "gamma_c": gamma_c,
        "gamma_n": gamma_n,
        "classes": int(rng.integers(classes[0], classes[1] + 1)),
        "per_class": int(rng.integers(per_class[0], per_class[1] + 1)),
    }


# ---- wrong answers


def not_divided(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """These are eigenvalues of the matrix: the cost is a mean over N inputs, and so are the rates λ/N."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right * torch.tensor([classes * per_class, 1.0], dtype=torch.float64)


def divided_by_the_class(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You divided by the size of a class: the cost is a mean over all N inputs."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right * torch.tensor([classes, 1.0], dtype=torch.float64)


def divided_by_the_classes(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You divided by the number of classes: the cost is a mean over all N inputs."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right * torch.tensor([per_class, 1.0], dtype=torch.float64)


def without_the_half(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Your rates are twice as large: the cost is *half* the mean of squares, and its derivative has no 2."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right * torch.tensor([2.0, 1.0], dtype=torch.float64)


def of_the_cost(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Your rates are minus the right ones: a rate of decay is positive where the residual shrinks."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right * torch.tensor([-1.0, 1.0], dtype=torch.float64)


def all_classes_counted(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Your multiplicities add up to N + 1: of the C functions that are constant on classes one is the constant, and it
    is counted on its own.
    """
    return with_(reference(gamma_d, gamma_c, gamma_n, classes, per_class), nc=classes)


def all_but_one(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You took one function away for the mean: a function that averages to 0 over *each* class obeys C conditions."""
    return with_(reference(gamma_d, gamma_c, gamma_n, classes, per_class), ns=classes * per_class - 1)


def one_class_alone(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You counted the functions that live in one class: every class has m − 1 of its own."""
    return with_(reference(gamma_d, gamma_c, gamma_n, classes, per_class), ns=per_class - 1)


def roles_exchanged(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The number of classes and the number of inputs in a class have changed places."""
    return reference(gamma_d, gamma_c, gamma_n, per_class, classes)


def multiplicities_turned_round(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The multiplicities stand in reverse order: the large space is the slow one, of functions that average to 0 over
    each class.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return torch.stack([right[:, 0], right[:, 1].flip(0)], dim=1)


def rows_turned_round(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The rows stand in reverse order: within classes first, then class means, then the constants."""
    return reference(gamma_d, gamma_c, gamma_n, classes, per_class).flip(0)


def columns_exchanged(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The columns have changed places: the rate comes first, the multiplicity second."""
    return reference(gamma_d, gamma_c, gamma_n, classes, per_class).flip(1)


def the_gammas(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You gave entries of the matrix for its eigenvalues: apply the matrix to a function of each kind and see by what
    it multiplies.
    """
    inputs = classes * per_class
    return with_(
        reference(gamma_d, gamma_c, gamma_n, classes, per_class),
        s=gamma_d / inputs,
        c=gamma_c / inputs,
        g=gamma_n / inputs,
    )


def diagonal_for_single(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Within a class you counted the diagonal alone: the other inputs of the class answer too, with a sum that is minus
    the value itself.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, s=gamma_d / (classes * per_class))


def single_against_others(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Within a class you compared the diagonal with other classes: a function that averages to 0 over each class does
    not feel γ_n at all.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, s=(gamma_d - gamma_n) / (classes * per_class))


def single_adds(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Within a class you added γ_c: the values average to 0 over the class, so the others pull the other way."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, s=(gamma_d + gamma_c) / (classes * per_class))


def whole_class_for_the_mean(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the class means you left the other classes out: with mean 0 over all, they sum to minus the value of the
    class and pull by γ_n.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, c=(gamma_d + (per_class - 1) * gamma_c) / (classes * per_class))


def class_without_single(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The diagonal is larger than γ_c in every space: γ_d − γ_c belongs to all three eigenvalues, and yours has it in
    the first only.
    """
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    of_class = per_class * (gamma_c - gamma_n)
    return with_(right, c=of_class / inputs, g=(of_class + inputs * gamma_n) / inputs)


def the_terms(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You gave the three terms of the matrix one eigenvalue each: on the constants all three terms act, on class means
    two.
    """
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, c=per_class * (gamma_c - gamma_n) / inputs, g=gamma_n)


def class_without_size(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The size of the class is missing: on a function that is constant on classes the m inputs of a class add up."""
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    of_class = gamma_d - gamma_n
    return with_(right, c=of_class / inputs, g=(of_class + inputs * gamma_n) / inputs)


def one_less_in_the_class(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You let m − 1 inputs of the class act: γ_d − γ_c is already the excess of the diagonal over γ_c, so that all m
    count with γ_c.
    """
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    of_class = gamma_d - gamma_c + (per_class - 1) * (gamma_c - gamma_n)
    return with_(right, c=of_class / inputs, g=(of_class + inputs * gamma_n) / inputs)


def global_per_class(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the constants you let C entries γ_n add up: every row of the matrix has N entries."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, g=float(right[1, 0]) + gamma_n / per_class)


def global_one_class(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the constants you let the γ_n of one class add up: every row of the matrix has N entries."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, g=float(right[1, 0]) + gamma_n / classes)


def own_class_twice(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the constants the eigenvalue is the sum of a row: yours counts the own class twice, with γ_c and with γ_n."""
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, g=(gamma_d + (per_class - 1) * gamma_c + inputs * gamma_n) / inputs)


def mean_of_a_row_for_others(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the constants you left the own class out: the eigenvalue is the sum of a whole row."""
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, g=(inputs - per_class) * gamma_n / inputs)


def all_inputs_for_the_class(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the class means you let all N inputs act with γ_c − γ_n: a class has m of them."""
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    of_class = gamma_d - gamma_c + inputs * (gamma_c - gamma_n)
    return with_(right, c=of_class / inputs, g=(of_class + inputs * gamma_n) / inputs)


def sorted_by_size(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You sorted by size: the rows belong to spaces, and with a negative γ_n the constants are not the fastest."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right[right[:, 0].argsort()]


# ---- right answers


def of_the_matrix(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The matrix applied to one function of each kind, and ranks of projections."""
    group = np.repeat(np.arange(classes), per_class)
    k = np.where(group[:, None] == group, gamma_c, gamma_n) + (gamma_d - gamma_c) * np.eye(len(group))
    single, of_class = np.zeros(len(group)), np.zeros(len(group))
    single[:2] = 1, -1
    of_class[group == 0], of_class[group == 1] = 1, -1
    modes = (single, of_class, np.ones(len(group)))
    counts = (len(group) - classes, classes - 1, 1)
    return torch.tensor([[(k @ f)[0] / f[0] / len(group), n] for f, n in zip(modes, counts, strict=True)])


def row_sums(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> list[list[float]]:
    n = classes * per_class
    own = gamma_d + (per_class - 1) * gamma_c
    return [
        [(gamma_d - gamma_c) / n, classes * (per_class - 1)],
        [(own - per_class * gamma_n) / n, classes - 1],
        [(own + (n - per_class) * gamma_n) / n, 1],
    ]


def from_traces(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """The global value from the sum of all entries, the first from a difference, the other from the trace."""
    n = classes * per_class
    entries = n * gamma_d + n * (per_class - 1) * gamma_c + n * (n - per_class) * gamma_n
    top, bottom = entries / n, gamma_d - gamma_c
    middle = (n * gamma_d - top - (n - classes) * bottom) / (classes - 1)
    return torch.tensor([[bottom / n, n - classes], [middle / n, classes - 1], [top / n, 1]], dtype=torch.float64)


ANY, STRUCTURE = "any three numbers", "many classes"

rates = Task(
    id="13.2",
    title="Three rates",
    signature="block_rates(gamma_d, gamma_c, gamma_n, classes, per_class) -> [3, 2]",
    reference=reference,
    credit={ANY: 2, STRUCTURE: 1},
    cases=(
        Case(ANY, "γ_n negative", partial(blocks, classes=(3, 5), per_class=(6, 8), structured=False)),
        Case(ANY, "few classes", partial(blocks, classes=(3, 4), per_class=(5, 7))),
        Case(STRUCTURE, "many classes", partial(blocks, classes=(6, 8), per_class=(3, 4))),
    ),
    misconceptions=(
        Misconception(not_divided),
        Misconception(divided_by_the_class),
        Misconception(divided_by_the_classes),
        Misconception(without_the_half),
        Misconception(of_the_cost),
        Misconception(all_classes_counted),
        Misconception(all_but_one),
        Misconception(one_class_alone),
        Misconception(roles_exchanged),
        Misconception(multiplicities_turned_round),
        Misconception(rows_turned_round),
        Misconception(columns_exchanged),
        Misconception(the_gammas),
        Misconception(diagonal_for_single),
        Misconception(single_against_others),
        Misconception(single_adds),
        Misconception(whole_class_for_the_mean),
        Misconception(class_without_single),
        Misconception(the_terms),
        Misconception(class_without_size),
        Misconception(one_less_in_the_class),
        Misconception(global_per_class),
        Misconception(global_one_class),
        Misconception(own_class_twice),
        Misconception(mean_of_a_row_for_others),
        Misconception(all_inputs_for_the_class),
        Misconception(sorted_by_size),
    ),
    alternatives=(of_the_matrix, row_sums, from_traces),
)
