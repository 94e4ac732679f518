"""Whatever a student's function does becomes an array or a sentence."""

import numpy as np
import pytest
import torch

from ntk_teach.grading.answer import ask, read

ARGUMENTS = {"x": torch.tensor([[1.0, 2.0]]), "weights": [torch.ones(2)], "depth": 3}


class Stubborn:
    """An object that will not be an array."""

    def __array__(self, *_: object) -> np.ndarray:
        raise RuntimeError("no array of mine")


@pytest.mark.parametrize(
    "raw",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=np.float32),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])],
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]).to_sparse(),
    ],
)
def test_arrays_of_every_kind_are_read(raw: object) -> None:
    """Numpy, torch, lists, float32, tensors that require a gradient: all are the same array."""
    assert np.array_equal(read(raw).value, [[1, 2], [3, 4]])


def test_tensors_in_lists_may_require_gradients() -> None:
    """numpy refuses them with an error of its own."""
    row = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    answer = read([row * 2, [3.0, torch.tensor(4.0, requires_grad=True)]])
    assert answer.value is not None
    assert answer.value.tolist() == [[2.0, 4.0], [3.0, 4.0]]


@pytest.mark.parametrize("raw", [2.5, np.float64(2.5), torch.tensor(2.5), np.array(2.5)])
def test_a_number_is_an_array_without_axes(raw: object) -> None:
    """A 0-d answer is read as one."""
    assert read(raw).value.shape == ()


@pytest.mark.parametrize(
    ("raw", "kind", "word"),
    [
        (None, "nothing", "return"),
        (np.array([1 + 2j]), "unreadable", "complex128"),
        ("0.5", "unreadable", "real numbers"),
        ([[1.0], [1.0, 2.0]], "unreadable", "different lengths"),
        (Stubborn(), "unreadable", "RuntimeError: no array of mine"),
        (np.array([1.0], dtype=np.float16), "unreadable", "float16"),
        (torch.tensor([1.0], dtype=torch.bfloat16), "unreadable", "bfloat16"),
        (np.array([True]), "unreadable", "bool"),
        ({"theta": 1.0}, "unreadable", "dict"),
        (lambda x: x, "unreadable", "function"),
    ],
)
def test_what_is_not_an_array_of_real_numbers_is_refused_with_its_reason(raw: object, kind: str, word: str) -> None:
    """None, complex, text, ragged lists, half precision, truth values, other objects."""
    answer = read(raw)
    assert answer.kind == kind
    assert word in answer.problem


def test_float32_is_known_as_such() -> None:
    """Single precision is compared as single precision, so the answer carries it."""
    assert read(torch.ones(2, dtype=torch.float32)).single
    assert not read(torch.ones(2, dtype=torch.float64)).single


def test_an_exception_names_its_type_and_the_students_line() -> None:
    """The message leads to the line, not into a library."""

    def wrong(x, weights, depth):
        return torch.ones(2) @ torch.ones(3)

    answer = ask(wrong, ARGUMENTS)
    assert answer.kind == "raised"
    assert "RuntimeError" in answer.problem
    assert "torch.ones(2) @ torch.ones(3)" in answer.problem


def test_wrong_number_of_arguments_and_sys_exit_are_sentences() -> None:
    """Neither a TypeError of the call nor an exit reaches the notebook."""

    def leaves(x, weights, depth):
        raise SystemExit(3)

    assert "TypeError" in ask(lambda x: x, ARGUMENTS).problem
    assert "SystemExit" in ask(leaves, ARGUMENTS).problem


def test_an_interrupt_is_not_swallowed() -> None:
    """A cell that runs out of time must stop."""

    def interrupted(x, weights, depth):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(interrupted, ARGUMENTS)


@pytest.mark.parametrize("name", ["x", "weights"])
def test_a_changed_argument_is_named_and_the_callers_copy_stays(name: str) -> None:
    """Answers that work in place are told so; the next case sees fresh inputs."""

    def greedy(x, weights, depth):
        changed = {"x": x, "weights": weights[0]}[name]
        changed += 1
        return x

    answer = ask(greedy, ARGUMENTS)
    assert answer.kind == "mutated"
    assert repr(name) in answer.problem
    assert torch.equal(ARGUMENTS["x"], torch.tensor([[1.0, 2.0]]))
    assert torch.equal(ARGUMENTS["weights"][0], torch.ones(2))


def test_the_empty_answer_is_not_an_error() -> None:
    """A stub that raises NotImplementedError is a task that nobody has begun."""

    def stub(x, weights, depth):
        raise NotImplementedError

    assert ask(stub, ARGUMENTS).kind == "unanswered"
