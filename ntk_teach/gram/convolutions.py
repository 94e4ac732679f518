"""Convolutional networks: strips of pixel pairs, each through the whole depth, and one number left of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count

import torch
from torch import Tensor

from ntk_teach.gram.steps import Affine
from ntk_teach.gram.strips import Strip, StripStep, Turns
from ntk_teach.gram.tile import Tile

__all__ = ["ConvolutionPlan"]

STRIP = 2**20  # bytes of one of the five arrays of a strip, on a processor
DEVICE_STRIP = 2**28  # and on an accelerator, which wants many pairs at a time
IMAGES = 8  # rows of a tile, at least


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
        most = max(IMAGES, math.isqrt(2 * self._most if self.paired else self._most))
        return math.ceil(len(self.x1) / math.ceil(len(self.x1) / most))  # no small rest

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
        result = Tile(rows, columns, buffers[0], buffers[1] if both else None, list(buffers[2:]))
        height, width = rows.stop - rows.start, columns.stop - columns.start
        corner = (rows.start, columns.start)
        same = self.symmetric and rows == columns
        if self.paired:
            self._circle(result, rows) if same else self._blocks(result, rows.start)
        elif same:
            equal, above = _halves(height, self.x1.device)
            self._pairs(result, corner, equal, height, mirrored=True)
            if height > 1:
                self._pairs(result, corner, above, 0, mirrored=True)
        else:
            self._pairs(result, corner, torch.ones(height, width, device=self.x1.device).nonzero().T, 0, mirrored=False)
        for step in self.tail:
            step.on(result)
        return result.nngp, result.ntk

    def _circle(self, result: Tile, images: slice) -> None:
        """Weighted sums over the pixels of all pairs of these images into their places in ``result``: each image with
        the next ones on a circle, up to half around it."""
        n = len(result.nngp)
        turns, most = n // 2 + 1, max(1, self._most // n)
        arrays = self._arrays(result, min(turns, most) * n)
        totals = []
        for first in range(0, turns, most):
            one, two = Turns(images), Turns(images, first, min(most, turns - first))
            shape, same = (*self._pixels, two.count, n), 0 if first else n
            strip = Strip.within(arrays, result.ntk is not None, shape, shift=0, paired=True, same=same)
            for layer in self.steps:
                layer.sliced(one, two).on(strip)
            totals.append(self._read(strip))
        found = torch.cat(totals, 1)[:, _places(n, self.x1.device)]
        for kernel, total in zip((result.nngp, result.ntk), found, strict=False):
            assert kernel is not None
            kernel.copy_(total)

    def _blocks(self, result: Tile, first: int) -> None:
        """Weighted sums over the pixels of all pairs into their places in ``result``, some rows at a time;
        ``first`` is the image of its first row."""
        height, width = result.nngp.shape
        step = max(1, min(self._most // width, height))
        arrays = self._arrays(result, step * width)
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            shape = (*self._pixels, rows.stop - top, width)
            strip = Strip.within(arrays, result.ntk is not None, shape, shift=0, paired=True, crossed=True)
            for layer in self.steps:
                layer.sliced(slice(rows.start + first, rows.stop + first), result.columns).on(strip)
            for kernel, total in zip((result.nngp, result.ntk), self._read(strip), strict=False):
                assert kernel is not None
                kernel[rows] = total.view(shape[-2:])

    def _pairs(self, result: Tile, corner: tuple[int, int], pairs: Tensor, same: int, mirrored: bool) -> None:
        """Weighted sums over all pixel pairs of these pairs of images, [2, pairs], into their places in ``result`` and,
        ``mirrored``, into those across its diagonal. The images are counted from ``corner``; the first ``same`` pairs
        are an image with itself."""
        first, second = corner
        most = min(self._most, pairs.shape[1])
        arrays = self._arrays(result, most)
        for start, (one, two) in zip(count(0, most), torch.split(pairs, most, dim=1)):
            left, right = first + one, second + two
            steps = [step.sliced(left, right) for step in self.steps]
            here = max(0, min(same - start, len(one)))
            totals = self.x1.new_zeros(1 if result.ntk is None else 2, len(one))
            for shift, times in self._shifts(here > 0):
                shape = (*self._pixels, len(one))
                strip = Strip.within(arrays, result.ntk is not None, shape, shift=shift, paired=False, same=here)
                for step in steps:
                    step.on(strip)
                totals.add_(self._read(strip), alpha=times)
            for kernel, total in zip((result.nngp, result.ntk), totals, strict=False):
                assert kernel is not None
                kernel[one, two] = total
                if mirrored:
                    kernel[two, one] = total

    def _arrays(self, result: Tile, pairs: int) -> Tensor:
        """Room for the strips of as many pairs of images."""
        return self.x1.new_empty(4 if result.ntk is None else 5, math.prod(self._pixels) * pairs)

    def _read(self, strip: Strip) -> Tensor:
        """Of Σ and, if it is there, of Θ: the weighted sum over the pixel pairs of a strip. [1 or 2, pairs]"""
        weights = self.weights[strip.shift]
        return weights @ strip.kernels.view(len(strip.kernels), len(weights), -1)

    def _shifts(self, own: bool) -> Iterator[tuple[int, int]]:
        """Shifts with weight, and how often each counts: of an image with itself a shift is the mirror of h − shift."""
        h = self.x1.shape[1]
        for shift in self.weights:
            if not own or 2 * shift % h == 0:
                yield shift, 1
            elif 2 * shift < h:
                yield shift, 2

    def sliced(self, rows: slice, columns: slice) -> ConvolutionPlan:
        steps = tuple(step.sliced(rows, columns) for step in self.steps)
        symmetric = self.symmetric and rows == columns
        return replace(self, x1=self.x1[rows], x2=self.x2[columns], steps=steps, symmetric=symmetric)

    def signature(self) -> object:
        one = slice(0, 1)
        plan = replace(self.sliced(one, one), symmetric=False)
        nngp, ntk = plan.tile(one, one, list(self.x1.new_empty(5, 1, 1)), both=True)
        return float(nngp), None if ntk is None else float(ntk)


@lru_cache(maxsize=8)
def _places(n: int, device: torch.device) -> Tensor:
    """Where on the circle a pair (i, j) is: image i at turn j − i or image j at turn i − j, by the shorter of the two,
    and by the smaller image where both are half of the circle. [n, n]"""
    i, j = torch.arange(n, device=device)[:, None], torch.arange(n, device=device)
    ahead, behind = (j - i) % n, (i - j) % n
    forward = (ahead < behind) | ((ahead == behind) & (i <= j))
    return torch.where(forward, ahead * n + i, behind * n + j)


@lru_cache(maxsize=8)
def _halves(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Indices of the diagonal, [2, n], and of what lies above it, [2, n (n − 1)/2]."""
    return torch.arange(n, device=device).expand(2, -1), torch.triu_indices(n, n, 1, device=device)
