"""Question 11.4, read by a person: what a best accuracy is worth, and what a graph kernel cannot see."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["question"]

question = WrittenQuestion(
    id="11.4",
    title="A record on a benchmark",
    rubric={
        "says that the test folds chose the setting, so that a maximum over many settings is reported": 1,
        "proposes nested selection: everything is chosen inside the training part, the test fold is used once": 1,
        "reads the ± as the spread of single folds, and asks for the same folds for both methods, or several draws": 1,
        "names a limit of the kernel itself: graphs that color refinement does not separate get equal rows": 1,
    },
)
