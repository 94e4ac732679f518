"""Where the layerwise formula does not hold."""

from __future__ import annotations

from collections import Counter

from torch import Tensor, nn
from torch.autograd.graph import Node

from ntk_teach.empirical.calls import LAYERS, Call
from ntk_teach.empirical.problem import Problem, unmixed

__all__ = ["obstacle", "uses"]


def obstacle(problem: Problem) -> str | None:
    """Why the layerwise formula does not hold for this network, or None if it does.

    It holds where each trained parameter belongs to one linear layer, called on vectors, or to one convolution, and
    where that layer is called once and is the only user of its parameters: gradients of two uses add up *before* the
    inner product is taken.
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
            if type(module) not in LAYERS or name not in ("weight", "bias"):
                return f"trained parameters in {type(module).__name__}"
            if module._forward_hooks or module._forward_pre_hooks:
                return "a hook on a layer"
    if any(len(modules) > 1 for modules in owners.values()):
        return "a parameter that stands at two places"
    calls: dict[nn.Module, Call] = {call.layer: call for call in problem.triple}
    if len(calls) < len(problem.triple):
        return "a layer that is called twice"
    if any(call.post.ndim != call.layer.weight.ndim or len(call.post) != 3 for call in problem.triple):
        return "a layer between further axes"
    if any(call.post._version != call.version for call in problem.triple):
        return "units that are written over after they entered a layer"
    if not unmixed(problem):
        return "a layer that sees the inputs in another order"
    used, nodes = _graph(problem.output)
    for shared, (owner,) in owners.items():
        call = calls.get(owner)
        if used[shared] != 1 or call is None or call.edge is None or call.edge.node not in nodes:
            return "a parameter that is not used once, by its own layer"
    return None


def uses(problem: Problem) -> Counter[Tensor]:
    """How often each parameter is used on the way to the output; empty for a plain row of layers, each used once."""
    return Counter() if problem.output is None else _graph(problem.output)[0]


def _graph(output: Tensor) -> tuple[Counter[Tensor], set[Node]]:
    """How often each parameter is used on the way to the output, and the nodes on that way."""
    used: Counter[Tensor] = Counter()
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
                used[following.variable] += 1
            else:
                waiting.append(following)
    return used, nodes
