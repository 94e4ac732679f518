"""The exercise of the chapter on the recurrent tangent kernel, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.recurrent_ntk.average import average
from ntk_teach.grading.tasks.recurrent_ntk.covariance import covariance
from ntk_teach.grading.tasks.recurrent_ntk.question import question
from ntk_teach.grading.tasks.recurrent_ntk.tangent import tangent

__all__ = ["exercise"]

exercise = Exercise(
    number="10",
    name="recurrent_ntk",
    provides=("relu",),
    tasks=(covariance, tangent, average),
    written=(question,),
)
