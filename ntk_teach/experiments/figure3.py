"""Figure 3 of Jacot, Gabriel & Hongler: convergence along the second component of the kernel on real digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ntk_teach.data.mnist import mnist
from ntk_teach.experiments.result import Array
from ntk_teach.spectrum import decompose, kernel_pca
from ntk_teach.training import train_ensemble
from ntk_teach.zoo import mlp

__all__ = ["figure3"]


def figure3(
    *,
    widths: Sequence[int] = (100, 1000),
    seeds: Sequence[int] = range(1),
    digits: int = 512,
    depth: int = 5,
    lr: float = 10.0,
    time: float = 4000.0,
    looks: int = 80,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """Networks trained from f₀ towards f₀ + ½ f⁽²⁾, f⁽²⁾ the second kernel principal component of Θ∞ on MNIST.

    The limit goes straight, f_t − f* = −½ e^{−λ₂ t} f⁽²⁾. A finite network leaves that line (h_t), and along it (g_t)
    does not keep to the rate λ₂.

    Args:
        widths, seeds: of the networks; the paper has 100, 1000 and 10 000.
        digits: N, size of the training set, drawn with seed 0; pixels in [0, 1].
        depth: L. The paper does not state it; 5 reproduces its eigenvalues.
        lr: step size; the paper has 1, and any lr with lr · λ₁ < 1 follows the same flow more cheaply.
        time: last t = lr · steps.
        looks: moments recorded.
        device: where the networks are.

    Returns: ``eigenvalues`` [4] of Θ∞/N, ``times`` [looks + 1], ``component`` [N] (f⁽²⁾), ``projections`` [N, 2] of the
        digits on the second and third component, ``labels`` [N], and for each width w ``along_w`` (g_t, from −½)
        and ``deviation_w`` (‖h_t‖ in the norm of the data) [seeds, looks + 1].

    Cost: seeds · time/lr passes of 2 · width² · N · 9 operations. Source: Jacot, Gabriel & Hongler 2018, section 6.3.
    Chapter: 06_least_squares_dynamics.
    """
    arch = mlp(depth)
    images, labels = mnist(digits, seed=0)
    pca = kernel_pca(arch.ntk(images), 4)
    mode = pca.components[:, 1].float().to(device)
    x = images.float().to(device)
    steps = round(time / lr)
    at = sorted({round(step) for step in np.linspace(0, steps, looks + 1)})
    found: dict[str, Array] = {
        "eigenvalues": pca.eigenvalues.numpy(),
        "times": np.array(at) * lr,
        "component": pca.components[:, 1].numpy(),
        "projections": pca.components[:, 1:3].numpy(),
        "labels": labels.numpy(),
    }
    for width in widths:
        along, deviation = [], []
        for seed in seeds:
            with torch.no_grad():
                target = arch.network(width=width, like=x, seed=seed)(x)[:, 0] + 0.5 * mode
            path = train_ensemble(
                arch, x, target, width=width, seeds=[seed], lr=lr, steps=steps, at=at, parameters_at=()
            )
            parts = decompose(path.f[0], target, mode)
            along.append(parts.along.cpu().numpy())
            deviation.append(parts.deviation.square().mean(-1).sqrt().cpu().numpy())
        found |= {f"along_{width}": np.stack(along), f"deviation_{width}": np.stack(deviation)}
    return found
