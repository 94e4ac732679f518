"""One description of a network, read at finite width and at infinite width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypedDict, Unpack

import torch
from torch import Tensor, nn

from ntk_teach.errors import (
    DomainError,
    NTKError,
    RuleError,
    check_count,
    check_widths,
    sentence,
)
from ntk_teach.gram import Executor, Output, Progress, gram
from ntk_teach.gram.convolution_builder import convolutional
from ntk_teach.inputs import Inputs, check_batch, check_batches
from ntk_teach.kernel import Kernel
from ntk_teach.layers import JumpingKnowledge, Layer
from ntk_teach.layers.layer import compares_equal_sites, described_fault, entered, takes_sites, through
from ntk_teach.layers.parametrization import Parametrization, parametrized, standard_limit_layers
from ntk_teach.nn.sites import at_sites
from ntk_teach.ragged import Ragged
from ntk_teach.shapes import Gram
from ntk_teach.sites import sites_of

__all__ = ["Architecture", "Grams", "serial", "standard_limit"]


class How(TypedDict, total=False):
    """Where and how the engine computes; described at ``Architecture.ntk``."""

    device: torch.device | str | None
    dtype: torch.dtype | None
    progress: Progress | None
    executor: Executor | None
    tile: int | None


class Grams(NamedTuple):
    """Both kernels of the same pairs: Σ [n, m] and Θ [n, m]."""

    nngp: Gram
    ntk: Gram


@dataclass(frozen=True)
class Architecture:
    """Layers in a row, f = layer_L ∘ … ∘ layer_1. It has no width: ``network`` chooses one, ``ntk`` is at width ∞.

    Build it with ``serial``. Chapter: 05_neural_tangent_kernel.
    """

    layers: tuple[Layer, ...]

    def network(
        self,
        *,
        width: int | Sequence[int],
        like: Inputs,
        out_features: int = 1,
        seed: int = 0,
        parametrization: Parametrization = "ntk",
    ) -> nn.Sequential:
        """The finite network: f_θ(x) with all parameters drawn from 𝒩(0, 1) and the scales in ``forward``.

        Args:
            width: units of every hidden layer, or one number for each hidden layer. Dimensionless.
            like: an example of the inputs, [n, d] or with sites; the network takes its fan-in, the size of images,
                dtype and device from it.
            out_features: number of outputs.
            seed: of the draw; one seed is one network on every device and in every dtype.
            parametrization: "ntk"; "standard", the same function with the scales in the parameters, whose gradient
                descent is another; "mean_field", the outputs of "ntk" divided by √n and every learning rate times
                n, with n the fan-in of the last layer, so that features move at every width.

        Returns: a ``torch.nn.Sequential`` from inputs like these to [n, out_features].

        Raises: DomainError for a width below 1; ShapeError for a wrong number of widths.

        Cost: memory and draws of the parameters, about width² for each hidden layer after the first.

        Source: Jacot, Gabriel & Hongler 2018, section 2 and Remark 1; Yang & Hu 2021 for the table of
            parametrizations, where "mean_field" at any depth is their maximal update. Chapter: 00_notation.
        """
        where = "Architecture.network"
        like = check_batch(like, name="like", where=where, sites=takes_sites(self.layers))
        check_count(out_features, name="out_features", where=where)
        check_count(seed, name="seed", where=where, minimum=0)
        drawn = [getattr(layer, "random_layers", int(layer.random)) for layer in self.layers]
        widths = iter([*check_widths(width, sum(drawn) - 1, where=where), out_features])
        ragged = isinstance(like, Ragged)
        shape = tuple((like.values if isinstance(like, Ragged) else like).shape[1:])
        sites = sites_of(like)
        sized, fans = list(self.layers), []
        for position, (layer, count) in enumerate(zip(self.layers, drawn, strict=True)):
            entering = shape[-1]
            try:
                shape, sites = entered(layer, shape, sites)
            except NTKError as fact:
                raise described_fault(fact, position + 1, self.layers) from None
            if isinstance(layer, JumpingKnowledge):
                sized[position] = replace(layer, widths=[next(widths) for _ in range(count - 1)])
            shape = (*shape[:-1], next(widths)) if layer.random else shape
            fans.append((entering, shape[-1]))
        layers = parametrized(sized, [fan for fan, _ in fans], parametrization)
        generator = torch.Generator().manual_seed(seed)
        modules = [layer.module(*fan, generator) for layer, fan in zip(layers, fans, strict=True)]
        if ragged:  # until a read-out has left one vector for each input
            read = next((i for i, layer in enumerate(layers) if getattr(layer, "reads_sites", False)), len(layers))
            modules[:read] = map(at_sites, modules[:read])
        return nn.Sequential(*modules).to(device=like.device, dtype=like.dtype)

    def kernel(self, x1: Inputs, x2: Inputs | None = None) -> Kernel:
        """NNGP and NTK at infinite width, with the state that a further layer would need.

        Args: x1 [n, d] and x2 [m, d], or images [n, h, w, d], sequences [n, t, d], ``Ragged``; x2 None means x1, and
            gives an exact diagonal.

        Returns: Kernel with ``nngp`` and ``ntk`` [n, m], or [n, m, p, q] for each pair of sites that is not read out.

        Raises: ShapeError, DtypeError, DomainError for bad inputs; RuleError, naming the layer, where the three
            rules do not hold.

        Cost: one matrix product n·m·d and, for each layer, some ten elementwise operations on [n, m].

        Source: Jacot, Gabriel & Hongler 2018, Proposition 1 and Theorem 1. Chapter: 05_neural_tangent_kernel.
        """
        first, second = check_batches(x1, x2, where="Architecture.kernel", sites=takes_sites(self.layers))
        k = Kernel.of(first, second, paired=compares_equal_sites(self.layers))
        return through(self.layers, k)

    def nngp(self, x1: Inputs, x2: Inputs | None = None, *, out: Output | None = None, **how: Unpack[How]) -> Gram:
        """Σ^(L)(x, x'): covariance of one output over random networks of infinite width. Arguments as ``ntk``."""
        return self._computed(x1, x2, ("nngp",), (out,), how)[0]

    def ntk(self, x1: Inputs, x2: Inputs | None = None, *, out: Output | None = None, **how: Unpack[How]) -> Gram:
        """Θ∞^(L)(x, x'), the limiting neural tangent kernel of one output, tile by tile at any size.

        With several outputs the limit is Θ∞ ⊗ Id; the identity is dropped.

        Args:
            x1, x2: inputs [n, d] and [m, d], or with sites as in ``kernel``; x2 None means x1, computes half of the
                pairs, and gives an exact diagonal.
            device: where to compute, such as "cuda"; by default where x1 is. The result is where x1 is.
            dtype: of computation and result; by default that of x1. In float32 an entry is within 1e-5 of
                √(Θ_ii Θ_jj), near-collinear pairs of a kinked activation within 1e-3, and the diagonal within 1e-6.
            out: where to write: a tensor or array [n, m], or the name of a ``.npy`` file, which may be larger than
                memory. A file that an interrupted run has left is gone on with.
            progress: called with (blocks done, blocks in all) now and then; ``progress_line()`` prints a line.
            executor: computes the blocks, in other processes or on other machines: any ``concurrent.futures``
                executor or a ``distributed.Client``; see ``cluster``. The numbers do not depend on it.
            tile: rows and columns of a block that is carried through all layers at once.

        Returns: Θ [n, m], dimensionless. Where gradients are asked for (``x1.requires_grad``) it is the plain algebra
            of ``kernel``, which torch can differentiate.

        Raises: as ``kernel``; RuleError unless the last layer is random, since only then is an output Gaussian;
            ShapeError, DtypeError, DomainError where ``out`` does not fit, or holds another computation.

        Cost: n·m·d for the inner products (half of it where x2 is None) and some ten operations a pair and layer;
            inputs of equal norm may cost the same at every depth. Memory: the result and a few megabytes.

        Source: Jacot, Gabriel & Hongler 2018, Theorem 1. Chapter: 05_neural_tangent_kernel.
        """
        return self._computed(x1, x2, ("ntk",), (out,), how)[0]

    def grams(
        self,
        x1: Inputs,
        x2: Inputs | None = None,
        *,
        out: tuple[Output | None, Output | None] = (None, None),
        **how: Unpack[How],
    ) -> Grams:
        """Σ and Θ together, at the price of Θ. Arguments as ``ntk``; ``out`` is where Σ goes and where Θ goes."""
        return Grams(*self._computed(x1, x2, ("nngp", "ntk"), out, how))

    def _computed(
        self, x1: Inputs, x2: Inputs | None, wanted: tuple[str, ...], out: Sequence[Output | None], how: How
    ) -> list[Tensor]:
        where = "Architecture." + ("grams" if len(wanted) > 1 else wanted[0])
        first, second = check_batches(x1, x2, where=where, sites=takes_sites(self.layers))
        # One input tells whether the rules hold; what they refuse is refused before anything long begins.
        if not convolutional(self.layers, first):
            with torch.no_grad():
                self._check_output(self.kernel(first[:1].detach()))
        if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in (first, second)):
            k = self.kernel(first, second)
            return [getattr(k, name) for name in wanted]
        return gram(self.layers, first, second, wanted=wanted, out=out, **how)

    def _check_output(self, k: Kernel) -> None:
        if not k.gaussian:
            place = f"layer {len(self.layers)} of {len(self.layers)}, {self.layers[-1]!r}"
            do = "end with Dense(); kernel(x).nngp and kernel(x).ntk are the means over the units of this layer"
            raise RuleError(sentence(place, "a random layer at the end", "an activation", do))
        if k.sites is not None:
            place = f"layer {len(self.layers)} of {len(self.layers)}, {self.layers[-1]!r}"
            readers = "Flatten(), GlobalAvgPool(), LastStep(), AverageSteps(), GraphSum()"
            do = f"read the sites out before the last Dense(): {readers}"
            received = f"outputs at {k.sites[0].count} sites of {k.sites[0].kind}"
            raise RuleError(sentence(place, "one output for each input", received, do))

    def __repr__(self) -> str:
        return f"serial({', '.join(map(repr, self.layers))})"


def serial(*layers: Layer | Architecture) -> Architecture:
    """Layers one after the other, f = layer_L ∘ … ∘ layer_1; an Architecture among them is laid in flat.

    Returns: Architecture. Raises: DomainError if there is no random layer or something is not a layer.

    Example: ``serial(Dense(sigma_b=0.1), relu, Dense(sigma_b=0.1))``. Chapter: 00_notation.
    """
    flat: list[Layer] = []
    for position, layer in enumerate(layers, start=1):
        if isinstance(layer, type):
            do = f"put parentheses behind it: {layer.__name__}()"
            raise DomainError(sentence(f"serial, argument {position}", "a layer", f"the class {layer.__name__}", do))
        if not isinstance(layer, (Architecture, Layer)):
            do = "a torch module is finite; describe it by its layer (Dense) or Activation.from_function(f)"
            expected = "a layer such as Dense(), relu or another serial(...)"
            raise DomainError(sentence(f"serial, argument {position}", expected, repr(layer), do))
        flat.extend(layer.layers if isinstance(layer, Architecture) else [layer])
    if not any(layer.random for layer in flat):
        received = f"{len(flat)} layers and none of them random"
        raise DomainError(sentence("serial", "at least one random layer", received, "add a Dense()"))
    return Architecture(tuple(flat))


def standard_limit(arch: Architecture) -> Architecture:
    """The architecture whose NTK is the limit of Θ/n of the *standard* parametrization, n the hidden width.

    There ∂f/∂W is larger than in NTK parametrization by √n/σ_w, and ∂f/∂b by 1/σ_b; with a learning rate ∝ 1/n, which
    keeps training stable, hidden and last weights learn with the factor η_w = 1/σ_w², while the first layer's weights
    and all biases freeze (η = 0).

    Returns: Architecture with these factors. Raises: DomainError for σ_w = 0 where a weight is trained.

    Source: Jacot, Gabriel & Hongler 2018, Remark 1; the factors by the chain rule. Chapter: 05_neural_tangent_kernel.
    """
    return Architecture(standard_limit_layers(arch.layers))
