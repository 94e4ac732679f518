"""The exercise of the chapter on random features, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.random_features.descent import descent
from ntk_teach.grading.tasks.random_features.end import end
from ntk_teach.grading.tasks.random_features.gram import gram
from ntk_teach.grading.tasks.random_features.linearized import linearized
from ntk_teach.grading.tasks.random_features.network_question import network_question
from ntk_teach.grading.tasks.random_features.slope import slope

__all__ = ["exercise"]

exercise = Exercise(
    number="03",
    name="random_features",
    provides=("data",),
    tasks=(gram, descent, end, slope, linearized),
    written=(network_question,),
)
