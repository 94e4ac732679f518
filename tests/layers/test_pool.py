"""Local and global means of pixels, and flattening."""

import torch
from site_networks import ROOT, drawn

from ntk_teach import (
    AvgPool,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    relu,
    serial,
)


def test_pooling_is_averaging_over_all_translations_on_a_torus_alone():
    """Li et al. 2019: with circular padding and stride 1, K_GAP(x, z) is the mean of K_flat(x, shifted z)."""
    x = drawn(2, 4, 5, 2)
    moves = [(i, j) for i in range(4) for j in range(5)]

    def gap_and_augmented(padding: str) -> tuple[torch.Tensor, torch.Tensor]:
        body = [Conv2d(3, 1, padding, sigma_w=ROOT), relu, Conv2d(3, 1, padding, sigma_w=ROOT), relu]
        flat, pooled = serial(*body, Flatten(), Dense()), serial(*body, GlobalAvgPool(), Dense())
        shifted = torch.stack([flat.ntk(x, x.roll(move, (1, 2))) for move in moves]).mean(0)
        return pooled.ntk(x, x.clone()), shifted

    torch.testing.assert_close(*gap_and_augmented("circular"), rtol=1e-7, atol=0)
    pooled, shifted = gap_and_augmented("same")
    assert float(((pooled - shifted) / pooled).abs().max()) > 0.01


def test_local_pooling_over_everything_is_global_pooling():
    """A circular pool as large as the image, then flattened."""
    x = drawn(2, 5, 5, 2)
    body = [Conv2d(3, 1, "circular", sigma_w=ROOT), relu]
    local = serial(*body, AvgPool(5, 1, "circular"), Flatten(), Dense()).ntk(x)
    torch.testing.assert_close(local, serial(*body, GlobalAvgPool(), Dense()).ntk(x), rtol=1e-12, atol=0)


def test_black_images_have_a_kernel():
    """Without a bias nothing moves: Σ is 0 and Θ finite, never NaN."""
    x = torch.zeros(2, 4, 4, 1, dtype=torch.float64)
    x[1, 2, 2] = 1
    for read in (Flatten(), GlobalAvgPool()):
        both = serial(Conv2d(), relu, Conv2d(), relu, read, Dense()).grams(x)
        assert torch.isfinite(both.ntk).all()
        assert both.nngp[0].abs().max() == 0
