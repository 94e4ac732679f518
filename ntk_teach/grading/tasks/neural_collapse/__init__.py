"""The exercise of the chapter on neural collapse, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.neural_collapse.means import means
from ntk_teach.grading.tasks.neural_collapse.question import question
from ntk_teach.grading.tasks.neural_collapse.rates import rates
from ntk_teach.grading.tasks.neural_collapse.variability import variability

__all__ = ["exercise"]

exercise = Exercise(
    number="13",
    name="neural_collapse",
    provides=("data",),
    tasks=(means, rates, variability),
    written=(question,),
)
