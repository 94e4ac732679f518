"""Task 13.2: wrong rates and multiplicities; what a student is told stands below each name."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_collapse.rates_terms import reference, with_

__all__ = ["NAMED"]


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
    """The multiplicities stand in reverse order: the large space is that of the functions that average to 0 over each
    class.
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
    """What sets the diagonal apart from γ_c acts in every space: yours has it in the first eigenvalue only."""
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
    """You let m − 1 inputs of the class act, and the constants inherit it: the excess of the diagonal over γ_c stands
    apart, so that every input of the class counts.
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
    """You sorted by size: the rows belong to spaces, and with a negative γ_n the constants need not be the fastest."""
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return right[right[:, 0].argsort()]


def constants_counted_twice(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Your class means contain the constants: of the C functions that are constant on classes one is the third kind,
    and what you took away for it within classes belongs there.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, nc=classes, ns=classes * (per_class - 1) - 1)


def diagonal_twice(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the constants the eigenvalue is the sum of a row: yours has the diagonal entry twice, as γ_d and as one of m
    entries γ_c.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, g=float(right[2, 0]) + gamma_c / (classes * per_class))


def other_classes_once(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the constants you let every other class pull once: it has m inputs, each of them an entry of the row."""
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, g=(gamma_d + (per_class - 1) * gamma_c + (classes - 1) * gamma_n) / inputs)


def others_subtracted(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the class means you took γ_n away for every input of the other classes: their values add up to minus that of
    the class, however many classes there are.
    """
    inputs = classes * per_class
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, c=(gamma_d + (per_class - 1) * gamma_c - (inputs - per_class) * gamma_n) / inputs)


def times_the_multiplicity(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You multiplied each rate by its multiplicity: that is a part of the trace. The rate is what a single function of
    the space decays with.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return torch.stack([right[:, 0] * right[:, 1], right[:, 1]], dim=1)


def short_of_one_in_the_means(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the class means you let m − 1 inputs of the other classes act with γ_n: one input less, the one on the
    diagonal, there is in the own class alone.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, c=float(right[1, 0]) + gamma_n / (classes * per_class))


def one_less_for_the_means(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """For the class means you let m − 1 inputs of the class act: the excess of the diagonal over γ_c stands apart, so
    that every input of the class counts.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    return with_(right, c=float(right[1, 0]) - (gamma_c - gamma_n) / (classes * per_class))


def from_a_sorted_list(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You read the rates from a sorted list of eigenvalues: their order is not that of the three spaces, and with a
    negative γ_n the constants need not be at its end. Tell the spaces apart by their functions.
    """
    right = reference(gamma_d, gamma_c, gamma_n, classes, per_class)
    found = right[:, 0].repeat_interleave(right[:, 1].long()).sort().values
    return with_(right, s=float(found[0]), c=float(found[-2]), g=float(found[-1]))


def magnitudes(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """Your rates have lost their signs: the three γ may be any numbers, and along an eigenvector with a negative
    eigenvalue the residual grows.
    """
    return reference(gamma_d, gamma_c, gamma_n, classes, per_class).abs()


def cut_at_zero(gamma_d: float, gamma_c: float, gamma_n: float, classes: int, per_class: int) -> Tensor:
    """You put 0 for every negative rate: the three γ may be any numbers, and along an eigenvector with a negative
    eigenvalue the residual grows.
    """
    return reference(gamma_d, gamma_c, gamma_n, classes, per_class).clamp(min=0)


NAMED = (
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
    Misconception(constants_counted_twice),
    Misconception(diagonal_twice),
    Misconception(other_classes_once),
    Misconception(others_subtracted),
    Misconception(times_the_multiplicity),
    Misconception(short_of_one_in_the_means),
    Misconception(one_less_for_the_means),
    Misconception(from_a_sorted_list),
    Misconception(magnitudes),
    Misconception(cut_at_zero),
)
