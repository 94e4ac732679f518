"""Names for the arrays of the theory.

Axes are written in the order ``[batch, *sites, channels]``. ``n`` and ``m`` count inputs, ``d`` their
coordinates, ``c`` outputs; ``*sites`` is empty for fully connected networks and a pair of positions otherwise.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Images",
    "OtherImages",
    "Vectors",
    "OtherVectors",
    "Gram",
    "Labels",
    "PairGram",
    "Variances",
    "OtherVariances",
]

Vectors = Float[Tensor, "n d"]
OtherVectors = Float[Tensor, "m d"]
Images = Float[Tensor, "n h w c"]
OtherImages = Float[Tensor, "m h w c"]
Labels = Float[Tensor, " n"]
Gram = Float[Tensor, "n m"]
PairGram = Float[Tensor, "n m *sites"]
Variances = Float[Tensor, "n *own"]  # their sites may be fewer or more than those of the other list
OtherVariances = Float[Tensor, "m *others"]
