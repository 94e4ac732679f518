"""This library."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import ntk_teach as ntk
from benchmarks import inputs
from ntk_teach.architecture import How
from ntk_teach.least_squares import LeastSquares

DISK = Path(__file__).parents[2] / ".cache" / "benchmarks"
Result = dict[str, Tensor]


def as_numpy(array: Tensor) -> np.ndarray:
    return array.detach().cpu().numpy()


def versions() -> dict[str, str]:
    return {"ntk-teach": ntk.__version__, "torch": torch.__version__, "numpy": np.__version__}


def _activation(name: str, series: bool) -> ntk.Activation:
    smooth = {"gelu": torch.nn.functional.gelu, "tanh": torch.tanh}
    return ntk.Activation.from_function(smooth[name]) if series else getattr(ntk, name)


def _grams(arch: ntk.Architecture, x1: Tensor, x2: Tensor | None, **options: Any) -> Any:
    """Both kernels; NotImplementedError where this version's engine does not know an option."""
    unknown = options.keys() - How.__annotations__.keys() - inspect.signature(arch.grams).parameters.keys()
    if unknown:
        raise NotImplementedError(f"this version's engine has no {', '.join(sorted(unknown))}")
    return arch.grams(x1, x2, **options)


def gram(
    *,
    activation: str,
    n: int,
    d: int,
    depth: int,
    dtype: str,
    distinct: bool = False,
    series: bool = False,
    device: str = "cpu",
    **options: bool,
) -> Callable[[], Result]:
    """NNGP and NTK of a fully connected network, σ_w = 1, σ_b = 0.1. On an accelerator the result stays there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise NotImplementedError("no CUDA device on this machine")
    arch = ntk.zoo.mlp(depth, _activation(activation, series))
    x1 = torch.from_numpy(inputs.points(n, d, dtype)).to(device)
    x2 = torch.from_numpy(inputs.points(n, d, dtype, seed=1)).to(device) if distinct else None

    def call() -> Result:
        grams = _grams(arch, x1, x2, **options)
        if device == "cuda":
            torch.cuda.synchronize()
        return {"nngp": grams.nngp, "ntk": grams.ntk}

    return call


def gram_on_disk(*, activation: str, n: int, d: int, depth: int, dtype: str) -> Callable[[], Result]:
    """The same, written to files instead of memory."""
    arch = ntk.zoo.mlp(depth, _activation(activation, False))
    x = torch.from_numpy(inputs.points(n, d, dtype))

    def call() -> Result:
        DISK.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=DISK) as folder:
            grams = _grams(arch, x, None, out=(Path(folder, "nngp.npy"), Path(folder, "ntk.npy")))
            return {"nngp": grams.nngp[:100, :100].clone(), "ntk": grams.ntk[:100, :100].clone()}

    return call


def _network(n: int, widths: list[int], dtype: str) -> tuple[torch.nn.Sequential, Tensor]:
    x = torch.from_numpy(inputs.points(n, widths[0], dtype))
    network = ntk.zoo.mlp(len(widths) - 1).network(width=widths[1:-1], like=x, out_features=widths[-1])
    layers = [module for module in network if isinstance(module, ntk.nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, inputs.parameters(widths, dtype), strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return network, x


def empirical(*, n: int, widths: list[int], dtype: str) -> Callable[[], Result]:
    """NTK of one finite ReLU network at its draw."""
    network, x = _network(n, widths, dtype)

    def call() -> Result:
        theta = ntk.empirical_ntk(network, x)
        return {"ntk": theta.reshape(n, n, widths[-1], widths[-1])}

    return call


def flow(*, n: int, test: int, outputs: int, times: int, dtype: str, cold: bool) -> Callable[[], Result]:
    """Test predictions along least-squares gradient flow from f₀ = 0; cold: with the eigendecomposition."""
    k, k_test, y = map(torch.from_numpy, inputs.regression(n, test, outputs, dtype))
    t = torch.from_numpy(inputs.times(times).astype(dtype))
    fitted = None if cold else LeastSquares.fit(k, y)
    return lambda: {"f": (fitted or LeastSquares.fit(k, y)).predict(k_test, t=t)}


def cntk(*, n: int, side: int, depth: int, read: str, dtype: str, device: str = "cpu") -> Callable[[], Result]:
    """NNGP and NTK of 3 × 3 convolutions with relu, σ_w = √2, and a read-out. On an accelerator they stay there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise NotImplementedError("no CUDA device on this machine")
    trunk = [layer for _ in range(depth) for layer in (ntk.Conv2d(3, sigma_w=2**0.5), ntk.relu)]
    arch = ntk.serial(*trunk, {"global": ntk.GlobalAvgPool(), "flat": ntk.Flatten()}[read], ntk.Dense())
    x = torch.from_numpy(inputs.images(n, side, dtype)).to(device)

    def call() -> Result:
        grams = arch.grams(x)
        if device == "cuda":
            torch.cuda.synchronize()
        return {"nngp": grams.nngp, "ntk": grams.ntk}

    return call


def gntk(*, n: int, blocks: int, dtype: str) -> Callable[[], Result]:
    """NTK of MUTAG's first molecules: blocks of a sum over neighbors and one relu layer, jumping knowledge."""
    root = 2**0.5
    parts = [
        ntk.serial(*([ntk.Dense(root), ntk.Aggregate()] if number else [ntk.Aggregate(), ntk.Dense()]), ntk.relu)
        for number in range(blocks)
    ]
    heads = [ntk.Dense(), *[ntk.Dense(root)] * blocks]
    arch = ntk.serial(ntk.JumpingKnowledge(parts, heads), ntk.GraphSum())
    graphs = ntk.data.mutag()[0][:n].to(dtype=getattr(torch, dtype))
    return lambda: {"ntk": arch.ntk(graphs)}


TASKS = {"cntk": cntk, "gntk": gntk, "gram": gram, "gram_on_disk": gram_on_disk, "empirical": empirical, "flow": flow}
