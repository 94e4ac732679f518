"""The residual sum: units plus what a branch makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from ntk_teach import nn
from ntk_teach.errors import DomainError, RuleError, sentence
from ntk_teach.kernel import Kernel
from ntk_teach.layers.layer import Layer, described_fault, sites_behind, sized
from ntk_teach.sites import Sites, check_summands

__all__ = ["Residual"]


@runtime_checkable
class Branch(Protocol):
    """What ``serial`` makes: layers in a row."""

    @property
    def layers(self) -> Sequence[Layer]: ...


@dataclass(frozen=True, repr=False)
class Residual:
    """h = a + branch(a): the kernels of independent summands add,  Σ ← Σ + Σ_branch,  Θ ← Θ + Θ_branch.

    Args:
        branch: a ``serial(...)`` that ends with a random layer, whose fresh weights make it uncorrelated with a. At
            finite width that last layer has as many outputs as units enter; the others take widths of their own.

    Raises: DomainError if the branch is not a ``serial(...)`` or does not end with a random layer; RuleError, naming
        the layer inside, where a rule does not hold. A sum with raw inputs or with activations is not Gaussian, so a
        Dense layer must follow before the next activation.

    Source: He et al. 2016; the kernels as in Yang 2020 (sums of independent Gaussian branches).
    Chapter: 05_neural_tangent_kernel.
    """

    branch: Branch
    random = False  # as many units leave as enter

    def __post_init__(self) -> None:
        layers = getattr(self.branch, "layers", None)
        if not layers:
            do = "write Residual(serial(relu, Dense()))"
            raise DomainError(sentence("Residual", "a serial(...) of layers", repr(self.branch), do))
        if not layers[-1].random:
            do = "end it with Dense(): without fresh weights branch and skip are correlated and kernels do not add"
            raise DomainError(sentence("Residual", "a branch that ends with a random layer", repr(layers[-1]), do))

    def enters(self, sites: Sites | None) -> None:
        behind = sites_behind(self.branch.layers, sites)
        ours, theirs = (() if side is None else side.grid for side in (sites, behind))
        check_summands(ours, theirs)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Residual:
        """With every hidden layer of the branch as wide as the units that enter."""
        modules = [sized(layer, fan_in).module(fan_in, fan_in, generator) for layer in self.branch.layers]
        return nn.Residual(torch.nn.Sequential(*modules))

    def kernel(self, k: Kernel) -> Kernel:
        inner = k
        for position, layer in enumerate(self.branch.layers, start=1):
            try:
                inner = layer.kernel(inner)
            except RuleError as fact:
                raise described_fault(fact, position, self.branch.layers) from None
        if not (k.gaussian or inner.gaussian):
            do = "put a Dense layer before the sum, or at the end of the branch"
            raise RuleError(
                "expected a skip or a branch with Gaussian units, received raw inputs or activations in both, whose "
                f"means do not vanish, so that the summands are correlated; {do}"
            )
        return k.plus(inner)

    def __repr__(self) -> str:
        return f"Residual({self.branch!r})"
