"""The neural tangent kernel of a network as it stands: finite width, any moment of training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from ntk_teach.errors import DtypeError, NTKError, ShapeError, check_accepts, check_pair, check_vectors, sentence
from ntk_teach.nn import Linear, Pointwise
from ntk_teach.shapes import OtherVectors, Vectors

__all__ = ["empirical_ntk", "layerwise", "by_autograd"]

EmpiricalGram = Float[Tensor, "n m"] | Float[Tensor, "n m c c"]


def empirical_ntk(network: nn.Module, x1: Tensor, x2: Tensor | None = None) -> EmpiricalGram:
    """Θ_kl(x, x') = Σ_p ∂f_k(x)/∂θ_p · ∂f_l(x')/∂θ_p, over the parameters that require a gradient.

    Args:
        network: any ``torch.nn.Module`` from [n, …] to [n, c] that treats the inputs of a batch one by one.
        x1, x2: inputs [n, …] and [m, …]; x2 None means x1.

    Returns: [n, m] for one output, [n, m, c, c] for several. Dimensionless.

    Raises: ShapeError, DtypeError, DomainError for inputs that do not fit the network.

    Cost: for a dense network made by ``Architecture.network`` one forward and one backward pass and, for each
        layer, two products n·m·width; no Jacobian is stored. Otherwise the Jacobians, (n + m)·c·P numbers.

    Source: Jacot, Gabriel & Hongler 2018, section 4. Chapter: 05_neural_tangent_kernel.
    """
    if not isinstance(network, nn.Module):
        do = "pass arch.network(width=..., like=x), or use arch.ntk(x) for the limit"
        raise DtypeError(sentence("empirical_ntk", "network a torch.nn.Module", type(network).__name__, do))
    return layerwise(network, x1, x2) if _is_dense(network) else by_autograd(network, x1, x2)


class _Pass(NamedTuple):
    """What one layer's parameters contribute at a batch: the units that enter, the gradient at those that leave."""

    layer: Linear
    post: Tensor  # α, [n, fan_in]
    delta: Tensor  # ∂f_k/∂pre, [n, c, fan_out]


def layerwise(network: nn.Module, x1: Vectors, x2: OtherVectors | None = None) -> EmpiricalGram:
    """Θ(x, x') = Σ_ℓ (σ_w²/n_ℓ α_ℓ·α'_ℓ + σ_b²) ⟨δ_{ℓ+1}, δ'_{ℓ+1}⟩ for a dense network; exact, no Jacobian.

    Each layer's gradient is the outer product δ αᵀ, so inner products of gradients are products of inner
    products. Arguments, shapes and errors as ``empirical_ntk``.

    Source: the chain rule in the notation of Jacot, Gabriel & Hongler 2018, section 2.
    Chapter: 05_neural_tangent_kernel.
    """
    first, second = check_pair(x1, x2, where="empirical_ntk")
    if not isinstance(network, nn.Sequential) or not _is_dense(network):
        do = "use by_autograd(network, x1, x2)"
        raise ShapeError(sentence("layerwise", "a Sequential of Linear and Pointwise", type(network).__name__, do))
    with torch.no_grad():
        passes1 = _backpropagated(network, first, "x1")
        passes2 = passes1 if second is None else _backpropagated(network, second, "x2")
        n, m, c = len(passes1[-1].post), len(passes2[-1].post), passes1[-1].delta.shape[1]
        theta = first.new_zeros(n, m, c, c)
        for (layer, post1, delta1), (_, post2, delta2) in zip(passes1, passes2, strict=True):
            inner = first.new_zeros(n, m)
            if layer.weight.requires_grad:
                inner = layer.scale**2 * (post1 @ post2.T)
            if layer.bias is not None and layer.bias.requires_grad:
                inner = inner + layer.sigma_b**2
            theta += inner[:, :, None, None] * torch.einsum("nku,mlu->nmkl", delta1, delta2)
    return _dropped(theta)


def by_autograd(network: nn.Module, x1: Tensor, x2: Tensor | None = None) -> EmpiricalGram:
    """Θ(x, x') = J(x) J(x')ᵀ from the Jacobians J(x) = ∂f(x)/∂θ, by ``torch.func``, for any module.

    Arguments, shapes and errors as ``empirical_ntk``. Source: Novak et al. 2022, section 3.1 (Jacobian contraction).
    Chapter: 05_neural_tangent_kernel.
    """
    # One name for each place where a parameter stands, one tensor for each parameter: torch's own handling of ties
    # would leave a module that is used twice holding the substitutes.
    places = {
        f"{path}.{name}" if path else name: parameter
        for path, module in network.named_modules()
        for name, parameter in module.named_parameters(recurse=False)
    }
    first_place: dict[Tensor, str] = {}
    for place, parameter in places.items():
        first_place.setdefault(parameter, place)
    parameters = {place: p.detach() for p, place in first_place.items() if p.requires_grad}

    def outputs(theta: dict[str, Tensor], x: Tensor) -> Tensor:
        substitutes = {place: theta.get(first_place[p], p) for place, p in places.items()}
        f: Tensor = functional_call(network, substitutes, (x[None],), tie_weights=False)
        return f.reshape(-1)  # [c]

    def jacobian(x: Tensor) -> list[Tensor]:
        rows = vmap(jacrev(outputs), (None, 0))(parameters, x)
        return [row.flatten(2) for row in rows.values()]  # each [n, c, size]

    _check_fits(network, x1, "x1")
    j1 = jacobian(x1)
    if x2 is not None:
        _check_fits(network, x2, "x2")
    j2 = j1 if x2 is None else jacobian(x2)
    if not j1:
        do = "nothing is trained: set requires_grad on the parameters that are"
        raise NTKError(sentence("empirical_ntk", "a network with trained parameters", "none", do))
    theta = torch.stack([torch.einsum("nkp,mlp->nmkl", a, b) for a, b in zip(j1, j2, strict=True)]).sum(0)
    return _dropped(theta)


def _is_dense(network: nn.Module) -> bool:
    """Is it a row of our linear layers and activations, each with parameters of its own?

    The gradients of a parameter that stands at two places add up *before* the inner product is taken.
    """
    if type(network) is not nn.Sequential or any(type(module) not in (Linear, Pointwise) for module in network):
        return False
    parameters = [parameter for module in network for parameter in module.parameters()]
    return len(parameters) == len(set(parameters)) > 0


def _backpropagated(network: nn.Sequential, x: Tensor, name: str) -> list[_Pass]:
    """One forward pass that keeps the units, one backward pass that keeps the gradients."""
    check_accepts(network, x, name=name, where="empirical_ntk")
    entering = []
    for module in network:
        entering.append(x)
        x = module(x)
    delta = torch.eye(x.shape[1], dtype=x.dtype, device=x.device).expand(len(x), -1, -1)  # [n, c, c]
    passes = []
    for module, post in zip(reversed(network), reversed(entering), strict=True):
        if isinstance(module, Linear):
            passes.append(_Pass(module, post, delta))
            delta = module.scale * (delta @ module.weight)  # [n, c, fan_in]
        elif isinstance(module, Pointwise):
            delta = delta * _slope(module, post)[:, None, :]
    return passes[::-1]


def _slope(activation: Pointwise, pre: Tensor) -> Tensor:
    """φ̇ at the units that enter the activation."""
    with torch.enable_grad():
        u = pre.detach().requires_grad_()
        return torch.autograd.grad(activation(u).sum(), u)[0]


def _check_fits(network: nn.Module, x: Tensor, name: str) -> None:
    """Inputs of a general module may have any number of axes, but must be floating, finite and of its dtype."""
    flat = x.flatten(1) if isinstance(x, Tensor) and x.ndim > 2 else x
    check_vectors(flat, name=name, where="empirical_ntk")
    check_accepts(network, x, name=name, where="empirical_ntk")


def _dropped(theta: Tensor) -> Tensor:
    """Without the output axes where there is one output."""
    return theta[:, :, 0, 0] if theta.shape[-1] == 1 else theta
