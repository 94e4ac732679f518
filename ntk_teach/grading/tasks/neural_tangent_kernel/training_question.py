"""Question 05.6, read by a person: what the theorem on training says, and what it does not."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["training_question"]

training_question = WrittenQuestion(
    id="05.6",
    title="What the theorem on training says",
    rubric={
        "names the order of the limits: widths to infinity first, at a fixed training time T": 1,
        "says what stays constant: the kernel on [0, T], in probability, not the outputs": 1,
        "finds a condition that the experiment breaks: ReLU is not twice differentiable": 1,
        "reads the figure: at finite width the kernel moves, and less so as the width grows": 1,
    },
)
