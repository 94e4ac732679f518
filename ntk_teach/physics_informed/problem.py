"""A boundary value problem: where u is known, where 𝓛u is known, and the solution to compare with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import check_count, check_scale
from ntk_teach.physics_informed.operators import Operator, derivative

__all__ = ["BoundaryProblem", "poisson"]


@dataclass(frozen=True)
class BoundaryProblem:
    """u(x_u) = g and 𝓛u(x_r) = f.

    Args:
        operator: 𝓛.
        xu, g: points [nu, d] and the values there [nu, 1].
        xr, f: points [nr, d] and the right-hand side there [nr, 1].
        x_test, solution: points [m, d] and the exact u there [m, 1].

    Chapter: 12_physics_informed.
    """

    operator: Operator
    xu: Float[Tensor, "nu d"]
    g: Float[Tensor, "nu 1"]
    xr: Float[Tensor, "nr d"]
    f: Float[Tensor, "nr 1"]
    x_test: Float[Tensor, "m d"]
    solution: Float[Tensor, "m 1"]


def poisson(frequency: float = 1.0, *, interior: int = 60, test: int = 201) -> BoundaryProblem:
    """u″ = −(aπ)² sin(aπx) on [0, 1], whose solution is u = sin(aπx): both ends, and equally spaced points between.

    Args: frequency: a. interior: points where the equation is asked for, without the ends. test: points of comparison.

    Returns: BoundaryProblem in float64. Raises: DomainError for a below 0 or fewer than one point.

    Source: Wang, Yu & Perdikaris 2022, section 7.1 (a = 4 there). Chapter: 12_physics_informed.
    """
    a = math.pi * check_scale(frequency, name="frequency", where="poisson")
    check_count(interior, name="interior", where="poisson")
    check_count(test, name="test", where="poisson")
    ends = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    between = torch.linspace(0, 1, interior + 2, dtype=torch.float64)[1:-1, None]
    everywhere = torch.linspace(0, 1, test, dtype=torch.float64)[:, None]
    values = (torch.sin(a * x) for x in (ends, everywhere))
    g, solution = values
    return BoundaryProblem(derivative(2), ends, g, between, -(a**2) * torch.sin(a * between), everywhere, solution)
