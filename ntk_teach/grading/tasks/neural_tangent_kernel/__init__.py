"""The exercise of the chapter on the neural tangent kernel, one file a task, in the conventions of three papers."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import ARORA, BOOK, HE, Convention
from ntk_teach.grading.tasks.neural_tangent_kernel.finite_kernel import finite_kernel
from ntk_teach.grading.tasks.neural_tangent_kernel.layer_shares import layer_shares
from ntk_teach.grading.tasks.neural_tangent_kernel.limiting_kernel import limiting_kernel
from ntk_teach.grading.tasks.neural_tangent_kernel.output_blocks import output_blocks
from ntk_teach.grading.tasks.neural_tangent_kernel.training_question import training_question
from ntk_teach.grading.tasks.neural_tangent_kernel.variance import variance
from ntk_teach.grading.tasks.neural_tangent_kernel.wording import CODE, TEXT

__all__ = ["exercise", "variants"]


def written_for(convention: Convention) -> Exercise:
    """The exercise whose text states this convention."""
    tasks = (limiting_kernel, finite_kernel, output_blocks, variance, layer_shares)
    return Exercise(
        number="05",
        name="neural_tangent_kernel",
        provides=("relu", "data"),
        tasks=tuple(task(convention) for task in tasks),
        written=(training_question,),
        variant=convention.name,
        text=TEXT[convention.name],
        code=CODE[convention.name],
    )


exercise = written_for(BOOK)
variants = tuple(written_for(convention) for convention in (ARORA, HE))
