"""Errors: one family, one form of sentence, and checks that let good values through unchanged."""

import pytest
import torch

from ntk_teach import errors

X = torch.ones(2, 3, dtype=torch.float64)
KINDS = {
    errors.ShapeError: ValueError,
    errors.DomainError: ValueError,
    errors.DtypeError: TypeError,
    errors.RuleError: ValueError,
    errors.ConvergenceError: ValueError,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_error_is_of_the_family_and_of_the_builtin_kind(kind):
    """``except NTKError`` catches what the library raises on purpose; ``except ValueError`` does what people expect."""
    assert issubclass(kind, errors.NTKError)
    assert issubclass(kind, KINDS[kind])
    assert kind.__doc__


def test_the_sentence_has_its_four_parts():
    """Where, expected, received, do, in this order."""
    assert errors.sentence("place", "this", "that", "do so") == "place: expected this, received that; do so"


def test_good_values_pass_unchanged():
    """Every check returns what it was given."""
    assert errors.check_vectors(X, name="x", where="here") is X
    assert errors.check_pair(X, None, where="here") == (X, None)
    first, second = errors.check_pair(X, 2 * X, where="here")
    assert first is X
    assert torch.equal(second, 2 * X)
    errors.check_same(X, 2 * X, names=("a", "b"), where="here")
    assert errors.check_scale(0, name="sigma", where="here") == 0.0
    assert errors.check_scale(1.5, name="sigma", where="here", minimum=1.5) == 1.5
    assert errors.check_count(1, name="n", where="here") == 1
    assert errors.check_count(0, name="n", where="here", minimum=0) == 0
    assert errors.check_widths(7, 3, where="here") == [7, 7, 7]
    assert errors.check_widths((4, 5), 2, where="here") == [4, 5]
    assert errors.check_widths(7, 0, where="here") == []


REFUSED = [
    (lambda: errors.check_vectors([[1.0]], name="x", where="here"), errors.DtypeError, "list"),
    (lambda: errors.check_vectors(X.long(), name="x", where="here"), errors.DtypeError, "torch.int64"),
    (lambda: errors.check_vectors(X[0], name="x", where="here"), errors.ShapeError, r"\[3\]"),
    (lambda: errors.check_vectors(X[:0], name="x", where="here"), errors.DomainError, r"\[0, 3\]"),
    (lambda: errors.check_vectors(X[:, :0], name="x", where="here"), errors.DomainError, r"\[2, 0\]"),
    (lambda: errors.check_vectors(X * torch.nan, name="x", where="here"), errors.DomainError, "6 NaN or infinite of 6"),
    (lambda: errors.check_pair(X, X[:, :2], where="here"), errors.ShapeError, r"\[2, 2\]"),
    (lambda: errors.check_pair(X, X.float(), where="here"), errors.DtypeError, "torch.float32"),
    (lambda: errors.check_same(X, X.half(), names=("a", "b"), where="here"), errors.DtypeError, "torch.float16"),
    (lambda: errors.check_scale(-0.1, name="sigma", where="here"), errors.DomainError, "-0.1"),
    (lambda: errors.check_scale(float("nan"), name="sigma", where="here"), errors.DomainError, "nan"),
    (lambda: errors.check_scale(float("inf"), name="sigma", where="here"), errors.DomainError, "inf"),
    (lambda: errors.check_scale("1", name="sigma", where="here"), errors.DomainError, "'1'"),
    (lambda: errors.check_scale(True, name="sigma", where="here"), errors.DomainError, "True"),
    (lambda: errors.check_count(0, name="n", where="here"), errors.DomainError, "0"),
    (lambda: errors.check_count(2.0, name="n", where="here"), errors.DomainError, "2.0"),
    (lambda: errors.check_count(True, name="n", where="here"), errors.DomainError, "True"),
    (lambda: errors.check_widths((4, 5), 3, where="here"), errors.ShapeError, r"\[4, 5\]"),
    (lambda: errors.check_widths((4, 0), 2, where="here"), errors.DomainError, "0"),
]


@pytest.mark.boundary  # wrong types on purpose: the run-time type checker would speak before our own check
@pytest.mark.parametrize("attempt, kind, received", REFUSED)
def test_bad_values_are_refused_with_where_and_what(attempt, kind, received):
    """The message begins with the place and carries expected and received."""
    with pytest.raises(kind, match=rf"^here.*: expected .+, received .*{received}.*; .+"):
        attempt()
