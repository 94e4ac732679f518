"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from ntk_teach.errors import check_flag, check_scale
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
        eta_w, eta_b: learning-rate factors of its weights and biases, relative to the others. 0: random, not trained.

    Raises: DomainError for a scale or a factor that is negative or not a number.

    Source: Jacot, Gabriel & Hongler 2018, section 2 and Remark 1. Chapter: 05_neural_tangent_kernel.
    """

    sigma_w: float = 1.0
    sigma_b: float = 0.0
    trained: bool = True
    eta_w: float = 1.0
    eta_b: float = 1.0
    random = True

    def __post_init__(self) -> None:
        check_flag(self.trained, name="trained", where="Dense")
        for name in ("sigma_w", "sigma_b", "eta_w", "eta_b"):
            check_scale(getattr(self, name), name=name, where="Dense")

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> Linear:  # width n
        factors = {"eta_w": self.eta_w, "eta_b": self.eta_b}
        scales = (self.sigma_w, self.sigma_b)
        return Linear(fan_in, fan_out, *scales, **factors, trained=self.trained, generator=generator)

    def kernel(self, k: Kernel) -> Kernel:  # n → ∞
        eta_w, eta_b = self.eta_w * self.trained, self.eta_b * self.trained
        return k.random(lambda cov: self.sigma_w**2 * cov, self.sigma_b, eta_w=eta_w, eta_b=eta_b)

    def __repr__(self) -> str:
        changed = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)[2:] if getattr(self, f.name) != f.default]
        return f"Dense({', '.join([f'sigma_w={self.sigma_w:g}', f'sigma_b={self.sigma_b:g}', *changed])})"
