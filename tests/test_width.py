"""Finite networks approach the limit at the rate 1/√width: a slope, never one lucky tolerance.

200 networks give the slope of the variance a standard error of 0.08, so ±0.4 is five of them; the slope of a typical
distance is half of it, so ±0.2.
"""

import math
from functools import cache

import numpy as np
import pytest
import torch

import ntk_teach as ntk

pytestmark = pytest.mark.usefixtures("unchecked")

WIDTHS = (64, 128, 256, 512)
ANGLES = (0.0, 0.7, 2.0, math.pi)
ARCH = ntk.zoo.mlp(4)
X = torch.tensor([[math.cos(a), math.sin(a)] for a in ANGLES], dtype=torch.float64)


@cache
def tangents(master: int, draws: int = 200, arch: ntk.Architecture = ARCH) -> torch.Tensor:
    """Θ_n(x0, ·) of independent networks.   [widths, draws, angles]"""
    seeds = np.random.SeedSequence(master).generate_state(len(WIDTHS) * draws).reshape(len(WIDTHS), draws).tolist()
    return torch.stack(
        [
            torch.cat([ntk.empirical_ntk(arch.network(width=n, like=X, seed=seed), X[:1], X) for seed in row])
            for n, row in zip(WIDTHS, seeds, strict=True)
        ]
    )


def slope(values: torch.Tensor) -> float:
    """Exponent p of values ∝ width^p, by least squares on logarithms."""
    return float(np.polyfit(np.log(WIDTHS), np.log(values.numpy()), 1)[0])


@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_variance_falls_like_one_over_width(master):
    """Var Θ_n(x0, x) ∝ n^(−1) over draws of the network: slope −1 ± 0.4."""
    variance = tangents(master).var(1).mean(1)  # [widths]
    assert -1.4 <= slope(variance) <= -0.6


@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_distance_to_the_limit_falls_like_one_over_root_width(master):
    """The root mean square of Θ_n(x0, x) − Θ(x0, x) ∝ n^(−1/2): slope −1/2 ± 0.2, to this limit and no other."""
    gaps = tangents(master) - ARCH.ntk(X)[0]
    assert -0.7 <= slope(gaps.square().mean((1, 2)).sqrt()) <= -0.3


def test_the_mean_is_the_limit():
    """At width 512 the mean over 600 networks meets the limit within five standard errors and a bias of 2/n."""
    samples = torch.cat([tangents(master)[-1] for master in (1, 2, 3)])
    error = 5 * samples.std(0) / math.sqrt(len(samples))
    limit = ARCH.ntk(X)[0]
    assert ((samples.mean(0) - limit).abs() <= error + 2 / WIDTHS[-1] * limit[0]).all()


@pytest.mark.soak
@pytest.mark.parametrize("activation", [ntk.relu, ntk.erf], ids=repr)
def test_slopes_over_many_seeds(activation, record_property):
    """Twenty master seeds: the mean slope of the variance is −1 ± 0.1, of the distance −1/2 ± 0.05."""
    arch = ntk.zoo.mlp(4, activation)
    samples = [tangents(master, arch=arch) for master in range(100, 120)]
    variances = [slope(s.var(1).mean(1)) for s in samples]
    distances = [slope((s - arch.ntk(X)[0]).square().mean((1, 2)).sqrt()) for s in samples]
    record_property("slope of the variance", f"{np.mean(variances):.3f}, standard deviation {np.std(variances):.3f}")
    record_property("slope of the distance", f"{np.mean(distances):.3f}, standard deviation {np.std(distances):.3f}")
    assert abs(np.mean(variances) + 1) <= 0.1
    assert abs(np.mean(distances) + 0.5) <= 0.05
