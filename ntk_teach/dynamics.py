"""Training a finite network, by hand-checkable code."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntk_teach.errors import (
    DomainError,
    ShapeError,
    check_accepts,
    check_count,
    check_same,
    check_scale,
    check_vectors,
    sentence,
)
from ntk_teach.shapes import Vectors

__all__ = ["gradient_descent"]


def gradient_descent(
    network: nn.Module, x: Vectors, y: Tensor, *, lr: float = 1.0, steps: int = 200
) -> Float[Tensor, " times"]:
    """Full-batch gradient descent on C = 1/(2N) Σ_i ‖f(x_i) − y_i‖²; moves the network's parameters in place.

    Args:
        network: maps [n, d] to [n, c].
        x: inputs [n, d].
        y: targets [n] for one output, or [n, c].
        lr: step size. Training time is t = lr · steps (t in units of 1/lr).
        steps: number of steps.

    Returns: the cost before each step and after the last one, [steps + 1].

    Raises: ShapeError where x, y and the network do not fit; DomainError if the cost becomes infinite, which
        means that lr exceeds 2/λ_max(Θ/N).

    Cost: ``steps`` forward and backward passes. Source: Jacot, Gabriel & Hongler 2018, section 6.
    Chapter: 05_neural_tangent_kernel.
    """
    where = "gradient_descent"
    x = check_vectors(x, name="x", where=where)
    check_scale(lr, name="lr", where=where)
    check_count(steps, name="steps", where=where, minimum=0)
    target = check_vectors(y[:, None] if isinstance(y, Tensor) and y.ndim == 1 else y, name="y", where=where)
    check_same(x, target, names=("x", "y"), where=where)
    parameters = [p for p in network.parameters() if p.requires_grad]
    if not parameters:
        do = "set requires_grad on the parameters that gradient descent moves"
        raise DomainError(sentence(where, "a network with trained parameters", "none", do))
    output = check_accepts(network, x, name="x", where=where)
    if target.shape != (len(x), *output.shape[1:]):
        do = "give one target for each input and output"
        expected = f"targets of shape {[len(x), *output.shape[1:]]}"
        raise ShapeError(sentence(where, expected, str(list(y.shape)), do))

    def cost() -> Tensor:
        residual: Tensor = network(x) - target  # [n, c]
        return residual.square().sum() / (2 * len(x))

    history: list[Tensor] = []
    for _ in range(steps):
        current = cost()
        history.append(_finite(current.detach(), len(history)))
        slopes = torch.autograd.grad(current, parameters)
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.sub_(slope, alpha=lr)
    with torch.no_grad():
        history.append(_finite(cost(), steps))
    return torch.stack(history)


def _finite(cost: Tensor, steps: int) -> Tensor:
    if not torch.isfinite(cost):
        do = "choose lr below 2/λ_max(Θ/N)"
        raise DomainError(sentence("gradient_descent", "a finite cost", f"{cost.item()} after {steps} steps", do))
    return cost
