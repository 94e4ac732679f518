"""The kernel of a finite network: the authors' numbers, an explicit loop, and what must not change it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.empirical import empirical_ntk
from ntk_teach.physics_informed import Standardization, derivative, laplacian, pinn_kernels, wave

XU, XR = inputs(3, 2, seed=1), inputs(35, 2, seed=2)  # more than are pulled back at once


def drawn(activation=ntk.tanh, x=XU, width=9, seed=4):
    dense = ntk.Dense(1.3, 0.5)
    return ntk.serial(dense, activation, dense, activation, dense).network(width=width, like=x, seed=seed)


def authors() -> dict[str, torch.Tensor]:
    with np.load(Path(__file__).parents[1] / "reference" / "pinn_ntk.npz") as stored:
        return {name.removeprefix("1x16x1_"): torch.tensor(stored[name]) for name in stored.files}


def test_the_kernel_equals_the_authors():
    """u_xx = f on [0, 1], standardized inputs, 1-16-1 tanh, by a translation of their program: entries within 1e-10."""
    given = authors()
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    for layer, number in ((net[0], 0), (net[2], 1)):
        layer.weight.data, layer.bias.data = given[f"W{number}"].T.contiguous(), given[f"b{number}"][0]
    standardized = nn.Sequential(Standardization(given["mu"], given["sigma"]), net)
    kernels = pinn_kernels(standardized, given["Xu"], given["Xr"], derivative(2))
    for name in ("uu", "ur", "rr"):
        ours, theirs = getattr(kernels, f"K_{name}"), given[f"K{name}"]
        assert float((ours - theirs).abs().max() / theirs.abs().max()) <= 1e-10


def by_loop(net, x, residual):
    """∂ residual/∂θ point by point, the residual of one point written with torch.autograd."""
    rows = []
    for point in x:
        z = point.clone()[None].requires_grad_()
        slopes = torch.autograd.grad(residual(net(z)[0, 0], z), list(net.parameters()), materialize_grads=True)
        rows.append(torch.cat([slope.reshape(-1) for slope in slopes]))
    return torch.stack(rows)


def curvatures(u, z):
    """∂²u/∂x_i² for each coordinate, one after the other."""
    (slope,) = torch.autograd.grad(u, z, create_graph=True)
    return [torch.autograd.grad(slope[0, i], z, create_graph=True)[0][0, i] for i in range(z.shape[1])]


BY_LOOP = {
    "Laplace": (laplacian, lambda u, z: sum(curvatures(u, z))),
    "wave": (wave(1.7), lambda u, z: curvatures(u, z)[1] - 1.7**2 * curvatures(u, z)[0]),
    "nonlinear": (lambda u, x: laplacian(u, x) + u(x) ** 2 - 3, lambda u, z: sum(curvatures(u, z)) + u**2),
}


@pytest.mark.parametrize("name", BY_LOOP)
@pytest.mark.parametrize("activation", [ntk.tanh, ntk.erf, ntk.gelu, ntk.sin, ntk.gaussian], ids=repr)
def test_the_kernel_equals_an_explicit_loop(name, activation):
    """Two hidden layers, two coordinates: J Jᵀ with J one derivative at a time."""
    operator, residual = BY_LOOP[name]
    net = drawn(activation)
    rows_u, rows_r = by_loop(net, XU, lambda u, z: u), by_loop(net, XR, residual)
    kernels = pinn_kernels(net, XU, XR, operator)
    for ours, expected in zip(kernels, (rows_u @ rows_u.T, rows_u @ rows_r.T, rows_r @ rows_r.T), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-10 * float(expected.abs().max()))


def test_the_operator_1_gives_the_neural_tangent_kernel():
    """With 𝓛u = u all blocks are those of the NTK at the points of both lists."""
    net = drawn()
    whole = empirical_ntk(net, torch.cat([XU, XR]))
    torch.testing.assert_close(pinn_kernels(net, XU, XR, derivative(0)).full(), whole, rtol=1e-11, atol=1e-11)


def test_the_whole_kernel_is_symmetric_and_positive_semidefinite():
    """Exactly symmetric; eigenvalues not below rounding, also with more points than parameters."""
    whole = pinn_kernels(drawn(width=2), XU, XR, laplacian).full()
    values = torch.linalg.eigvalsh(whole)
    assert torch.equal(whole, whole.T) and float(values[0]) >= -1e-13 * float(values[-1])
    assert int((values > 1e-10 * values[-1]).sum()) <= 2 * 2 + 2 + 2 * 2 + 2 + 2 + 1  # weights and biases


def test_the_order_of_the_points_is_the_order_of_the_blocks():
    """Points that change places take their rows and columns with them."""
    net, to_u, to_r = drawn(), torch.tensor([2, 0, 1]), torch.randperm(35, generator=torch.Generator().manual_seed(1))
    before, after = pinn_kernels(net, XU, XR, laplacian), pinn_kernels(net, XU[to_u], XR[to_r], laplacian)
    for one, other in (
        (after.K_uu, before.K_uu[to_u][:, to_u]),
        (after.K_ur, before.K_ur[to_u][:, to_r]),
        (after.K_rr, before.K_rr[to_r][:, to_r]),
    ):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def test_frozen_parameters_do_not_count_and_the_network_is_left_alone():
    """K is that of the trained parameters; no gradient and no change stays behind."""
    net = drawn()
    rows = by_loop(net, XR, BY_LOOP["Laplace"][1])
    first = sum(p.numel() for p in net[0].parameters())
    net[0].requires_grad_(False)
    before = [p.clone() for p in net.parameters()]
    kernels = pinn_kernels(net, XU, XR, laplacian)
    torch.testing.assert_close(kernels.K_rr, rows[:, first:] @ rows[:, first:].T, rtol=1e-10, atol=1e-10)
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(net.parameters(), before, strict=True))
    assert not any(block.requires_grad for block in kernels)
    with torch.no_grad():
        assert torch.equal(pinn_kernels(net, XU, XR, laplacian).K_rr, kernels.K_rr)


def test_float32_is_close():
    """Within 1e-4 of the largest entry."""
    double, single = drawn(), drawn(x=XU.float())
    for ours, expected in zip(
        pinn_kernels(single, XU.float(), XR.float(), laplacian), pinn_kernels(double, XU, XR, laplacian), strict=True
    ):
        assert ours.dtype == torch.float32
        assert float((ours.double() - expected).abs().max() / expected.abs().max()) <= 1e-4


def test_a_relu_network_has_first_derivatives():
    """Advection needs no curvature, so relu is not refused."""
    net = drawn(ntk.relu)
    rows = by_loop(net, XR, lambda u, z: torch.autograd.grad(u, z, create_graph=True)[0][0, 0])
    kernels = pinn_kernels(net, XU, XR, derivative(1))
    torch.testing.assert_close(kernels.K_rr, rows @ rows.T, rtol=1e-10, atol=1e-10)
