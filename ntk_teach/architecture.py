"""One description of a network, read at finite width and at infinite width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ntk_teach.errors import (
    DomainError,
    NTKError,
    RuleError,
    check_count,
    check_pair,
    check_vectors,
    check_widths,
    sentence,
)
from ntk_teach.kernel import Kernel
from ntk_teach.layers import Layer
from ntk_teach.shapes import Gram, OtherVectors, Vectors

__all__ = ["Architecture", "serial"]


@dataclass(frozen=True)
class Architecture:
    """Layers in a row, f = layer_L ∘ … ∘ layer_1. It has no width: ``network`` chooses one, ``ntk`` is at width ∞.

    Build it with ``serial``. Chapter: 05_neural_tangent_kernel.
    """

    layers: tuple[Layer, ...]

    def network(
        self, *, width: int | Sequence[int], like: Vectors, out_features: int = 1, seed: int = 0
    ) -> nn.Sequential:
        """The finite network: f_θ(x) with all parameters drawn from 𝒩(0, 1) and the scales in ``forward``.

        Args:
            width: units of every hidden layer, or one number for each hidden layer. Dimensionless.
            like: an example of the inputs [n, d]; the network takes its fan-in, dtype and device from it.
            out_features: number of outputs.
            seed: of the draw; one seed is one network on every device and in every dtype.

        Returns: a ``torch.nn.Sequential`` from [n, d] to [n, out_features].

        Raises: DomainError for a width below 1; ShapeError for a wrong number of widths.

        Cost: memory and draws of the parameters, about width² for each hidden layer after the first.

        Source: Jacot, Gabriel & Hongler 2018, section 2. Chapter: 00_notation.
        """
        where = "Architecture.network"
        like = check_vectors(like, name="like", where=where)
        check_count(out_features, name="out_features", where=where)
        check_count(seed, name="seed", where=where, minimum=0)
        hidden = sum(layer.random for layer in self.layers) - 1
        widths = iter([*check_widths(width, hidden, where=where), out_features])
        generator = torch.Generator().manual_seed(seed)
        modules, fan_in = [], like.shape[1]
        for layer in self.layers:
            fan_out = next(widths) if layer.random else fan_in
            modules.append(layer.module(fan_in, fan_out, generator))
            fan_in = fan_out
        return nn.Sequential(*modules).to(like)

    def kernel(self, x1: Vectors, x2: OtherVectors | None = None) -> Kernel:
        """NNGP and NTK at infinite width, with the state that a further layer would need.

        Args: x1 [n, d] and x2 [m, d]; x2 None means x1, and gives an exact diagonal.

        Returns: Kernel with ``nngp`` and ``ntk`` [n, m].

        Raises: ShapeError, DtypeError, DomainError for bad inputs; RuleError, naming the layer, where the three
            rules do not hold.

        Cost: one matrix product n·m·d and, for each layer, some ten elementwise operations on [n, m].

        Source: Jacot, Gabriel & Hongler 2018, Proposition 1 and Theorem 1. Chapter: 05_neural_tangent_kernel.
        """
        k = Kernel.of(*check_pair(x1, x2, where="Architecture.kernel"))
        for position, layer in enumerate(self.layers, start=1):
            try:
                k = layer.kernel(k)
            except NTKError as fact:
                raise type(fact)(f"layer {position} of {len(self.layers)}, {layer!r}: {fact}") from None
        return k

    def nngp(self, x1: Vectors, x2: OtherVectors | None = None) -> Gram:
        """Σ^(L)(x, x'): covariance of one output over random networks of infinite width. Arguments as ``kernel``.

        Raises: as ``kernel``, and RuleError unless the last layer is random: only then is an output Gaussian.
        """
        return self._output(x1, x2).nngp

    def ntk(self, x1: Vectors, x2: OtherVectors | None = None) -> Gram:
        """Θ∞^(L)(x, x'): the limiting neural tangent kernel of one output. Arguments as ``kernel``.

        With several outputs the limit is Θ∞ ⊗ Id; the identity is dropped. Raises: as ``nngp``.
        """
        return self._output(x1, x2).ntk

    def _output(self, x1: Vectors, x2: OtherVectors | None) -> Kernel:
        k = self.kernel(x1, x2)
        if not k.gaussian:
            place = f"layer {len(self.layers)} of {len(self.layers)}, {self.layers[-1]!r}"
            do = "end with Dense(); kernel(x).nngp and kernel(x).ntk are the means over the units of this layer"
            raise RuleError(sentence(place, "a random layer at the end", "an activation", do))
        return k

    def __repr__(self) -> str:
        return f"serial({', '.join(map(repr, self.layers))})"


def serial(*layers: Layer | Architecture) -> Architecture:
    """Layers one after the other, f = layer_L ∘ … ∘ layer_1; an Architecture among them is laid in flat.

    Returns: Architecture. Raises: DomainError if there is no random layer or something is not a layer.

    Example: ``serial(Dense(sigma_b=0.1), relu, Dense(sigma_b=0.1))``. Chapter: 00_notation.
    """
    flat: list[Layer] = []
    for position, layer in enumerate(layers, start=1):
        if not isinstance(layer, (Architecture, Layer)):
            do = "a torch module is finite; describe it by its layer (Dense) or Activation.from_function(f)"
            expected = "a layer such as Dense(), relu or another serial(...)"
            raise DomainError(sentence(f"serial, argument {position}", expected, repr(layer), do))
        flat.extend(layer.layers if isinstance(layer, Architecture) else [layer])
    if not any(layer.random for layer in flat):
        received = f"{len(flat)} layers and none of them random"
        raise DomainError(sentence("serial", "at least one random layer", received, "add a Dense()"))
    return Architecture(tuple(flat))
