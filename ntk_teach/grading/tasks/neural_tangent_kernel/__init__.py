"""The exercise of the chapter on the neural tangent kernel, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.neural_tangent_kernel.finite_kernel import finite_kernel
from ntk_teach.grading.tasks.neural_tangent_kernel.layer_shares import layer_shares
from ntk_teach.grading.tasks.neural_tangent_kernel.limiting_kernel import limiting_kernel
from ntk_teach.grading.tasks.neural_tangent_kernel.output_blocks import output_blocks
from ntk_teach.grading.tasks.neural_tangent_kernel.training_question import training_question
from ntk_teach.grading.tasks.neural_tangent_kernel.variance import variance

__all__ = ["exercise"]

exercise = Exercise(
    number="05",
    name="neural_tangent_kernel",
    provides=("relu", "data"),
    tasks=(limiting_kernel, finite_kernel, output_blocks, variance, layer_shares),
    written=(training_question,),
)
