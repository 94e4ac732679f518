"""The exercise of the chapter on lazy training, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.lazy_training.drift import drift
from ntk_teach.grading.tasks.lazy_training.kappa import kappa
from ntk_teach.grading.tasks.lazy_training.powers import powers
from ntk_teach.grading.tasks.lazy_training.question import question
from ntk_teach.grading.tasks.lazy_training.step import step
from ntk_teach.grading.tasks.lazy_training.tangent import tangent

__all__ = ["exercise"]

exercise = Exercise(
    number="08",
    name="lazy_training",
    provides=("data",),
    tasks=(kappa, step, tangent, drift, powers),
    written=(question,),
)
