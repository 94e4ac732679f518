"""The two ways to one kernel, each in blocks of inputs that fit the memory; and the choice between them."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from ntk_teach.empirical import jacobian, signals
from ntk_teach.empirical.batch import values
from ntk_teach.empirical.obstacle import obstacle
from ntk_teach.empirical.panels import Budget, fill, mirror
from ntk_teach.empirical.plan import Plan
from ntk_teach.empirical.problem import Problem
from ntk_teach.empirical.reading import Full, Reading

__all__ = ["whichever_holds", "by_layers", "by_jacobians"]


def whichever_holds(problem: Problem, reading: Reading) -> Tensor:
    """Layer by layer if that is right for this network."""
    way = by_layers if obstacle(problem) is None else by_jacobians
    return way(problem, reading)


def by_layers(problem: Problem, reading: Reading) -> Tensor:
    """Σ_layers, by inner products of signals and of units."""
    theta = _zeros(problem, reading)
    plan = Plan.of(problem, reading)
    budget = _budget(problem, reading, plan.per_input, plan.working)
    terms = partial(signals.terms, problem, reading, plan, budget.room)
    fill(theta, problem.x1, problem.x2, terms, terms, budget)
    return _finished(problem, reading, theta)


def by_jacobians(problem: Problem, reading: Reading) -> Tensor:
    """J Jᵀ; one output at a time where all do not fit."""
    theta = _zeros(problem, reading)
    together = jacobian.per_input(problem, problem.outputs)
    if problem.outputs == 1 or _least(problem) * together <= problem.memory * 7 / 8:
        budget = _budget(problem, reading, together)
        terms = partial(jacobian.terms, problem, reading)
        fill(theta, problem.x1, problem.x2, terms, terms, budget)
        return _finished(problem, reading, theta)
    budget = _budget(problem, Full(1), jacobian.per_input(problem, 1))
    symmetric = problem.x2 is None
    for k, other in reading.pairs():
        if symmetric and other < k:
            continue  # Θ_lk(x', x) = Θ_kl(x, x')
        second = problem.x1 if symmetric and other > k else problem.x2
        terms1, terms2 = (partial(jacobian.terms, problem, Full(1), output=output) for output in (k, other))
        part = reading.part(theta, k, other)
        fill(part, problem.x1, second, terms1, terms2, budget)
        if symmetric and other > k:
            reading.part(theta, other, k).copy_(part.permute(0, 3, 4, 1, 2))
    return _finished(problem, reading, theta)


def _zeros(problem: Problem, reading: Reading) -> Tensor:
    s, r = reading.stack
    second = problem.x1 if problem.x2 is None else problem.x2
    return values(problem.x1).new_zeros(s, len(problem.x1), r, len(second), r)


def _finished(problem: Problem, reading: Reading, theta: Tensor) -> Tensor:
    if problem.x2 is None:
        mirror(theta)
    return reading.returned(theta)


def _least(problem: Problem) -> int:
    """Two inputs meet, unless there is one only."""
    return 1 if problem.x2 is None and len(problem.x1) == 1 else 2


def _budget(problem: Problem, reading: Reading, per_input: int, working: int = 0) -> Budget:
    itemsize, where = problem.itemsize, problem.where
    needs = {"per_input": per_input, "working": working, "least": _least(problem)}
    return Budget.of(problem.memory, reading, **needs, itemsize=itemsize, where=where)
