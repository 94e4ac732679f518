"""Finite layers in NTK parametrization: parameters are 𝒩(0, 1), the scale stands in ``forward``."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Linear", "Pointwise"]


class Linear(nn.Module):
    """h = σ_w/√fan_in · W a + σ_b b, with every entry of W and b drawn from 𝒩(0, 1).

    Args:
        fan_in, fan_out: number of units that enter and leave.
        sigma_w, sigma_b: scales of weights and biases; ``sigma_b=0`` has no bias parameter.
        trained: does gradient descent move the parameters?
        generator: source of the draws, on the CPU; numbers are drawn in float64 and then rounded, so that one
            seed is one network in every dtype and on every device.

    Source: Jacot, Gabriel & Hongler 2018, section 2 (σ_w = 1, σ_b = β). Chapter: 00_notation.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        sigma_w: float,
        sigma_b: float,
        *,
        generator: torch.Generator,
        trained: bool = True,
    ) -> None:
        super().__init__()
        self.fan_in, self.fan_out = fan_in, fan_out
        self.sigma_w, self.sigma_b = sigma_w, sigma_b
        self.weight = nn.Parameter(_drawn(generator, fan_out, fan_in), requires_grad=trained)
        self.bias = nn.Parameter(_drawn(generator, fan_out), requires_grad=trained) if sigma_b else None

    @property
    def scale(self) -> float:
        """σ_w/√fan_in, the factor of W."""
        return self.sigma_w / math.sqrt(self.fan_in)

    def forward(self, a: Float[Tensor, "*batch fan_in"]) -> Float[Tensor, "*batch fan_out"]:
        pre = self.scale * (a @ self.weight.T)
        return pre if self.bias is None else pre + self.sigma_b * self.bias

    def extra_repr(self) -> str:
        return f"{self.fan_in}, {self.fan_out}, sigma_w={self.sigma_w:g}, sigma_b={self.sigma_b:g}"


def _drawn(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


class Pointwise(nn.Module):
    """φ applied to every unit."""

    def __init__(self, phi: Callable[[Tensor], Tensor], name: str) -> None:
        super().__init__()
        self.phi, self.name = phi, name

    def forward(self, pre: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return self.phi(pre)

    def extra_repr(self) -> str:
        return self.name
