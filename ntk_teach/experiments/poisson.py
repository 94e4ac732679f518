"""Wang, Yu & Perdikaris 2022: a network that solves u″ = f, with equal and with adaptive weights, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ntk_teach.activations import tanh
from ntk_teach.experiments.result import Array
from ntk_teach.physics_informed import (
    BoundaryProblem,
    PinnKernels,
    PinnWeights,
    Standardization,
    adaptive_weights,
)
from ntk_teach.physics_informed import poisson as boundary_problem
from ntk_teach.physics_informed.finite import kernels_of
from ntk_teach.zoo import mlp

__all__ = ["authors_network", "authors_problem", "poisson"]

EQUAL = PinnWeights(1.0, 1.0)
COLUMNS = ("loss_u", "loss_r", "error_u", "error_r", "drift", "trace_uu", "trace_rr", "weight_u", "weight_r")


def poisson(
    *,
    frequency: float = 4.0,
    width: int = 512,
    seeds: Sequence[int] = (0,),
    steps: int = 40_000,
    lr: float = 1e-5,
    points: int = 100,
    refresh: int = 100,
    looks: int = 100,
    moments: int = 12,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """u″ = −(aπ)² sin(aπx) on [0, 1], one hidden tanh layer, gradient descent on mean squares, twice for each seed.

    As in the authors' notebook: weights drawn with variance 1/fan-in and biases with variance 1, in the standard
    parametrization; standardized inputs; equation asked for at ``points`` places with both ends, each end repeated
    ``points``/2 times; the cost λ_u mean (u − g)² + λ_r mean (u″ − f)² without a half; K = J Jᵀ without 1/N; float32.
    Other than there: our draws, and a second run with adaptive weights, which this notebook of theirs has not. Other
    than ``train_pinn``: the standard parametrization, means for sums, and a step size that stays.

    Args:
        frequency: a.
        width: units of the hidden layer.
        seeds: of the initializations; "plain" and "adaptive" start from the same one.
        steps, lr: of gradient descent; the notebook takes one step more.
        points: where the equation is asked for, an even number.
        refresh: after so many steps the adaptive weights are computed anew.
        looks: moments of the curves, equally spaced and, at the start, in equal ratios.
        moments: at how many of them u and u″ are kept over x.
        device: where the networks are.

    Returns: ``steps`` [looks], ``moments`` (steps) [moments], ``x``, ``solution`` and ``f`` [101]; for each way w of
        ``plain`` and ``adaptive``: ``loss_u_w``, ``loss_r_w`` (mean squares without weights), ``error_u_w``,
        ``error_r_w`` (‖u − u*‖/‖u*‖ and ‖u″ − f‖/‖f‖ at 1000 points), ``drift_w``, ``trace_uu_w``, ``trace_rr_w``,
        ``weight_u_w``, ``weight_r_w`` [seeds, looks], ``u_w`` and ``r_w`` (u and u″ over x) [seeds, moments, 101];
        ``eigenvalues_uu_w``, ``eigenvalues_rr_w`` [seeds, 2, points] at the start and at the end, in falling order.

    Cost: 2 · seeds · steps passes of 2 · width · points values through two derivatives, some milliseconds each.
    Source: Wang, Yu & Perdikaris 2022, section 7.1 and Algorithm 1; details from the authors' notebook.
    Chapter: 12_physics_informed.
    """
    problem = authors_problem(frequency, points, device=device)
    omega = frequency * np.pi
    at = _looks(steps, looks)
    kept = _nearest(at, moments)
    grid = torch.linspace(0, 1, 101, dtype=torch.float64, device=device)[:, None]
    found: dict[str, list[Tensor]] = {}
    for seed in seeds:
        for name, weighted in (("plain", False), ("adaptive", True)):
            net = authors_network(problem, width=width, seed=seed)
            first = _kernels(net, problem)
            rows, fields = _trained(
                net,
                problem,
                first,
                grid.float(),
                steps=steps,
                lr=lr,
                at=at,
                kept=kept,
                refresh=refresh * weighted,
                omega=omega,
            )
            for column, values in zip(COLUMNS, rows.T, strict=True):
                found.setdefault(f"{column}_{name}", []).append(values)
            for column, values in zip(("u", "r"), fields.unbind(1), strict=True):
                found.setdefault(f"{column}_{name}", []).append(values)
            last = _kernels(net, problem)
            for block in ("K_uu", "K_rr"):
                rates = [torch.linalg.eigvalsh(getattr(kernels, block)).flip(0) for kernels in (first, last)]
                found.setdefault(f"eigenvalues_{block[2:]}_{name}", []).append(torch.stack(rates))
    places = grid[:, 0].cpu().numpy()
    return {
        "steps": np.array(at),
        "moments": np.array(kept),
        "x": places,
        "solution": np.sin(omega * places),
        "f": -(omega**2) * np.sin(omega * places),
        **{name: torch.stack(values).cpu().numpy() for name, values in found.items()},
    }


def authors_problem(frequency: float, points: int, *, device: torch.device | str = "cpu") -> BoundaryProblem:
    """``physics_informed.poisson`` with the notebook's points: each end points/2 times, the equation at both ends too;
    1000 points of comparison. In float32.
    """
    plain = boundary_problem(frequency, interior=points, test=1000)
    xr = torch.linspace(0, 1, points, dtype=torch.float64)[:, None]
    omega = frequency * torch.pi
    twice = points // 2

    def single(part: Tensor) -> Tensor:
        return part.float().to(device)

    return replace(
        plain,
        xu=single(plain.xu.repeat_interleave(twice, 0)),
        g=single(plain.g.repeat_interleave(twice, 0)),
        xr=single(xr),
        f=single(-(omega**2) * torch.sin(omega * xr)),
        x_test=single(plain.x_test),
        solution=single(plain.solution),
    )


def authors_network(problem: BoundaryProblem, *, width: int, seed: int) -> nn.Sequential:
    """Standardized inputs, one hidden layer of tanh, weights of variance 1/fan-in and biases of variance 1."""
    arch = mlp(2, tanh, sigma_w=1.0, sigma_b=1.0)
    drawn = arch.network(width=width, like=problem.xr, seed=seed, parametrization="standard")
    return nn.Sequential(Standardization.of(problem.xr), drawn)


def _trained(
    net: nn.Module,
    problem: BoundaryProblem,
    first: PinnKernels,
    grid: Tensor,
    *,
    steps: int,
    lr: float,
    at: Sequence[int],
    kept: Sequence[int],
    refresh: int,
    omega: float,
) -> tuple[Tensor, Tensor]:
    """One row of numbers for each look [looks, 9], and u and u″ over the grid [moments, 2, 101]; refresh 0 is plain."""
    trained = list(net.parameters())
    weights = adaptive_weights(first) if refresh else EQUAL
    rows, fields = [], []
    for step in range(steps + 1):
        if refresh and step and step % refresh == 0:
            weights = adaptive_weights(_kernels(net, problem))
        loss_u = (net(problem.xu) - problem.g).square().mean()
        loss_r = (problem.operator(net, problem.xr) - problem.f).square().mean()
        if step in at:
            seen = (*_errors(net, problem, omega), *_moved(_kernels(net, problem), first), *weights)
            rows.append([loss_u.item(), loss_r.item(), *seen])
        if step in kept:
            fields.append(torch.stack([net(grid)[:, 0], problem.operator(net, grid)[:, 0]]).detach().double())
        if step < steps:
            slopes = torch.autograd.grad(weights.u * loss_u + weights.r * loss_r, trained)
            with torch.no_grad():
                for parameter, slope in zip(trained, slopes, strict=True):
                    parameter.sub_(slope, alpha=lr)
    return torch.tensor(rows, dtype=torch.float64), torch.stack(fields)


def _kernels(net: nn.Module, problem: BoundaryProblem) -> PinnKernels:
    kernels = kernels_of(net, problem.xu, problem.xr, problem.operator)
    return PinnKernels(*(block.double() for block in kernels))


def _errors(net: nn.Module, problem: BoundaryProblem, omega: float) -> tuple[float, float]:
    """‖u − u*‖/‖u*‖ and ‖u″ − f‖/‖f‖ at the points of comparison, where f = −ω² u*."""
    x, exact = problem.x_test, problem.solution
    u, curvature = net(x).detach(), problem.operator(net, x).detach()
    f = -(omega**2) * exact
    return float((u - exact).norm() / exact.norm()), float((curvature - f).norm() / f.norm())


def _moved(kernels: PinnKernels, first: PinnKernels) -> tuple[float, float, float]:
    start = first.full()
    drift = (kernels.full() - start).norm() / start.norm()
    return float(drift), float(kernels.K_uu.trace()), float(kernels.K_rr.trace())


def _looks(steps: int, looks: int) -> list[int]:
    """0, then half of them in equal ratios and half at equal distances, and the last step."""
    early = np.geomspace(1, max(steps, 1), looks // 2)
    even = np.linspace(0, steps, looks - looks // 2)
    return sorted({round(float(step)) for step in (*early, *even)})


def _nearest(at: Sequence[int], moments: int) -> list[int]:
    """The start, and looks in about equal ratios up to the last."""
    wanted = np.geomspace(max(at[-1] / 8000, 1), max(at[-1], 1), moments - 1)
    places = [int(np.abs(np.array(at) - goal).argmin()) for goal in wanted]
    return sorted({0, *(at[place] for place in places)})
