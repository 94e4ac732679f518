"""Strips of pixel pairs against the layers' own algebra, which forms every pair of pixels at once."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import ntk_teach as ntk
from ntk_teach.gram.builder import plan_of
from ntk_teach.gram.convolutions import STRIP, ConvolutionPlan
from ntk_teach.gram.plan import LayerPlan

C, S, D, GAP, FLAT = ntk.Conv2d, ntk.serial, ntk.Dense, ntk.GlobalAvgPool(), ntk.Flatten()
TANH_BRANCH = ntk.Residual(S(D(), ntk.relu, C(3)))
IN_STRIPS = {
    "global": S(C(3), ntk.relu, C(3, sigma_b=0.3), ntk.relu, GAP, D(1.3, 0.2)),
    "flat": S(C(3), ntk.relu, C(4, sigma_b=0.3, trained=False), ntk.leaky_relu(0.1), FLAT, D()),
    "torus": S(C(2, padding="circular"), ntk.erf, C(5, padding="circular"), ntk.relu, GAP, D()),
    "wide windows": S(C(7, padding="circular"), ntk.relu, C(3, padding="circular"), ntk.gelu, GAP, D()),
    "residual, pools": S(
        C(3), ntk.relu, C(3), TANH_BRANCH, ntk.erf, ntk.AvgPool(3, 1, "same"), ntk.AvgPool(2), FLAT, D()
    ),
    "straight": S(C(3, sigma_b=0.1), ntk.absolute, C(3, eta_w=0.5, eta_b=0.0), ntk.AvgPool(2), GAP),
    "two dense": S(C(3), ntk.relu, FLAT, D(0.7), D(1.1, 0.3, eta_w=2.0)),
}
NOT_IN_STRIPS = {
    "stride": S(C(3, stride=2), ntk.relu, GAP, D()),
    "valid": S(C(3, padding="valid"), ntk.relu, GAP, D()),
    "pool between": S(C(3), ntk.relu, ntk.AvgPool(2), C(3), ntk.relu, GAP, D()),
    "two borders": S(C(3), ntk.relu, C(3, padding="circular"), ntk.relu, GAP, D()),
    "hidden dense": S(C(3), ntk.relu, GAP, D(), ntk.relu, D()),
}


def images(n: int, channels: int, *, seed: int, size: tuple[int, int] = (6, 5)) -> torch.Tensor:
    """Random ones, among them a black border, a gray image, and one twice."""
    x = torch.randn(n, *size, channels, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    x[1, :2], x[2], x[3] = 0.0, 0.7, x[0]
    return x


def assert_as_plain(arch, x, z=None, *, tolerance=1e-13, **how):
    k = arch.kernel(x.double(), None if z is None else z.double())
    for found, expected in zip(arch.grams(x, z, **how), (k.nngp, k.ntk), strict=True):
        assert float((found.double() - expected).abs().max()) <= tolerance * float(expected.abs().max())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", IN_STRIPS)
def test_strips_equal_the_plain_algebra(name, channels):
    """Every pair of one list, whose diagonal is exact, and of two; with one image that is in both."""
    arch, x, z = IN_STRIPS[name], images(9, channels, seed=1), images(4, channels, seed=2)
    z[0] = x[3]
    assert isinstance(plan_of(arch.layers, x, None), ConvolutionPlan)
    assert_as_plain(arch, x)
    assert_as_plain(arch, x, z)


@pytest.mark.parametrize("name", NOT_IN_STRIPS)
def test_other_networks_go_the_plain_way(name):
    """Where an offset changes on the way, strips would be wrong."""
    x = images(4, 1, seed=1)
    assert isinstance(plan_of(NOT_IN_STRIPS[name].layers, x, None), LayerPlan)
    assert_as_plain(NOT_IN_STRIPS[name], x)


@pytest.mark.parametrize("size", [(12, 3), (3, 12), (1, 4), (2, 2), (16, 16)])
def test_odd_sizes(size):
    """Images that are flat, high, smaller than the window, and so large that pairs come first."""
    x = images(5, 1, seed=3, size=size)
    for name in ("global", "flat", "torus"):
        assert_as_plain(IN_STRIPS[name], x)


@pytest.mark.parametrize("name", ["global", "flat"])
def test_strips_of_any_size_are_the_same(name, monkeypatch):
    """Strips of one pair, of some, of all: also those that an image with itself and two images share."""
    arch, x, z = IN_STRIPS[name], images(9, 2, seed=4), images(4, 2, seed=2)
    expected, across = arch.ntk(x), arch.ntk(x, z)
    for room in (1, 8 * 30 * 4, 8 * 150 * 4, 2**22):
        monkeypatch.setattr("ntk_teach.gram.convolutions.STRIP", room)
        torch.testing.assert_close(arch.ntk(x), expected, rtol=1e-13, atol=0)
        torch.testing.assert_close(arch.ntk(x, z), across, rtol=1e-13, atol=0)


@pytest.mark.parametrize("some", [10**6, 4000, 1], ids=["all turns at once", "some", "one"])
@pytest.mark.parametrize("n", [4, 5, 10, 11])
def test_a_list_with_itself_goes_around_a_circle(n, some, monkeypatch):
    """Each pair once, an even and an odd number of images; equal ones and black ones among them; the same number on
    both sides of the diagonal."""
    monkeypatch.setattr("ntk_teach.gram.convolutions.STRIP", some)
    x = images(n, 1, seed=n)
    x[2] = 0.0
    assert_as_plain(IN_STRIPS["flat"], x)
    kernel = S(C(3), ntk.relu, C(3), ntk.relu, FLAT, D()).ntk(x)
    assert torch.equal(kernel, kernel.T)


@pytest.mark.parametrize("name", ["flat", "residual, pools"])
def test_what_is_kept_of_a_read_out_is_kept_apart(name):
    """Its weights belong to one size of images, one precision and one network."""
    assert_as_plain(IN_STRIPS[name], images(5, 1, seed=8))
    assert_as_plain(IN_STRIPS[name], images(5, 1, seed=8, size=(5, 6)))
    assert_as_plain(IN_STRIPS[name], images(5, 1, seed=8).float(), tolerance=2e-5)
    assert_as_plain(S(C(3), ntk.relu, GAP, D()), images(5, 1, seed=8))


def test_images_that_are_black():
    """Without biases nothing varies there: ρ is 0 by convention, in both precisions, with itself and with others."""
    arch, x = S(C(3), ntk.relu, C(3), ntk.relu, C(3), ntk.relu, GAP, D()), images(5, 1, seed=9, size=(12, 12))
    x[0, :6], x[4] = 0.0, 0.0
    assert_as_plain(arch, x)
    assert_as_plain(arch, x.float(), tolerance=2e-5)
    assert float(arch.ntk(x)[4].abs().max()) < 1e-100


def test_single_precision_and_tiles():
    """Float32 within 2e-5; tiles of any size, threads or not."""
    arch, x = IN_STRIPS["global"], images(11, 1, seed=5)
    assert_as_plain(arch, x.float(), tolerance=2e-5)
    assert_as_plain(arch, x, tile=4)
    assert torch.equal(arch.nngp(x), arch.grams(x).nngp)


def test_symmetry_is_exact():
    """One list gives a symmetric matrix to the last digit."""
    kernel = IN_STRIPS["torus"].ntk(images(10, 1, seed=6))
    assert torch.equal(kernel, kernel.T)


def test_a_broken_rule_names_its_layer():
    """The plan walks the layers in place of the plain algebra, and says the same."""
    with pytest.raises(ntk.errors.RuleError, match="layer 2 of 5, relu"):
        S(ntk.Flatten(), ntk.relu, C(3), GAP, D()).ntk(images(4, 1, seed=1))
    with pytest.raises(ntk.errors.RuleError, match=r"layer 3 of 6, relu: expected Gaussian units"):
        S(C(3), ntk.relu, ntk.relu, C(3), GAP, D()).ntk(images(4, 1, seed=1))


def test_a_plan_cut_for_a_worker():
    """What an executor gets computes its own block."""
    arch, x = IN_STRIPS["global"], images(9, 1, seed=7)
    plan = plan_of(arch.layers, x, None).sliced(slice(1, 4), slice(5, 9))
    nngp, ntk_ = plan.tile(slice(0, 3), slice(0, 4), list(torch.empty(5, 3, 4, dtype=x.dtype)), True)
    k = arch.kernel(x)
    torch.testing.assert_close(nngp, k.nngp[1:4, 5:9], rtol=1e-13, atol=0)
    torch.testing.assert_close(ntk_, k.ntk[1:4, 5:9], rtol=1e-13, atol=0)


class Largest(TorchDispatchMode):
    """Bytes of the largest storage that any operation returned."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor):
                self.bytes = max(self.bytes, tensor.untyped_storage().nbytes())
        return result


def test_memory_is_that_of_strips():
    """No tensor holds the pixel pairs of more than one pair of images, however many images there are."""
    pixels = 12 * 12
    x = torch.rand(12, 12, 12, 1, dtype=torch.float64)
    for arch, most in ((IN_STRIPS["global"], 8 * pixels**2), (IN_STRIPS["flat"], 0)):
        with Largest() as largest:
            arch.ntk(x)
        assert largest.bytes <= max(most, 5 * STRIP)
    with Largest() as plain:
        S(C(3), GAP).kernel(x)
    assert plain.bytes >= 144 * 8 * pixels**2 > 2 * largest.bytes
