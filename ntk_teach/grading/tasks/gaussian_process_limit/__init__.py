"""The exercise of the chapter on the Gaussian process limit, one file a task."""

from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks.gaussian_process_limit.covariance import covariance
from ntk_teach.grading.tasks.gaussian_process_limit.forward import forward
from ntk_teach.grading.tasks.gaussian_process_limit.kurtosis import kurtosis
from ntk_teach.grading.tasks.gaussian_process_limit.limit_question import limit_question
from ntk_teach.grading.tasks.gaussian_process_limit.relu_dual import relu_dual
from ntk_teach.grading.tasks.gaussian_process_limit.trained_draws import trained_draws

__all__ = ["exercise"]

exercise = Exercise(
    number="04",
    name="gaussian_process_limit",
    provides=("erf", "data"),
    tasks=(forward, relu_dual, covariance, kurtosis, trained_draws),
    written=(limit_question,),
)
