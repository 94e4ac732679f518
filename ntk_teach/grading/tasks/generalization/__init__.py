"""The exercise of the chapter on generalization, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.generalization.bound_question import bound_question
from ntk_teach.grading.tasks.generalization.complexity import complexity
from ntk_teach.grading.tasks.generalization.degrees import degrees
from ntk_teach.grading.tasks.generalization.energy import energy
from ntk_teach.grading.tasks.generalization.learning_curve import learning_curve
from ntk_teach.grading.tasks.generalization.leave_one_out import leave_one_out

__all__ = ["exercise"]

exercise = Exercise(
    number="07",
    name="generalization",
    provides=("data",),
    tasks=(complexity, leave_one_out, degrees, learning_curve, energy),
    written=(bound_question,),
)
