"""What cannot be solved is refused, with the argument, what was expected and what to do."""

import math
import re

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import ConvergenceError, DomainError, DtypeError, NTKError, ShapeError
from ntk_teach.generalization import (
    empirical_learning_curve,
    gegenbauer,
    held_out_error,
    learning_curve,
    multiplicity,
    rkhs_bound,
    rkhs_norm,
    sphere_spectrum,
    zonal,
)

pytestmark = pytest.mark.boundary

X = inputs(6, 3)
K = ntk.zoo.mlp(3).ntk(X)
Y = X[:, 0]
ONES = torch.ones(4, dtype=torch.float64)
TWICE = ntk.zoo.mlp(3).ntk(torch.cat([X, X[:1]]))


def solvers(k, y):
    """Every function that takes a Gram matrix and targets."""
    return {
        "rkhs_norm": lambda: rkhs_norm(k, y),
        "rkhs_bound": lambda: rkhs_bound(k, y),
        "empirical_learning_curve": lambda: empirical_learning_curve(k, y, [2]),
        "held_out_error": lambda: held_out_error(k, y, [2]),
    }


def raised(kind: type[NTKError], attempt) -> str:
    """The message of exactly this kind of error, which must be a whole sentence."""
    with pytest.raises(kind) as caught:
        attempt()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert re.fullmatch(r"[^:]+: .*expected .+, received .+; .+", message, re.DOTALL), message
    return message


PAIRS = {
    "not square": (K[:, :4], Y, ShapeError, r"k: .*received \[6, 4\]"),
    "not symmetric": (K + torch.triu(K), Y, DomainError, r"k: .*received max \|K − Kᵀ\| = "),
    "a list": (K.tolist(), Y, DtypeError, "k: .*received list"),
    "NaN": (K * math.nan, Y, DomainError, "k: .*received 36 NaN"),
    "too few targets": (K, Y[:3], ShapeError, r"y: .*received \[3\]"),
    "targets of three axes": (K, X[:, :, None], ShapeError, r"y: .*received \[6, 3, 1\]"),
    "targets of numpy": (K, Y.numpy(), DtypeError, "y: .*received ndarray"),
    "whole numbers": (K, torch.ones(6, dtype=torch.int64), DtypeError, "y: .*received torch.int64"),
    "dtypes": (K, Y.float(), DtypeError, "received k torch.float64.*y torch.float32"),
}


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("solver", solvers(K, Y))
def test_a_gram_matrix_and_targets_that_do_not_fit(solver, case):
    """Each function that solves with k and y names itself, the argument, and what it received."""
    k, y, kind, received = PAIRS[case]
    message = raised(kind, solvers(k, y)[solver])
    assert message.startswith(solver)
    assert re.search(received, message, re.DOTALL), message


VALUES = {
    "duplicates": (DomainError, lambda: rkhs_norm(TWICE, torch.ones(7, dtype=torch.float64)), "singular"),
    "duplicates in a subset": (DomainError, lambda: held_out_error(torch.ones(5, 5), torch.ones(5), [3]), "singular"),
    "as many as there are": (DomainError, lambda: held_out_error(K, Y, [3, 6]), r"\[3, 6\]"),
    "no size": (DomainError, lambda: empirical_learning_curve(K, Y, []), r"\[\]"),
    "size zero": (DomainError, lambda: empirical_learning_curve(K, Y, [0]), "0"),
    "no draw": (DomainError, lambda: held_out_error(K, Y, [3], draws=0), "0"),
    "ridge negative": (DomainError, lambda: held_out_error(K, Y, [3], ridge=-1.0), "-1.0"),
    "ridge of the curve": (DomainError, lambda: empirical_learning_curve(K, Y, [3], ridge=math.nan), "nan"),
    "noise negative": (DomainError, lambda: learning_curve(ONES, ONES, [2], noise=-0.5), "-0.5"),
    "negative eigenvalue": (DomainError, lambda: learning_curve(-ONES, ONES, [2]), "-1"),
    "NaN coefficient": (DomainError, lambda: learning_curve(ONES, ONES * math.nan, [2]), "nan"),
    "lengths": (ShapeError, lambda: learning_curve(ONES, ONES[:3], [2]), r"\[3\]"),
    "lengths of multiplicities": (ShapeError, lambda: learning_curve(ONES, ONES, [2], multiplicities=ONES[:3]), r"\[3"),
    "dtypes": (DtypeError, lambda: learning_curve(ONES, ONES.float(), [2]), "float32"),
    "eigenvalues in a list": (DtypeError, lambda: learning_curve([1.0], ONES, [2]), "list"),
    "whole eigenvalues": (DtypeError, lambda: learning_curve(ONES.long(), ONES, [2]), "int64"),
    "no examples": (DomainError, lambda: learning_curve(ONES, ONES, [0, 2]), r"\[0.0, 2.0\]"),
    "a single number": (DomainError, lambda: learning_curve(ONES, ONES, torch.tensor(2)), "2"),
    "a sphere of one dimension": (DomainError, lambda: sphere_spectrum(torch.exp, 1, [0]), "1"),
    "no degree": (DomainError, lambda: sphere_spectrum(torch.exp, 3, []), "none"),
    "degree negative": (DomainError, lambda: sphere_spectrum(torch.exp, 3, [2, -1]), "-1"),
    "tolerance zero": (DomainError, lambda: sphere_spectrum(torch.exp, 3, [1], tolerance=0.0), "0"),
    "infinite at the pole": (DomainError, lambda: sphere_spectrum(lambda t: 1 / (1 - t), 3, [1]), "infinite"),
    "not one value each": (ShapeError, lambda: sphere_spectrum(lambda t: t.sum(), 3, [1]), r"\[\]"),
    "a jump": (ConvergenceError, lambda: sphere_spectrum(lambda t: (t > 0.3).double(), 3, [1, 5]), "e-"),
    "multiplicity on a line": (DomainError, lambda: multiplicity(1, 2), "1"),
    "multiplicity of a negative": (DomainError, lambda: multiplicity(3, -2), "-2"),
    "polynomials on a line": (DomainError, lambda: gegenbauer(ONES, 1, 2), "1"),
    "zonal on a line": (DomainError, lambda: zonal(ntk.zoo.mlp(2).ntk, 1), "1"),
    "radius negative": (DomainError, lambda: zonal(ntk.zoo.mlp(2).ntk, 3, radius=-1.0), "-1"),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_outside_the_domain_are_refused(case):
    """The value itself is in the message."""
    kind, attempt, received = VALUES[case]
    message = raised(kind, attempt)
    assert re.search(f"received .*({received})", message, re.DOTALL), message


def test_a_ridge_makes_duplicates_solvable():
    """What the message proposes works."""
    y = torch.ones(7, dtype=torch.float64)
    assert bool(torch.isfinite(rkhs_norm(TWICE + 1e-6 * torch.eye(7, dtype=torch.float64), y)))
    assert bool(torch.isfinite(held_out_error(torch.ones(5, 5), torch.ones(5), [3], ridge=0.1)).all())
