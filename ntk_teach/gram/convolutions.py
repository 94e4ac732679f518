"""Convolutional networks: strips of pixel pairs, each through the whole depth, and one number left of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntk_teach.gram.steps import Affine
from ntk_teach.gram.strips import Part, Strip, StripStep
from ntk_teach.gram.tile import Tile, mirror

__all__ = ["ConvolutionPlan"]

STRIP = 2**20  # bytes of one of the five arrays of a strip, on a processor
DEVICE_STRIP = 2**28  # and on an accelerator, which wants many pairs at a time
IMAGES = 8  # rows of a tile, at least
OWN_ROWS = 96  # images times the side of one that a strip of pixels with themselves takes: measured


@dataclass(frozen=True)
class ConvolutionPlan:
    """Layers on pixels in strips, the read-out as weights of pixel pairs, dense layers on what it leaves.

    Args:
        x1, x2: images [n, h, w, c] and [m, h, w, c].
        steps: the products of pixels, and the layers on them.
        weights: of the pixel pairs of each shift in the read-out, [w·w·h]; shifts without weight are left out.
        tail: the dense layers behind it.
        paired: are pixels compared with the same pixel only?
        symmetric: is the second list the first?
    """

    x1: Tensor
    x2: Tensor
    steps: tuple[StripStep, ...]
    weights: dict[int, Tensor]
    tail: tuple[Affine, ...]
    paired: bool
    symmetric: bool

    @property
    def height(self) -> int:
        return max(IMAGES, math.isqrt(self._most))

    @property
    def _pixels(self) -> tuple[int, ...]:
        """Of a strip, for one pair of images."""
        _, h, w, _ = self.x1.shape
        return (w, h) if self.paired else (w, w, h)

    @property
    def _most(self) -> int:
        """Pairs of images in a strip."""
        room = STRIP if self.x1.device.type == "cpu" else DEVICE_STRIP
        return max(1, room // (self.x1.element_size() * math.prod(self._pixels)))

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        own = self.symmetric and rows == columns
        result = Tile(rows, columns, buffers[0].zero_(), buffers[1].zero_() if both else None, list(buffers[2:]))
        if self.paired:
            self._blocks(result, rows, columns, own)
        else:
            height, width, device = rows.stop - rows.start, columns.stop - columns.start, self.x1.device
            first = torch.tensor([[rows.start], [columns.start]], device=device)
            if own:
                self._sum(result, first, torch.triu_indices(height, height, 1, device=device), own=False)
                self._sum(result, first, torch.arange(height, device=device).expand(2, -1), own=True)
            else:
                self._sum(result, first, torch.ones(height, width, device=device).nonzero().T, own=False)
        for step in self.tail:
            step.on(result)
        if own:
            for kernel in (result.nngp, result.ntk):
                if kernel is not None:
                    mirror(kernel, kernel.diagonal().clone())
        return result.nngp, result.ntk

    def _blocks(self, result: Tile, rows: slice, columns: slice, own: bool) -> None:
        """Weighted sums over the pixels of all pairs into their places in ``result``, some rows at a time. Of a block
        with itself a row begins at its diagonal, and the fewer rows at a time, the fewer pairs are computed twice."""
        height, width = rows.stop - rows.start, columns.stop - columns.start
        step = max(1, min(self._most // width, height))
        if own and self.x1.device.type == "cpu":
            step = max(1, min(step, OWN_ROWS // math.isqrt(math.prod(self._pixels))))
        arrays = self._arrays(result, step * width)
        for top in range(0, height, step):
            here, there = slice(top, min(top + step, height)), slice(top if own else 0, width)
            shape = (*self._pixels, here.stop - here.start, there.stop - there.start)
            strip = Strip.within(arrays, result.ntk is not None, shape, own=own, shift=0, paired=True)
            for layer in self.steps:
                layer.sliced(_moved(here, rows.start), _moved(there, columns.start)).on(strip)
            for kernel, total in zip((result.nngp, result.ntk), self._read(strip), strict=False):
                assert kernel is not None
                kernel[here, there] = total.view(shape[-2:])

    def _sum(self, result: Tile, first: Tensor, pairs: Tensor, own: bool) -> None:
        """Weighted sums over all pixel pairs of these pairs of images, [2, pairs], into their places in ``result``,
        which begins at the images ``first``, [2, 1]."""
        if not pairs.numel():
            return
        most = min(self._most, pairs.shape[1])
        arrays = self._arrays(result, most)
        for some in torch.split(pairs, most, dim=1):
            one, two = some + first
            steps = [step.sliced(one, two) for step in self.steps]
            shape = (*self._pixels, len(one))
            totals = list(self.x1.new_zeros(2, len(one)))
            for shift, times in self._shifts(own):
                strip = Strip.within(arrays, result.ntk is not None, shape, own=own, shift=shift, paired=False)
                for step in steps:
                    step.on(strip)
                for total, found in zip(totals, self._read(strip), strict=False):
                    total.add_(found, alpha=times)
            for kernel, total in zip((result.nngp, result.ntk), totals, strict=True):
                if kernel is not None:
                    kernel[tuple(some)] = total

    def _arrays(self, result: Tile, pairs: int) -> Tensor:
        """Room for the strips of as many pairs of images."""
        return self.x1.new_empty(4 if result.ntk is None else 5, math.prod(self._pixels) * pairs)

    def _read(self, strip: Strip) -> list[Tensor]:
        """Of Σ and, if it is there, of Θ: the weighted sum over the pixel pairs of a strip. [pairs]"""
        weights = self.weights[strip.shift]
        return [weights @ kernel.view(len(weights), -1) for kernel in strip.kernels]

    def _shifts(self, own: bool) -> Iterator[tuple[int, int]]:
        """Shifts with weight, and how often each counts: of an image with itself a shift is the mirror of h − shift."""
        h = self.x1.shape[1]
        for shift in self.weights:
            if not own or 2 * shift % h == 0:
                yield shift, 1
            elif 2 * shift < h:
                yield shift, 2

    def sliced(self, rows: Part, columns: Part) -> ConvolutionPlan:
        steps = tuple(step.sliced(rows, columns) for step in self.steps)
        symmetric = self.symmetric and isinstance(rows, slice) and rows == columns
        return replace(self, x1=self.x1[rows], x2=self.x2[columns], steps=steps, symmetric=symmetric)

    def signature(self) -> object:
        one = slice(0, 1)
        plan = replace(self.sliced(one, one), symmetric=False)
        nngp, ntk = plan.tile(one, one, list(self.x1.new_empty(5, 1, 1)), both=True)
        return float(nngp), None if ntk is None else float(ntk)


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
