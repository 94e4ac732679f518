"""The exercise of the chapter on physics-informed networks, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.physics_informed.blocks import blocks
from ntk_teach.grading.tasks.physics_informed.errors import errors
from ntk_teach.grading.tasks.physics_informed.question import question
from ntk_teach.grading.tasks.physics_informed.weights import weights

__all__ = ["exercise"]

exercise = Exercise(
    number="12",
    name="physics_informed",
    provides=("data",),
    tasks=(blocks, weights, errors),
    written=(question,),
)
