"""The kernel times a vector, without the kernel."""

from __future__ import annotations

import warnings
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import jvp

from ntk_teach.empirical import jacobian
from ntk_teach.empirical.batch import values
from ntk_teach.empirical.jacobian import Function, Parameters
from ntk_teach.empirical.panels import blocks
from ntk_teach.empirical.problem import MEMORY, Problem, examined
from ntk_teach.errors import DomainError, ShapeError, check_same, check_vectors, sentence
from ntk_teach.inputs import Inputs

__all__ = ["ntk_vector_product"]


def ntk_vector_product(
    network: nn.Module, x1: Inputs, x2: Inputs | None, v: Tensor, *, memory: float | int = MEMORY
) -> Float[Tensor, " n"] | Float[Tensor, "n c"]:
    """(Θ(x1, x2) v)_k(x_i) = Σ_j Σ_l Θ_kl(x_i, x_j) v_jl = J(x1) (J(x2)ᵀ v), without Θ and without J.

    Args:
        network, x1, x2: as in ``empirical_ntk``; x2 None means x1.
        v: [m, c], or [m] for a network with one output.
        memory: bytes that may be used beside the result and the network.

    Returns: [n, c] or [n], as ``v``. Dimensionless times the unit of v: with v = f − y it is −N ∂f/∂t of the
        least-squares flow.

    Raises: as ``empirical_ntk``, and ShapeError for a ``v`` that does not fit.

    Cost: one backward pass over x2 and one forward pass with tangents over x1; a vector of P numbers.

    Source: Novak, Sohl-Dickstein & Schoenholz 2022 (NTK-vector products). Chapter: 05_neural_tangent_kernel.
    """
    where = "ntk_vector_product"
    problem = examined(network, x1, x2, memory, where=where)
    second = problem.x1 if problem.x2 is None else problem.x2
    weights = _weights(v, second, problem.outputs, where)
    f, theta = jacobian.function(network), jacobian.trained(network)
    block = _block(problem, sum(p.numel() for p in theta.values()) * problem.itemsize)
    direction = {place: torch.zeros_like(p) for place, p in theta.items()}
    with torch.enable_grad():
        moved = {place: p.detach().requires_grad_() for place, p in theta.items()}
        for rows in blocks(0, len(second), block):
            outputs = f(moved, second[rows])
            if not outputs.requires_grad:
                continue  # the network does not use what is trained
            slopes = torch.autograd.grad(outputs, list(moved.values()), weights[rows], allow_unused=True)
            for place, slope in zip(moved, slopes, strict=True):
                if slope is not None:
                    direction[place] += slope
    # On the first use torch loads its rules for tangents, and warns of a function that it calls there itself.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        inputs = [problem.x1[rows] for rows in blocks(0, len(problem.x1), block)]
        products = [jvp(partial(_at, f, x), (theta,), (direction,))[1] for x in inputs]
    return torch.cat(products).reshape(-1, *v.shape[1:])  # [n, c] or [n]


def _at(f: Function, x: Inputs, theta: Parameters) -> Tensor:
    return f(theta, x)


def _weights(v: object, x: Inputs, outputs: int, where: str) -> Tensor:
    """v as [m, c]."""
    columns = v[:, None] if isinstance(v, Tensor) and v.ndim == 1 else v
    weights = check_vectors(columns, name="v", where=where)
    check_same(values(x), weights, names=("x2", "v"), where=where)
    if weights.shape != (len(x), outputs):
        assert isinstance(v, Tensor)
        expected = f"v of shape {[len(x), outputs]}" + (f" or {[len(x)]}" if outputs == 1 else "")
        do = "give one number for each input of x2 and each output"
        raise ShapeError(sentence(where, expected, str(list(v.shape)), do))
    return weights.detach()


def _block(problem: Problem, parameters: int) -> int:
    """Inputs at a time: the direction and its newest part stay, the units pass through."""
    # One more: a tangent may be laid out anew on its way.
    fixed = 3 * parameters
    per_input = 4 * problem.kept
    if problem.memory < fixed + per_input:
        expected = f"memory of at least {fixed + per_input} bytes, for one input"
        do = "raise memory= to that, or take a smaller network"
        raise DomainError(sentence(problem.where, expected, f"{problem.memory:.0f}", do))
    return int((problem.memory - fixed) // per_input)
