"""What has no such kernel is refused before anything is computed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach.empirical.problem import MEMORY, examined
from ntk_teach.errors import (
    DomainError,
    DtypeError,
    NTKError,
    RuleError,
    ShapeError,
    check_same,
    check_vectors,
    sentence,
)
from ntk_teach.physics_informed.blocks import PinnKernels
from ntk_teach.physics_informed.operators import Function, Operator, derivative

__all__ = [
    "checked_blocks",
    "checked_points",
    "checked_operator",
    "checked_network",
    "checked_curvature",
    "checked_linear",
    "sees_curvature",
]


def checked_points(xu: object, xr: object, where: str) -> tuple[Tensor, Tensor]:
    """Two batches of points of one space, without their history."""
    boundary, interior = check_vectors(xu, name="xu", where=where), check_vectors(xr, name="xr", where=where)
    if boundary.shape[1] != interior.shape[1]:
        expected = f"xu and xr with the same number of coordinates ({boundary.shape[1]})"
        do = "points where u is known and where 𝓛u is known lie in one space"
        raise ShapeError(sentence(where, expected, f"xr of shape {list(interior.shape)}", do))
    check_same(boundary, interior, names=("xu", "xr"), where=where)
    return boundary.detach(), interior.detach()


def checked_operator(operator: Operator, x: Tensor, values: int, where: str) -> None:
    """𝓛u must have the shape and the dtype of u(x), each row from its own point; tried on ``values`` sines."""
    place = f"{where}, operator"
    if not callable(operator):
        do = "pass laplacian, derivative(order, axis), or a function of u and x"
        raise DtypeError(sentence(place, "a function (u, x) ↦ 𝓛u(x)", type(operator).__name__, do))
    sines, three = _Sines(x, values), torch.cat([x[:3], x[:1].expand(3, -1)])[:3]
    received, alone = (_applied(operator, sines, points, place) for points in (three, three[:1]))
    if not isinstance(received, Tensor) or received.shape != (3, values):
        shown = f"of shape {list(received.shape)}" if isinstance(received, Tensor) else type(received).__name__
        do = "keep the second axis: u maps [n, d] to [n, k], and a coefficient is x[:, :1]"
        raise ShapeError(sentence(place, f"𝓛u of shape [3, {values}] for u of that shape", shown, do))
    if received.dtype != x.dtype:
        raise DtypeError(sentence(place, f"𝓛u of {x.dtype}, as u is", str(received.dtype), "compute in the dtype of u"))
    if not isinstance(alone, Tensor) or alone.shape != (1, values) or not _agree(received[:1], alone, x.dtype):
        expected = "each row of 𝓛u from its own point"
        do = "leave out sums and means over the points: an operator is applied to any part of them"
        raise RuleError(sentence(place, expected, "another value at the first point where it stands alone", do))


def checked_blocks(kernels: PinnKernels, operator: Operator, xr: Tensor, where: str) -> PinnKernels:
    """An operator that divides by 0 at some point is told which one."""
    if not bool(torch.isfinite(kernels.K_rr).all()):
        values = operator(_Sines(xr, 1), xr).detach()  # one NaN makes all rows of a Jacobian NaN
        bad = torch.nonzero(~torch.isfinite(values[:, 0])).flatten().tolist()
        do = "leave these points out, or mend the coefficients there"
        found = f"at the rows {bad[:5]} of xr" if bad else "in derivatives of the network alone"
        received = f"NaN or infinity {found}"
        raise DomainError(sentence(f"{where}, operator", "a finite 𝓛u at every point", received, do))
    return kernels


def _applied(operator: Operator, u: Function, points: Tensor, place: str) -> object:
    try:
        return operator(u, points)
    except NTKError:
        raise
    except (RuntimeError, TypeError) as fault:
        expected = f"an operator (u, x) ↦ 𝓛u(x) that takes {u(points).shape[1]} functions side by side"
        do = "a coefficient is a column, x[:, :1]"
        raise ShapeError(sentence(place, expected, f"from it {type(fault).__name__}: {fault}", do)) from fault


def _agree(one: Tensor, other: Tensor, dtype: torch.dtype) -> bool:
    """But for rounding; NaN agrees with NaN, of which the points are named later."""
    one, other = one.detach(), other.detach()
    return torch.allclose(
        one, other, rtol=1e3 * torch.finfo(dtype).eps, atol=1e3 * torch.finfo(dtype).eps, equal_nan=True
    )


def checked_network(net: nn.Module, xu: Tensor, xr: Tensor, where: str) -> None:
    """A network with one output, which treats the points one by one."""
    outputs = examined(net, xu, xr, MEMORY, where=f"{where} (x1 is xu, x2 is xr)").outputs
    if outputs != 1:
        do = "the equation is for one function u: give the network one output, or take one of them"
        raise ShapeError(sentence(f"{where}, net", "one output, f: [n, d] to [n, 1]", f"{outputs} outputs", do))


def checked_curvature(net: nn.Module, xr: Tensor, operator: Operator, where: str) -> None:
    """A piecewise linear network has no second derivatives to train."""
    if not sees_curvature(operator, xr):
        return
    if any(bool(derivative(2, axis)(net, xr).detach().any()) for axis in range(xr.shape[1])):
        return
    do = "use a smooth activation (tanh, erf, gelu, sin): a relu network is piecewise linear, and 𝓛u cannot see it bend"
    received = "∂²f/∂x² = 0 at every point of xr"
    raise DomainError(sentence(f"{where}, net", "second derivatives, which the operator needs", received, do))


def checked_linear(operator: Operator, x: Tensor, where: str) -> None:
    """𝓛(2u − 3v) = 2𝓛u − 3𝓛v at the first point, with two sines for u and v."""
    sines, point = _Sines(x, 2), x[:1]
    parts = operator(sines, point)  # [1, 2]
    both = operator(lambda z: sines(z) @ z.new_tensor([[2.0], [-3.0]]), point)
    apart = (both - parts @ x.new_tensor([[2.0], [-3.0]])).detach().abs().max()
    if not float(apart) <= 1e3 * torch.finfo(x.dtype).eps * float(1 + parts.detach().abs().max()):
        do = "leave the right-hand side out (it does not change the kernel); a nonlinear 𝓛 has no such limit"
        expected = "a linear operator, 𝓛(2u − 3v) = 2𝓛u − 3𝓛v"
        raise RuleError(sentence(f"{where}, operator", expected, f"sides {float(apart):.2g} apart", do))


def sees_curvature(operator: Operator, x: Tensor) -> bool:
    """Does 𝓛u change, at any of the points, when u is replaced by its tangent there?"""
    sines, points = _Sines(x, 1), x.detach()
    slopes = torch.cat([derivative(1, axis)(sines, points) for axis in range(x.shape[1])], 1).detach()  # [n, d]
    heights = sines(points).detach()  # [n, 1]
    tangents = operator(lambda z: heights + ((z - points) * slopes).sum(1, keepdim=True), points)
    apart = (operator(sines, points) - tangents).detach().abs().max()
    return float(apart) > 1e3 * torch.finfo(x.dtype).eps * float(1 + tangents.detach().abs().max())


class _Sines:
    """u_k(x) = sin(a_k·x + b_k), with nothing special at any point: [n, d] to [n, values]."""

    def __init__(self, x: Tensor, values: int) -> None:
        steps = torch.arange(1, values * x.shape[1] + 1, dtype=x.dtype, device=x.device)
        self.a = (0.7 + 0.31 * steps).reshape(x.shape[1], values)
        self.b = 0.9 + 0.4 * steps[:values] - x[0].detach() @ self.a  # the first point is at 1.3, 1.7, …

    def __call__(self, z: Tensor) -> Tensor:
        return torch.sin(z @ self.a + self.b)
