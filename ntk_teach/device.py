"""Which device to compute on, and what it is called."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

__all__ = ["device", "processor"]


def device() -> torch.device:
    """A CUDA device where there is one, the CPU otherwise.

    Example: ``arch.ntk(x, device=ntk.device())``. Chapter: engine.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def processor() -> str:
    """The processor's name where the system tells it, for the provenance of a measurement; never that of the machine.

    Chapter: engine.
    """
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
