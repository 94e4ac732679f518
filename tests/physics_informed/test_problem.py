"""The problem's data satisfy its own equation."""

import math

import pytest
import torch

from ntk_teach.errors import DomainError
from ntk_teach.physics_informed import poisson


@pytest.mark.parametrize("frequency", [0.5, 1.0, 2.0])
def test_the_solution_solves_the_problem(frequency):
    """sin(aπx) has the boundary values, and 𝓛 of it is the right-hand side at the interior points."""
    problem = poisson(frequency, interior=7)

    def solution(x):
        return torch.sin(frequency * math.pi * x)

    torch.testing.assert_close(solution(problem.xu), problem.g)
    torch.testing.assert_close(problem.operator(solution, problem.xr), problem.f, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(solution(problem.x_test), problem.solution)


def test_the_ends_are_the_boundary_and_not_among_the_interior():
    """Two ends, equally spaced points strictly between."""
    problem = poisson(interior=3, test=5)
    assert problem.xu.flatten().tolist() == [0, 1] and problem.xr.flatten().tolist() == [0.25, 0.5, 0.75]
    assert problem.x_test.shape == problem.solution.shape == (5, 1)


@pytest.mark.boundary
def test_bad_arguments_are_refused():
    """A negative frequency and no points."""
    for attempt in (lambda: poisson(-1.0), lambda: poisson(interior=0), lambda: poisson(test=0)):
        with pytest.raises(DomainError, match="choose"):
            attempt()
