"""What every layer can do: be read at finite and at infinite width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from ntk_teach.errors import NTKError
from ntk_teach.kernel import Kernel
from ntk_teach.sites import Sites

__all__ = [
    "Layer",
    "compares_equal_sites",
    "described_fault",
    "entered",
    "sites_behind",
    "sized",
    "takes_sites",
    "through",
]


@runtime_checkable
class Layer(Protocol):
    """One step of an architecture, without a width.

    ``random`` says whether the layer draws parameters and so has a width of its own; a layer that does not
    (an activation, a pool) lets as many units out as come in.

    A layer on sites may say more: ``enters(sites)``, which raises RuleError for sites that it does not take;
    ``leaves(shape)``, what becomes of (*sites, units) of one input; ``mixes_sites``, that its outputs need pairs of
    different sites; ``reads_sites``, that it leaves one vector for each input; ``walks_sites``, that it goes along
    them.
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


def entered(layer: Layer, shape: tuple[int, ...], sites: Sites | None) -> tuple[tuple[int, ...], Sites | None]:
    """(*sites, units) of one input behind the layer, but for its own width, and the sites; RuleError if it takes none
    of these."""
    if hasattr(layer, "enters"):
        layer.enters(sites)
    shape = layer.leaves(shape) if hasattr(layer, "leaves") else shape
    grid = shape[:-1]
    if not grid or (sites is not None and grid == sites.grid):
        return shape, sites if grid else None
    return shape, Sites(grid)


def sized(layer: Any, width: int) -> Any:
    """The layer with this width for all random layers that are inside it; most have none."""
    inside = getattr(layer, "random_layers", 1) - 1
    return replace(layer, widths=[width] * inside) if inside else layer


def sites_behind(layers: Sequence[Layer], sites: Sites | None) -> Sites | None:
    """What the sites become behind layers in a row; an error names the layer that does not take them."""
    shape = (1,) if sites is None else (*sites.grid, 1)
    for position, layer in enumerate(layers, start=1):
        try:
            shape, sites = entered(layer, shape, sites)
        except NTKError as fact:
            raise described_fault(fact, position, layers) from None
    return sites


def takes_sites(layers: Sequence[Layer]) -> bool:
    """Is there a layer that knows of pixels, steps or nodes? Other networks take vectors."""
    known = ("leaves", "mixes_sites", "reads_sites", "walks_sites")
    return any(hasattr(part, name) for layer in layers for part in _parts(layer) for name in known)


def compares_equal_sites(layers: Sequence[Layer]) -> bool:
    """Does the network, up to its read-out, never need a pair of two different sites?

    Then a covariance has one entry for each site, not for each pair of them.
    """
    for layer in layers:
        if any(getattr(part, "mixes_sites", False) for part in _parts(layer)):
            return False
        if getattr(layer, "reads_sites", False):
            return True
    return False


def _parts(layer: Layer) -> Iterator[Layer]:
    """The layer itself and, of a residual sum, all that is in its branch."""
    yield layer
    for inner in getattr(getattr(layer, "branch", None), "layers", ()):
        yield from _parts(inner)
