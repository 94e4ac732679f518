"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ntk_teach.errors import check_scale
from ntk_teach.kernel import Kernel
from ntk_teach.nn import Linear

__all__ = ["Dense"]


@dataclass(frozen=True, repr=False)
class Dense:
    """Fully connected layer  h = σ_w/√n · W a + σ_b b,  with W, b ~ 𝒩(0, 1) and n the number of units that enter.

    Args:
        sigma_w: scale of the weights. Jacot's convention is 1, He's is √2.
        sigma_b: scale of the biases, β in Jacot's paper.
        trained: False freezes the layer at its random draw; it then adds nothing to the NTK.

    Raises: DomainError for a scale that is negative or not a number.

    Source: Jacot, Gabriel & Hongler 2018, section 2. Chapter: 05_neural_tangent_kernel.
    """

    sigma_w: float = 1.0
    sigma_b: float = 0.0
    trained: bool = True
    random = True

    def __post_init__(self) -> None:
        check_scale(self.sigma_w, name="sigma_w", where="Dense")
        check_scale(self.sigma_b, name="sigma_b", where="Dense")

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> Linear:  # width n
        return Linear(fan_in, fan_out, self.sigma_w, self.sigma_b, trained=self.trained, generator=generator)

    def kernel(self, k: Kernel) -> Kernel:  # n → ∞
        eta = float(self.trained)
        return k.random(lambda cov: self.sigma_w**2 * cov, self.sigma_b, eta_w=eta, eta_b=eta)

    def __repr__(self) -> str:
        frozen = "" if self.trained else ", trained=False"
        return f"Dense(sigma_w={self.sigma_w:g}, sigma_b={self.sigma_b:g}{frozen})"
