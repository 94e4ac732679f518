"""A wrong answer is told which idea it misses, and never the right array."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch

from ntk_teach.grading.compare import Close
from ntk_teach.grading.judge import judge_function


def told(function, *wrong, **options):
    return judge_function(tiny.task(*wrong, **options), function, seed=3)


def test_a_right_answer_has_every_point_and_no_message() -> None:
    """Nothing to say."""
    verdict = told(tiny.outer, tiny.ignores_depth)
    assert (verdict.points, verdict.out_of, verdict.messages) == (3, 3, ())


def test_a_known_mistake_is_named_and_only_that() -> None:
    """The fingerprint is the answer on the same inputs."""
    verdict = told(lambda x, depth: x[:, None] @ x[None, :3], tiny.ignores_depth, tiny.adds_depth)
    assert verdict.messages == ("You ignored depth.",)
    assert verdict.points == 0  # "one" holds by accident, but the first property does not


def test_two_mistakes_that_cannot_be_told_apart_are_both_offered() -> None:
    """On a tie the message says "one of"."""
    (message,) = told(tiny.ignores_depth, tiny.ignores_depth, tiny.depth_is_one).messages
    assert message.startswith("One of these:")
    assert "ignored" in message
    assert "assumed" in message


def test_a_mistake_that_breaks_one_property_costs_that_property() -> None:
    """Partial credit: the special case is lost, the general one is kept, and the mistake is named."""
    verdict = told(tiny.fails_on_one, tiny.ignores_depth, tiny.fails_on_one)
    assert verdict.points == 2
    assert verdict.messages == ("You divided by depth - 1.",)


def test_two_crashes_are_no_evidence() -> None:
    """An answer that always raises is not called by the name of a misconception that always raises."""

    def crashes(x, depth):
        """You crashed like this one."""
        raise ValueError("theirs")

    def mine(x, depth):
        raise ValueError("mine")

    (message,) = told(mine, crashes).messages
    assert "mine" in message
    assert "like this one" not in message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a, d: a.T, "axes are not in order"),
        (lambda a, d: 2 * a, "2 times the expected"),
        (lambda a, d: -a, "-1 times the expected"),
        (lambda a, d: a * 5, "5 times the expected"),
        (lambda a, d: a / 5**0.5, "times the expected"),
        (lambda a, d: a + d, "off by the same number in every entry: depth"),
        (lambda a, d: a - d**2, "off by the same number in every entry: minus depth²"),
        (lambda a, d: a + 0.25, "off by the same number in every entry (0.25"),
        (lambda a, d: a[:, :2], "expected shape [5, 3], received [5, 2]"),
        (lambda a, d: a.sum(), "expected shape [5, 3], received []"),
        (lambda a, d: a.where(a > 0, torch.nan), "NaN or infinite, the first at ["),
        (lambda a, d: a * (1 + 1e-5 * torch.rand(5, 3)), "right to "),
        (lambda a, d: a.abs(), "expected -"),
    ],
)
def test_without_a_name_the_numbers_speak(change, words: str) -> None:
    """Axes, factor, offset, shape, NaN, digits, and otherwise one entry."""
    verdict = told(lambda x, depth: change(tiny.outer(x, depth), depth), tiny.ignores_depth)
    assert words in verdict.messages[0]


def test_a_factor_that_is_a_size_of_the_inputs_is_called_by_its_name() -> None:
    """The usual one is a mean in place of a sum."""
    verdict = told(lambda x, depth: tiny.outer(x, depth) * depth)
    assert "depth times the expected" in verdict.messages[0]


def test_only_the_diagonal() -> None:
    """Square arrays are looked at on and off the diagonal."""
    from ntk_teach.grading.numerics import _diagonal

    expected = np.arange(9.0).reshape(3, 3) + 1
    on, off = expected + np.eye(3), expected * (1 + (1 - np.eye(3)))
    assert "only the diagonal is wrong" in _diagonal(tiny.task(), [(on, expected)])
    assert "the diagonal is right" in _diagonal(tiny.task(), [(off, expected)])


def test_never_the_expected_array() -> None:
    """Of the expected numbers at most one is shown, and the reference's code not at all."""
    verdict = told(lambda x, depth: tiny.outer(x, depth) ** 2)
    text = str(verdict)
    rng = np.random.default_rng([3, 0])
    expected = tiny.outer(**tiny.draw(3)(rng)).numpy().ravel()
    assert sum(f"{value:.6g}" in text for value in expected) <= 1
    assert "array" not in text


def test_float32_is_accepted_where_the_task_says_so() -> None:
    """With a note; where the task needs float64 the message says that."""

    def single(x, depth):
        return tiny.outer(x.float(), depth)

    accepted = told(single)
    assert accepted.passed
    assert "float32" in accepted.notes[0]
    refused = told(single, compare=Close(rtol_single=None))
    assert refused.points == 0
    assert "float64" in refused.messages[0]


def test_an_axis_of_length_one_too_many_is_forgiven_with_a_note() -> None:
    """(N, 1) where (N,) is asked."""
    verdict = told(lambda x, depth: tiny.outer(x, depth)[..., None])
    assert verdict.passed
    assert "shape" in verdict.notes[0]


def test_an_unanswered_task_holds_nothing() -> None:
    """The stub earns no property, not even by vacuity."""

    def stub(x, depth):
        raise NotImplementedError

    verdict = told(stub)
    assert not any(item.holds for item in verdict.properties)
    assert verdict.messages == ("not answered yet: replace the line that raises NotImplementedError",)


def test_a_property_holds_only_where_all_of_its_cases_were_tried() -> None:
    """A function that calls itself unanswered in between would be spared the cases behind that one."""
    general, again, one = tiny.task().cases

    def spared(x, depth):
        if depth != 3:
            raise NotImplementedError
        return tiny.outer(x, depth)

    verdict = judge_function(replace(tiny.task(), cases=(general, one, again)), spared, seed=3)
    assert not any(item.holds for item in verdict.properties)


def test_other_seeds_are_other_inputs() -> None:
    """An answer that remembers the inputs of one seed fails on the next."""
    memory = {}

    def remembers(x, depth):
        return memory.setdefault(depth, tiny.outer(x, depth))

    assert judge_function(tiny.task(), remembers, seed=1).passed
    assert not judge_function(tiny.task(), remembers, seed=2).passed


def test_a_task_whose_credit_and_cases_disagree_is_refused() -> None:
    """A property that no case decides would be given away."""
    import dataclasses

    with pytest.raises(ValueError, match=r"99\.1"):
        dataclasses.replace(tiny.task(), credit={"general": 2, "one": 1, "beauty": 5})
