"""What every layer can do: be read at finite and at infinite width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from ntk_teach.errors import NTKError
from ntk_teach.kernel import Kernel

__all__ = ["Layer", "compares_equal_sites", "described_fault", "takes_sites", "through"]


@runtime_checkable
class Layer(Protocol):
    """One step of an architecture, without a width.

    ``random`` says whether the layer draws parameters and so has a width of its own; a layer that does not
    (an activation, a pool) lets as many units out as come in.

    A layer on sites may say more: ``leaves(shape)``, what becomes of (*sites, units) of one input; ``mixes_sites``,
    that its outputs need pairs of different sites; ``reads_sites``, that it leaves one vector for each input;
    ``walks_sites``, that it goes along them.
    """

    @property
    def random(self) -> bool: ...

    def kernel(self, k: Kernel) -> Kernel:
        """Infinite width: the kernels after the layer from the kernels before it."""
        ...

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        """Finite width: the layer as a torch module with freshly drawn parameters."""
        ...


def described_fault(fact: NTKError, position: int, layers: Sequence[Layer]) -> NTKError:
    """The same error with the place in front: which layer of how many."""
    return type(fact)(f"layer {position} of {len(layers)}, {layers[position - 1]!r}: {fact}")


def through(layers: Sequence[Layer], k: Kernel) -> Kernel:
    """The kernels behind layers in a row; an error names the layer where it arose."""
    for position, layer in enumerate(layers, start=1):
        try:
            k = layer.kernel(k)
        except NTKError as fact:
            raise described_fault(fact, position, layers) from None
    return k


def takes_sites(layers: Sequence[Layer]) -> bool:
    """Is there a layer that knows of pixels, steps or nodes? Other networks take vectors."""
    known = ("leaves", "mixes_sites", "reads_sites", "walks_sites")
    for layer in layers:
        inner = getattr(getattr(layer, "branch", None), "layers", ())
        if any(hasattr(part, name) for part in (layer, *inner) for name in known):
            return True
    return False


def compares_equal_sites(layers: Sequence[Layer]) -> bool:
    """Does the network, up to its read-out, never need a pair of two different sites?

    Then a covariance has one entry for each site, not for each pair of them.
    """
    for layer in layers:
        inner = getattr(getattr(layer, "branch", None), "layers", ())
        if getattr(layer, "mixes_sites", False) or any(getattr(part, "mixes_sites", False) for part in inner):
            return False
        if getattr(layer, "reads_sites", False):
            return True
    return False
