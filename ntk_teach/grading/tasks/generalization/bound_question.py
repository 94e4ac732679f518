"""Question 07.6, read by a person: what a bound says, and what a measurement says."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["bound_question"]

bound_question = WrittenQuestion(
    id="07.6",
    title="What the bound says",
    rubric={
        "says that a bound above 1 promises nothing by itself, and what comparing the two numbers still shows": 1,
        "names what the theorem needs: independent examples, and a kernel that was fixed before they were seen": 1,
        "says why the number of the trained network's own kernel is not covered: it was chosen with these labels": 1,
        "uses parity: a large number speaks about this kernel, not about the task or about every network": 1,
    },
)
