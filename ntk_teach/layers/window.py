"""Windows that slide over a grid, on a covariance between sites."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from ntk_teach.errors import DomainError, RuleError, check_count, sentence
from ntk_teach.nn.convolution import padded, windows

__all__ = ["Padding", "checked", "left", "summed"]

Padding = Literal["same", "valid", "circular"]


def checked(window: int, stride: int, padding: str, *, where: str) -> None:
    """A window, a stride and a padding that mean something."""
    check_count(window, name="window", where=where)
    check_count(stride, name="stride", where=where)
    if padding not in get_args(Padding):
        raise DomainError(sentence(where, f"padding one of {get_args(Padding)}", repr(padding), "choose one of them"))


def left(size: int, window: int, stride: int, padding: str) -> int:
    """Number of windows along an axis, at least one."""
    if padding == "valid" and size < window:
        raise RuleError(
            f"expected an axis of at least {window} sites, received {size}; choose a smaller window, or padding='same'"
        )
    return windows(size, window, stride, padding)


def summed(cov: Tensor, axes: tuple[int, ...], window: int, stride: int, padding: str) -> Tensor:
    """Σ_a cov at (window position + a) along all ``axes`` at once: the same offset a on every one of them."""
    reach = (left(cov.shape[axes[0]], window, stride, padding) - 1) * stride + 1
    for axis in axes:
        cov = padded(cov, axis, window, stride, padding)

    def moved(offset: int) -> Tensor:
        steps: list[slice] = [slice(None)] * cov.ndim
        for axis in axes:
            steps[axis] = slice(offset, offset + reach, stride)
        return cov[tuple(steps)]

    total = moved(0)
    for offset in range(1, window):
        total = total + moved(offset)
    return total
