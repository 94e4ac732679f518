"""Question 04.6, read by a person: what converges, and what stays finite."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["limit_question"]

limit_question = WrittenQuestion(
    id="04.6",
    title="A slide, corrected",
    rubric={
        "says which widths grow: those of the hidden layers; the numbers of inputs and of outputs stay": 1,
        "says what tends to what: the outputs in law, at finitely many inputs, to independent Gaussian processes": 1,
        "says what is equal: each process has the covariance Σ of depth L; its values at two inputs are correlated": 1,
        "explains that at finite width the outputs are uncorrelated, but share hidden units and are not independent": 1,
    },
)
