"""Question 09.4, read by a person: what does pooling assume about the data?"""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["question"]

question = WrittenQuestion(
    id="09.4",
    title="Should a colleague pool?",
    rubric={
        "says which pairs of pixels each read-out compares: equal ones with Flatten, all of them with GAP": 1,
        "translates GAP into data: training on all circular translates, so place is thrown away": 1,
        "explains why that can lose on digits, and why zeros around the image bring some of it back": 1,
        "proposes a test or a middle way: a local window, several draws with standard errors, shuffled pixels": 1,
    },
)
