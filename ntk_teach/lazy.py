"""Lazy training: a model that is scaled up moves its parameters so little that it stays on its tangent."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vjp

from ntk_teach.empirical import empirical_ntk
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

__all__ = [
    "Scaled",
    "scaled",
    "RelativeScale",
    "relative_scale",
    "parameter_drift",
    "kernel_drift",
    "linearization_gap",
]


GROWTH = 1e-9  # a power iteration whose value grows by less than this factor has converged


class Scaled(nn.Module):
    """h(x; θ) = α (f(x; θ) − f(x; θ₀)): a model that starts at 0 and whose outputs are α times as sensitive to θ.

    Lazy training minimizes F_α(θ) = C(h)/α², so a step of size lr there is a step of lr/α² on C:
    ``gradient_descent(scaled(network, alpha), x, y, lr=lr / alpha**2)``. Then h moves as fast at every α, and θ by a
    distance of order 1/α. Make it with ``scaled``.

    Source: Chizat, Oyallon & Bach 2019, section 1. Chapter: 08_lazy_training.
    """

    def __init__(self, network: nn.Module, alpha: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        self.origin = copy.deepcopy(network).requires_grad_(False)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.alpha * (self.network(x) - self.origin(x))
        return h


def scaled(network: nn.Module, alpha: float) -> Scaled:
    """α (f − f₀), with copies of the network, which is left as it is.

    Args: alpha: α > 0, dimensionless. Returns: Scaled. Raises: DomainError for α that is not positive.

    Cost: two forward passes for one. Source: Chizat, Oyallon & Bach 2019, section 1. Chapter: 08_lazy_training.
    """
    if check_scale(alpha, name="alpha", where="scaled") == 0:
        raise DomainError(sentence("scaled", "alpha above 0", repr(alpha), "choose alpha = 1 for the network itself"))
    return Scaled(network, alpha)


@dataclass(frozen=True)
class RelativeScale:
    """κ = ‖h(θ₀) − y‖ ‖D²h‖/‖Dh‖²: how much the tangent turns while the residual is closed; lazy where κ ≪ 1.

    Norms of outputs are Euclidean over inputs and outputs (κ is the same for means); norms of derivatives are
    operator norms, ‖D²h‖ = max ‖D²h[u, v]‖ over unit u and v.

    Args:
        residual: ‖h(θ₀) − y‖.
        first: ‖Dh‖, the largest singular value of the Jacobian, by power iteration.
        second: ‖D²h‖, a lower bound: the best local maximum that alternating power iteration found.

    Chapter: 08_lazy_training.
    """

    residual: float
    first: float
    second: float

    @property
    def kappa(self) -> float:
        """κ, dimensionless; as ``second`` it is a lower bound."""
        return self.residual * self.second / self.first**2


def relative_scale(
    network: nn.Module, x: Vectors, y: Tensor, *, iterations: int = 30, starts: int = 3, seed: int = 0
) -> RelativeScale:
    """κ_h at the network's present parameters, h the outputs at the inputs x. For α f: κ ∝ 1/α if h(θ₀) = 0.

    Args:
        network: maps [n, d] to [n, c], twice differentiable at θ. At a kink (relu) the second derivative is taken
            piece by piece, which leaves out the kink's own contribution.
        x, y: inputs [n, d]; targets [n] or [n, c].
        iterations: of either power iteration, from each start, at most.
        starts: random starts for ‖D²h‖, of which the best is kept.
        seed: of the starts.

    Returns: RelativeScale. Raises: ShapeError, DtypeError, DomainError for data that do not fit the network.

    Cost: at most (2 + 3 · starts) · iterations derivatives, each some forward passes long.
    Source: Chizat, Oyallon & Bach 2019, section 1 (κ); power iteration is ours. Chapter: 08_lazy_training.
    """
    where = "relative_scale"
    x = check_vectors(x, name="x", where=where)
    target = check_vectors(y[:, None] if isinstance(y, Tensor) and y.ndim == 1 else y, name="y", where=where)
    check_same(x, target, names=("x", "y"), where=where)
    check_count(iterations, name="iterations", where=where)
    check_count(starts, name="starts", where=where)
    check_count(seed, name="seed", where=where, minimum=0)
    output = check_accepts(network, x, name="x", where=where)
    if target.shape != (len(x), *output.shape[1:]):
        expected = f"targets of shape {[len(x), *output.shape[1:]]}"
        raise ShapeError(sentence(where, expected, str(list(y.shape)), "give one target for each input and output"))
    h, theta = _flat(network, x, where)
    generator = torch.Generator().manual_seed(seed)

    def unit(size: int) -> Tensor:
        return _normalized(torch.randn(size, generator=generator, dtype=torch.float64).to(theta))

    residual = float((h(theta) - target.reshape(-1)).norm())
    pullback = vjp(h, theta)[1]
    v = unit(len(theta))
    for _ in range(iterations):
        (v,) = pullback(_push(h, theta, v))  # JᵀJ v
        v = _normalized(v)
    first = float(_push(h, theta, v).norm())
    second = max(_second(h, theta, unit(len(theta)), unit(len(theta)), iterations) for _ in range(starts))
    return RelativeScale(residual, first, second)


def _second(h: Callable[[Tensor], Tensor], theta: Tensor, u: Tensor, v: Tensor, iterations: int) -> float:
    """max ‖D²h[u, v]‖ by turns: g the direction of D²h[u, v], then the best u, then the best v."""

    def bilinear(u: Tensor, v: Tensor) -> Tensor:
        return _push(lambda w: _push(h, w, v), theta, u)  # [n c]

    def contracted(g: Tensor, v: Tensor) -> Tensor:
        gradient: Tensor = grad(lambda w: g @ _push(h, w, v))(theta)  # Σ_i g_i D²h_i v
        return gradient

    reached = 0.0
    for _ in range(iterations):
        image = bilinear(u, v)
        if float(image.norm()) <= reached * (1 + GROWTH):
            break
        reached, g = float(image.norm()), _normalized(image)
        u = _normalized(contracted(g, v))
        v = _normalized(contracted(g, u))
    return float(bilinear(u, v).norm())


def _push(h: Callable[[Tensor], Tensor], theta: Tensor, v: Tensor) -> Tensor:
    """Dh v, the derivative along v."""
    change: Tensor = jvp(h, (theta,), (v,))[1]
    return change


def _normalized(v: Tensor) -> Tensor:
    norm = v.norm()
    return v / torch.where(norm > 0, norm, 1.0)


def _flat(network: nn.Module, x: Tensor, where: str) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The outputs at x as a function of one vector of all trained parameters, and that vector."""
    trained = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}
    if not trained:
        raise DomainError(sentence(where, "a network with trained parameters", "none", "set requires_grad"))
    sizes = [p.numel() for p in trained.values()]

    def h(theta: Tensor) -> Tensor:
        parts = torch.split(theta, sizes)
        parameters = {name: part.reshape(p.shape) for part, (name, p) in zip(parts, trained.items(), strict=True)}
        f: Tensor = functional_call(network, parameters, (x,))
        return f.reshape(-1)  # [n c]

    return h, torch.cat([p.reshape(-1) for p in trained.values()])


def parameter_drift(before: nn.Module, after: nn.Module) -> Float[Tensor, ""]:
    """‖θ₁ − θ₀‖/‖θ₀‖ over all parameters of two networks of one architecture.

    Raises: ShapeError for different parameters. Source: Chizat, Oyallon & Bach 2019. Chapter: 08_lazy_training.
    """
    theta0, theta1 = (dict(network.named_parameters()) for network in (before, after))
    shapes0, shapes1 = ({name: list(p.shape) for name, p in theta.items()} for theta in (theta0, theta1))
    if shapes0 != shapes1:
        do = "compare a network with a copy of it: copy.deepcopy(network) before training"
        raise ShapeError(sentence("parameter_drift", f"parameters {shapes0}", str(shapes1), do))
    start, end = (torch.cat([p.detach().reshape(-1) for p in theta.values()]) for theta in (theta0, theta1))
    return _relative(end, start)


def kernel_drift(before: nn.Module, after: nn.Module, x: Vectors) -> Float[Tensor, ""]:
    """‖Θ₁ − Θ₀‖/‖Θ₀‖, Frobenius norms of the empirical NTK at the inputs x [n, d].

    Errors and cost: those of two calls of ``empirical_ntk``. Chapter: 08_lazy_training.
    """
    start, end = empirical_ntk(before, x), empirical_ntk(after, x)
    return _relative(end, start)


def linearization_gap(network: nn.Module, linear: nn.Module, x: Vectors) -> Float[Tensor, ""]:
    """‖f − f_lin‖/‖f_lin‖ over the inputs x [n, d], of a trained network and its trained linearization.

    Errors: those of ``check_vectors``. Source: Lee et al. 2019, section 2.2; Chizat, Oyallon & Bach 2019.
    Chapter: 08_lazy_training.
    """
    x = check_vectors(x, name="x", where="linearization_gap")
    with torch.no_grad():
        return _relative(network(x), linear(x))


def _relative(end: Tensor, start: Tensor) -> Tensor:
    """‖end − start‖/‖start‖."""
    change: Tensor = torch.linalg.vector_norm(end - start) / torch.linalg.vector_norm(start)
    return change
