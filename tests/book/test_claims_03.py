"""What the chapter on random features claims, asserted from outside: identities first, then laws in bands."""

import math

import numpy as np
import pytest
import torch

import ntk_teach as ntk

pytestmark = pytest.mark.usefixtures("unchecked")
FOUR = torch.tensor([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], dtype=torch.float64)
LAYER = ntk.serial(ntk.Dense(math.sqrt(2)), ntk.relu)
CIRCLE = ntk.data.circle(31)[0]


def drawn(count, seed, like=FOUR, activation=ntk.relu, **scales):
    scales = {"sigma_w": math.sqrt(2)} | scales
    return ntk.RandomFeatures.of_activation(activation, count=count, like=like, seed=seed, **scales)


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ---- the kernel: inner, not outer


def test_gram_and_hessian_share_their_spectrum_and_the_slide_its_trace():
    """JJᵀ/N and JᵀJ/N have the same non-zero eigenvalues; JᵀJ/N is the Hessian; the trace of the outer product is K̃."""
    x, y = ntk.data.gaussian(6, seed=0)
    model = drawn(10, 0)
    f = model.features(x)
    hessian = torch.func.hessian(lambda t: (model.predict(t, x) - y).square().mean() / 2)(normal(10, seed=1))
    torch.testing.assert_close(hessian, f.T @ f / 60, rtol=1e-12, atol=1e-13)
    large, small = torch.linalg.eigvalsh(hessian), torch.linalg.eigvalsh(model.gram(x) / 6)
    torch.testing.assert_close(large[4:], small, rtol=1e-9, atol=1e-13)
    assert large[:4].abs().max() < 1e-13
    outer = f[:1].T @ f[1:2] / 10
    torch.testing.assert_close(outer.trace(), model.gram(x[:1], x[1:2])[0, 0], rtol=1e-12, atol=1e-14)


# ---- the law of large numbers


def exact_constant():
    """c² = Σ Var[f f'] for ReLU features of unit vectors, by the arc-cosine kernels of degree 1 and 2."""
    cosine = (FOUR @ FOUR.T).clamp(-1, 1)
    angle = cosine.arccos()
    j2 = 3 * angle.sin() * cosine + (math.pi - angle) * (1 + 2 * cosine**2)
    return (j2 / (2 * math.pi) - LAYER.kernel(FOUR).nngp ** 2).sum()


@pytest.mark.parametrize("master", [1, 2, 3])
@pytest.mark.parametrize("count", [100, 3000])
def test_the_squared_error_is_c_squared_over_p(count, master):
    """E‖K̃ − K‖² = c²/P exactly, 400 draws, five standard errors."""
    kernel = LAYER.kernel(FOUR).nngp
    draws = [drawn(count, 10_000 * master + s).gram(FOUR) - kernel for s in range(400)]
    squares = count * torch.stack([gap.square().sum() for gap in draws])
    assert abs(squares.mean() - exact_constant()) <= 5 * squares.std() / math.sqrt(400)


@pytest.mark.parametrize("master", [1, 2, 3])
def test_gaussian_features_have_the_same_limit_and_their_own_constant(master):
    """c² = (tr K)² + ‖K‖²_F, and smaller than that of ReLU features with the same covariance."""
    kernel = LAYER.kernel(FOUR).nngp
    f = torch.linalg.cholesky(kernel) @ normal(500, 4, 200, seed=master)  # 500 draws of 200 features
    squares = 200 * (f @ f.mT / 200 - kernel).square().sum(dim=(1, 2))
    expected = kernel.trace() ** 2 + kernel.square().sum()
    assert abs(squares.mean() - expected) <= 5 * squares.std() / math.sqrt(500)
    assert expected < exact_constant()


@pytest.mark.parametrize("master", [1, 2, 3])
def test_random_cosines_have_the_gaussian_kernel(master):
    """E[2 cos(w·x + b) cos(w·x' + b)] = exp(−‖x − x'‖²/2), within five standard errors entry by entry."""
    w, generator = normal(2, 40_000, seed=master), torch.Generator().manual_seed(50 + master)
    b = 2 * math.pi * torch.rand(40_000, generator=generator, dtype=torch.float64)
    f = math.sqrt(2) * torch.cos(FOUR @ w + b)
    products = f[:, None] * f[None, :]  # [4, 4, P]
    error = products.std(dim=2) / 200
    assert ((products.mean(dim=2) - torch.exp(-(torch.cdist(FOUR, FOUR) ** 2) / 2)).abs() <= 5 * error + 1e-12).all()


# ---- two descents


@pytest.mark.parametrize("count", [1, 7, 50])
def test_gradient_descent_is_kernel_gradient_descent(count):
    """On and off the data, at any P, also beyond the stable step size."""
    x, y = ntk.data.circle(12)
    model, theta = drawn(count, 3, like=x, activation=ntk.erf, sigma_b=1.0), normal(count, seed=4)
    f0, off = model.predict(theta, x), model.predict(theta, CIRCLE)
    critical = 2 * 12 / float(torch.linalg.eigvalsh(model.gram(x))[-1])
    for lr, steps in ((0.5, 300), (1.2 * critical, 6)):
        path = ntk.kernel_gradient_descent(model.gram(x), y, lr=lr, steps=[steps], f0=f0)
        trained = model.predict(model.gradient_descent(theta, x, y, lr=lr, steps=steps), CIRCLE)
        expected = path.predict(model.gram(CIRCLE, x), off)[0]
        torch.testing.assert_close(trained, expected, rtol=1e-12, atol=1e-12)


def test_the_identity_holds_for_another_cost():
    """Logistic cost: the theorem asks for a derivative and nothing else."""
    x, y = ntk.data.circle(10)
    y = y.sign() + (y == 0)
    model, theta = drawn(20, 5, like=x, sigma_b=1.0), normal(20, seed=6)
    path = ntk.kernel_gradient_descent(model.gram(x), y, ntk.logistic, lr=0.7, steps=[50], f0=model.predict(theta, x))
    expected = path.predict(model.gram(CIRCLE, x), model.predict(theta, CIRCLE))[0]
    slope = torch.func.grad(lambda t: ntk.logistic.value(model.predict(t, x), y))
    for _ in range(50):
        theta = theta - 0.7 * slope(theta)
    torch.testing.assert_close(model.predict(theta, CIRCLE), expected, rtol=1e-12, atol=1e-12)


# ---- where it ends


def test_the_end_is_the_nearest_minimizer_and_kernel_regression_plus_the_start():
    """θ_∞ by many steps; no other minimizer is nearer; f_∞(x) = K̃K̃⁻¹y + f₀ − K̃K̃⁻¹f₀(X)."""
    angles = torch.tensor([-2.2, -0.8, 0.6, 1.9], dtype=torch.float64)
    x = torch.stack([angles.cos(), angles.sin()], dim=1)
    y, model, start = x.prod(1), drawn(100, 3, like=x, sigma_b=0.5), normal(100, seed=7)
    end = model.gradient_descent(start, x, y, lr=1.0, steps=4000)
    j = model.features(x) / 10
    torch.testing.assert_close(end, start + torch.linalg.pinv(j) @ (y - j @ start), rtol=1e-9, atol=1e-10)
    null = torch.eye(100, dtype=torch.float64) - torch.linalg.pinv(j) @ j
    torch.testing.assert_close(null @ end, null @ start, rtol=1e-11, atol=1e-11)
    for seed in range(5):
        other = end + null @ normal(100, seed=seed)
        torch.testing.assert_close(j @ other, y, rtol=1e-8, atol=1e-8)
        assert (other - start).norm() > (end - start).norm()
    m = torch.linalg.solve(model.gram(x), model.gram(x, CIRCLE)).T
    expected = m @ y + model.predict(start, CIRCLE) - m @ model.predict(start, x)
    torch.testing.assert_close(model.predict(end, CIRCLE), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_share_of_the_start_that_is_remembered(master):
    """1 − N/P on average over θ₀, 0 with fewer features than data; the cost at the end is 0 or not, the other way."""
    pixels, labels = ntk.data.digits(20, seed=0)
    sign = 1.0 - 2.0 * (labels % 2).double()
    for count in (10, 40, 400):
        f = drawn(count, master, like=pixels, activation=ntk.erf, sigma_w=1.0, sigma_b=0.1).features(pixels)
        j = f / math.sqrt(count)
        starts = normal(count, 200, seed=master)
        unseen = starts - torch.linalg.pinv(j) @ (j @ starts)
        share = unseen.square().sum(0) / starts.square().sum(0)
        assert abs(share.mean() - max(0, 1 - 20 / count)) <= 5 * share.std() / math.sqrt(200) + 1e-9
        left = (j @ torch.linalg.pinv(j) @ sign - sign).square().mean() / 2
        assert (left < 1e-20) == (count >= 20)


# ---- training in the limit


def flows(count, seed, x, y):
    """The limiting kernel and one of ``count`` features, each on the data and off it."""
    wide = ntk.serial(ntk.Dense(math.sqrt(2), 1.0), ntk.relu)
    model = drawn(count, seed, like=x, sigma_b=1.0)
    k, cross = wide.kernel(x).nngp, wide.kernel(CIRCLE, x).nngp
    return (k, cross), (model.gram(x), model.gram(CIRCLE, x))


@pytest.mark.parametrize("count", [50, 100_000])
def test_the_bounds_of_the_theorem_on_training(count):
    """At every t for any K̃; with t = ∞ in place where K̃ is near enough to a positive-definite K."""
    x, y = ntk.data.circle(5)
    (k, cross), (k_p, cross_p) = flows(count, 1, x, y)
    one, other = ntk.LeastSquares.fit(k, y), ntk.LeastSquares.fit(k_p, y)
    a_b = float(torch.linalg.matrix_norm(k_p - k, 2)) / 5
    row_gap, row = (cross_p - cross).norm(dim=1) / 5, cross.norm(dim=1) / 5
    for t in (0.1, 3.0, 40.0):
        on = (other.at(t) - one.at(t)).norm()
        assert on <= t * a_b * y.norm() * (1 + 1e-9)
        off = (other.predict(cross_p, t) - one.predict(cross, t)).abs()
        assert (off <= (t * row_gap + t**2 / 2 * row * a_b) * y.norm() * (1 + 1e-9)).all()
    mu = float(torch.linalg.eigvalsh(k)[0]) / 10
    if count == 100_000:
        assert a_b <= mu
        times = torch.cat([torch.logspace(-1, 5, 60, dtype=torch.float64), torch.tensor([math.inf])])
        on = (other.at(times) - one.at(times)).norm(dim=1).max()
        assert on <= a_b * y.norm() / (math.e * mu)
        off = (other.predict(cross_p, times) - one.predict(cross, times)).abs().amax(0)
        assert (off <= (row_gap / mu + row * a_b / mu**2) * y.norm()).all()


@pytest.mark.parametrize("master", [1, 2, 3])
def test_the_trained_function_comes_to_its_limit_like_one_over_the_root(master):
    """Largest difference over times and the circle, 30 draws at P = 400 and 25 600: slope −1/2 within a tenth."""
    x, y = ntk.data.circle(12)
    times = torch.logspace(-1, 4, 20, dtype=torch.float64)
    rms = []
    for count in (400, 25_600):
        gaps = []
        for s in range(30):
            (k, cross), (k_p, cross_p) = flows(count, 1000 * master + s, x, y)
            one, other = ntk.LeastSquares.fit(k, y), ntk.LeastSquares.fit(k_p, y)
            gaps.append((other.predict(cross_p, times) - one.predict(cross, times)).abs().max())
        rms.append(float(torch.stack(gaps).square().mean().sqrt()))
    assert math.log(rms[1] / rms[0]) / math.log(64) == pytest.approx(-0.5, abs=0.1)


# ---- digits


def test_the_peak_at_as_many_features_as_digits():
    """Trained to the end: worse at P = N than with a quarter or thirty times as many; stopped: no peak."""
    pixels, labels = ntk.data.digits(1200, seed=0)
    x, x_test, truth = pixels[:200], pixels[200:], labels[200:]
    y = ntk.data.centered_one_hot(labels[:200], 10)

    def misread(k, k_test):
        f = ntk.LeastSquares.fit(k, y).predict(k_test, torch.tensor([1e4, math.inf], dtype=torch.float64))
        return (f.argmax(-1) != truth).double().mean(-1)

    def with_features(count):
        models = [drawn(count, 7 * count + s, like=x, activation=ntk.erf, sigma_w=1.0, sigma_b=0.1) for s in range(3)]
        return torch.stack([misread(m.gram(x), m.gram(x_test, x)) for m in models]).median(0).values

    hidden = ntk.serial(ntk.Dense(1.0, 0.1), ntk.erf)
    limit = misread(hidden.kernel(x).nngp, hidden.kernel(x_test, x).nngp)
    few, equal, many = (with_features(count) for count in (50, 200, 6000))
    assert equal[1] > 2 * few[1]
    assert equal[1] > 5 * many[1]
    assert (many - limit).abs().max() < 0.02
    assert few[0] > equal[0]
    assert (equal[0] - limit[0]).abs() < 0.03


def test_some_relu_features_are_zero_on_all_the_digits_and_the_peak_moves_right():
    """So P = 200 features of rank below 200 are not yet the worst."""
    pixels, labels = ntk.data.digits(1200, seed=0)
    x, y = pixels[:200], ntk.data.centered_one_hot(labels[:200], 10)
    misread = {}
    for count in (200, 220):
        models = [drawn(count, 10 * count + s, like=x, sigma_w=1.0, sigma_b=0.1) for s in range(5)]
        ranks = [int(torch.linalg.matrix_rank(model.features(x))) for model in models]
        assert (max(ranks) < 200) == (count == 200)
        assert all((model.features(x) == 0).all(0).any() for model in models)
        f = [ntk.LeastSquares.fit(m.gram(x), y).predict(m.gram(pixels[200:], x)) for m in models]
        misread[count] = float(np.median([float((one.argmax(1) != labels[200:]).double().mean()) for one in f]))
    assert misread[220] > misread[200] > 0.2


# ---- a network, linearized


@pytest.mark.parametrize("activation", [ntk.relu, ntk.erf])
def test_the_linearized_network_is_a_random_feature_model(activation):
    """Its Gram matrix is the empirical NTK, and its gradient descent is kernel gradient descent, to 1e-12."""
    x, y = ntk.data.circle(12)
    net = ntk.zoo.mlp(3, activation).network(width=[9, 7], like=x, seed=0)
    j, theta = ntk.tangent_features(net, x)[:, 0], ntk.empirical_ntk(net, x)
    torch.testing.assert_close(j @ j.T, theta, rtol=1e-12, atol=1e-13)
    model = ntk.RandomFeatures(lambda z: math.sqrt(j.shape[1]) * ntk.tangent_features(net, z)[:, 0], count=j.shape[1])
    torch.testing.assert_close(model.gram(CIRCLE, x), ntk.empirical_ntk(net, CIRCLE, x), rtol=1e-12, atol=1e-13)
    linear = ntk.linearize(net)
    ntk.gradient_descent(linear, x, y, lr=1.0, steps=300)
    with torch.no_grad():
        f0, off, trained = net(x)[:, 0], net(CIRCLE)[:, 0], linear(CIRCLE)[:, 0]
    path = ntk.kernel_gradient_descent(theta, y, lr=1.0, steps=[300], f0=f0)
    torch.testing.assert_close(trained, path.predict(model.gram(CIRCLE, x), off)[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation, low, high", [(ntk.relu, -1.05, -0.25), (ntk.erf, -1.3, -0.5)])
def test_a_wide_network_stays_near_its_linearization(activation, low, high):
    """The distance after a hundred steps shrinks with the width, in three groups of seeds."""
    x, y = ntk.data.circle(20)
    arch, widths = ntk.zoo.mlp(3, activation), (32, 128)
    for master in range(3):
        seeds = range(100 * master, 100 * master + 8)
        rms = []
        for width in widths:
            real = ntk.train_ensemble(
                arch, x, y, width=width, seeds=seeds, steps=100, at=[0, 100], x_test=CIRCLE, parameters_at=()
            )
            gaps = []
            for f, off, seed in zip(real.f, real.f_test, seeds, strict=True):
                net = arch.network(width=width, like=x, seed=seed)
                path = ntk.kernel_gradient_descent(ntk.empirical_ntk(net, x), y, lr=1.0, steps=[100], f0=f[0])
                gaps.append((off[1] - path.predict(ntk.empirical_ntk(net, CIRCLE, x), off[0])[0]).square().mean())
            rms.append(float(torch.stack(gaps).mean().sqrt()))
        assert low < np.log(rms[1] / rms[0]) / np.log(4) < high, f"master {master}: {rms}"
