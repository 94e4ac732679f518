"""The loss around a network's parameters, on a line or a plane: pictures that mean something after normalization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from ntk_teach.errors import DomainError, ShapeError, check_count, sentence

__all__ = ["Direction", "random_direction", "filter_normalized", "loss_surface"]

Direction = dict[str, Tensor]  # by parameter name, each of the parameter's shape

# Added to the seed of a direction: a network drawn from the same seed takes the same numbers in the same order, and
# its "random" direction would be its own parameters.
APART = 0x9E3779B9


def random_direction(network: nn.Module, *, seed: int = 0) -> Direction:
    """d ~ 𝒩(0, 1) for every trained parameter.

    Args: seed: of the draw, on the CPU and in float64, then rounded.

    Returns: by name, each of the shape, dtype and device of its parameter. Raises: DomainError if nothing is trained.

    Cost: P draws. Source: Li et al. 2018, section 3. Chapter: 01_loss_landscape.
    """
    where = "random_direction"
    check_count(seed, name="seed", where=where, minimum=0)
    generator = torch.Generator().manual_seed(seed + APART)
    direction = {
        name: torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p)
        for name, p in network.named_parameters()
        if p.requires_grad
    }
    if not direction:
        raise DomainError(sentence(where, "a network with trained parameters", "none", "set requires_grad"))
    return direction


def filter_normalized(direction: Direction, network: nn.Module) -> Direction:
    """d_i ← d_i ‖θ_i‖/‖d_i‖ for each filter i, the weights of one unit; 0 for biases.

    A network of relu layers stays the same function when one layer's parameters grow by λ and the next layer's weights
    shrink by λ. The directions of their filters grow and shrink with them, so curves and surfaces along normalized
    directions do not change, while those along raw directions can be made as sharp or as flat as one likes.

    Args:
        direction: by parameter name, as ``random_direction`` gives it; left unchanged.
        network: whose parameters θ set the lengths. The first axis of a weight counts its units.

    Returns: a direction of the same shapes. Raises: ShapeError where the two do not fit.

    Cost: a few operations for each parameter. Source: Li et al. 2018, section 4 (filter-wise normalization).
    Chapter: 01_loss_landscape.
    """
    theta = _fitting(direction, network, "filter_normalized")

    def scaled(d: Tensor, weight: Tensor) -> Tensor:
        if d.ndim < 2:
            return torch.zeros_like(d)
        lengths, wanted = (torch.linalg.vector_norm(t.flatten(1), dim=1) for t in (d, weight))  # [units]
        factor = torch.where(lengths > 0, wanted / torch.where(lengths > 0, lengths, 1.0), 0.0)
        return d * factor.reshape(-1, *[1] * (d.ndim - 1))

    return {name: scaled(d, theta[name]) for name, d in direction.items()}


def loss_surface(
    network: nn.Module,
    loss: Callable[[Callable[[Tensor], Tensor]], Tensor],
    directions: Sequence[Direction],
    offsets: Float[Tensor, " k"],
) -> Float[Tensor, "*grid"]:
    """S(a₁, a₂, …) = loss(f(·; θ + a₁d₁ + a₂d₂ + …)) on a grid around the present parameters θ.

    Args:
        network: left unchanged.
        loss: from the function x ↦ f(x) to a scalar, for instance ``lambda f: (f(x) - y).square().mean() / 2``.
        directions: one for a curve, two for a surface, by parameter name.
        offsets: values that each a takes, dimensionless. [k]

    Returns: [k] for one direction, [k, k] for two, first direction first.

    Raises: ShapeError where a direction does not fit the network, or the loss is not one number; DomainError without
        a direction.

    Cost: k evaluations of the loss for one direction, k² for two. Source: Li et al. 2018, section 3.
    Chapter: 01_loss_landscape.
    """
    where = "loss_surface"
    if not directions:
        do = "pass [random_direction(network)]"
        raise DomainError(sentence(where, "at least one direction", "none", do))
    if not isinstance(offsets, Tensor) or offsets.ndim != 1 or not len(offsets):
        received = str(list(offsets.shape)) if isinstance(offsets, Tensor) else type(offsets).__name__
        raise ShapeError(sentence(where, "offsets of shape [k]", received, "pass torch.linspace(-1, 1, 41)"))
    for direction in directions:
        theta = _fitting(direction, network, where)
    values = []
    with torch.no_grad():
        for steps in product(offsets, repeat=len(directions)):
            moved = dict(theta)
            for step, direction in zip(steps, directions, strict=True):
                for name, d in direction.items():
                    moved[name] = moved[name] + step.to(d) * d
            values.append(_single(loss(_Moved(network, moved)), where))
    return torch.stack(values).reshape([len(offsets)] * len(directions))  # [k], [k, k], ...


class _Moved:
    """x ↦ f(x; θ + …)."""

    def __init__(self, network: nn.Module, parameters: dict[str, Tensor]) -> None:
        self.network, self.parameters = network, parameters

    def __call__(self, x: Tensor) -> Tensor:
        f: Tensor = functional_call(self.network, self.parameters, (x,))
        return f


def _single(value: Tensor, where: str) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim != 0:
        received = str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__
        raise ShapeError(sentence(where, "a loss that is a single number", received, "take a mean or a sum"))
    return value


def _fitting(direction: Direction, network: nn.Module, where: str) -> dict[str, Tensor]:
    """The network's parameters, if each part of the direction has one of its shape."""
    theta = {name: p.detach() for name, p in network.named_parameters()}
    for name, d in direction.items():
        shape = list(theta[name].shape) if name in theta else "no such parameter"
        if name not in theta or theta[name].shape != d.shape:
            do = "make the direction with random_direction(network)"
            expected = f"a direction of the shapes of the parameters ({name}: {shape})"
            raise ShapeError(sentence(where, expected, f"{name} {list(d.shape)}", do))
    return theta
