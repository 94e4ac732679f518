"""The exercise of the chapter on the convolutional tangent kernel, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.convolutional_ntk.local_pooling import local_pooling
from ntk_teach.grading.tasks.convolutional_ntk.patch_covariance import patch_covariance
from ntk_teach.grading.tasks.convolutional_ntk.question import question
from ntk_teach.grading.tasks.convolutional_ntk.site_step import site_step

__all__ = ["exercise"]

exercise = Exercise(
    number="09",
    name="convolutional_ntk",
    provides=("relu",),
    tasks=(patch_covariance, site_step, local_pooling),
    written=(question,),
)
