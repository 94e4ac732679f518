"""What chapter 09 says, with the library from outside: the theorems exactly, the slope in bands."""

import math

import pytest
import torch

import ntk_teach as ntk
from ntk_teach import AvgPool, Conv2d, Dense, Flatten, GlobalAvgPool, relu, serial

pytestmark = pytest.mark.usefixtures("unchecked")

ROOT = math.sqrt(2)
SIDES = (4, 5)
MASTERS = pytest.mark.parametrize("master", [0, 1000, 2000])


def drawn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


X, Z = drawn(2, *SIDES, 2, seed=1), drawn(3, *SIDES, 2, seed=2)


def layers(padding="circular", stride=1, *, between=()):
    convolution = Conv2d(3, stride, padding, sigma_w=ROOT, sigma_b=0.2)
    return [convolution, relu, *between, Conv2d(3, 1, padding, sigma_w=ROOT, sigma_b=0.2), relu]


def read(body, *read_out):
    return serial(*body, *read_out, Dense(ROOT, 0.1))


def translates(x):
    return torch.cat([x.roll((r, c), dims=(1, 2)) for r in range(SIDES[0]) for c in range(SIDES[1])])


def mean_over_translates(arch, x, z):
    """Both kernels, the mean over all translates of each z."""
    grams = [arch.grams(x, translates(one[None])) for one in z]
    return [torch.stack([getattr(g, name).mean(1) for g in grams], dim=1) for name in ("nngp", "ntk")]


# ---- translations


@pytest.mark.parametrize("between", [(), (AvgPool(2, 1, "circular"),)], ids=["plain", "with a pool"])
def test_gap_is_full_translation_augmentation(between) -> None:
    """Σ and Θ, exactly, for circular padding and stride 1, local pools included."""
    body = layers(between=between)
    augmented, pooled = mean_over_translates(read(body, Flatten()), X, Z), read(body, GlobalAvgPool()).grams(X, Z)
    torch.testing.assert_close(augmented[0], pooled.nngp, rtol=1e-12, atol=0)
    torch.testing.assert_close(augmented[1], pooled.ntk, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("padding", "stride"), [("same", 1), ("valid", 1), ("circular", 2)])
def test_each_hypothesis_is_needed(padding, stride) -> None:
    """Zeros around, no padding, a stride: off by more than a percent."""
    body = layers(padding, stride) if padding != "valid" else [Conv2d(3, 1, "valid", sigma_w=ROOT), relu]
    augmented = mean_over_translates(read(body, Flatten()), X, Z)[1]
    pooled = read(body, GlobalAvgPool()).ntk(X, Z)
    assert float((augmented - pooled).norm() / pooled.norm()) > 0.01


def test_regression_with_gap_is_regression_on_all_translates() -> None:
    """With ridge hw·λ on hw·N images, at every new image."""
    flat, pool = read(layers(), Flatten()), read(layers(), GlobalAvgPool())
    y, many, count = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64), translates(Z), SIDES[0] * SIDES[1]
    order = torch.cat([y[j].expand(count) for j in range(3)])
    images = torch.cat([translates(one[None]) for one in Z])
    eye = torch.eye(len(many), dtype=torch.float64)
    long = flat.ntk(X, images) @ torch.linalg.solve(flat.ntk(images) + 0.3 * count * eye, order)
    short = pool.ntk(X, Z) @ torch.linalg.solve(pool.ntk(Z) + 0.3 * eye[:3, :3], y)
    torch.testing.assert_close(long, short, rtol=1e-9, atol=1e-12)


def test_the_two_flows_agree_at_every_time() -> None:
    """From f₀ = 0, before and after convergence; the mean over the images is in the cost."""
    flat, pool = read(layers(), Flatten()), read(layers(), GlobalAvgPool())
    y, count = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64), SIDES[0] * SIDES[1]
    images = torch.cat([translates(one[None]) for one in Z])

    def trained(arch, x, targets, t):
        rates, vectors = torch.linalg.eigh(arch.ntk(x) / len(x))
        kept = torch.where(rates > 1e-9, -torch.expm1(-rates * t) / rates.clamp(min=1e-9), t)
        return arch.ntk(X, x) @ (vectors @ (kept * (vectors.T @ targets))) / len(x)

    for t in (0.5, 5.0, 50.0):
        long = trained(flat, images, y.repeat_interleave(count), t)
        torch.testing.assert_close(long, trained(pool, Z, y, t), rtol=1e-8, atol=1e-10)


def test_a_pool_as_large_as_the_circle_is_gap_and_of_one_pixel_is_flatten() -> None:
    """LAP contains both."""
    x, z = drawn(2, 4, 4, 1, seed=3), drawn(2, 4, 4, 1, seed=4)
    for window, read_out in ((4, GlobalAvgPool()), (1, Flatten())):
        local = read(layers(), AvgPool(window, 1, "circular"), Flatten()).ntk(x, z)
        torch.testing.assert_close(local, read(layers(), read_out).ntk(x, z), rtol=1e-12, atol=0)


def test_circular_gap_cannot_tell_a_translate() -> None:
    """The last frame of the picture is a constant line."""
    arch = read(layers(), GlobalAvgPool())
    row = arch.ntk(X[:1], translates(X[:1]))[0]
    torch.testing.assert_close(row, row[:1].expand_as(row), rtol=1e-9, atol=0)


# ---- sharing, borders, black patches


@MASTERS
def test_without_pooling_sharing_leaves_no_trace(master) -> None:
    """Locally connected networks, every site with weights of its own: both kernels within five standard errors of the
    convolutional limit with Flatten, which one hidden layer has as its mean at any width.
    """
    x, width = drawn(2, 3, 3, 1, seed=5), 64
    arch = serial(Conv2d(3, sigma_w=ROOT), relu, Flatten(), Dense(ROOT))
    patches = torch.nn.functional.unfold(x.movedim(-1, 1), 3, padding=1)  # [n, 9, sites]
    sigma, theta = [], []
    for seed in range(60):
        w = drawn(9, width, 9, seed=master + seed)  # [sites, channels, offsets]
        v = drawn(9, width, seed=5000 + master + seed)
        pre = ROOT / 3 * torch.einsum("sco,nos->nsc", w, patches)
        scale = ROOT / math.sqrt(9 * width)
        f = scale * torch.einsum("sc,nsc->n", v, pre.relu())
        by_w = scale * ROOT / 3 * torch.einsum("sc,nsc,nos->nsco", v, (pre > 0).double(), patches).flatten(1)
        by_v = scale * pre.relu().flatten(1)
        sigma.append(torch.outer(f, f))
        theta.append(by_w @ by_w.T + by_v @ by_v.T)
    for found, limit in ((sigma, arch.nngp(x)), (theta, arch.ntk(x))):
        draws = torch.stack(found)
        error = draws.std(0) / math.sqrt(len(draws))
        assert float(((draws.mean(0) - limit).abs() / error).max()) < 5


def test_with_pooling_sharing_shows() -> None:
    """GAP compares different sites, which a locally connected network leaves uncorrelated: most of the mean."""
    k = serial(Conv2d(3, sigma_w=ROOT), relu).kernel(X, X.flip(0))
    same_sites = k.nngp.diagonal(dim1=-2, dim2=-1).sum(-1) / 20**2
    assert float((same_sites / k.nngp.mean((-2, -1))).max()) < 0.5


def test_the_border_is_dark_by_the_stated_factors() -> None:
    """4/9 in the corner, 2/3 at the edge, the product of both means for a pool; nothing special on a circle."""
    white = torch.ones(1, 8, 8, 1, dtype=torch.float64)

    def variances(*layers):
        return serial(*layers).kernel(white).self1[0].diagonal().reshape(8, 8)

    zeros = variances(Conv2d(3))
    assert [float(zeros[place]) for place in ((0, 0), (0, 4), (4, 4))] == pytest.approx([4 / 9, 2 / 3, 1])
    pooled = variances(Conv2d(1), AvgPool(3, 1, "same"))
    assert [float(pooled[place]) for place in ((0, 0), (0, 4))] == pytest.approx([16 / 81, 4 / 9])
    assert float(variances(*[Conv2d(3, padding="circular"), relu] * 2, Conv2d(3)).std()) > 0
    circle = variances(Conv2d(3, padding="circular"), relu, Conv2d(3, padding="circular"))
    assert float(circle.std()) < 1e-15


def test_black_patches_have_no_tangent_kernel() -> None:
    """Without biases Θ vanishes exactly where a variance does, at every depth, and nothing is NaN."""
    digit = ntk.data.digits(3, seed=0)[0].reshape(3, 8, 8, 1).clone()
    digit[:, :, 5:] = 0
    for depth in (1, 2, 3):
        body = [Conv2d(3, sigma_w=ROOT), *[relu, Conv2d(3, sigma_w=ROOT)] * (depth - 1)]
        k = serial(*body).kernel(digit)
        for image in range(3):
            black = k.self1[image].diagonal() == 0
            assert bool(black.any()) == (depth < 3)
            assert not k.ntk[image, :, black].any()
    assert ntk.zoo.cnn(5).ntk(digit).isfinite().all()


# ---- flips, and the limit


def test_flips_average_over_a_group_of_two() -> None:
    """Zeros around the image are symmetric: K(flip x, flip z) = K(x, z)."""
    arch = read(layers("same"), Flatten())
    torch.testing.assert_close(arch.ntk(X.flip(2), Z.flip(2)), arch.ntk(X, Z), rtol=1e-12, atol=0)
    augmented = (arch.ntk(X, Z) + arch.ntk(X, Z.flip(2))) / 2
    torch.testing.assert_close(ntk.flip_augmented(arch, X, Z).ntk, augmented, rtol=1e-12, atol=0)


@MASTERS
@pytest.mark.parametrize("read_out", [Flatten(), GlobalAvgPool()], ids=["flat", "mean"])
def test_finite_networks_approach_with_slope_minus_one_half(master, read_out) -> None:
    """Mean distance on two digits at widths 8 (120 draws) and 256 (40). One distance scatters by up to 1.1 and 0.8 of
    its mean, the slope between these widths so by 0.05, and four times that is allowed.
    """
    x = ntk.data.digits(2, seed=0)[0].reshape(2, 8, 8, 1)
    convolution = Conv2d(3, sigma_w=ROOT)
    arch, means = serial(convolution, relu, convolution, relu, read_out, Dense(ROOT)), []
    limit, small = arch.ntk(x), x.float()
    for width, draws in ((8, 120), (256, 40)):
        nets = [arch.network(width=width, like=small, seed=master + seed) for seed in range(draws)]
        means.append(float(torch.stack([(ntk.empirical_ntk(net, small) - limit).norm() for net in nets]).mean()))
    assert math.log(means[1] / means[0]) / math.log(32) == pytest.approx(-0.5, abs=0.2)
