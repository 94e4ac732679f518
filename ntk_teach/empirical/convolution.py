"""Convolutions layer by layer: what is kept of one, and how two blocks of inputs meet in it.

With the patch P_s under the filter at site s and the signal δ_s = ∂f/∂h_s the gradient of the weights is the sum over
sites G = Σ_s δ_s P_sᵀ, so that ⟨G, G'⟩ = Σ_s Σ_s' ⟨δ_s, δ'_s'⟩⟨P_s, P'_s'⟩; with one site it is a linear layer's.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

import torch
from torch import Tensor

from ntk_teach.empirical.calls import Call, ConvolutionLayer, factors
from ntk_teach.empirical.panels import Term, blocks
from ntk_teach.empirical.patches import Sizes, each_patch, patches, signals
from ntk_teach.empirical.reading import Reading

__all__ = ["Form", "Streamed", "chosen", "held", "meeting", "found"]

PASS = 64  # multiplications in the time of one pass through memory, as timed on a CPU
CALLS = 200_000  # and in the time that a pair of sites takes for itself, however few inputs there are


class Form(Enum):
    """How a convolution adds its part, and what it keeps of each input until then."""

    SITES = "pairs of sites; keeps δ and the units that enter"
    GRADIENTS = "gradients of its weights; keeps them"
    SIGNALS = "gradients of its weights, some channels at a time when blocks meet; keeps δ and the units that enter"


def chosen(size: Sizes, reading: Reading, n: int, m: int) -> Form:
    """The cheaper form, by multiplications for each of the n·m pairs of inputs and each group of channels.

    With c outputs, of which r pairs meet (c² for the whole kernel, else c), S sites, C channels that leave and
    patches of K units:
        pairs of sites   S² (K + r C): for each pair of sites one product of patches and r products of signals;
        gradients        r C K + c S C K (1/n + 1/m): r products of gradients, each of which is formed once.
    The r products of a pair of sites must also be read, multiplied and added, hence C + PASS for C, and each pair of
    sites is a turn of a loop, hence CALLS, shared by the n·m pairs of inputs. Few sites speak
    for pairs of sites, S² below about the harmonic sum of K and r C, and many for gradients. Of these, whichever is
    smaller is kept: c C K numbers, or the c C S of the signals and the units that enter.
    """
    c, met = reading.outputs, sum(1 for _ in reading.pairs())
    by_sites = size.sites**2 * (size.patch + met * (size.leaving + PASS) + CALLS / (n * m))
    weights = size.leaving * size.patch
    by_gradients = met * weights + c * size.sites * weights * (1 / n + 1 / m)
    if by_sites < by_gradients:
        return Form.SITES
    return Form.GRADIENTS if c * weights <= held(size, Form.SIGNALS, c) // size.groups else Form.SIGNALS


def held(size: Sizes, form: Form, outputs: int) -> int:
    """Numbers that are kept of each input."""
    if form is Form.GRADIENTS:
        return size.groups * outputs * size.leaving * size.patch
    return size.groups * (outputs * size.leaving * size.sites + size.entering)


def meeting(size: Sizes, form: Form, outputs: int) -> int:
    """Numbers for each input while two blocks meet: padded units and a site, or the gradients of a channel."""
    if form is Form.SITES:
        return 2 * (size.groups * size.padded + size.patch + outputs * size.leaving)
    return size.groups * outputs * size.patch if form is Form.SIGNALS else 0


def found(
    call: Call, slopes: Tensor, reading: Reading, form: Form, at_once: int, room: float
) -> Iterator[Term | Streamed]:
    """The layer's terms of a block, from δ [b, c, …]: one for its bias, one for its weights, as far as trained."""
    layer, (s_w, s_b) = call.layer, factors(call.layer)
    assert isinstance(layer, ConvolutionLayer)
    slopes = signals(layer, slopes)
    if s_b:
        yield Term(reading.laid_out(slopes.sum(4).flatten(2)), s_b**2)
    if s_w:
        streamed = Streamed(slopes, call.post, layer, s_w**2, reading, form is Form.SITES, at_once, room)
        yield streamed.gradients(slice(None)) if form is Form.GRADIENTS else streamed


class Streamed(NamedTuple):
    """gain·⟨G, G'⟩ of one convolution at a block of b inputs, whose gradients G are not there yet."""

    slopes: Tensor  # δ [b, c, groups, C, S]
    units: Tensor  # as they enter, [b, …]
    layer: ConvolutionLayer
    gain: float
    reading: Reading
    by_sites: bool
    at_once: int  # inputs whose patches may be laid out
    room: float  # bytes for gradients of two blocks, where those of one channel need no more

    def rows(self, block: slice) -> Streamed:
        return self._replace(slopes=self.slopes[block], units=self.units[block])

    def empty(self, n: int) -> Streamed:
        """The same for n inputs that are yet to come."""
        slopes, units = (t.new_empty(n, *t.shape[1:]) for t in (self.slopes, self.units))
        return self._replace(slopes=slopes, units=units)

    def parts(self, other: Streamed) -> Iterator[tuple[Term, Term]]:
        """Terms of both blocks, two at a time, whose products add up to this one's."""
        if self.by_sites:
            for group in range(self.slopes.shape[2]):
                yield from ((one, two) for one in self._sites(group) for two in other._sites(group))
            return
        b, c, groups, leaving, _ = self.slopes.shape
        numbers = c * groups * self.layer.weight[0].numel() * (b + len(other.slopes))  # of one channel
        step = max(1, int(self.room // (numbers * self.slopes.element_size())))
        for channels in blocks(0, leaving, step):
            one = self.gradients(channels)
            yield one, one if other is self else other.gradients(channels)

    def gradients(self, channels: slice) -> Term:
        """G of some channels that leave."""
        slopes = self.slopes[:, :, :, channels]  # [b, c, groups, C', S]
        whole = slopes.new_empty(*slopes.shape[:4], self.layer.weight[0].numel())  # [b, c, groups, C', K]
        for rows in blocks(0, len(slopes), self.at_once):
            under = patches(self.layer, self.units[rows])  # [b', groups, K, S]
            by_group = slopes[rows].transpose(1, 2)  # [b', groups, c, C', S]
            sums = by_group.flatten(2, 3) @ under.mT  # [b', groups, c·C', K]
            whole[rows] = torch.unflatten(sums, 2, by_group.shape[2:4]).transpose(1, 2)
        return Term(self.reading.laid_out(whole.flatten(2)), self.gain)

    def _sites(self, group: int) -> Iterator[Term]:
        for site, under in enumerate(each_patch(self.layer, self.units, group)):
            slopes = self.slopes[:, :, group, :, site]  # [b, c, C]
            yield Term(self.reading.laid_out(slopes), 0.0, self.gain, under)
