"""Question 06.6, read by a person: what Figure 3 (b) of the paper measures, and how to find out why."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["figure_question"]

figure_question = WrittenQuestion(
    id="06.6",
    title="What the deviation from the line shows",
    rubric={
        "says what is drawn: the distance of the function from the line through f_0 and f*, not from linearity in θ": 1,
        "names the kernel at the start: it differs from the limit, so the target is not along its eigenfunction": 1,
        "names the motion: during training the kernel changes, so no direction stays an eigenfunction": 1,
        "proposes an experiment in which one of the two causes is absent, and says what it would show": 1,
    },
)
