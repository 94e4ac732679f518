"""The Jacobian way: Θ = J Jᵀ, for any module that torch.func can differentiate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from ntk_teach.empirical.panels import Term
from ntk_teach.empirical.problem import Problem
from ntk_teach.empirical.reading import Reading

__all__ = ["terms", "per_input", "trained", "function"]

Parameters = dict[str, Tensor]
Function = Callable[[Parameters, Tensor], Tensor]


def terms(problem: Problem, reading: Reading, x: Tensor, output: int | None = None) -> list[Term]:
    """⟨∂f/∂θ_p, ∂f'/∂θ_p⟩ for each parameter p at a block of inputs; of one output, or of all."""
    f = function(problem.network)

    def of_one(theta: Parameters, point: Tensor) -> Tensor:
        outputs = f(theta, point[None])[0]
        return outputs if output is None else outputs[output : output + 1]

    with torch.enable_grad():
        rows: Parameters = vmap(jacrev(of_one), (None, 0))(trained(problem.network), x)
    vectors = [row.detach().flatten(2) for row in rows.values()]  # each [b, c, size]
    return [Term(reading.laid_out(each)) for each in vectors]


def per_input(problem: Problem, outputs: int) -> int:
    """Bytes for each input, of ``outputs`` outputs at a time: the Jacobian, and what autograd keeps and passes back."""
    sizes = [p.numel() for p in trained(problem.network).values()]
    # The largest gradient stands a second time where torch.func returns it transposed.
    jacobian = problem.x1.element_size() * (sum(sizes) + max(sizes))
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

    def f(theta: Parameters, x: Tensor) -> Tensor:
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
