"""The exercise of the chapter on the loss landscape, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.loss_landscape.balanced_copy import balanced_copy
from ntk_teach.grading.tasks.loss_landscape.filters import filters
from ntk_teach.grading.tasks.loss_landscape.output_segment import output_segment
from ntk_teach.grading.tasks.loss_landscape.parameter_barrier import parameter_barrier
from ntk_teach.grading.tasks.loss_landscape.picture_question import picture_question
from ntk_teach.grading.tasks.loss_landscape.spectrum import spectrum

__all__ = ["exercise"]

exercise = Exercise(
    number="01",
    name="loss_landscape",
    provides=("squared_error", "logistic"),
    tasks=(filters, balanced_copy, parameter_barrier, output_segment, spectrum),
    written=(picture_question,),
)
