"""Standardized inputs are a composition: every factor 1/σ is the chain rule's."""

import pytest
import torch
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.errors import DomainError, ShapeError
from ntk_teach.physics_informed import Standardization, derivative, pinn_kernels, wave

X = inputs(7, 2)


def drawn(x, seed=1):
    arch = ntk.serial(ntk.Dense(1.2, 0.4), ntk.tanh, ntk.Dense(1.0, 0.3))
    return arch.network(width=20, like=x, seed=seed)


def test_points_come_out_with_mean_0_and_variance_1():
    """Over the points that it was made of."""
    z = Standardization.of(X)(X)
    torch.testing.assert_close(z.mean(0), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-14)
    torch.testing.assert_close(z.square().mean(0), torch.ones(2, dtype=torch.float64), rtol=1e-13, atol=0)


@pytest.mark.parametrize("order", [1, 2])
def test_each_derivative_is_divided_by_sigma(order):
    """K of the composition in x is K of the network in z, with σ^−order for each residual: the authors' rule."""
    x, standardized = X[:, :1], Standardization.of(X[:, :1])
    net, z, factor = drawn(x), standardized(X[:, :1]), float(standardized.std) ** -order
    ours = pinn_kernels(nn.Sequential(standardized, net), x[:3], x, derivative(order))
    theirs = pinn_kernels(net, z[:3], z, derivative(order))
    for name, power in (("K_uu", 0), ("K_ur", 1), ("K_rr", 2)):
        expected = factor**power * getattr(theirs, name)
        torch.testing.assert_close(getattr(ours, name), expected, rtol=1e-12, atol=1e-13)


def test_each_coordinate_has_a_factor_of_its_own():
    """∂_t² − c²∂_x² of the raw inputs is ∂_t²/σ_t² − c²∂_x²/σ_x² of the standardized ones."""
    standardized = Standardization.of(X)
    net, z = drawn(X), standardized(X)
    by_hand = derivative(2, 1) * float(standardized.std[1] ** -2) - 9 * float(standardized.std[0] ** -2) * derivative(2)
    ours = pinn_kernels(nn.Sequential(standardized, net), X[:2], X, wave(3.0))
    theirs = pinn_kernels(net, z[:2], z, by_hand)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_it_moves_with_the_network_and_is_not_trained():
    """Its numbers are buffers."""
    net = nn.Sequential(Standardization.of(X), drawn(X)).float()
    assert net(X.float()).dtype == torch.float32
    assert not list(net[0].parameters()) and len(net[0].state_dict()) == 2


@pytest.mark.boundary
def test_bad_arguments_are_refused():
    """A coordinate that never changes, μ and σ that do not fit, points of another space."""
    one = torch.ones(2, dtype=torch.float64)
    with pytest.raises(DomainError, match="leave out coordinates that do not change"):
        Standardization.of(torch.stack([X[:, 0], X[:, 0] * 0 + 3], 1))
    with pytest.raises(ShapeError, match=r"received \[2\] and \[1\]"):
        Standardization(one, one[:1])
    with pytest.raises(ShapeError, match=r"points \[n, 2\], received \[7, 1\]"):
        Standardization.of(X)(X[:, :1])
