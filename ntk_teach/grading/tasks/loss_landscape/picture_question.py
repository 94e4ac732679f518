"""Question 01.6, read by a person: what a picture of a minimum says about the function there."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["picture_question"]

picture_question = WrittenQuestion(
    id="01.6",
    title="Two pictures of a minimum",
    rubric={
        "says that rescaled (or renumbered) copies are one function, so they generalize equally": 1,
        "says that the raw picture and the largest eigenvalue of the Hessian change between such copies": 1,
        "says what filter normalization repairs, and one thing that it leaves: single units, two directions of many": 1,
        "says in which variable the cost is convex, and that this is no statement about the parameters": 1,
    },
)
