"""The kernel of a physics-informed network: what one step on boundary or residual does to the other."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, sentence

__all__ = ["PinnKernels", "PinnWeights", "adaptive_weights"]


class PinnKernels(NamedTuple):
    """The three blocks of K for the outputs (u(x_u), 𝓛u(x_r)); K_ru is K_urᵀ. No factor 1/N.

    Under gradient flow on ½ Σ (u − g)² + ½ Σ (𝓛u − f)², with K = ``full()``, in units of 1/lr:

    d/dt (u(x_u), 𝓛u(x_r)) = −K (u(x_u) − g, 𝓛u(x_r) − f).

    Source: Wang, Yu & Perdikaris 2022, Lemma 3.1. Chapter: 12_physics_informed.
    """

    K_uu: Float[Tensor, "nu nu"]
    K_ur: Float[Tensor, "nu nr"]
    K_rr: Float[Tensor, "nr nr"]

    def full(self) -> Float[Tensor, "both both"]:
        """[[K_uu, K_ur], [K_urᵀ, K_rr]], [nu + nr, nu + nr]: symmetric, positive semidefinite."""
        return torch.cat([torch.cat([self.K_uu, self.K_ur], 1), torch.cat([self.K_ur.T, self.K_rr], 1)])

    def weighted(self, weights: PinnWeights) -> Float[Tensor, "both both"]:
        """Λ^½ K Λ^½ with λ_u and λ_r on the diagonal of Λ: its eigenvalues are the rates of the weighted cost."""
        sizes = (len(self.K_uu), len(self.K_rr))
        roots = torch.cat(
            [self.K_uu.new_full((n,), weight**0.5) for n, weight in zip(sizes, weights, strict=True)]
        )  # [nu + nr]
        return roots[:, None] * self.full() * roots


class PinnWeights(NamedTuple):
    """λ_u and λ_r of the cost  λ_u/2 Σ (u − g)² + λ_r/2 Σ (𝓛u − f)²."""

    u: float
    r: float


def adaptive_weights(kernels: PinnKernels) -> PinnWeights:
    """λ_u = tr K/tr K_uu and λ_r = tr K/tr K_rr: with them both parts have the same mean rate times points.

    Args: kernels: of the network as it stands, finite or infinite.

    Returns: PinnWeights, dimensionless. Raises: DomainError where a trace is not above 0.

    Cost: two traces. Source: Wang, Yu & Perdikaris 2022, section 5 (Algorithm 1). Chapter: 12_physics_informed.
    """
    traces = {name: float(getattr(kernels, name).trace()) for name in ("K_uu", "K_rr")}
    for name, trace in traces.items():
        if not trace > 0:
            do = "this part of the cost does not depend on the trained parameters"
            raise DomainError(sentence("adaptive_weights", f"tr {name} above 0", f"{trace:g}", do))
    total = sum(traces.values())
    return PinnWeights(*(total / trace for trace in traces.values()))
