"""What a kernel must at least pay on this core: the parts, timed as one call. A sum of parts and not a bound; overlap,
or a cheaper transcendental function, could beat it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks import inputs

TILE = 256  # a square tile of float64 stays in the cache
TRANSCENDENTAL = {"relu": torch.arccos, "erf": torch.arctan}  # one for each pair and hidden layer


def as_numpy(array: Tensor) -> np.ndarray:
    return array.numpy()


def versions() -> dict[str, str]:
    return {"torch": torch.__version__}


def gram(
    *, activation: str, n: int, d: int, depth: int, dtype: str, distinct: bool = False
) -> Callable[[], dict[str, Tensor]]:
    """The product x xᵀ for half of the pairs (all, where x2 is another batch), the transcendental function for each of
    them and each hidden layer, tile by tile, and one read and two writes of [n, n]."""
    x = torch.from_numpy(inputs.points(n, d, dtype))
    rows = n if distinct else n // 2
    product = torch.empty(rows, n, dtype=x.dtype)
    one, two = torch.empty(n, n, dtype=x.dtype), torch.empty(n, n, dtype=x.dtype)
    source = torch.ones(n, n, dtype=x.dtype)
    rho = torch.linspace(-0.9, 0.9, TILE * TILE, dtype=x.dtype).reshape(TILE, TILE)
    tile = torch.empty_like(rho)
    function = TRANSCENDENTAL[activation]
    tiles = max(1, round((depth - 1) * rows * n / TILE**2))

    def call() -> dict[str, Tensor]:
        torch.mm(x[:rows], x.T, out=product)
        for _ in range(tiles):
            function(rho, out=tile)
        one.copy_(source)
        two.copy_(source)
        return {}

    return call


TASKS = {"gram": gram}
