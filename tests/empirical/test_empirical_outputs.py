"""Parts of the kernel and products with it: the trace, the kernel of each output, Θ v; exact symmetry; float32."""

import pytest
import torch
from empirical.networks import COVERED, UNCOVERED, D, built
from hypothesis import given
from hypothesis import strategies as st
from oracles import finite
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.empirical import (
    by_autograd,
    empirical_ntk,
    empirical_ntk_per_output,
    empirical_ntk_trace,
    layerwise,
    ntk_vector_product,
)
from ntk_teach.empirical.panels import mirror

X1, X2 = inputs(3, D, seed=1), inputs(4, D, seed=2)
NETWORKS = {**COVERED, **{name: build for name, (build, _) in UNCOVERED.items()}}


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * float(theirs.abs().max()))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("second", [None, X2], ids=["x1", "x1 and x2"])
def test_trace_and_outputs_are_parts_of_the_whole(name, second):
    """(1/c) Σ_k Θ_kk and Θ_kk, of the definition."""
    network = built(NETWORKS[name])
    whole = finite.by_definition(network, X1, X1 if second is None else second)
    blocks = whole.diagonal(dim1=2, dim2=3)  # [n, m, c]
    close(empirical_ntk_per_output(network, X1, second), blocks)
    close(empirical_ntk_trace(network, X1, second), blocks.mean(2))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("second", [None, X2], ids=["x1", "x1 and x2"])
def test_a_vector_product_is_the_matrix_times_the_vector(name, second):
    """Σ_jl Θ_kl(x_i, x_j) v_jl, with v [m, c]; and with v [m] for one output, [n]."""
    network = built(NETWORKS[name])
    whole = finite.by_definition(network, X1, X1 if second is None else second)
    v = inputs(whole.shape[1], whole.shape[3], seed=3)
    product = torch.einsum("nmkl,ml->nk", whole, v)
    close(ntk_vector_product(network, X1, second, v), product)
    if whole.shape[3] == 1:
        close(ntk_vector_product(network, X1, second, v[:, 0]), product[:, 0])


@given(a=st.floats(-2, 2), seed=st.integers(0, 50))
def test_vector_products_are_linear_and_symmetric(a, seed):
    """Θ(u + a v) = Θu + aΘv, and uᵀΘv = vᵀΘu: the kernel of gradient descent conserves this pairing."""
    network = built(COVERED["residual"])
    u, v = inputs(4, 2, seed=seed), inputs(4, 2, seed=seed + 1)
    of_u, of_v = (ntk_vector_product(network, X2, None, each) for each in (u, v))
    close(ntk_vector_product(network, X2, None, u + a * v), of_u + a * of_v, 1e-10)
    torch.testing.assert_close((u * of_v).sum(), (v * of_u).sum(), rtol=1e-10, atol=1e-10)


def as_matrix(theta: torch.Tensor) -> torch.Tensor:
    """[n, m] or [n, m, c, c] as [n·c, m·c]."""
    if theta.ndim == 2:
        return theta
    n, m, c, _ = theta.shape
    return theta.transpose(1, 2).reshape(n * c, m * c)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_symmetric_to_the_last_bit_and_positive(name, dtype):
    """Without x2, Θ = Θᵀ exactly, in every dtype and by every way, and no eigenvalue is below rounding."""
    network, x = built(NETWORKS[name]).to(dtype), inputs(9, D, dtype=dtype)
    for way in (empirical_ntk, by_autograd) if name in COVERED else (empirical_ntk,):
        theta = as_matrix(way(network, x))
        assert torch.equal(theta, theta.T)
        assert torch.linalg.eigvalsh(theta)[0] >= -30 * torch.finfo(dtype).eps * theta.trace()
    assert torch.equal(empirical_ntk_trace(network, x), empirical_ntk_trace(network, x).T)
    blocks = empirical_ntk_per_output(network, x)
    assert torch.equal(blocks, blocks.transpose(0, 1))


def test_more_inputs_than_a_panel_holds():
    """Three hundred inputs, more than twice what one triangular step takes: equal to the rectangular product."""
    network, x = built(COVERED["both kinds of layers"]), inputs(300, D)
    for kernel in (empirical_ntk, empirical_ntk_trace, empirical_ntk_per_output):
        close(kernel(network, x), kernel(network, x, x.clone()))
        theta = kernel(network, x)
        swapped = theta.transpose(0, 1)
        assert torch.equal(theta, swapped.mT if theta.ndim == 4 else swapped)


def test_the_mirror_keeps_the_upper_triangle_alone():
    """Whatever stands below the diagonal, also within a panel: most products happen to be symmetric without it."""
    theta = inputs(2 * 90 * 2, 90 * 2).reshape(2, 90, 2, 90, 2)
    matrices = theta.reshape(2, 180, 180).clone()
    mirror(theta)
    expected = matrices.triu() + matrices.triu(1).mT
    assert torch.equal(theta.reshape(2, 180, 180), expected)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_float32_loses_nothing_but_rounding(seed):
    """Ten outputs, width 256, a hundred inputs: each part within 1e-5 of float64, relative to its largest entry."""
    x = inputs(100, 64, seed=seed).float()
    arch = ntk.zoo.mlp(4)
    single, double = (arch.network(width=256, like=like, out_features=10, seed=seed) for like in (x, x.double()))
    # One seed is one draw, rounded: take the rounded parameters, so that the arithmetic alone differs.
    double.load_state_dict(single.state_dict())
    v = inputs(100, 10, seed=seed + 1).float()
    pairs = [
        (kernel(single, x), kernel(double, x.double()))
        for kernel in (layerwise, empirical_ntk_trace, empirical_ntk_per_output)
    ]
    pairs.append((ntk_vector_product(single, x, None, v), ntk_vector_product(double, x.double(), None, v.double())))
    for ours, exact in pairs:
        assert ours.dtype == torch.float32
        assert (ours.double() - exact).abs().max() <= 1e-5 * exact.abs().max()


def test_the_gradient_of_the_flow_is_a_vector_product():
    """∂f/∂t = −Θ (f − y)/N along gradient descent: a small step moves the outputs by this product, to first order."""
    network, x = built(lambda: nn.Sequential(nn.Linear(D, 8), nn.Tanh(), nn.Linear(8, 1))), inputs(6, D)
    y = inputs(6, 1, seed=4)[:, 0]
    before = network(x).detach()[:, 0]
    direction = ntk_vector_product(network, x, None, before - y) / 6
    gaps = []
    for lr in (1e-3, 1e-4):
        moved = built(lambda: nn.Sequential(nn.Linear(D, 8), nn.Tanh(), nn.Linear(8, 1)))
        ntk.gradient_descent(moved, x, y, lr=lr, steps=1)
        gaps.append(((moved(x).detach()[:, 0] - before) / lr + direction).norm() / direction.norm())
    assert gaps[1] < 0.2 * gaps[0] < 0.02
