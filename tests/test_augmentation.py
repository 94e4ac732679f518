"""Mirrored images as a kernel."""

import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import ShapeError

X = torch.randn(4, 4, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
ARCH = ntk.zoo.cnn(3, pool=False)


def test_two_terms_equal_the_mean_over_all_four():
    """K(flip x, flip x') = K(x, x')."""
    flipped = X.flip(2)
    four = torch.stack([ARCH.ntk(a, b.clone()) for a in (X, flipped) for b in (X, flipped)]).mean(0)
    torch.testing.assert_close(ntk.flip_augmented(ARCH, X, X.clone()).ntk, four, rtol=1e-7, atol=0)


def test_regression_on_all_mirror_images_is_regression_with_the_mean():
    """Predictions at new images, n equations against 2n."""
    new, y = X[3:], torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64)
    x = X[:3]
    doubled = torch.cat([x, x.flip(2)])
    long = ARCH.ntk(new, doubled) @ torch.linalg.solve(ARCH.ntk(doubled), torch.cat([y, y]))
    short = ntk.flip_augmented(ARCH, new, x).ntk @ torch.linalg.solve(ntk.flip_augmented(ARCH, x).ntk, y)
    torch.testing.assert_close(short, long, rtol=1e-6, atol=0)


@pytest.mark.boundary
def test_vectors_have_no_mirror_image():
    with pytest.raises(ShapeError, match="images"):
        ntk.flip_augmented(ARCH, X.flatten(1))
