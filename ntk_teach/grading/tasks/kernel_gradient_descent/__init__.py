"""The exercise of the chapter on kernel gradient descent, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.kernel_gradient_descent.block_matrix import block_matrix
from ntk_teach.grading.tasks.kernel_gradient_descent.convergence_question import convergence_question
from ntk_teach.grading.tasks.kernel_gradient_descent.kernel_norm import kernel_norm
from ntk_teach.grading.tasks.kernel_gradient_descent.logistic_decay import logistic_decay
from ntk_teach.grading.tasks.kernel_gradient_descent.one_step import one_step
from ntk_teach.grading.tasks.kernel_gradient_descent.where_it_ends import where_it_ends

__all__ = ["exercise"]

exercise = Exercise(
    number="02",
    name="kernel_gradient_descent",
    provides=("data",),
    tasks=(kernel_norm, one_step, logistic_decay, block_matrix, where_it_ends),
    written=(convergence_question,),
)
