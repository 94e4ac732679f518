"""Question 03.6, read by a person: what a wide network shares with random features."""

from ntk_teach.grading.task import WrittenQuestion

__all__ = ["network_question"]

network_question = WrittenQuestion(
    id="03.6",
    title="What a wide network shares with random features",
    rubric={
        "says what is drawn once and what is learned with random features, and that a network's ∂f/∂θ moves": 1,
        "says what is exact at any P, gradient descent = kernel gradient descent, and why: f is linear in θ": 1,
        "says what P → ∞ adds, a kernel that is not random, and why a network's features need another argument": 1,
        "names the linearization as the random-feature model of a network, and that its start f₀ stays": 1,
    },
)
