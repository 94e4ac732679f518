"""The way of torch's own tutorial on neural tangent kernels: Jacobians by vmap(jacrev), contracted by einsum."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call, jacrev, vmap

from benchmarks.sides.ours import _network, as_numpy

__all__ = ["TASKS", "as_numpy", "versions"]


def versions() -> dict[str, str]:
    return {"torch": torch.__version__}


def empirical(*, n: int, widths: list[int], dtype: str) -> Callable[[], dict[str, Tensor]]:
    network, x = _network(n, widths, dtype)
    parameters = {name: p.detach() for name, p in network.named_parameters()}

    def output(theta: dict[str, Tensor], one: Tensor) -> Tensor:
        return functional_call(network, theta, (one[None],))[0]  # [c]

    def call() -> dict[str, Tensor]:
        jacobians1 = vmap(jacrev(output), (None, 0))(parameters, x)
        jacobians2 = vmap(jacrev(output), (None, 0))(parameters, x)  # the tutorial's function knows no symmetry
        terms = [
            torch.einsum("Naf,Mbf->NMab", j1.flatten(2), j2.flatten(2))
            for j1, j2 in zip(jacobians1.values(), jacobians2.values(), strict=True)
        ]
        return {"ntk": torch.stack(terms).sum(0)}

    return call


TASKS = {"empirical": empirical}
