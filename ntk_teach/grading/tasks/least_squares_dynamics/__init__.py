"""The exercise of the chapter on least squares: training in closed form, its law, its modes, its steps, its noise."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.least_squares_dynamics.figure_question import figure_question
from ntk_teach.grading.tasks.least_squares_dynamics.modes import modes
from ntk_teach.grading.tasks.least_squares_dynamics.risk import risk
from ntk_teach.grading.tasks.least_squares_dynamics.step_size import step_size
from ntk_teach.grading.tasks.least_squares_dynamics.trained_covariance import trained_covariance
from ntk_teach.grading.tasks.least_squares_dynamics.trained_function import trained_function

__all__ = ["exercise"]

exercise = Exercise(
    number="06",
    name="least_squares_dynamics",
    provides=("data",),
    tasks=(trained_function, modes, step_size, trained_covariance, risk),
    written=(figure_question,),
)
