"""The neural tangent kernel of a network as it stands: finite width, any moment of training."""

from __future__ import annotations

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from ntk_teach.empirical import jacobian, signals
from ntk_teach.empirical.panels import Budget, fill, mirror
from ntk_teach.empirical.problem import MEMORY, Problem, examined
from ntk_teach.empirical.reading import Full, PerOutput, Reading, Trace
from ntk_teach.errors import ShapeError, sentence

__all__ = ["empirical_ntk", "empirical_ntk_trace", "empirical_ntk_per_output", "layerwise", "by_autograd"]

EmpiricalGram = Float[Tensor, "n m"] | Float[Tensor, "n m c c"]


def empirical_ntk(
    network: nn.Module, x1: Tensor, x2: Tensor | None = None, *, memory: float | int = MEMORY
) -> EmpiricalGram:
    """Θ_kl(x, x') = Σ_p ∂f_k(x)/∂θ_p · ∂f_l(x')/∂θ_p, over the parameters that require a gradient.

    Args:
        network: any ``torch.nn.Module`` from [n, …] to [n, c], or to [n], that treats the inputs of a batch one by one.
        x1, x2: inputs [n, …] and [m, …]; x2 None means x1, and gives an exactly symmetric kernel.
        memory: bytes that may be used beside the result, the inputs and the network, workspaces of torch's own
            operations apart; the inputs are taken in blocks that fit.

    Returns: [n, m] for one output, [n, m, c, c] for several. Dimensionless.

    Raises: ShapeError, DtypeError for inputs that do not fit the network; DomainError for a network that mixes the
        inputs of a batch or draws at random (batch normalization and dropout in training mode: call ``eval()``), and
        for too little memory, with the smallest that is enough.

    Cost: where the trained parameters are those of linear layers (see ``layerwise``), one forward and c backward
        passes and, for each layer, two products n·m·width; no Jacobian is formed. Otherwise ``by_autograd``.
        The layerwise way takes each block of inputs once if all fit in ``memory``, else about n/block times.

    Source: Jacot, Gabriel & Hongler 2018, section 4. Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="empirical_ntk")
    return _either(problem, Full(problem.outputs))


def empirical_ntk_trace(
    network: nn.Module, x1: Tensor, x2: Tensor | None = None, *, memory: float | int = MEMORY
) -> Float[Tensor, "n m"]:
    """(1/c) Σ_k Θ_kk(x, x'): the mean over the outputs. At infinite width it is Θ∞, as every Θ_kk is.

    Arguments and errors as ``empirical_ntk``. Returns: [n, m].

    Cost: one forward and c backward passes and, for each layer, a product n·m·width and one n·m·c·width; the blocks
        k ≠ l are never formed.

    Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="empirical_ntk_trace")
    return _either(problem, Trace(problem.outputs))


def empirical_ntk_per_output(
    network: nn.Module, x1: Tensor, x2: Tensor | None = None, *, memory: float | int = MEMORY
) -> Float[Tensor, "n m c"]:
    """Θ_kk(x, x') for each output k: the kernel of f_k as a function of its own.

    Arguments and errors as ``empirical_ntk``. Returns: [n, m, c], also for c = 1. Cost: as ``empirical_ntk_trace``.

    Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="empirical_ntk_per_output")
    return _either(problem, PerOutput(problem.outputs))


def layerwise(
    network: nn.Module, x1: Tensor, x2: Tensor | None = None, *, memory: float | int = MEMORY
) -> EmpiricalGram:
    """Θ(x, x') = Σ_ℓ (s_w² α_ℓ·α'_ℓ + s_b²) ⟨δ_{ℓ+1}, δ'_{ℓ+1}⟩ over linear layers h = s_w W α + s_b b; no Jacobian.

    Each layer's gradient is the outer product δ αᵀ, so inner products of gradients are products of inner products.
    Between the layers may stand whatever has no trained parameters: activations, sums, skips, ``nn.Flatten``. The
    scales are σ_w/√fan_in and σ_b in our parametrization and 1 in ``torch.nn.Linear``; a frozen parameter has none.
    Arguments, shapes and errors as ``empirical_ntk``, and ShapeError where the formula does not hold: a parameter
    with two uses, trained parameters elsewhere, a layer between further axes. ``empirical_ntk`` then turns to
    ``by_autograd`` by itself.

    Source: the chain rule in the notation of Jacot, Gabriel & Hongler 2018, section 2.
    Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="layerwise")
    why = signals.obstacle(problem)
    if why is not None:
        expected = "trained parameters in linear layers only, each used once"
        do = "use by_autograd(network, x1, x2)"
        raise ShapeError(sentence("layerwise", expected, f"{type(network).__name__} with {why}", do))
    return _layerwise(problem, Full(problem.outputs))


def by_autograd(
    network: nn.Module, x1: Tensor, x2: Tensor | None = None, *, memory: float | int = MEMORY
) -> EmpiricalGram:
    """Θ(x, x') = J(x) J(x')ᵀ from the Jacobians J(x) = ∂f(x)/∂θ, by ``torch.func``, for any module.

    Arguments, shapes and errors as ``empirical_ntk``. Cost: c·P numbers for each input of a block, P the number of
    parameters; where not even the outputs of two inputs fit in ``memory``, one output at a time.

    Source: Novak et al. 2022, section 3.1 (Jacobian contraction). Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="by_autograd")
    return _by_autograd(problem, Full(problem.outputs))


def _either(problem: Problem, reading: Reading) -> Tensor:
    way = _layerwise if signals.obstacle(problem) is None else _by_autograd
    return way(problem, reading)


def _layerwise(problem: Problem, reading: Reading) -> Tensor:
    theta = _zeros(problem, reading)
    budget = _budget(problem, reading, signals.per_input(problem))
    terms = partial(signals.terms, problem, reading)
    fill(theta, problem.x1, problem.x2, terms, terms, budget)
    return _finished(problem, reading, theta)


def _by_autograd(problem: Problem, reading: Reading) -> Tensor:
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
    return problem.x1.new_zeros(s, len(problem.x1), r, len(second), r)


def _finished(problem: Problem, reading: Reading, theta: Tensor) -> Tensor:
    if problem.x2 is None:
        mirror(theta)
    return reading.returned(theta)


def _least(problem: Problem) -> int:
    """Two inputs meet, unless there is one only."""
    return 1 if problem.x2 is None and len(problem.x1) == 1 else 2


def _budget(problem: Problem, reading: Reading, per_input: int) -> Budget:
    itemsize, where = problem.x1.element_size(), problem.where
    return Budget.of(
        problem.memory, reading, per_input=per_input, itemsize=itemsize, least=_least(problem), where=where
    )
