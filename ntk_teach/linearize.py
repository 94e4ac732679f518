"""The network that is linear in its parameters: the tangent of a finite network at initialization."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, jacrev, jvp, vmap

from ntk_teach.errors import DomainError, ShapeError, check_accepts, sentence

__all__ = ["Linearized", "linearize", "tangent_features"]


class Linearized(nn.Module):
    """f_lin(x; θ) = f(x; θ₀) + J(x)(θ − θ₀),  J(x) = ∂f(x; θ₀)/∂θ.

    Its parameters are the displacements δ = θ − θ₀, which start at 0; θ₀ is a frozen copy. It is trained like any
    network, and its empirical NTK is J(x)J(x')ᵀ wherever δ goes. Make it with ``linearize``.

    Cost of a forward pass: about three of the network's (one directional derivative, no Jacobian).
    Source: Lee et al. 2019, section 2.2. Chapter: 08_lazy_training.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.names = [name for name, p in network.named_parameters() if p.requires_grad]
        self.origin = copy.deepcopy(network).requires_grad_(False)
        theta = dict(self.origin.named_parameters())
        self.displacements = nn.ParameterList([torch.zeros_like(theta[name]) for name in self.names])

    def forward(self, x: Tensor) -> Tensor:
        theta = dict(self.origin.named_parameters())

        def outputs(moving: dict[str, Tensor]) -> Tensor:
            f: Tensor = functional_call(self.origin, moving, (x,))
            return f

        start = {name: theta[name] for name in self.names}
        delta = dict(zip(self.names, self.displacements, strict=True))
        tangent = jvp(outputs, (start,), (delta,))
        linear: Tensor = tangent[0] + tangent[1]  # f₀ and J(x) δ
        return linear

    def at(self, network: nn.Module) -> Linearized:
        """f_lin at the parameters θ of another network, for instance of the same one after training."""
        theta = dict(network.named_parameters())
        moved = copy.deepcopy(self)
        origin = dict(moved.origin.named_parameters())
        if theta.keys() != origin.keys() or any(theta[name].shape != origin[name].shape for name in origin):
            do = "pass the network that was linearized, or a copy of it"
            received = ", ".join(f"{name} {list(p.shape)}" for name, p in theta.items()) or "no parameters"
            raise ShapeError(sentence("Linearized.at", "a network with the same parameters", received, do))
        with torch.no_grad():
            for name, delta in zip(moved.names, moved.displacements, strict=True):
                delta.copy_(theta[name] - origin[name])
        return moved


def linearize(network: nn.Module) -> Linearized:
    """The first-order Taylor polynomial in θ at the network's present parameters; ``network`` is left as it is.

    Args: network: any module that ``torch.func`` can differentiate. Parameters that require no gradient stay fixed.

    Returns: Linearized. Raises: DomainError if nothing is trained. Memory: two copies of the parameters.

    Source: Lee et al. 2019, section 2.2. Chapter: 08_lazy_training.
    """
    if not any(p.requires_grad for p in network.parameters()):
        do = "set requires_grad on the parameters that gradient descent moves"
        raise DomainError(sentence("linearize", "a network with trained parameters", "none", do))
    return Linearized(network)


def tangent_features(network: nn.Module, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n c P"]:
    """J(x) = ∂f(x; θ)/∂θ, one row for each output: the features of which f_lin is a linear combination.

    f_lin − f₀ is the random feature model with features √P ∂f/∂θ_p, whose Gram matrix is the empirical NTK, J(x)J(x')ᵀ.

    Args:
        network: maps [n, …] to [n, c] and treats the inputs of a batch one by one.
        x: inputs [n, …].

    Returns: [n, c, P], P the number of parameters that require a gradient, in the order of ``named_parameters``.

    Raises: ShapeError, DtypeError if network and inputs do not fit; DomainError if nothing is trained.

    Cost: n · c · P numbers of memory, so for small networks; ``empirical_ntk`` needs none of it for dense ones.
    Source: Jacot, Gabriel & Hongler 2018, section 4. Chapter: 03_random_features.
    """
    where = "tangent_features"
    check_accepts(network, x, name="x", where=where)
    parameters = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}
    if not parameters:
        do = "set requires_grad on the parameters that gradient descent moves"
        raise DomainError(sentence(where, "a network with trained parameters", "none", do))

    def outputs(theta: dict[str, Tensor], point: Tensor) -> Tensor:
        f: Tensor = functional_call(network, theta, (point[None],))
        return f.reshape(-1)  # [c]

    rows: dict[str, Tensor] = vmap(jacrev(outputs), (None, 0))(parameters, x)
    return torch.cat([row.flatten(2) for row in rows.values()], dim=2)  # [n, c, P]
