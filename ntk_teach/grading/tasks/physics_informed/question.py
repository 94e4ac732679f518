"""Question 12.4, read by a person: what the kernel explains about a failed run, and what it does not."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["question"]

question = WrittenQuestion(
    id="12.4",
    title="What the weights can and cannot do",
    rubric={
        "explains the rise: K_ur and the large residual move the boundary; only the sum of both costs must fall": 1,
        "says what the weights equalize: traces, averages over directions, of the kernel as it stands": 1,
        "names the origin of the imbalance: the units of x, the order of the operator, or the number of points": 1,
        "names a limit: slow directions inside a block, a kernel that moves, or a rate that is not an error": 1,
    },
)
