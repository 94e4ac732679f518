"""Linear differential operators 𝓛, written as they are on paper: ``derivative(2, 1) - 4 * derivative(2, 0)``.

An operator is called as ``operator(u, x)`` and gives 𝓛u at the points x. Here u maps points [n, d] to values [n, k],
k functions side by side, each row of values from its own point; 𝓛u has the shape of u(x). A network is such a u, and
any function with this signature that torch can differentiate is an operator, for instance one with a coefficient:
``lambda u, x: x[:, :1] * derivative(1)(u, x)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from numbers import Real

import torch
from torch import Tensor

from ntk_teach.errors import DomainError, ShapeError, check_count, check_scale, sentence

__all__ = ["Function", "Operator", "LinearOperator", "derivative", "laplacian", "wave"]

Function = Callable[[Tensor], Tensor]  # u: points [n, d] to values [n, k]
Operator = Callable[[Function, Tensor], Tensor]  # 𝓛: (u, points [n, d]) to values [n, k]
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class LinearOperator:
    """A map (u, x) ↦ 𝓛u(x) that can be added, subtracted, multiplied by a number, and composed: A @ B is u ↦ A(Bu).

    Args:
        apply: (u, x) ↦ 𝓛u(x), from u: [n, d] → [n, k] and x [n, d] to [n, k].
        name: how it is written in messages.

    Raises: DomainError for a factor that is not a number: an operator with coefficients is a function of u and x.

    Chapter: 12_physics_informed.
    """

    apply: Operator
    name: str

    def __call__(self, u: Function, x: Tensor) -> Tensor:
        return self.apply(u, x)

    def __add__(self, other: LinearOperator) -> LinearOperator:
        self._check(other, "plus")
        return LinearOperator(lambda u, x: self(u, x) + other(u, x), f"{self.name} + {other.name}")

    def __sub__(self, other: LinearOperator) -> LinearOperator:
        self._check(other, "minus")
        return LinearOperator(lambda u, x: self(u, x) - other(u, x), f"{self.name} − {_grouped(other.name)}")

    def __mul__(self, factor: float) -> LinearOperator:
        if isinstance(factor, bool) or not isinstance(factor, Real):
            do = "write coefficients in a function: lambda u, x: a(x) * derivative(1)(u, x)"
            raise DomainError(sentence(f"{self.name}, times", "a number", type(factor).__name__, do))
        number = float(factor)
        return LinearOperator(lambda u, x: number * self(u, x), f"{number:g}·{_grouped(self.name)}")

    __rmul__ = __mul__

    def __neg__(self) -> LinearOperator:
        return -1.0 * self

    def __matmul__(self, other: LinearOperator) -> LinearOperator:
        self._check(other, "behind it")
        name = f"{_grouped(self.name)}{_grouped(other.name)}"
        return LinearOperator(lambda u, x: self(lambda z: other(u, z), x), name)

    def _check(self, other: object, what: str) -> None:
        if not isinstance(other, LinearOperator):
            do = "c·u is c * derivative(0), and a function of u and x becomes LinearOperator(function, name)"
            raise DomainError(sentence(f"{self.name}, {what}", "a LinearOperator", type(other).__name__, do))

    def __repr__(self) -> str:
        return self.name


def derivative(order: int = 1, axis: int = 0) -> LinearOperator:
    """∂^order u/∂x_axis^order.

    Args: order: 0 or more, 0 is u itself. axis: which coordinate, from 0.

    Returns: LinearOperator; it raises ShapeError at points that have no such coordinate.
    Raises: DomainError for an order or an axis that is not a whole number from 0 on.

    Cost: each order about triples that of u, and one more factor of 2 where u has several values.
    Chapter: 12_physics_informed.
    """
    check_count(order, name="order", where="derivative", minimum=0)
    check_count(axis, name="axis", where="derivative", minimum=0)

    def apply(u: Function, x: Tensor) -> Tensor:
        if axis >= x.shape[1]:
            do = f"choose an axis below {x.shape[1]}"
            raise ShapeError(
                sentence(f"derivative({order}, axis={axis})", f"points [n, d], d > {axis}", str(list(x.shape)), do)
            )
        differentiated = u
        for _ in range(order):
            differentiated = partial(_slope, differentiated, axis)
        return differentiated(x)

    power = str(order).translate(SUPERSCRIPTS) if order > 1 else ""
    return LinearOperator(apply, f"∂_{axis}{power}" if order else "1")


def wave(c: float, *, time: int = 1, space: int = 0) -> LinearOperator:
    """∂²u/∂t² − c² ∂²u/∂x², the wave equation in one dimension.

    Args: c: speed of the wave, at least 0. time, space: which coordinates are t and x.

    Returns: LinearOperator. Raises: DomainError for c below 0 or not finite. Chapter: 12_physics_informed.
    """
    check_scale(c, name="c", where="wave")
    return derivative(2, axis=time) - c**2 * derivative(2, axis=space)


def _laplacian(u: Function, x: Tensor) -> Tensor:
    total = derivative(2, axis=0)(u, x)
    for axis in range(1, x.shape[1]):
        total = total + derivative(2, axis=axis)(u, x)
    return total


laplacian = LinearOperator(_laplacian, "Δ")  # Σ_i ∂²u/∂x_i², over all coordinates


def _slope(u: Function, axis: int, x: Tensor) -> Tensor:
    """∂u/∂x_axis of every value of u, with a graph so that it can be differentiated further, in x and in θ."""
    with torch.enable_grad():
        points = x if x.requires_grad else x.detach().requires_grad_()
        values = u(points)  # [n, k]
        if not values.requires_grad:
            return torch.zeros_like(values)  # a constant
        if values.ndim == 2 and values.shape[1] == 1:  # a row of values is one number, so the sum tells rows apart
            (slopes,) = _gradient(values.sum(), points)
            return slopes[:, axis : axis + 1]
        # The derivative of vᵀu in x is linear in v; its derivative in v is that of u along x_axis, for each value.
        weights = torch.zeros_like(values, requires_grad=True)
        (pulled,) = _gradient((values * weights).sum(), points)
        return _gradient(pulled[:, axis].sum(), weights)[0]


def _gradient(value: Tensor, at: Tensor) -> tuple[Tensor, ...]:
    if not value.requires_grad:
        return (torch.zeros_like(at),)
    return torch.autograd.grad(value, at, create_graph=True, materialize_grads=True)


def _grouped(name: str) -> str:
    return f"({name})" if " " in name else name
