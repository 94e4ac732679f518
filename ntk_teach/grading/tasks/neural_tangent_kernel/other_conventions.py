"""Right answers to another course's text: the other conventions, and mixtures that differ in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import ARORA, BOOK, HE, Convention, under

__all__ = ["mixtures", "other_conventions", "others"]


def others(convention: Convention) -> tuple[Convention, ...]:
    return tuple(other for other in (BOOK, ARORA, HE) if other != convention)


def other_conventions(
    answer: Callable[..., object], convention: Convention, *, by_depth: bool = False
) -> tuple[Misconception, ...]:
    """Both kinds, each named.

    Args:
        answer: right in the convention that it is given.
        convention: the one of the text.
        by_depth: does the task have the argument ``depth``?
    """
    stated = f"The text of your notebook states that of {convention.source}: {convention.summary}."
    whole = [
        under(
            other,
            answer,
            name=f"convention_of_{other.name}",
            message=f"You followed the convention of {other.source}: {other.summary}. {stated}",
        )
        for other in others(convention)
    ]
    mixed = [
        under(other, answer, name=name, message=message)
        for name, other, message in mixtures(convention)
        if by_depth or other.hidden_layers_counted == convention.hidden_layers_counted
    ]
    return tuple(Misconception(function) for function in (*whole, *mixed))


def mixtures(own: Convention) -> Iterator[tuple[str, Convention, str]]:
    """Name, convention and message of every mistake in one place."""
    if own.hidden_variance == 1:
        yield (
            "he_factor",
            replace(own, hidden_variance=2),
            "Behind the activations your layers have a factor 2: that is He's convention (σ_w² = 2); here σ_w = 1 and "
            "ReLU has no factor.",
        )
    else:
        yield (
            "factor_forgotten",
            replace(own, hidden_variance=1),
            f"The factor 2 behind every activation is missing: in the convention of {own.source} σ_w² = 2.",
        )
    if own.first_variance != 1:
        yield (
            "factor_not_in_the_first_layer",
            replace(own, first_variance=1),
            f"The first layer has no factor 2: in the convention of {own.source} no layer is an exception.",
        )
    if own.first_divided:
        yield (
            "input_not_scaled",
            replace(own, first_divided=False),
            "The inner product of the inputs is not divided by their dimension: the first layer, too, has its 1/√n₀.",
        )
    else:
        yield (
            "input_scaled",
            replace(own, first_divided=True),
            f"You divided the first layer by √n₀: in the convention of {own.source} it has no factor.",
        )
    if own.hidden_layers_counted:
        yield (
            "one_layer_too_few",
            replace(own, hidden_layers_counted=False),
            "You stopped one layer short: depth counts hidden layers, so depth 1 applies one activation.",
        )
    else:
        yield (
            "one_layer_too_many",
            replace(own, hidden_layers_counted=True),
            "You went one layer too deep: depth counts weight layers, so depth 1 applies no activation.",
        )
