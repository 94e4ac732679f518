"""Question 10.4, read by a person: does it matter that the weights are shared?"""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["question"]

question = WrittenQuestion(
    id="10.4",
    title="Shared weights, or fresh ones?",
    rubric={
        "forward: shared weights correlate different times, fresh ones leave such pairs uncorrelated": 1,
        "backward: only pairs at equal distance from the end keep a product of gradients, so last states agree": 1,
        "names a read-out or a comparison that tells the two apart, and which pairs of times make the difference": 1,
        "separates the limit from finite networks: number of parameters, fluctuations, or movement in training": 1,
    },
)
