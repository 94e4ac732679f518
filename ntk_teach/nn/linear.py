"""Layers without sites: linear maps, functions of one unit, residual sums."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntk_teach.errors import ShapeError, sentence

__all__ = ["Linear", "Pointwise", "Residual", "check_units", "drawn"]


def drawn(generator: torch.Generator, *shape: int, eta: float = 1.0) -> nn.Parameter:
    """Standard normal draws, stored as θ/√η; with η = 0 they stay as drawn."""
    draws = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return nn.Parameter(draws / math.sqrt(eta or 1.0), requires_grad=eta > 0)


def check_units(a: Tensor, fan_in: int, axes: int, *, shape: str, where: str) -> None:
    """What enters a layer has at least so many axes, and in the last one the units that it was made for."""
    if a.ndim < axes or a.shape[-1] != fan_in:
        do = "give the network inputs like those that it was made for"
        raise ShapeError(sentence(where, f"{shape} with {fan_in} units in the last axis", str(list(a.shape)), do))


class Linear(nn.Module):
    """h = σ_w/√fan_in · W a + σ_b b at initialization W, b ~ 𝒩(0, 1); gradient descent moves W and b η times as fast.

    Args:
        fan_in, fan_out: number of units that enter and leave.
        sigma_w, sigma_b: scales of weights and biases; ``sigma_b=0`` has no bias parameter.
        eta_w, eta_b: learning-rate factors of weights and biases. A parameter with factor η is stored as θ/√η with
            √η in ``forward``: the same function, whose gradient descent moves θ by η times its gradient. 0 freezes
            it at its draw.
        trained: False freezes both, whatever their factors.
        generator: source of the draws, on the CPU; numbers are drawn in float64 and then rounded, so that one
            seed is one network in every dtype and on every device.

    Source: Jacot, Gabriel & Hongler 2018, section 2 (σ_w = 1, σ_b = β) and Remark 1. Chapter: 00_notation.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        sigma_w: float,
        sigma_b: float,
        *,
        generator: torch.Generator,
        eta_w: float = 1.0,
        eta_b: float = 1.0,
        trained: bool = True,
    ) -> None:
        super().__init__()
        self.fan_in, self.fan_out = fan_in, fan_out
        self.sigma_w, self.sigma_b = sigma_w, sigma_b
        self.eta_w, self.eta_b = eta_w * trained, eta_b * trained
        self.weight = drawn(generator, fan_out, fan_in, eta=self.eta_w)
        self.bias = drawn(generator, fan_out, eta=self.eta_b) if sigma_b else None

    @property
    def scale(self) -> float:
        """The factor of the stored weight, √η_w σ_w/√fan_in."""
        return self.sigma_w * math.sqrt((self.eta_w or 1.0) / self.fan_in)

    @property
    def bias_scale(self) -> float:
        """The factor of the stored bias, √η_b σ_b."""
        return self.sigma_b * math.sqrt(self.eta_b or 1.0)

    def forward(self, a: Float[Tensor, "*batch fan_in"]) -> Float[Tensor, "*batch fan_out"]:
        check_units(a, self.fan_in, 1, shape="inputs [n, units]", where="Linear")
        pre = self.scale * (a @ self.weight.T)
        return pre if self.bias is None else pre + self.bias_scale * self.bias

    def extra_repr(self) -> str:
        factors = "" if self.eta_w == self.eta_b == 1 else f", eta_w={self.eta_w:g}, eta_b={self.eta_b:g}"
        return f"{self.fan_in}, {self.fan_out}, sigma_w={self.sigma_w:g}, sigma_b={self.sigma_b:g}{factors}"


class Pointwise(nn.Module):
    """φ applied to every unit."""

    def __init__(self, phi: Callable[[Tensor], Tensor], name: str) -> None:
        super().__init__()
        self.phi, self.name = phi, name

    def forward(self, pre: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return self.phi(pre)

    def extra_repr(self) -> str:
        return self.name


class Residual(nn.Module):
    """a + branch(a)."""

    def __init__(self, branch: nn.Sequential) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, a: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        added: Tensor = self.branch(a)
        return a + added
