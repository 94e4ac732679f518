"""Standardized inputs: a fixed layer before the network, so that derivatives get their factors 1/σ by themselves."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from ntk_teach.errors import DomainError, ShapeError, check_array, check_vectors, sentence
from ntk_teach.shapes import Vectors

__all__ = ["Standardization"]


class Standardization(nn.Module):
    """x ↦ (x − μ)/σ for each coordinate, without trained parameters.

    ``nn.Sequential(Standardization(mean, std), network)`` is a function of the raw x. Its derivatives in x are those
    that the chain rule says, u_xx = f_zz/σ² with z = (x − μ)/σ; no operator needs to know of it.

    Args: mean, std: μ and σ > 0, for each of the d coordinates. [d]

    Raises: ShapeError unless both are [d]; DomainError for σ of 0 or less (a coordinate that never changes).

    Source: Wang, Yu & Perdikaris 2022 feed standardized inputs and divide each derivative by σ.
    Chapter: 12_physics_informed.
    """

    def __init__(self, mean: Float[Tensor, " d"], std: Float[Tensor, " d"]) -> None:
        super().__init__()
        where = "Standardization"
        for name, value in (("mean", mean), ("std", std)):
            check_array(value, name=name, shape="[d]", where=where)
        if mean.ndim != 1 or mean.shape != std.shape:
            received = f"{list(mean.shape)} and {list(std.shape)}"
            do = "pass x.mean(0) and x.std(0)"
            raise ShapeError(sentence(where, "mean and std of one shape [d]", received, do))
        if not bool((std > 0).all()):
            do = "leave out coordinates that do not change"
            raise DomainError(sentence(where, "std above 0", str(std.tolist()), do))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", mean.detach().clone())
        self.register_buffer("std", std.detach().clone())

    @classmethod
    def of(cls, x: Vectors) -> Standardization:
        """μ and σ of the points x [n, d]; σ² is the mean square deviation, over n and not n − 1."""
        check_vectors(x, name="x", where="Standardization.of")
        return cls(x.mean(0), x.std(0, correction=0))

    def forward(self, x: Vectors) -> Vectors:
        if x.shape[1] != len(self.mean):
            do = "standardize the coordinates that the network takes"
            expected = f"points [n, {len(self.mean)}]"
            raise ShapeError(sentence("Standardization", expected, str(list(x.shape)), do))
        return (x - self.mean) / self.std
