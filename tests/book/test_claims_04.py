"""What the chapter on the Gaussian process limit claims, from outside: identities first, then laws in bands."""

import math
from math import comb, factorial
from pathlib import Path

import numpy as np
import pytest
import torch

import ntk_teach as ntk
from ntk_teach.experiments import Result

pytestmark = pytest.mark.usefixtures("unchecked")
RESULTS = Path(__file__).parents[2] / "book" / "results"
ONE = torch.tensor(1.0, dtype=torch.float64)
X0 = torch.tensor([[1.0, 0.0]], dtype=torch.float64)


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def relu_coefficient(i):
    """The chapter's closed form, from He_{i−2}(0)."""
    if i < 2:
        return (1 / math.sqrt(2 * math.pi), 0.5)[i]
    m = (i - 2) // 2
    at_zero = 0.0 if i % 2 else (-1) ** m * factorial(2 * m) / 2**m / factorial(m)
    return at_zero / math.sqrt(2 * math.pi * factorial(i))


# ---- a Gaussian with a random variance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_given_the_hidden_layers_the_outputs_are_independent_gaussians_with_covariance_s(seed):
    """20 000 outputs of one network: their covariance is S of the last hidden layer, and they are Gaussian; five
    standard errors."""
    x = normal(3, 4, seed=seed)
    net = ntk.zoo.mlp(3, sigma_b=0.5).network(width=[6, 9], like=x, out_features=20_000, seed=seed)
    with torch.no_grad():
        hidden, outputs = net[:-1](x), net(x)
    s = hidden @ hidden.T / 9 + 0.25
    error = ((s.square() + torch.outer(s.diagonal(), s.diagonal())) / 20_000).sqrt()
    assert ((outputs @ outputs.T / 20_000 - s).abs() < 5 * error).all()
    z = outputs / s.diagonal().sqrt()[:, None]
    assert ((z**4).mean(1) - 3).abs().max() < 5 * math.sqrt(96 / 20_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_matrices_converge_to_sigma_when_all_widths_grow_together(seed):
    """‖S − Σ‖² of 40 networks at widths n, n: sixteen times smaller for sixteenfold n, within a factor of two."""
    x = normal(4, 3, seed=10)
    arch = ntk.zoo.mlp(3, ntk.erf, sigma_w=1.4, sigma_b=0.3)
    sigma, squares = arch.nngp(x), []
    for width in (64, 1024):
        hidden = [arch.network(width=width, like=x, seed=100 * seed + k)[:-1] for k in range(40)]
        with torch.no_grad():
            s = torch.stack([1.96 * h(x) @ h(x).T / width + 0.09 for h in hidden])
        squares.append((s - sigma).square().sum((1, 2)).mean())
    assert 8 < squares[0] / squares[1] < 32


def test_weights_of_another_law_have_the_same_limit():
    """Last weights ±1 in place of Gaussian: variance as before, and an excess kurtosis of order 1/n."""
    signs = torch.randint(0, 2, (4000, 400), generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    hidden = normal(4000, 400, seed=1).relu()
    f = (signs * hidden).sum(1) / 20
    assert abs(f.var() - 0.5) < 5 * 0.5 * math.sqrt(2 / 4000)
    assert abs((f**4).mean() / f.var() ** 2 - 3) < 5 * math.sqrt(24 / 4000)


# ---- how wide is wide


def test_the_kurtosis_of_the_text():
    """20.18, 2.533, 0.516, 0.122 at widths 4, 16, 64, 256: the chapter's recursion written out, and the library's."""
    for width, known in ((4, 20.18), (16, 2.533), (64, 0.516), (256, 0.122)):
        m1, m2 = 0.51, 0.51**2
        for _ in range(3):
            m1, m2 = 0.01 + m1 / 2, 1e-4 + 0.01 * m1 + m2 / 4 + 5 / (4 * width) * m2
        table = ntk.finite_width.exact_excess_kurtosis(ntk.zoo.mlp(4), X0, width=width)
        assert table[-1].item() == pytest.approx(3 * (m2 / m1**2 - 1), rel=1e-12)
        assert table[-1].item() == pytest.approx(known, rel=3e-3)


def test_without_biases_depth_over_width_is_what_counts():
    """3((1 + 5/n)^{L−1} − 1) for every input; above 3 at L = n/5, at every width of the figure."""
    x = normal(3, 2, seed=0)
    for depth, width in ((2, 8), (5, 8), (9, 32), (33, 128)):
        table = ntk.finite_width.exact_excess_kurtosis(ntk.zoo.mlp(depth, sigma_b=0.0), x, width=width)
        expected = 3 * ((1 + 5 / width) ** (depth - 1) - 1)
        torch.testing.assert_close(table[-1], torch.full((3,), expected, dtype=torch.float64))
    for width in (32, 128, 1000):
        assert 3 * ((1 + 5 / width) ** (width // 5 - 1) - 1) > 2.9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outputs_are_uncorrelated_and_dependent(seed):
    """corr(f₁, f₂) = 0 and corr(f₁², f₂²) = κ/(3κ + 6), from 3000 networks of width 16; five bootstrap errors."""
    kappa = ntk.finite_width.exact_excess_kurtosis(ntk.zoo.mlp(4), X0, width=16)[-1].item()
    q = torch.full((200_000,), 0.51, dtype=torch.float64)
    for layer in range(3):
        q = 0.01 + (q.sqrt()[:, None] * normal(len(q), 16, seed=10 * seed + layer)).relu().square().mean(1)
    f = q.sqrt()[:, None] * normal(len(q), 2, seed=10 * seed + 5)
    parts = [torch.corrcoef(part.square().T)[0, 1] for part in f.split(5000)]
    squares = torch.stack(parts)
    assert abs(torch.corrcoef(f.T)[0, 1]) < 5 * 1.3 * (1 + kappa) / math.sqrt(len(f))
    assert abs(squares.mean() - kappa / (3 * kappa + 6)) < 5 * squares.std() / math.sqrt(len(parts)) + 0.01


# ---- Hermite coefficients


def test_relu_coefficients_by_quadrature():
    """The closed form for a_0 … a_20, integrated over the half-line; all odd ones from the third on vanish."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z, w = 7 * (1 + nodes), 7 * weights
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    for i in range(21):
        hermite = np.polynomial.hermite_e.hermeval(z, [0] * i + [1]) / math.sqrt(factorial(i))
        assert (w * z * hermite * density).sum() == pytest.approx(relu_coefficient(i), abs=1e-10)
    assert all(relu_coefficient(i) == 0 for i in range(3, 60, 2))


def test_the_series_is_the_dual():
    """Of ReLU within the tail of its coefficients; of tanh, by the library's own coefficients, to 1e-9."""
    rho = torch.linspace(-1, 1, 21, dtype=torch.float64)
    series = sum(relu_coefficient(i) ** 2 * rho**i for i in range(140))
    tail = 0.5 - sum(relu_coefficient(i) ** 2 for i in range(140))
    assert 0 < tail < 1e-4
    assert ((series - ntk.relu.dual(rho, ONE, ONE).value).abs() <= tail + 1e-12).all()
    u, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / weight.sum()
    a = [
        (weight * np.tanh(u) * np.polynomial.hermite_e.hermeval(u, [0] * i + [1])).sum() / math.sqrt(factorial(i))
        for i in range(60)
    ]
    inner = rho[3:18]
    tanh = sum(a[i] ** 2 * inner**i for i in range(60))
    torch.testing.assert_close(tanh, ntk.tanh.dual(inner, ONE, ONE).value, rtol=0, atol=1e-9)


def test_mehlers_formula():
    """E[h_i(y) h_j(z)] = δ_ij ρ^i, by a product rule that is exact for these polynomials."""
    u, weight = np.polynomial.hermite_e.hermegauss(20)
    weight = weight / weight.sum()
    rho = -0.7
    y, z = u[:, None], rho * u[:, None] + math.sqrt(1 - rho**2) * u
    for i in range(6):
        for j in range(6):
            h = [
                np.polynomial.hermite_e.hermeval(t, [0] * k + [1]) / math.sqrt(factorial(k))
                for t, k in ((y, i), (z, j))
            ]
            mean = (np.outer(weight, weight) * h[0] * h[1]).sum()
            assert mean == pytest.approx(rho**i if i == j else 0.0, abs=1e-12)


# ---- positive-definite


@pytest.mark.parametrize("sigma_b", [0.0, 0.1, 1.0])
def test_every_power_is_present_with_a_bias(sigma_b):
    """Σ² on the circle is β² + q₁ Σ c_j s^j; the odd c_j from the third on are 0 without bias, positive with one."""
    b, q1 = 2 * sigma_b**2, 0.5 + sigma_b**2
    c = [
        sum(relu_coefficient(i) ** 2 * comb(i, j) * b ** (i - j) / (1 + b) ** i for i in range(j, 141))
        for j in range(141)
    ]
    angle = torch.linspace(0.3, 2.8, 9, dtype=torch.float64)
    points = torch.stack([angle.cos(), angle.sin()], dim=1)
    s = points[:, 0]
    series = sigma_b**2 + q1 * sum(c[j] * s**j for j in range(141))
    exact = ntk.zoo.mlp(2, sigma_b=sigma_b).nngp(X0, points)[0]
    torch.testing.assert_close(series, exact, rtol=0, atol=2e-5)
    odd = c[3:40:2]
    assert all(value > 0 for value in odd) if sigma_b else all(value == 0 for value in odd)


@pytest.mark.parametrize("activation", [ntk.relu, ntk.erf, ntk.tanh], ids=str)
@pytest.mark.parametrize("depth", [2, 4])
def test_positive_definite_with_bias_on_and_off_the_sphere(activation, depth):
    """Antipodal pairs, and three points of one ray with another off it: Σ and Θ have positive eigenvalues."""
    gamma = torch.tensor([0.3, 1.4, 2.2], dtype=torch.float64)
    half = torch.stack([gamma.cos(), gamma.sin()], dim=1)
    ray = torch.cat([torch.tensor([[1.0], [2.0], [3.0]]).double() @ half[:1], half[1:2]])
    arch = ntk.zoo.mlp(depth, activation, sigma_w=1.5, sigma_b=0.5)
    for points in (torch.cat([half, -half]), ray):
        for kernel in (arch.nngp(points), arch.ntk(points)):
            assert torch.linalg.eigvalsh(kernel)[0] > 1e-7 * kernel.diagonal().mean()


def test_each_hypothesis_is_needed():
    """Singular: ReLU without bias on antipodal pairs, a polynomial with bias, depth 1."""
    gamma = torch.tensor([0.3, 1.4, 2.2], dtype=torch.float64)
    half = torch.stack([gamma.cos(), gamma.sin()], dim=1)
    pairs = torch.cat([half, -half])
    many = normal(12, 2, seed=0)
    for arch, points in (
        (ntk.zoo.mlp(2, sigma_b=0.0), pairs),
        (ntk.zoo.mlp(2, ntk.monomial(2), sigma_b=0.5), many),
        (ntk.zoo.mlp(1, sigma_b=0.5), pairs),
    ):
        kernel = arch.nngp(points)
        assert abs(torch.linalg.eigvalsh(kernel)[0]) < 1e-12 * torch.linalg.eigvalsh(kernel)[-1]


# ---- depth


def correlation_map(activation, sigma_w, sigma_b):
    """C and χ at the fixed point of the variance."""
    q = ONE.reshape(1)
    for _ in range(400):
        q = sigma_w**2 * activation.moments(q).value + sigma_b**2
    chi = (sigma_w**2 * activation.moments(q).slope).item()
    return lambda rho: (sigma_w**2 * activation.dual(rho * q, q, q).value + sigma_b**2) / q, chi


def walked(step, rho, layers):
    rho = torch.tensor([rho], dtype=torch.float64)
    for _ in range(layers):
        rho = step(rho)
    return rho.item()


@pytest.mark.parametrize("activation", [ntk.erf, ntk.tanh], ids=str)
def test_order_and_chaos(activation):
    """χ < 1: every start ends at 1, by the factor χ a layer; χ > 1: two starts meet where C meets the diagonal."""
    ordered, chi = correlation_map(activation, 0.9, 0.2)
    assert chi < 1
    late, later = (1 - walked(ordered, 0.2, layers) for layers in (25, 26))
    assert late < 1e-2
    assert later / late == pytest.approx(chi, abs=0.01)
    chaotic, chi = correlation_map(activation, 2.5, 0.2)
    assert chi > 1
    ends = [walked(chaotic, start, 300) for start in (0.0, 0.99)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)
    assert ends[0] < 0.9
    assert chaotic(torch.tensor([ends[0]]).double()).item() == pytest.approx(ends[0], abs=1e-9)


def test_relu_is_never_chaotic():
    """χ = σ_w²/2; at the edge 1 − ρ falls like ℓ⁻², for a smooth φ like ℓ⁻¹; in order by nearly 2⁴ in four layers."""
    for sigma_w in (0.7, 1.0, 1.3):
        assert correlation_map(ntk.relu, sigma_w, 0.1)[1] == pytest.approx(sigma_w**2 / 2, rel=1e-12)
    edge, chi = correlation_map(ntk.relu, math.sqrt(2), 0.0)
    assert chi == pytest.approx(1, rel=1e-12)
    assert (1 - walked(edge, 0.0, 512)) / (1 - walked(edge, 0.0, 1024)) == pytest.approx(4, rel=0.05)
    order, _ = correlation_map(ntk.relu, 1.0, 0.1)
    assert (1 - walked(order, 0.0, 12)) / (1 - walked(order, 0.0, 16)) == pytest.approx(16, rel=0.05)
    wide = [ntk.zoo.mlp(d, sigma_w=2.0, sigma_b=0.1).nngp(torch.eye(2).double()) for d in (3, 30)]
    near = [(k[0, 1] / k[0, 0]).item() for k in wide]
    assert near[0] < near[1]
    assert near[1] > 0.95


# ---- sample, then optimize


def test_training_the_last_layer_pushes_the_prior_to_the_posterior():
    """f₀ + M(y − f₀) has mean and covariance of the posterior, exactly; with Θ in M the spread is never below it."""
    x, y = ntk.data.circle(5)
    z = normal(6, 2, seed=1)
    arch = ntk.zoo.mlp(4)
    k = {"nngp": arch.nngp(x), "nngp_test": arch.nngp(z, x), "nngp_test_test": arch.nngp(z)}
    posterior = ntk.nngp_posterior(y, **k)
    m = torch.linalg.solve(k["nngp"], k["nngp_test"].T).T
    pushed = k["nngp_test_test"] - m @ k["nngp_test"].T - k["nngp_test"] @ m.T + m @ k["nngp"] @ m.T
    torch.testing.assert_close(pushed, posterior.covariance, rtol=0, atol=1e-9)
    torch.testing.assert_close(m @ y, posterior.mean, rtol=0, atol=1e-8)
    all_layers = ntk.limit_law(y, ntk=arch.ntk(x), ntk_test=arch.ntk(z, x), **k)
    assert torch.linalg.eigvalsh(all_layers.covariance - posterior.covariance)[0] > -1e-9
    assert all_layers.deviation.square().mean() > 1.05 * posterior.deviation.square().mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gradient_descent_on_the_last_layer_ends_where_the_formula_says(seed):
    """2000 steps of one network of width 64, against f₀ + K K⁻¹ (y − f₀) with the kernel of its own features."""
    x, y = ntk.data.circle(4)
    z = normal(5, 2, seed=seed)
    frozen = ntk.Dense(1, 0.1, trained=False)
    net = ntk.serial(frozen, ntk.relu, frozen, ntk.relu, ntk.Dense(1, 0.1)).network(width=64, like=x, seed=seed)
    with torch.no_grad():
        hidden = net[:-1](torch.cat([x, z])) / 8
        f0 = net(torch.cat([x, z]))[:, 0]
    k = hidden @ hidden.T + 0.01
    expected = f0[4:] + k[4:, :4] @ torch.linalg.solve(k[:4, :4], y - f0[:4])
    lr = float(4 / torch.linalg.eigvalsh(k[:4, :4])[-1])
    ntk.gradient_descent(net, x, y, lr=lr, steps=4000)
    with torch.no_grad():
        torch.testing.assert_close(net(z)[:, 0], expected, rtol=0, atol=1e-6)


# ---- real digits


def test_the_published_accuracy_is_met_to_about_a_point():
    """Table 1 of Lee et al. 2018, MNIST:1k, GP: 0.9279 and 0.9266. Ours lie above, by no more than 1.5 points, and
    within 0.3 points of each other."""
    saved = Result.load(RESULTS / "nngp_laptop.npz")
    row = saved["sizes"].tolist().index(1000)
    relu, tanh = (saved[f"accuracy_{name}"][row].mean() for name in ("relu", "tanh"))
    assert 0 < relu - 0.9279 < 0.015
    assert 0 < tanh - 0.9266 < 0.015
    assert abs(relu - tanh) < 0.003
    for name in ("relu", "tanh"):
        assert (np.diff(saved[f"accuracy_{name}"].mean(1)) > 0).all()
