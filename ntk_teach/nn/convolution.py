"""Convolutions and averages over pixels, of images [n, height, width, units]."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from ntk_teach.nn.linear import check_units, drawn

__all__ = ["Convolution", "Flattened", "GlobalMean", "LocalMean", "around", "windows"]


def windows(size: int, window: int, stride: int, padding: str) -> int:
    """Number of windows along an axis: ⌈size/stride⌉, or ⌊(size − window)/stride⌋ + 1 without padding."""
    return (size - window) // stride + 1 if padding == "valid" else -(-size // stride)


def around(size: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """Pixels to add before and after an axis; of an odd number the smaller half comes first."""
    if padding == "valid":
        return 0, 0
    more = max((windows(size, window, stride, padding) - 1) * stride + window - size, 0)
    return more // 2, more - more // 2


def padded(x: Tensor, axis: int, window: int, stride: int, padding: str) -> Tensor:
    """``x`` with zeros, or with its own other end, on both sides of one axis."""
    size, axis = x.shape[axis], axis % x.ndim
    before, after = around(size, window, stride, padding)
    if padding == "circular":
        return x.index_select(axis, torch.arange(-before, size + after, device=x.device) % size)
    return pad(x, (0, 0) * (x.ndim - 1 - axis) + (before, after))


class Convolution(nn.Module):
    """h_i = σ_w/√(n q²) Σ_a W_a a_{s·i+a} + σ_b b at initialization W, b ~ 𝒩(0, 1); η as in ``Linear``.

    Args: ``window`` = (q, s, padding) as in ``layers.Conv2d``; the others as in ``Linear``.

    Source: Arora et al. 2019, section 4. Chapter: 09_convolutional_ntk.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        window: tuple[int, int, str],
        sigma_w: float,
        sigma_b: float,
        *,
        generator: torch.Generator,
        eta_w: float = 1.0,
        eta_b: float = 1.0,
        trained: bool = True,
    ) -> None:
        super().__init__()
        self.fan_in, (self.size, self.stride, self.padding) = fan_in, window
        self.eta_w, self.eta_b = eta_w * trained, eta_b * trained
        self.weight = drawn(generator, fan_out, fan_in, self.size, self.size, eta=self.eta_w)
        self.bias = drawn(generator, fan_out, eta=self.eta_b) if sigma_b else None
        self.scale = sigma_w * math.sqrt((self.eta_w or 1.0) / fan_in) / self.size
        self.bias_scale = sigma_b * math.sqrt(self.eta_b or 1.0)

    def forward(self, a: Float[Tensor, "n h w fan_in"]) -> Float[Tensor, "n h2 w2 fan_out"]:
        check_units(a, self.fan_in, 4, shape="images [n, h, w, units]", where="Convolution")
        channels = a.movedim(-1, 1)
        for axis in (2, 3):
            channels = padded(channels, axis, self.size, self.stride, self.padding)
        pre = self.scale * conv2d(channels, self.weight, stride=self.stride).movedim(1, -1)
        return pre if self.bias is None else pre + self.bias_scale * self.bias


class LocalMean(nn.Module):
    """The mean over windows of pixels; padded zeros count."""

    def __init__(self, window: int, stride: int, padding: str) -> None:
        super().__init__()
        self.window, self.stride, self.padding = window, stride, padding

    def forward(self, a: Float[Tensor, "n h w units"]) -> Float[Tensor, "n h2 w2 units"]:
        for axis in (1, 2):
            a = padded(a, axis, self.window, self.stride, self.padding).unfold(axis, self.window, self.stride).mean(-1)
        return a


class GlobalMean(nn.Module):
    """The mean over all pixels, or over all steps of a sequence."""

    def forward(self, a: Float[Tensor, "n *sites units"]) -> Float[Tensor, "n units"]:
        return a.flatten(1, -2).mean(1)


class Flattened(nn.Module):
    """All pixels' units side by side."""

    def forward(self, a: Float[Tensor, "n *sites units"]) -> Float[Tensor, "n all"]:
        return a.flatten(1)
