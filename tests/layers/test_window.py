"""Windows that slide over a grid."""

import pytest
import torch
from site_networks import drawn

from ntk_teach.layers.window import left, summed


@pytest.mark.parametrize(
    ("size", "window", "stride", "padding", "expected"),
    [
        (5, 3, 1, "same", 5),
        (5, 3, 2, "same", 3),
        (6, 3, 2, "circular", 3),
        (6, 3, 2, "valid", 2),
        (3, 3, 1, "valid", 1),
    ],
)
def test_the_number_of_windows(size, window, stride, padding, expected):
    assert left(size, window, stride, padding) == expected


@pytest.mark.parametrize("padding", ["same", "valid", "circular"])
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_sums_equal_torch_s_own(window, stride, padding):
    """Along one axis, a convolution with ones, of the padded signal."""
    x = drawn(7)
    count = left(7, window, stride, padding)
    before = 0 if padding == "valid" else max((count - 1) * stride + window - 7, 0) // 2
    at = torch.arange(count)[:, None] * stride + torch.arange(window) - before
    seen = x[at % 7] * (1.0 if padding == "circular" else ((at >= 0) & (at < 7)).double())
    torch.testing.assert_close(summed(x, (0,), window, stride, padding), seen.sum(1))
