"""Spectra on the sphere: against closed forms, the Fourier transform, quadrature, random points; and spectral bias."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from strategies import perceptron, scales

import ntk_teach as ntk
from ntk_teach.generalization import gegenbauer, multiplicity, sphere_spectrum, zonal

T = torch.linspace(-1, 1, 41, dtype=torch.float64)


def two_layer(dimension: int, sigma_b: float = 0.0) -> ntk.Architecture:
    """relu, two weight layers; Σ⁽¹⁾ = x·x' + σ_b² on the unit sphere."""
    return ntk.serial(ntk.Dense(math.sqrt(dimension), sigma_b), ntk.relu, ntk.Dense(1.0, sigma_b))


def spectrum(kernel, dimension: int, highest: int):
    return sphere_spectrum(zonal(kernel, dimension), dimension, range(highest + 1))


@pytest.mark.parametrize("dimension", [3, 4, 7, 20])
def test_the_polynomials_are_those_of_gegenbauer(dimension):
    """P_k(t) = C_k^{((d−2)/2)}(t) / C_k^{((d−2)/2)}(1), as scipy has them."""
    alpha = (dimension - 2) / 2
    for k, column in enumerate(gegenbauer(T, dimension, 12).T):
        expected = special.eval_gegenbauer(k, alpha, T.numpy()) / special.eval_gegenbauer(k, alpha, 1.0)
        np.testing.assert_allclose(column.numpy(), expected, atol=1e-12)


def test_on_the_circle_they_are_cosines():
    """d = 2: P_k(cos θ) = cos kθ."""
    theta = torch.linspace(0, math.pi, 33, dtype=torch.float64)
    expected = torch.cos(theta[:, None] * torch.arange(9))
    torch.testing.assert_close(gegenbauer(theta.cos(), 2, 8), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(gegenbauer(theta.cos(), 2, 0), expected[:, :1], rtol=0, atol=0)


@pytest.mark.parametrize("dimension", [2, 3, 5, 12])
def test_the_multiplicity_counts_harmonic_polynomials(dimension):
    """N(d, k) = C(d+k−1, k) − C(d+k−3, k−2): all homogeneous polynomials of degree k less |x|² times those of k − 2."""
    for k in range(12):
        below = math.comb(dimension + k - 3, k - 2) if k > 1 else 0
        assert multiplicity(dimension, k) == math.comb(dimension + k - 1, k) - below


@pytest.mark.parametrize("dimension", [2, 3, 6])
def test_the_exponential_kernel_has_bessel_functions_as_eigenvalues(dimension):
    """κ(t) = e^t: λ_k = Γ(d/2) 2^{d/2−1} I_{k+d/2−1}(1), and the trace of 15 degrees is κ(1) = e."""
    found = sphere_spectrum(torch.exp, dimension, range(15))
    order = np.arange(15) + dimension / 2 - 1
    expected = math.gamma(dimension / 2) * 2 ** (dimension / 2 - 1) * special.iv(order, 1.0)
    difference = np.abs(found.eigenvalues.numpy() - expected)
    assert (difference <= found.error.numpy()).all()  # the reported error is one
    assert found.trace == pytest.approx(math.e, rel=1e-15)
    assert abs(found.tail) < 1e-13


@pytest.mark.parametrize("dimension", [3, 5])
@pytest.mark.parametrize("depth", [2, 4])
def test_against_another_quadrature_in_the_cosine(dimension, depth):
    """λ_k = c ∫ κ(t) P_k(t) (1−t²)^{(d−3)/2} dt for a relu NTK, with scipy's Gauss–Gegenbauer nodes and polynomials;
    they converge like nodes^{−d} because κ has a kink at t = 1, and that is the rate of the difference."""
    kernel = zonal(ntk.zoo.mlp(depth).ntk, dimension, radius=1.7)
    found = sphere_spectrum(kernel, dimension, [0, 1, 2, 3, 6])
    alpha = (dimension - 2) / 2
    errors = []
    for count in (50, 200):
        nodes, weights = special.roots_gegenbauer(count, alpha)
        values = kernel(torch.from_numpy(nodes)).numpy() * weights / weights.sum()
        expected = [
            values @ special.eval_gegenbauer(k, alpha, nodes) / special.eval_gegenbauer(k, alpha, 1.0)
            for k in found.degrees.tolist()
        ]
        errors.append(float(np.abs(found.eigenvalues.numpy() - expected).max()))
    assert errors[1] < 1e-7
    assert np.log(errors[1] / errors[0]) / np.log(4) == pytest.approx(-dimension, abs=0.2)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("sigma_b", [0.0, 0.1])
def test_on_the_circle_the_eigenvalues_are_a_fourier_transform(sigma_b):
    """m equidistant angles give a circulant Gram matrix: its eigenvalues over m tend to λ_k like m⁻² (relu NTK)."""
    kernel = two_layer(2, sigma_b).ntk
    found = spectrum(kernel, 2, 10).eigenvalues
    errors = []
    for m in (512, 1024, 2048):
        angle = 2 * math.pi / m * torch.arange(m, dtype=torch.float64)
        x = torch.stack([angle.cos(), angle.sin()], dim=1)
        transformed = torch.fft.rfft(kernel(x[:1], x)[0]).real[:11] / m
        errors.append(float((transformed - found).abs().max()))
    slopes = np.diff(np.log(errors)) / math.log(2)
    assert errors[-1] < 1e-6
    np.testing.assert_allclose(slopes, -2, atol=0.05)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_gram_matrix_of_random_points_has_these_eigenvalues(seed):
    """eig(Θ)/N of 1200 random points on S² falls into groups of 1, 3, 5, 9 (k = 3 is absent); the mean of a group is
    λ_k within 1.5 % (five times the deviation of .3 % between seeds)."""
    kernel = two_layer(3).ntk
    found = spectrum(kernel, 3, 4)
    values = torch.linalg.eigvalsh(kernel(ntk.data.sphere(1200, 3, seed=seed))).flip(0) / 1200
    start = 0
    for k in (0, 1, 2, 4):
        size = multiplicity(3, k)
        group = values[start : start + size]
        assert float(group.mean()) == pytest.approx(float(found.eigenvalues[k]), rel=0.015)
        start += size


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_eigenvalue_is_a_mean_over_pairs_of_random_points(seed):
    """λ_k = E[κ(x·x') P_k(x·x')] for independent x, x' (addition theorem): within five standard errors in ten
    dimensions, from 40000 independent pairs."""
    d, n = 10, 40_000
    x, other = ntk.data.sphere(n, d, seed=seed), ntk.data.sphere(n, d, seed=1000 + seed)
    cosines = (x * other).sum(1)
    kernel = zonal(ntk.zoo.mlp(3).ntk, d)
    products = kernel(cosines)[:, None] * gegenbauer(cosines, d, 3)
    found = sphere_spectrum(kernel, d, range(4)).eigenvalues
    assert ((products.mean(0) - found).abs() <= 5 * products.std(0) / math.sqrt(n)).all()


@pytest.mark.parametrize("dimension", [2, 3, 5, 10])
def test_two_layer_relu_without_bias_has_no_odd_degree_above_one(dimension):
    """λ_k = 0 for k = 3, 5, 7, … and λ_k > 0 for k = 0, 1 and all even k: of NTK and NNGP alike."""
    arch = two_layer(dimension)
    for kernel in (arch.ntk, arch.nngp):
        found = spectrum(kernel, dimension, 20).eigenvalues
        assert (found[3::2] == 0).all()
        assert (found[0::2] > 0).all()
        assert float(found[1]) > 0


def test_a_bias_or_a_further_layer_brings_the_odd_degrees():
    """With σ_b > 0, or with three layers and σ_b = 0, every degree has a positive eigenvalue."""
    three = ntk.serial(ntk.Dense(), ntk.relu, ntk.Dense(), ntk.relu, ntk.Dense())
    for arch in (two_layer(4, 0.1), three):
        assert (spectrum(arch.ntk, 4, 15).eigenvalues > 0).all()


def test_an_odd_activation_without_bias_has_no_even_degree():
    """erf without biases: f(−x) = −f(x), so the NNGP kernel has odd degrees only, and the NTK too."""
    arch = ntk.serial(ntk.Dense(2.0), ntk.erf, ntk.Dense(), ntk.erf, ntk.Dense())
    for kernel in (arch.nngp, arch.ntk):
        found = spectrum(kernel, 3, 9).eigenvalues
        assert (found[0::2] == 0).all()
        assert (found[1::2] > 0).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("dimension", [2, 3, 5])
@pytest.mark.parametrize("depth", [2, 4])
def test_the_decay_is_a_power_of_the_degree_whatever_the_depth(dimension, depth):
    """relu: λ_k ∝ k^{−d} for the NTK and k^{−d−2} for the NNGP; the fitted slope tends to it as the degrees grow."""
    arch = ntk.zoo.mlp(depth, sigma_b=0.1)
    degrees = [64, 128, 256]
    for kernel, power in ((arch.ntk, -dimension), (arch.nngp, -dimension - 2)):
        found = sphere_spectrum(zonal(kernel, dimension), dimension, degrees)
        assert (found.eigenvalues > 10 * found.error).all()
        slopes = np.diff(np.log(found.eigenvalues.numpy())) / math.log(2)
        np.testing.assert_allclose(slopes[-1], power, atol=0.15)
        assert abs(slopes[1] - power) < abs(slopes[0] - power) + 1e-9


@pytest.mark.usefixtures("unchecked")
def test_the_trace_is_approached_as_the_decay_says():
    """Σ_{k ≤ K} N(d, k) λ_k → κ(1); with N ∝ k^{d−2} and λ ∝ k^{−d} the tail halves when K doubles."""
    tails = [spectrum(two_layer(5, 0.1).ntk, 5, highest).tail for highest in (50, 100, 200)]
    ratios = np.array(tails[1:]) / np.array(tails[:-1])
    np.testing.assert_allclose(ratios, 0.5, atol=0.03)


@given(dense=scales, dimension=st.sampled_from([2, 3, 8]), radius=st.sampled_from([0.5, 1.0, 3.0]))
def test_every_network_has_a_positive_semidefinite_kernel(dense, dimension, radius):
    """λ_k ≥ 0 for any relu network, N λ_k sums to at most κ(1), and κ(1) is the diagonal of the Gram matrix."""
    arch = perceptron(dense, ntk.relu)
    found = sphere_spectrum(zonal(arch.ntk, dimension, radius=radius), dimension, range(8))
    assert (found.eigenvalues >= 0).all()
    x = radius * ntk.data.sphere(1, dimension)
    assert found.trace == pytest.approx(float(arch.ntk(x)), rel=1e-12)
    assert found.tail >= -1e-12 * found.trace


def test_the_spectrum_is_linear_and_lists_degrees_as_asked():
    """λ_k of 2κ₁ + κ₂ is 2λ_k + λ_k'; degrees may stand in any order."""
    one, two = zonal(ntk.zoo.mlp(2).ntk, 4), zonal(ntk.zoo.mlp(3).nngp, 4)
    both = sphere_spectrum(lambda t: 2 * one(t) + two(t), 4, [5, 0, 2])
    first, second = (sphere_spectrum(kernel, 4, [0, 2, 5]) for kernel in (one, two))
    expected = 2 * first.eigenvalues + second.eigenvalues
    torch.testing.assert_close(both.eigenvalues, expected[[2, 0, 1]], rtol=1e-12, atol=1e-15)
    assert both.degrees.tolist() == [5, 0, 2]


def test_learning_times():
    """1/λ_k, ∞ where nothing is learned; after one learning time 1/e is left, at t = 0 everything."""
    found = spectrum(two_layer(3).ntk, 3, 4)
    assert math.isinf(float(found.learning_time[3]))
    left = found.decay(torch.tensor([0.0, float(found.learning_time[2]), 1e9], dtype=torch.float64))
    assert (left[0] == 1).all()
    assert float(left[1, 2]) == pytest.approx(math.exp(-1), rel=1e-12)
    assert left[2].tolist() == [0, 0, 0, 1, 0]
    times = found.learning_time[[0, 1, 2, 4]]
    assert (times[1:] > times[:-1]).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("master", [1, 2, 3])
def test_gradient_flow_learns_low_degrees_first(master):
    """f* = sum of harmonics of degree 1, 2, 4 and unit norm: at the time 1/λ_k of each, kernel gradient flow from 0 on
    600 random points has left e^{−λ_j/λ_k} of degree j, within five standard errors over 12 draws of the points; that
    is e^{−1} of degree k itself, less of every lower one and more of every higher one."""
    n, d, degrees, draws = 600, 3, [1, 2, 4], 12
    kernel = two_layer(d, 0.1).ntk
    found = spectrum(kernel, d, 4)
    times = found.learning_time[degrees]
    left = torch.empty(draws, 3, 3, dtype=torch.float64)  # [draws, times, degrees]
    for draw in range(draws):
        x = ntk.data.sphere(n, d, seed=100 * master + draw)
        harmonics = gegenbauer(x[:, 0], d, 4) * torch.tensor([multiplicity(d, k) ** 0.5 for k in range(5)])
        values, vectors = torch.linalg.eigh(kernel(x) / n)
        start = vectors.T @ harmonics[:, degrees].sum(1)
        residuals = vectors @ (torch.exp(-values[:, None] * times) * start[:, None])  # [n, times]
        left[draw] = torch.linalg.lstsq(harmonics, residuals).solution[degrees].T
    mean, error = left.mean(0), left.std(0) / math.sqrt(draws)
    predicted = found.decay(times)[:, degrees]
    assert ((mean - predicted).abs() <= 5 * error + 0.005).all()  # the bias of 1/n is below .005
    assert (error < 0.03).all()
    lower, higher = mean.tril(-1), mean.triu(1)[mean.triu(1) > 0]
    assert (lower < 0.2).all()
    assert ((mean.diagonal() - math.exp(-1)).abs() < 0.15).all()
    assert len(higher) == 3 and (higher > 0.6).all()
