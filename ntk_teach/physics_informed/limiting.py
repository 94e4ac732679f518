"""The kernel of an infinitely wide physics-informed network: 𝓛 applied to Θ∞, in x, in x′ and in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.architecture import Architecture
from ntk_teach.duals import ArcCosine, HermiteDual
from ntk_teach.errors import DomainError, DtypeError, RuleError, sentence
from ntk_teach.kernel import Kernel
from ntk_teach.layers import Layer, Residual
from ntk_teach.physics_informed.blocks import PinnKernels
from ntk_teach.physics_informed.doors import checked_blocks, checked_linear, checked_operator, checked_points
from ntk_teach.physics_informed.operators import Operator
from ntk_teach.shapes import OtherVectors, Vectors

__all__ = ["limiting_pinn_kernels"]

TILE = 32  # points on a side of a block of K_rr, whose graph of derivatives is held at once


def limiting_pinn_kernels(
    arch: Architecture,
    xu: Vectors,
    xr: OtherVectors,
    operator: Operator,
    *,
    inputs: Callable[[Tensor], Tensor] | None = None,
) -> PinnKernels:
    """K_uu = Θ∞(x_u, x_u),  K_ur = 𝓛′Θ∞(x_u, x_r),  K_rr = 𝓛𝓛′Θ∞(x_r, x_r), with 𝓛 acting on x and 𝓛′ on x′.

    f(x) and 𝓛f(x) are linear in f, so the inner products of their gradients are 𝓛 of those of f; torch differentiates
    the recursion of ``arch.kernel``. At x = x′ it differentiates in x and in x′ as two variables.

    Args:
        arch: with smooth activations.
        xu, xr, operator: as in ``pinn_kernels``; the operator must be linear, and take several functions at once.
        inputs: a fixed map of the points before the network, such as ``Standardization(mean, std)``.

    Returns: PinnKernels, to which those of ``arch.network`` converge as 1/√width.

    Raises: RuleError for activations with a kink, and for an operator that is not linear; DomainError for an
        activation given by its series at a variance of 0 (x = 0 without biases); otherwise as ``pinn_kernels`` and
        ``arch.kernel``.

    Cost: for an operator of order q about 9^q evaluations of ``arch.kernel``, for 40 points and u_xx a tenth of a
        second in closed form (erf, sin), but some ten seconds by a series (tanh, silu). Of a series the tail, 1e-10 of
        Θ, is differentiated too (see ``Activation.from_function``).

    Source: Wang, Yu & Perdikaris 2022, Theorem 4.3, for one hidden layer. Chapter: 12_physics_informed.
    """
    where = "limiting_pinn_kernels"
    if not isinstance(arch, Architecture):
        do = "pass serial(...) or zoo.mlp(...); a finite network goes into pinn_kernels"
        raise DtypeError(sentence(f"{where}, arch", "an Architecture", type(arch).__name__, do))
    if inputs is not None and not callable(inputs):
        do = "pass a map of the points such as Standardization.of(x), or None"
        raise DtypeError(sentence(f"{where}, inputs", "a function x ↦ z", type(inputs).__name__, do))
    xu, xr = checked_points(xu, xr, where)
    for activation in _activations(arch.layers):
        if isinstance(activation.dual, ArcCosine) and activation.dual.negative != activation.dual.positive:
            received = f"{activation!r}, with a kink at 0"
            do = "use erf, tanh, gelu or sin: beside x = x′ the NTK of a kink goes like |x − x′|, which has no 𝓛𝓛′"
            raise RuleError(sentence(where, "smooth activations", received, do))
    checked_operator(operator, xr, 2, where)
    checked_linear(operator, xr, where)
    with torch.no_grad():
        first = xu if inputs is None else inputs(xu)
        k_uu = arch.ntk(first)  # refuses what the rules do not cover

    def theta(x: Tensor, other: Tensor) -> Tensor:
        """Θ∞(x, x′)ᵀ: x′ is what the operator moves.   [m, n]"""
        ends = (x, other) if inputs is None else (inputs(x), inputs(other))
        return _ntk(arch.layers, *ends).T

    k_ur = operator(lambda other: theta(xu, other), xr).detach().T

    def block(x: Tensor, other: Tensor) -> Tensor:
        return operator(lambda moved: operator(lambda z: theta(moved, z), other).T, x).detach()

    parts = torch.split(xr, TILE)
    rows: list[list[Tensor]] = []
    for i, x in enumerate(parts):
        done = [rows[j][i].T for j in range(i)]
        rows.append(done + [block(x, other) for other in parts[i:]])
    k_rr = torch.cat([torch.cat(row, 1) for row in rows])
    return checked_blocks(PinnKernels(k_uu, k_ur, (k_rr + k_rr.T) / 2), operator, xr, where)


def _ntk(layers: Sequence[Layer], x: Tensor, other: Tensor) -> Tensor:
    """Θ∞(x, x′) for two lists of points that are never taken for one.

    The inner products are plain: those of ``Kernel.of`` go by the angle where points are nearly collinear, which keeps
    digits that only a kink would need, and loses some in a derivative near x = 0.
    """
    fan_in = x.shape[1]
    nngp = x @ other.T / fan_in
    variances = x.square().sum(1) / fan_in, other.square().sum(1) / fan_in
    k = Kernel(nngp, torch.zeros_like(nngp), *variances, gaussian=False, symmetric=False)
    for layer in layers:
        if any(isinstance(activation.dual, HermiteDual) for activation in _activations([layer])):
            _check_moving(k, layer)
        k = layer.kernel(k)
    return k.ntk


def _activations(layers: Sequence[Layer]) -> Iterator[Activation]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _activations(layer.branch.layers)
        elif isinstance(layer, Activation):
            yield layer


def _check_moving(k: Kernel, layer: Layer) -> None:
    if not bool((k.self1 > 0).all() and (k.self2 > 0).all()):
        do = "add biases (sigma_b > 0), or use an activation in closed form (erf, sin, gelu)"
        received = "a variance of 0, that of x = 0 without biases"
        expected = f"positive variances before {layer!r}, whose series divides by them"
        raise DomainError(sentence("limiting_pinn_kernels", expected, received, do))
