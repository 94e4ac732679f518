"""Gradient descent on the cost of a physics-informed network, with equal or with adaptive weights."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ntk_teach.errors import DomainError, check_count, sentence
from ntk_teach.physics_informed.blocks import PinnKernels, PinnWeights, adaptive_weights
from ntk_teach.physics_informed.finite import function_of, kernels_of, pinn_kernels
from ntk_teach.physics_informed.problem import BoundaryProblem

__all__ = ["PinnHistory", "train_pinn", "largest_rate"]


@dataclass(frozen=True)
class PinnHistory:
    """What was seen every ``refresh`` steps, and after the last one.

    Args:
        steps: numbers of steps taken. [T]
        loss_u, loss_r: ½ Σ (u − g)² and ½ Σ (𝓛u − f)², without their weights. [T]
        error: ‖u − solution‖/‖solution‖ at the points of comparison. [T]
        trace_uu, trace_rr: of the blocks of K. [T]
        drift: ‖K − K₀‖/‖K₀‖, Frobenius norms of the whole K. [T]
        weight_u, weight_r: λ_u and λ_r of the steps that follow. [T]
        lr: size of the steps that follow. [T]

    Chapter: 12_physics_informed.
    """

    steps: Int[Tensor, " times"]
    loss_u: Float[Tensor, " times"]
    loss_r: Float[Tensor, " times"]
    error: Float[Tensor, " times"]
    trace_uu: Float[Tensor, " times"]
    trace_rr: Float[Tensor, " times"]
    drift: Float[Tensor, " times"]
    weight_u: Float[Tensor, " times"]
    weight_r: Float[Tensor, " times"]
    lr: Float[Tensor, " times"]


def train_pinn(
    net: nn.Module,
    problem: BoundaryProblem,
    *,
    weights: Literal["ntk"] | None = "ntk",
    steps: int = 500,
    refresh: int = 50,
    safety: float = 0.8,
) -> PinnHistory:
    """θ ← θ − lr ∂C/∂θ, C = λ_u/2 Σ (u − g)² + λ_r/2 Σ (𝓛u − f)², full batch; moves the parameters in place.

    Args:
        net: maps [n, d] to [n, 1]; for standardized inputs, ``nn.Sequential(Standardization.of(xr), network)``.
        problem: such as ``poisson(frequency)``.
        weights: "ntk" for ``adaptive_weights`` of the present kernel; None for λ_u = λ_r = 1.
        steps: how many.
        refresh: after so many steps K, the weights and lr are computed anew.
        safety: lr = safety/λ_max of the weighted kernel Λ^½KΛ^½; from 2 on gradient descent diverges.

    Returns: PinnHistory. Raises: as ``pinn_kernels``; DomainError for other weights, or if the cost becomes infinite.

    Cost: a step is one backward pass through f and 𝓛f; a refresh is one call of ``pinn_kernels``.
    Source: Wang, Yu & Perdikaris 2022, Algorithm 1; the step size by power iteration is ours.
    Chapter: 12_physics_informed.
    """
    where = "train_pinn"
    check_count(steps, name="steps", where=where, minimum=0)
    check_count(refresh, name="refresh", where=where)
    if weights not in ("ntk", None):
        raise DomainError(sentence(where, 'weights "ntk" or None', repr(weights), "choose one of them"))
    if not 0 < safety < 2:
        raise DomainError(sentence(where, "safety between 0 and 2", repr(safety), "choose 0.8"))
    first = pinn_kernels(net, problem.xu, problem.xr, problem.operator)
    trained = [p for p in net.parameters() if p.requires_grad]
    seen: list[tuple[float, ...]] = []
    for step in range(steps + 1):
        losses = _losses(net, problem)
        if step % refresh == 0 or step == steps:
            kernels = first if step == 0 else kernels_of(net, problem.xu, problem.xr, problem.operator)
            scales = PinnWeights(1.0, 1.0) if weights is None else adaptive_weights(kernels)
            lr = safety / largest_rate(kernels.weighted(scales))
            looks = (*losses.detach().tolist(), *_looks(net, problem, kernels, first))
            seen.append((step, *looks, *scales, lr))
        cost = losses @ losses.new_tensor(scales)
        if not bool(torch.isfinite(cost)):
            do = "the kernel grew within one refresh: choose a smaller refresh or safety"
            raise DomainError(sentence(where, "a finite cost", f"{cost.item()} after {step} steps", do))
        if step < steps:
            slopes = torch.autograd.grad(cost, trained)
            with torch.no_grad():
                for parameter, slope in zip(trained, slopes, strict=True):
                    parameter.sub_(slope, alpha=lr)
    columns = [torch.tensor(column, dtype=torch.float64) for column in zip(*seen, strict=True)]
    columns[0] = columns[0].long()
    return PinnHistory(**dict(zip([field.name for field in fields(PinnHistory)], columns, strict=True)))


def largest_rate(k: Float[Tensor, "n n"], iterations: int = 100) -> float:
    """λ_max of a symmetric positive semidefinite matrix by power iteration; at most that, and close unless it is small.

    Eigenvalue routines can fail where training has blown up; products do not.
    """
    v = k.diagonal().sqrt()  # as large as the matrix where the matrix is large
    for _ in range(iterations):
        v = k @ v
        v = v / v.norm()
    return float(v @ (k @ v))


def _losses(net: nn.Module, problem: BoundaryProblem) -> Float[Tensor, " 2"]:
    """½ Σ (u − g)² and ½ Σ (𝓛u − f)²."""
    u = function_of(net)
    known, residual = u(problem.xu) - problem.g, problem.operator(u, problem.xr) - problem.f
    return torch.stack([known.square().sum(), residual.square().sum()]) / 2


def _looks(
    net: nn.Module, problem: BoundaryProblem, kernels: PinnKernels, first: PinnKernels
) -> tuple[float, float, float, float]:
    with torch.no_grad():
        apart = function_of(net)(problem.x_test) - problem.solution
    start = first.full()
    drift = (kernels.full() - start).norm() / start.norm()
    error = apart.norm() / problem.solution.norm()
    return float(error), float(kernels.K_uu.trace()), float(kernels.K_rr.trace()), float(drift)
