"""Inputs of equal norm: one polynomial for the whole network, equal to the plain algebra."""

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.gram.builder import plan_of
from ntk_teach.gram.one_dimensional import SpherePlan


def on_sphere(n: int, d: int = 5, radius: float = 1.7, seed: int = 0) -> torch.Tensor:
    """Points of one norm, among them a copy and an opposite."""
    x = inputs(n, d, seed=seed)
    x = radius * x / torch.linalg.vector_norm(x, dim=1, keepdim=True)
    x[1], x[2] = x[0], -x[0]
    return x


NETS = {
    "gelu": (ntk.zoo.mlp(4, ntk.gelu), 1e-12),
    "tanh": (ntk.zoo.mlp(3, ntk.tanh, sigma_w=1.5), 1e-9),
    "softplus": (ntk.zoo.mlp(3, ntk.softplus), 1e-9),
    "deep relu": (ntk.zoo.mlp(14, ntk.relu, sigma_w=1.4), 5e-12),
    "relu and tanh": (ntk.serial(ntk.Dense(), ntk.relu, ntk.Dense(1.2, 0.1), ntk.tanh, ntk.Dense()), 1e-9),
    "residual": (
        ntk.serial(ntk.Dense(), ntk.Residual(ntk.serial(ntk.tanh, ntk.Dense(0.8))), ntk.gelu, ntk.Dense()),
        1e-9,
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_the_polynomial_equals_the_plain_algebra(name):
    """Σ and Θ on a sphere, smooth in ρ or, with kinks, in the angle: to the tolerance of the activation."""
    arch, tolerance = NETS[name]
    x1, x2 = on_sphere(50), on_sphere(30, seed=1)
    assert isinstance(plan_of(arch.layers, x1, None), SpherePlan)
    for ours, plain in (
        (arch.grams(x1, tile=16), arch.kernel(x1)),
        (arch.grams(x1, x2, tile=16), arch.kernel(x1, x2)),
    ):
        for kind in ("nngp", "ntk"):
            size = float(getattr(arch.kernel(x1), kind).max())
            error = (getattr(ours, kind) - getattr(plain, kind)).abs().max() / size
            assert float(error) <= tolerance, f"{kind}: {error:.1e}"


def test_copies_opposites_and_the_diagonal_are_exact():
    """ρ = ±1: the diagonal from the moments, a copy equal to it, symmetric to the last digit."""
    arch, x = NETS["deep relu"][0], on_sphere(40)
    theta = arch.ntk(x, tile=16)
    torch.testing.assert_close(theta.diagonal(), arch.kernel(x).ntk.diagonal(), rtol=1e-13, atol=0)
    torch.testing.assert_close(theta[0, 1], theta[0, 0], rtol=1e-11, atol=0)
    assert torch.equal(theta, theta.T)


def test_it_is_left_alone_where_it_does_not_pay_or_does_not_hold():
    """Unequal norms, few cheap layers, or no polynomial of moderate degree: the steps are taken."""
    unequal = on_sphere(20)
    unequal[3] *= 1.001
    assert not isinstance(plan_of(NETS["gelu"][0].layers, unequal, None), SpherePlan)
    assert not isinstance(plan_of(ntk.zoo.mlp(4).layers, on_sphere(20), None), SpherePlan)
    assert not isinstance(plan_of(NETS["gelu"][0].layers, torch.zeros(4, 3, dtype=torch.float64), None), SpherePlan)
    chaotic = ntk.zoo.mlp(12, ntk.Sin(1.0, 3.0, 0.0), sigma_w=3.0)
    x = on_sphere(20)
    plan = plan_of(chaotic.layers, x, None)
    size = chaotic.kernel(x).ntk.max()
    if not isinstance(plan, SpherePlan):
        assert float((chaotic.ntk(x) - chaotic.kernel(x).ntk).abs().max() / size) <= 1e-9


def test_float32():
    """Single precision within 1e-5 of the largest value."""
    arch, x = NETS["gelu"][0], on_sphere(60).float()
    single, double = arch.ntk(x), arch.kernel(x.double()).ntk
    assert float((single - double).abs().max() / double.max()) <= 1e-5
