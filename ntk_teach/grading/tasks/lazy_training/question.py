"""Question 08.6, read by a person: is a wide network that trained well a lazy one?"""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["question"]

question = WrittenQuestion(
    id="08.6",
    title="Was this network lazy?",
    rubric={
        "names the scale: alpha, kappa or the parametrization decide, not the width alone": 1,
        "says why small weight movement is weak evidence; measures kernel, features or the distance to the tangent": 1,
        "proposes a test: tangent model or large alpha from the same initialization, compared off the training set": 1,
        "separates fitting from generalizing: that the kernel regime trains well says nothing about the test error": 1,
    },
)
