"""The layerwise way: a linear layer's gradient is the outer product δ αᵀ, so no gradient need be formed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntk_teach.empirical import convolution
from ntk_teach.empirical.batch import values
from ntk_teach.empirical.calls import LINEAR, factors, recorded
from ntk_teach.empirical.convolution import Streamed
from ntk_teach.empirical.panels import Block, Term, blocks
from ntk_teach.empirical.plan import Plan
from ntk_teach.empirical.problem import Problem, readable
from ntk_teach.empirical.reading import Reading
from ntk_teach.errors import ShapeError, sentence
from ntk_teach.inputs import Inputs
from ntk_teach.nn import Linear

__all__ = ["terms"]


def terms(problem: Problem, reading: Reading, plan: Plan, room: float, x: Inputs) -> Block:
    """The terms of each layer with trained parameters at a block; with convolutions, some inputs after the other."""
    if problem.output is None:
        return _row_terms(problem, reading, x)
    if not plan.working:
        return _graph_terms(problem, reading, plan, 0, 0.0, x)
    at_once = max(1, int(room // plan.working))
    whole: list[Term | Streamed] = []
    for rows in blocks(0, len(x), at_once):
        part = _graph_terms(problem, reading, plan, at_once, room / 2, x[rows])
        if len(x) <= at_once:
            return part
        whole = whole or [term.empty(len(x)) for term in part]
        for place, term in zip(whole, part, strict=True):
            _copy(term, place.rows(rows))
        del part, term  # with the units of the graph
    return whole


def _copy(term: Term | Streamed, place: Term | Streamed) -> None:
    for found, into in zip(term, place, strict=True):
        if isinstance(found, Tensor) and isinstance(into, Tensor):
            into.copy_(found)


def _graph_terms(
    problem: Problem, reading: Reading, plan: Plan, at_once: int, room: float, x: Inputs
) -> list[Term | Streamed]:
    """One forward pass, one backward for each output; (s_w² α·α' + s_b²)·⟨δ, δ'⟩ of a linear layer."""
    with torch.enable_grad(), recorded(problem.layers) as calls:
        outputs = readable(problem.network(x), x, "the inputs", problem.where).unbind(1)
    if [call.layer for call in calls] != [call.layer for call in problem.triple]:
        do = "use by_autograd(network, x1, x2)"
        raise ShapeError(sentence(problem.where, "the same layers for every input", "layers that change", do))
    edges = [call.edge for call in calls if call.edge is not None]
    last = problem.outputs - 1
    deltas = [torch.autograd.grad(f, edges, torch.ones_like(f), retain_graph=k < last) for k, f in enumerate(outputs)]
    by_layer = [list(each) for each in zip(*deltas, strict=True)]  # [layers][c], each [b, …]
    del deltas, outputs
    found: list[Term | Streamed] = []
    for call, form in zip(calls, plan.forms, strict=True):
        slopes = by_layer.pop(0)  # taken out, so that a layer's gradients are gone when they are stacked
        stacked = slopes[0][:, None] if last == 0 else torch.stack(slopes, 1)  # [b, c, …]
        if form is not None:
            found += convolution.found(call, stacked, reading, form, at_once, room)
            continue
        s_w, s_b = factors(call.layer)
        found.append(Term(reading.laid_out(stacked), s_b**2, s_w**2, call.post if s_w else None))
    return found


def _row_terms(problem: Problem, reading: Reading, x: Inputs) -> list[Term]:
    """The same for a plain row of layers, by the chain rule as it is written: δ ← (s_w δ W) ⊙ φ̇, last layer first."""
    trained, found = set(problem.layers), []
    with torch.no_grad():
        entering, passing = [], values(x)
        for module in problem.network.children():
            entering.append((module, passing))
            passing = module(passing)
        delta = torch.eye(problem.outputs, dtype=x.dtype, device=x.device).expand(len(x), -1, -1)  # [b, c, c]
        for module, units in reversed(entering):
            if isinstance(module, LINEAR):
                if module in trained:
                    s_w, s_b = factors(module)
                    found.append(Term(reading.laid_out(delta), s_b**2, s_w**2, units if s_w else None))
                if module is not entering[0][0]:
                    delta = delta @ module.weight  # [b, c, fan_in]
                    if isinstance(module, Linear):
                        delta = delta.mul_(module.scale)
            else:
                delta = delta * _slope(module, units)[:, None]
    return found[::-1]


def _slope(activation: nn.Module, units: Tensor) -> Tensor:
    """φ̇ at the units that enter."""
    if isinstance(activation, nn.ReLU) or getattr(activation, "phi", None) is torch.relu:
        return (units > 0).to(units)
    with torch.enable_grad():
        u = units.detach().requires_grad_()
        return torch.autograd.grad(activation(u).sum(), u)[0]
