"""Task 05.3: several outputs, one block of the kernel for each pair of inputs."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from ntk_teach import empirical_ntk
from ntk_teach.grading.task import Case, Task
from ntk_teach.grading.tasks.neural_tangent_kernel import blocks_alternatives, blocks_misconceptions
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.description import loaded
from ntk_teach.grading.tasks.neural_tangent_kernel.draws import one_network
from ntk_teach.grading.tasks.neural_tangent_kernel.question import Question, answers

__all__ = ["output_blocks"]


@answers
def reference(asked: Question) -> Tensor:
    network = loaded(asked.convention, asked.weights, asked.biases, asked.sigma_b)
    theta = empirical_ntk(network, asked.x1, asked.x2)
    c = len(asked.biases[-1])
    return theta.reshape(len(asked.x1), len(asked.x2), c, c)


# Blocks differ from their transposes from the second hidden layer on, by a percent or more at these widths (by nothing
# where few units leave a layer silent), which the float32 tolerance must not hide.
def output_blocks(convention: Convention) -> Task:
    def case(shows: str, name: str, widths: tuple[int, ...], n: int, m: int) -> Case:
        return Case(shows, name, partial(one_network, convention=convention, widths=widths, n=n, m=m))

    single = "a single output keeps its axes"
    return Task(
        id="05.3",
        title="The kernel of several outputs",
        signature="output_ntk(weights, biases, x1, x2, sigma_b) -> [n, m, c, c]",
        reference=under(convention, reference),
        credit={"every block": 2, single: 1},
        cases=(
            case("every block", "3 outputs, widths 4, 16, 12, 3", (4, 16, 12, 3), n=5, m=6),
            case("every block", "2 outputs, widths 3, 10, 2", (3, 10, 2), n=5, m=3),
            case(single, "1 output, widths 3, 8, 1", (3, 8, 1), n=3, m=4),
        ),
        misconceptions=blocks_misconceptions.all_of_them(convention),
        alternatives=blocks_alternatives.all_of_them(convention),
    )
