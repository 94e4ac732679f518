"""The Jacobian way: Θ = J Jᵀ, for any module that torch.func can differentiate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from ntk_teach.empirical.batch import assembled, parts
from ntk_teach.empirical.obstacle import uses
from ntk_teach.empirical.panels import Term
from ntk_teach.empirical.problem import Problem
from ntk_teach.empirical.reading import Reading
from ntk_teach.inputs import Inputs

__all__ = ["terms", "per_input", "trained", "function"]

WAITING = 6  # gradients of one parameter beside its sum, measured: the peak grows with its uses up to about this
Parameters = dict[str, Tensor]
Function = Callable[[Parameters, Inputs], Tensor]


def terms(problem: Problem, reading: Reading, x: Inputs, output: int | None = None) -> list[Term]:
    """⟨∂f/∂θ_p, ∂f'/∂θ_p⟩ for each parameter p at a block of inputs; of one output, or of all."""
    f = function(problem.network)

    inputs = parts(x)

    def of_one(theta: Parameters, *point: Tensor) -> Tensor:
        outputs = f(theta, assembled([part[None] for part in point]))[0]
        return outputs if output is None else outputs[output : output + 1]

    with torch.enable_grad():
        rows: Parameters = vmap(jacrev(of_one), (None, *[0] * len(inputs)))(trained(problem.network), *inputs)
    vectors = [row.detach().flatten(2) for row in rows.values()]  # each [b, c, size]
    return [Term(reading.laid_out(each)) for each in vectors]


def per_input(problem: Problem, outputs: int) -> int:
    """Bytes for each input, of ``outputs`` outputs at a time: the Jacobian, and what autograd keeps and passes back."""
    sizes = [p.numel() for p in trained(problem.network).values()]
    # Gradients of several uses, as by a recurrent network at every step, wait to be added up, and leave gaps behind.
    waiting = [p.numel() * min(times, WAITING) for p, times in uses(problem).items() if times > 1]
    # The largest gradient stands a second time where torch.func returns it transposed.
    jacobian = problem.itemsize * (sum(sizes) + max(sizes) + max(waiting, default=0))
    return outputs * (jacobian + problem.kept) + 2 * problem.kept


def trained(network: nn.Module) -> Parameters:
    """The parameters that require a gradient, each once, by the first place where it stands."""
    first = _first_places(network)
    return {place: p.detach() for p, place in first.items() if p.requires_grad}


def function(network: nn.Module) -> Function:
    """(θ, x [b, …]) ↦ f_θ(x) [b, c]; the network itself is left as it is.

    One name for each place where a parameter stands, one tensor for each parameter: torch's own handling of ties
    would leave a module that is used twice holding the substitutes.
    """
    places, first = _places(network), _first_places(network)

    def f(theta: Parameters, x: Inputs) -> Tensor:
        substitutes = {place: theta.get(first[p], p) for place, p in places.items()}
        outputs: Tensor = functional_call(network, substitutes, (x,), tie_weights=False)
        return outputs.reshape(len(x), -1)  # [b, c]

    return f


def _places(network: nn.Module) -> dict[str, nn.Parameter]:
    return {
        f"{path}.{name}" if path else name: parameter
        for path, module in network.named_modules()
        for name, parameter in module.named_parameters(recurse=False)
    }


def _first_places(network: nn.Module) -> dict[nn.Parameter, str]:
    first: dict[nn.Parameter, str] = {}
    for place, parameter in _places(network).items():
        first.setdefault(parameter, place)
    return first
