"""Task 05.2: the NTK of one finite network, layer by layer."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from ntk_teach import empirical_ntk
from ntk_teach.grading.task import Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import finite_alternatives, finite_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.description import loaded
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import one_network
from ntk_teach.grading.tasks.neural_tangent_kernel.question import Question, answers

__all__ = ["finite_kernel"]


@answers
def reference(asked: Question) -> Tensor:
    network = loaded(asked.convention, asked.weights, asked.biases, asked.sigma_b)
    return empirical_ntk(network, asked.x1, asked.x2)


def finite_kernel(convention: Convention) -> Task:
    def case(shows: str, name: str, widths: tuple[int, ...], n: int, m: int) -> Case:
        return Case(shows, name, partial(one_network, convention=convention, widths=widths, n=n, m=m))

    return Task(
        id="05.2",
        title="The kernel of one network",
        signature="network_ntk(weights, biases, x1, x2, sigma_b) -> [n, m]",
        reference=under(convention, reference),
        credit={"one hidden layer": 1, "deeper networks": 2},
        cases=(
            case("one hidden layer", "no hidden layer", (4, 1), n=4, m=6),
            case("one hidden layer", "widths 3, 12, 1", (3, 12, 1), n=5, m=4),
            case("deeper networks", "widths 10, 10, 10, 1", (10, 10, 10, 1), n=4, m=7),
            case("deeper networks", "widths 3, 16, 9, 12, 1", (3, 16, 9, 12, 1), n=6, m=4),
        ),
        misconceptions=finite_misconceptions.all_of_them(convention),
        alternatives=finite_alternatives.all_of_them(convention),
    )
