"""The layerwise way: a layer's gradient is the outer product δ αᵀ, so no gradient need be formed."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from ntk_teach.empirical.calls import LINEAR, Call, factors, recorded
from ntk_teach.empirical.panels import Term
from ntk_teach.empirical.problem import Problem, readable, unmixed
from ntk_teach.empirical.reading import Reading
from ntk_teach.errors import ShapeError, sentence
from ntk_teach.nn import Linear

__all__ = ["terms", "per_input", "obstacle"]


def terms(problem: Problem, reading: Reading, x: Tensor) -> list[Term]:
    """(s_w² α·α' + s_b²)·⟨δ, δ'⟩ for each layer with trained parameters: one forward pass, one backward per output."""
    if problem.output is None:
        return _row_terms(problem, reading, x)
    with torch.enable_grad(), recorded(problem.layers) as calls:
        outputs = readable(problem.network(x), x, "the inputs", problem.where).unbind(1)
    if [call.layer for call in calls] != [call.layer for call in problem.triple]:
        do = "use by_autograd(network, x1, x2)"
        raise ShapeError(sentence(problem.where, "the same layers for every input", "layers that change", do))
    edges = [call.edge for call in calls if call.edge is not None]
    last = problem.outputs - 1
    deltas = [torch.autograd.grad(f, edges, torch.ones_like(f), retain_graph=k < last) for k, f in enumerate(outputs)]
    by_layer = [list(each) for each in zip(*deltas, strict=True)]  # [layers][c], each [b, fan_out]
    del deltas, outputs
    found = []
    for call in calls:
        slopes = by_layer.pop(0)  # taken out, so that a layer's gradients are gone when they are stacked
        stacked = slopes[0][:, None] if last == 0 else torch.stack(slopes, 1)  # [b, c, fan_out]
        s_w, s_b = factors(call.layer)
        found.append(Term(reading.laid_out(stacked), s_b**2, s_w**2, call.post if s_w else None))
    return found


def _row_terms(problem: Problem, reading: Reading, x: Tensor) -> list[Term]:
    """The same for a plain row of layers, by the chain rule as it is written: δ ← (s_w δ W) ⊙ φ̇, last layer first."""
    trained, found = set(problem.layers), []
    with torch.no_grad():
        entering = []
        for module in problem.network.children():
            entering.append((module, x))
            x = module(x)
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


def per_input(problem: Problem) -> int:
    """Bytes for each input: what autograd keeps, the units that enter and, for all outputs, the δ of all layers."""
    itemsize = problem.x1.element_size()
    entering = sum(call.post.shape[1] for call in problem.triple)
    leaving = [len(call.layer.weight) for call in problem.triple]
    passing = 3 * max([problem.x1[0].numel(), *leaving])  # in the arithmetic of one layer
    return problem.kept + itemsize * (entering + (problem.outputs + 1) * (sum(leaving) + passing))


def obstacle(problem: Problem) -> str | None:
    """Why the layerwise formula does not hold for this network, or None if it does.

    It holds where each trained parameter belongs to one linear layer, which is called once, on vectors, and is the
    only user of its parameters: gradients of two uses add up *before* the inner product is taken.
    """
    if problem.output is None:
        return None
    owners: dict[Tensor, list[nn.Module]] = {}
    for module in problem.network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue
            owners.setdefault(parameter, []).append(module)
            # Exact types: a subclass may do something else in its forward, and a parametrized layer is a subclass.
            if type(module) not in LINEAR or name not in ("weight", "bias"):
                return f"trained parameters in {type(module).__name__}"
            if module._forward_hooks or module._forward_pre_hooks:
                return "a hook on a linear layer"
    if any(len(modules) > 1 for modules in owners.values()):
        return "a parameter that stands at two places"
    calls: dict[nn.Module, Call] = {call.layer: call for call in problem.triple}
    if len(calls) < len(problem.triple):
        return "a layer that is called twice"
    if any(call.post.ndim != 2 or len(call.post) != 3 for call in problem.triple):
        return "a linear layer between further axes"
    if any(call.post._version != call.version for call in problem.triple):
        return "units that are written over after they entered a layer"
    if not unmixed(problem):
        return "a layer that sees the inputs in another order"
    uses, nodes = _graph(problem.output)
    for shared, (owner,) in owners.items():
        call = calls.get(owner)
        if uses[shared] != 1 or call is None or call.edge is None or call.edge.node not in nodes:
            return "a parameter that is not used once, by its own layer"
    return None


def _graph(output: Tensor) -> tuple[Counter[Tensor], set[Node]]:
    """How often each parameter is used on the way to the output, and the nodes on that way."""
    uses: Counter[Tensor] = Counter()
    nodes: set[Node] = set()
    waiting = [] if output.grad_fn is None else [output.grad_fn]
    while waiting:
        node = waiting.pop()
        if node in nodes:
            continue
        nodes.add(node)
        for following, _ in node.next_functions:
            if following is None:
                continue
            if hasattr(following, "variable"):
                uses[following.variable] += 1
            else:
                waiting.append(following)
    return uses, nodes
