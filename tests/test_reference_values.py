"""The limiting kernels against another program's frozen values (their origin is in tests/reference/README.md)."""

import math

import pytest
import references
import torch

import ntk_teach as ntk


def smooth(name: str, parameters: dict) -> ntk.Activation:
    """The other program's definitions of its smooth activations."""
    sine = torch.sin
    functions = {
        "gelu": torch.nn.functional.gelu,
        "identity": lambda u: u,
        "sin": lambda u: parameters["a"] * sine(parameters["b"] * u + parameters["c"]),
        "rbf": lambda u: math.sqrt(2) * sine(math.sqrt(2 * parameters["gamma"]) * u + math.pi / 4),
    }
    return ntk.Activation.from_function(functions[name], name=name, tolerance=1e-13)


def described(reference: references.Reference) -> ntk.Architecture:
    name, parameters = reference.activation
    closed = {"relu": ntk.relu, "erf": ntk.erf}
    activation = closed[name] if name in closed else None if name == "none" else smooth(name, parameters)
    return ntk.serial(*[ntk.Dense(*layer[1:]) if layer[0] == "dense" else activation for layer in reference.layers])


FILES = sorted(path.stem for path in references.HERE.glob("fc_*.npz"))


@pytest.mark.parametrize("file", FILES)
def test_both_kernels_equal_the_reference(file):
    """Σ and Θ, with x2 and without: 1e-12 of √(K_ii K_jj), and 1e-7 where a kinked activation meets a collinear pair,
    because there the other program is the inexact one (2e-12 for a series, which stops at its tolerance)."""
    reference = references.load(file)
    name, _ = reference.activation
    tolerance = 1e-12 if name in ("relu", "erf", "none") else 2e-12
    arch = described(reference)
    within, across = arch.kernel(reference.x1), arch.kernel(reference.x1, reference.x2)
    own = arch.kernel(reference.x2)
    for ours, theirs, other, other_x in (
        (within, (reference.nngp11, reference.ntk11), within, reference.x1),
        (across, (reference.nngp12, reference.ntk12), own, reference.x2),
    ):
        allowed = torch.where(references.collinear(reference.x1, other_x) & (name == "relu"), 1e-7, tolerance)
        for kind, expected in zip(("nngp", "ntk"), theirs, strict=True):
            rows, columns = getattr(within, kind).diagonal(), getattr(other, kind).diagonal()
            error = references.relative_error(getattr(ours, kind), expected, rows, columns)
            assert (error <= allowed).all(), f"{kind}: {error.max():.1e}"


def test_dense_after_dense_equals_the_identity_activation():
    """Leaving the activation out gives the values of the network whose activation is the identity."""
    reference = references.load("fc_identity_d4")
    k = ntk.serial(*[ntk.Dense(*scales) for scales in reference.dense]).kernel(reference.x1, reference.x2)
    torch.testing.assert_close(k.nngp, reference.nngp12, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(k.ntk, reference.ntk12, rtol=1e-13, atol=1e-14)


def test_every_activation_and_every_collinear_pair_is_there():
    """The files hold what the README says: the table is not empty and the awkward pairs are in it."""
    names = {references.load(file).activation[0] for file in FILES}
    assert names == {"none", "relu", "erf", "gelu", "sin", "rbf", "identity"}
    for file in FILES:
        reference = references.load(file)
        assert references.collinear(reference.x1, reference.x1).sum() >= 6 + 4  # the diagonal, 1.7 x and −x
        assert references.collinear(reference.x1, reference.x2).any()
