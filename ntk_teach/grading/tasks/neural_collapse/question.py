"""Question 13.4, read by a person: what a picture with blocks shows, and what the theorem assumes."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["question"]

question = WrittenQuestion(
    id="13.4",
    title="What do the blocks prove?",
    rubric={
        "says that the block structure is an assumption of the theorem, and that a picture does not establish it": 1,
        "measures it: distance from the nearest block-structured kernel, or the spread of the eigenvalues": 1,
        "names another hypothesis: a kernel that stands still, balance at the start, or the kernel of the features": 1,
        "proposes a control: a lazy network that fits as well, random labels, or the same numbers on test inputs": 1,
    },
)
