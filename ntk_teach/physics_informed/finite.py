"""The kernel of a physics-informed network as it stands: K = J Jᵀ of its values and of its residuals."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach.physics_informed.blocks import PinnKernels
from ntk_teach.physics_informed.doors import (
    checked_blocks,
    checked_curvature,
    checked_network,
    checked_operator,
    checked_points,
)
from ntk_teach.physics_informed.operators import Function, Operator, derivative
from ntk_teach.shapes import OtherVectors, Vectors

__all__ = ["pinn_kernels", "kernels_of", "function_of"]

POINTS = 32  # rows of a Jacobian that are pulled back at once; each of them costs a pass through all of them


def pinn_kernels(net: nn.Module, xu: Vectors, xr: OtherVectors, operator: Operator) -> PinnKernels:
    """K_uu = J_u J_uᵀ,  K_ur = J_u J_rᵀ,  K_rr = J_r J_rᵀ,  with J_u = ∂f(x_u)/∂θ and J_r = ∂𝓛f(x_r)/∂θ.

    Args:
        net: any ``torch.nn.Module`` from [n, d] to [n, 1], smooth in x as far as the operator differentiates.
        xu: points where the solution itself is known, the boundary [nu, d].
        xr: points where the equation holds [nr, d].
        operator: 𝓛, called as ``operator(u, x)``: ``laplacian``, ``derivative(order, axis)``, ``wave(c)``, a sum of
            such, or any function that gives values of the shape of u(x). It may be nonlinear here.

    Returns: PinnKernels, without a factor 1/N, over the parameters that require a gradient.

    Raises: ShapeError, DtypeError for points that do not fit the network or each other, for an operator that does not
        keep the shape, and for several outputs; DomainError for a network that mixes the points of a batch, and for a
        piecewise linear one (relu) where the operator takes second derivatives: all of them are 0.

    Cost: (nu + nr) · P numbers for P parameters, and 32 · (nu + nr) backward passes through f and 𝓛f at one point.
    Source: Wang, Yu & Perdikaris 2022, Lemma 3.1. Chapter: 12_physics_informed.
    """
    where = "pinn_kernels"
    xu, xr = checked_points(xu, xr, where)
    checked_network(net, xu, xr, where)
    checked_operator(operator, xr, 1, where)
    checked_curvature(net, xr, operator, where)
    return checked_blocks(kernels_of(net, xu, xr, operator), operator, xr, where)


def kernels_of(net: nn.Module, xu: Tensor, xr: Tensor, operator: Operator) -> PinnKernels:
    """The same without the checks."""
    rows_u, rows_r = _jacobian(net, xu, derivative(0)), _jacobian(net, xr, operator)
    return PinnKernels(_symmetric(rows_u @ rows_u.T), rows_u @ rows_r.T, _symmetric(rows_r @ rows_r.T))


def _jacobian(net: nn.Module, x: Tensor, operator: Operator) -> Tensor:
    """∂𝓛f(x_i)/∂θ for each point, all parameters in a row.   [n, P]"""
    trained = [p for p in net.parameters() if p.requires_grad]
    return torch.cat([_rows(net, points, operator, trained) for points in torch.split(x, POINTS)])


def function_of(net: nn.Module) -> Function:
    """The network as a function u: [n, d] to [n, 1], also where it gives [n]."""

    def u(x: Tensor) -> Tensor:
        values: Tensor = net(x)
        return values.reshape(len(x), 1)

    return u


def _rows(net: nn.Module, x: Tensor, operator: Operator, trained: list[nn.Parameter]) -> Tensor:
    with torch.enable_grad():
        residuals = operator(function_of(net), x)[:, 0]  # [n]
    if not residuals.requires_grad:
        return x.new_zeros(len(x), sum(p.numel() for p in trained))
    each = torch.eye(len(x), dtype=x.dtype, device=x.device)
    slopes = torch.autograd.grad(residuals, trained, each, is_grads_batched=True, allow_unused=True)
    rows = [
        x.new_zeros(len(x), p.numel()) if slope is None else slope.reshape(len(x), -1)
        for p, slope in zip(trained, slopes, strict=True)
    ]
    return torch.cat(rows, 1)


def _symmetric(k: Tensor) -> Tensor:
    return (k + k.T) / 2
