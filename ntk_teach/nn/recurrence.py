"""Recurrent layers, of sequences [n, steps, units] or of ``Ragged`` ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ntk_teach.nn.linear import check_units, drawn
from ntk_teach.ragged import Ragged

__all__ = ["Last", "MeanOfSteps", "Recurrence"]


class Recurrence(nn.Module):
    """h_t = φ(σ_w/√n W h_{t−1} + σ_u/√m U x_t + σ_b b), h_0 = 0, with the same W, U, b ~ 𝒩(0, 1) at every step.

    Source: Alemohammad et al. 2020, section 2. Chapter: 10_recurrent_ntk.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        phi: Callable[[Tensor], Tensor],
        sigmas: tuple[float, float, float],
        *,
        generator: torch.Generator,
        trained: bool = True,
    ) -> None:
        super().__init__()
        self.phi, self.fan_in = phi, fan_in
        sigma_w, sigma_u, self.sigma_b = sigmas
        self.w, self.u = sigma_w / math.sqrt(fan_out), sigma_u / math.sqrt(fan_in)
        eta = float(trained)
        self.recurrent = drawn(generator, fan_out, fan_out, eta=eta)
        self.input = drawn(generator, fan_out, fan_in, eta=eta)
        self.bias = drawn(generator, fan_out, eta=eta) if self.sigma_b else None

    def forward(self, x: Tensor | Ragged) -> Tensor | Ragged:
        values = x.values if isinstance(x, Ragged) else x
        check_units(values, self.fan_in, 3, shape="sequences [n, steps, units]", where="Recurrence")
        driven = self.u * values @ self.input.T
        if self.bias is not None:
            driven = driven + self.sigma_b * self.bias
        h, states = torch.zeros_like(driven[:, 0]), []
        for step in range(values.shape[1]):
            h = self.phi(self.w * h @ self.recurrent.T + driven[:, step])
            if isinstance(x, Ragged):
                h = h * x.present[:, step, None]  # before its first step a sequence is at h_0 = 0
            states.append(h)
        found = torch.stack(states, 1)
        return x.holding(found) if isinstance(x, Ragged) else found


class Last(nn.Module):
    """The last step; sequences end together."""

    def forward(self, h: Tensor | Ragged) -> Tensor:
        return (h.values if isinstance(h, Ragged) else h)[:, -1]


class MeanOfSteps(nn.Module):
    """The mean over the steps that are there."""

    def forward(self, h: Tensor | Ragged) -> Tensor:
        if not isinstance(h, Ragged):
            return h.mean(1)
        return (h.values * h.present[..., None]).sum(1) / h.present.sum(1, keepdim=True)
