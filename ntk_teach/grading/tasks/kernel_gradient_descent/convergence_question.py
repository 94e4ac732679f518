"""Question 02.6, read by a person: what the word "guaranteed" needs."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["convergence_question"]

convergence_question = WrittenQuestion(
    id="02.6",
    title="What guaranteed convergence needs",
    rubric={
        "names what the cost must be, convex in f and bounded below, and what may happen without": 1,
        "says that the kernel may move, as long as its smallest eigenvalue on the data stays away from zero": 1,
        "separates the infimum from a minimizer, with logistic regression on separable data as the example": 1,
        "says where the statement ends: the training inputs, the flow or small steps, the limit of infinite width": 1,
    },
)
