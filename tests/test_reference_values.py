"""The limiting kernels against another program's frozen values (their origin is in tests/reference/README.md)."""

import pytest
import references
import torch

import ntk_teach as ntk
from ntk_teach import activations


def described(reference: references.Reference) -> ntk.Architecture:
    """The network in our words, each activation in its closed form."""
    name, parameters = reference.activation
    ours = {
        "relu": lambda: activations.relu,
        "leaky_relu": lambda alpha: activations.leaky_relu(alpha),
        "abrelu": activations.abrelu,
        "erf": lambda: activations.erf,
        "gelu": lambda: activations.gelu,
        "identity": lambda: activations.identity,
        "sin": activations.Sin,
        "rbf": activations.Rbf,
    }
    activation = ours[name](**parameters) if name in ours else None
    return ntk.serial(*[ntk.Dense(*layer[1:]) if layer[0] == "dense" else activation for layer in reference.layers])


FILES = sorted(path.stem for path in references.HERE.glob("fc_*.npz"))


KINKED = ("relu", "leaky_relu", "abrelu")


@pytest.mark.parametrize("file", FILES)
def test_both_kernels_equal_the_reference(file):
    """Σ and Θ, with x2 and without: 1e-12 of √(K_ii K_jj), and 1e-7 where a kinked activation meets a collinear pair,
    because there the other program is the inexact one."""
    reference = references.load(file)
    kinked = reference.activation[0] in KINKED
    arch = described(reference)
    within, across = arch.kernel(reference.x1), arch.kernel(reference.x1, reference.x2)
    own = arch.kernel(reference.x2)
    for ours, theirs, other, other_x in (
        (within, (reference.nngp11, reference.ntk11), within, reference.x1),
        (across, (reference.nngp12, reference.ntk12), own, reference.x2),
    ):
        allowed = torch.where(references.collinear(reference.x1, other_x) & kinked, 1e-7, 1e-12)
        for kind, expected in zip(("nngp", "ntk"), theirs, strict=True):
            rows, columns = getattr(within, kind).diagonal(), getattr(other, kind).diagonal()
            error = references.relative_error(getattr(ours, kind), expected, rows, columns)
            assert (error <= allowed).all(), f"{kind}: {error.max():.1e}"


SMOOTH = [file for file in FILES if references.load(file).activation[0] in ("erf", "gelu", "sin", "rbf", "identity")]


@pytest.mark.parametrize("file", SMOOTH)
def test_the_series_equals_the_reference_too(file):
    """The same networks with φ given as a plain function: its Hermite series stops at 1e-13, and stays within 3e-12."""
    reference = references.load(file)
    phi = described(reference).layers[1].phi
    series = ntk.Activation.from_function(phi, name="series", tolerance=1e-13)
    arch = ntk.serial(*[ntk.Dense(*layer[1:]) if layer[0] == "dense" else series for layer in reference.layers])
    k = arch.kernel(reference.x1)
    for ours, expected in ((k.nngp, reference.nngp11), (k.ntk, reference.ntk11)):
        assert references.relative_error(ours, expected, ours.diagonal(), ours.diagonal()).max() <= 3e-12


def test_dense_after_dense_equals_the_identity_activation():
    """Leaving the activation out gives the values of the network whose activation is the identity."""
    reference = references.load("fc_identity_d4")
    k = ntk.serial(*[ntk.Dense(*scales) for scales in reference.dense]).kernel(reference.x1, reference.x2)
    torch.testing.assert_close(k.nngp, reference.nngp12, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(k.ntk, reference.ntk12, rtol=1e-13, atol=1e-14)


def test_every_activation_and_every_collinear_pair_is_there():
    """The files hold what the README says: the table is not empty and the awkward pairs are in it."""
    names = {references.load(file).activation[0] for file in FILES}
    assert names == {"none", "relu", "erf", "gelu", "sin", "rbf", "identity", "leaky_relu", "abrelu"}
    for file in FILES:
        reference = references.load(file)
        assert references.collinear(reference.x1, reference.x1).sum() >= 6 + 4  # the diagonal, 1.7 x and −x
        assert references.collinear(reference.x1, reference.x2).any()
