"""The neural tangent kernel of a network as it stands: finite width, any moment of training."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from ntk_teach.empirical.obstacle import obstacle
from ntk_teach.empirical.problem import MEMORY, examined
from ntk_teach.empirical.reading import Full, PerOutput, Trace
from ntk_teach.empirical.ways import by_jacobians, by_layers, whichever_holds
from ntk_teach.errors import ShapeError, sentence
from ntk_teach.inputs import Inputs

__all__ = ["empirical_ntk", "empirical_ntk_trace", "empirical_ntk_per_output", "layerwise", "by_autograd"]

EmpiricalGram = Float[Tensor, "n m"] | Float[Tensor, "n m c c"]


def empirical_ntk(
    network: nn.Module, x1: Inputs, x2: Inputs | None = None, *, memory: float | int = MEMORY
) -> EmpiricalGram:
    """Θ_kl(x, x') = Σ_p ∂f_k(x)/∂θ_p · ∂f_l(x')/∂θ_p, over the parameters that require a gradient.

    Args:
        network: any ``torch.nn.Module`` from [n, …] to [n, c], or to [n], that treats the inputs of a batch one by one
            and, of a ``Ragged`` one, does not hear what is padded.
        x1, x2: inputs [n, …] and [m, …], or ``Ragged`` sequences or graphs for a network that takes them; x2 None
            means x1, and gives an exactly symmetric kernel.
        memory: bytes that may be used beside the result, the inputs and the network, workspaces of torch's own
            operations apart; the inputs are taken in blocks that fit.

    Returns: [n, m] for one output, [n, m, c, c] for several. Dimensionless.

    Raises: ShapeError, DtypeError for inputs that do not fit the network; DomainError for a network that mixes the
        inputs of a batch, hears padded sites or draws at random (batch normalization and dropout in training mode:
        call ``eval()``), and for too little memory, with the smallest that is enough.

    Cost: where the trained parameters are those of linear layers and convolutions (see ``layerwise``), one forward
        and c backward passes; for each linear layer two products n·m·width; for each convolution with S sites, C
        channels that leave and patches of K units the smaller of n·m·S²(K + c²C) and n·m·c²CK + (n + m)·c·SCK.
        Otherwise ``by_autograd``.
        Kept of each input of a block, beside the result: for a linear layer the units that enter and c·width signals;
        for a convolution c·CK gradients, or c·SC signals and the units that enter where these are fewer or where sites
        meet in pairs. ``memory`` bounds the block; units, signals and patches on the way to it come some inputs at a
        time, and gradients of kept signals some channels at a time. If all inputs fit in one block, each goes through
        the network once, else about n/block times.

    Source: Jacot, Gabriel & Hongler 2018, section 4. Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="empirical_ntk")
    return whichever_holds(problem, Full(problem.outputs))


def empirical_ntk_trace(
    network: nn.Module, x1: Inputs, x2: Inputs | None = None, *, memory: float | int = MEMORY
) -> Float[Tensor, "n m"]:
    """(1/c) Σ_k Θ_kk(x, x'): the mean over the outputs. At infinite width it is Θ∞, as every Θ_kk is.

    Arguments and errors as ``empirical_ntk``. Returns: [n, m].

    Cost: one forward and c backward passes and, for each linear layer, a product n·m·width and one n·m·c·width; of a
        convolution as in ``empirical_ntk`` with c in place of c². The blocks k ≠ l are never formed.

    Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="empirical_ntk_trace")
    return whichever_holds(problem, Trace(problem.outputs))


def empirical_ntk_per_output(
    network: nn.Module, x1: Inputs, x2: Inputs | None = None, *, memory: float | int = MEMORY
) -> Float[Tensor, "n m c"]:
    """Θ_kk(x, x') for each output k: the kernel of f_k as a function of its own.

    Arguments and errors as ``empirical_ntk``. Returns: [n, m, c], also for c = 1. Cost: as ``empirical_ntk_trace``.

    Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="empirical_ntk_per_output")
    return whichever_holds(problem, PerOutput(problem.outputs))


def layerwise(
    network: nn.Module, x1: Inputs, x2: Inputs | None = None, *, memory: float | int = MEMORY
) -> EmpiricalGram:
    """Θ(x, x') = Σ_ℓ (s_w² α_ℓ·α'_ℓ + s_b²) ⟨δ_{ℓ+1}, δ'_{ℓ+1}⟩ over linear layers h = s_w W α + s_b b; no Jacobian.

    Each linear layer's gradient is the outer product δ αᵀ, so inner products of gradients are products of inner
    products; that of a convolution is a sum of such over its sites s, with the patches P_s under the filter,

        ⟨Σ_s δ_s P_sᵀ, Σ_s' δ'_s' P'_s'ᵀ⟩ = Σ_s Σ_s' ⟨δ_s, δ'_s'⟩⟨P_s, P'_s'⟩,

    taken by pairs of sites or by this layer's gradients, whichever is cheaper. Convolutions are our ``nn.Convolution``
    and torch's ``Conv1d``, ``Conv2d``, ``Conv3d`` with any stride, padding, dilation and groups. Between the layers
    may stand whatever has no trained parameters: activations, sums, skips, pools, ``nn.Flatten``. The scales are
    σ_w/√fan_in (and 1/q more for a filter q × q) and σ_b in our parametrization and 1 in torch's layers; a frozen
    parameter has none. Arguments, shapes and errors as ``empirical_ntk``, and ShapeError where the formula does not
    hold: a parameter with two uses, trained parameters elsewhere, a linear layer between further axes.
    ``empirical_ntk`` then turns to ``by_autograd`` by itself.

    Source: the chain rule in the notation of Jacot, Gabriel & Hongler 2018, section 2.
    Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="layerwise")
    why = obstacle(problem)
    if why is not None:
        expected = "trained parameters in linear layers and convolutions only, each used once"
        do = "use by_autograd(network, x1, x2)"
        raise ShapeError(sentence("layerwise", expected, f"{type(network).__name__} with {why}", do))
    return by_layers(problem, Full(problem.outputs))


def by_autograd(
    network: nn.Module, x1: Inputs, x2: Inputs | None = None, *, memory: float | int = MEMORY
) -> EmpiricalGram:
    """Θ(x, x') = J(x) J(x')ᵀ from the Jacobians J(x) = ∂f(x)/∂θ, by ``torch.func``, for any module.

    Arguments, shapes and errors as ``empirical_ntk``. Cost: c·P numbers for each input of a block, P the number of
    parameters; where not even the outputs of two inputs fit in ``memory``, one output at a time.

    Source: Novak et al. 2022, section 3.1 (Jacobian contraction). Chapter: 05_neural_tangent_kernel.
    """
    problem = examined(network, x1, x2, memory, where="by_autograd")
    return by_jacobians(problem, Full(problem.outputs))
