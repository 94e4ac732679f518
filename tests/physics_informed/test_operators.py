"""Operators against derivatives by hand, alone and combined; what does not keep the shape is refused."""

import math

import pytest
import torch
from strategies import inputs

from ntk_teach.errors import DomainError, ShapeError
from ntk_teach.physics_informed import LinearOperator, derivative, laplacian, wave

X = inputs(6, 2)
A, B = torch.tensor([0.7, -1.2], dtype=torch.float64), torch.tensor([0.4, 0.9], dtype=torch.float64)
U, V = X @ A, X @ B


def waves(x):
    """sin(a·x) and cos(b·x) + x₀³, two functions side by side."""
    return torch.stack([torch.sin(x @ A), torch.cos(x @ B) + x[:, 0] ** 3], 1)


def alone(x):
    """The second of them, by itself."""
    return waves(x)[:, 1:]


BY_HAND = {
    # name: (operator, 𝓛 sin(a·x), 𝓛 (cos(b·x) + x₀³))
    "u": (derivative(0), torch.sin(U), torch.cos(V) + X[:, 0] ** 3),
    "u_x": (derivative(1, 0), A[0] * torch.cos(U), -B[0] * torch.sin(V) + 3 * X[:, 0] ** 2),
    "u_yy": (derivative(2, axis=1), -(A[1] ** 2) * torch.sin(U), -(B[1] ** 2) * torch.cos(V)),
    "u_xxx": (derivative(3), -(A[0] ** 3) * torch.cos(U), B[0] ** 3 * torch.sin(V) + 6),
    "Laplace": (laplacian, -(A @ A) * torch.sin(U), -(B @ B) * torch.cos(V) + 6 * X[:, 0]),
    "wave": (
        wave(2.0),
        (4 * A[0] ** 2 - A[1] ** 2) * torch.sin(U),
        (4 * B[0] ** 2 - B[1] ** 2) * torch.cos(V) - 24 * X[:, 0],
    ),
    "wave with the time first": (
        wave(2.0, time=0, space=1),
        (4 * A[1] ** 2 - A[0] ** 2) * torch.sin(U),
        (4 * B[1] ** 2 - B[0] ** 2) * torch.cos(V) + 6 * X[:, 0],
    ),
    "mixed": (derivative(1, 0) @ derivative(1, 1), -A[0] * A[1] * torch.sin(U), -B[0] * B[1] * torch.cos(V)),
    "Helmholtz": (
        laplacian + 3 * derivative(0),
        (3 - A @ A) * torch.sin(U),
        (3 - B @ B) * torch.cos(V) + 6 * X[:, 0] + 3 * X[:, 0] ** 3,
    ),
    "heat": (
        derivative(1, 1) - derivative(2, 0) * 0.5,
        A[1] * torch.cos(U) + 0.5 * A[0] ** 2 * torch.sin(U),
        -B[1] * torch.sin(V) + 0.5 * B[0] ** 2 * torch.cos(V) - 3 * X[:, 0],
    ),
    "with a coefficient": (
        lambda u, x: x[:, :1] * derivative(1)(u, x),
        X[:, 0] * A[0] * torch.cos(U),
        X[:, 0] * (-B[0] * torch.sin(V) + 3 * X[:, 0] ** 2),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_an_operator_equals_the_derivative_by_hand(name):
    """Of two functions at once, of one alone, and at one point."""
    operator, first, second = BY_HAND[name]
    expected = torch.stack([first, second], 1)
    torch.testing.assert_close(operator(waves, X), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(operator(alone, X), expected[:, 1:], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(operator(waves, X[2:3]), expected[2:3], rtol=1e-12, atol=1e-12)


def test_a_constant_and_a_plane_have_no_curvature():
    """What does not depend on x, at all or after a derivative, gives zeros of the right shape."""
    for u in (lambda x: torch.ones(len(x), 3, dtype=x.dtype), lambda x: torch.stack([x[:, 0], 0 * x[:, 1]], 1)):
        assert torch.equal(laplacian(u, X), torch.zeros_like(u(X)))
    plane = derivative(1, 1)(lambda x: x @ torch.ones(2, 1, dtype=x.dtype), X)
    assert torch.equal(plane, torch.ones(6, 1, dtype=torch.float64))


def test_the_result_can_be_differentiated_in_the_parameters_and_in_the_points():
    """∂/∂s of ∂²/∂x² sin(s x) is −2s sin(sx) − s²x cos(sx); points that require a gradient are followed too."""
    s = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    x = X[:, :1].clone().requires_grad_()
    curved = derivative(2)(lambda z: torch.sin(s * z), x)
    in_s, in_x = torch.autograd.grad(curved.sum(), (s, x))
    expected = -2 * s * torch.sin(s * x) - s**2 * x * torch.cos(s * x)
    torch.testing.assert_close(in_s, expected.sum(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(in_x, -(s**3) * torch.cos(s * x), rtol=1e-12, atol=1e-12)


def test_a_combination_is_written_as_it_is_read():
    """The name of an operator says what it does."""
    assert repr(derivative(1, 1) - 2 * derivative(2)) == "∂_1 − 2·∂_0²"
    assert repr(wave(3.0)) == "∂_1² − 9·∂_0²"
    assert repr(-laplacian @ (laplacian + derivative(0))) == "-1·Δ(Δ + 1)"
    assert isinstance(laplacian @ laplacian, LinearOperator)


@pytest.mark.boundary
def test_bad_arguments_are_refused():
    """An axis that the points lack, a negative order or speed, and a factor that depends on x."""
    with pytest.raises(ShapeError, match=r"d > 2, received \[6, 2\]; choose an axis below 2"):
        derivative(1, 2)(waves, X)
    for attempt in (lambda: derivative(-1), lambda: derivative(1, -1), lambda: derivative(1.5), lambda: wave(-1.0)):
        with pytest.raises(DomainError, match="choose"):
            attempt()
    with pytest.raises(DomainError, match="write coefficients in a function"):
        derivative() * X[:, :1]
    with pytest.raises(DomainError, match="finite"):
        wave(math.inf)
