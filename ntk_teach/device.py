"""Which device to compute on."""

from __future__ import annotations

import torch

__all__ = ["device"]


def device() -> torch.device:
    """A CUDA device where there is one, the CPU otherwise.

    Example: ``arch.ntk(x, device=ntk.device())``. Chapter: engine.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
