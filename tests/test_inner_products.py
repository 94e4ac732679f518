"""Inner products keep the angle between nearly collinear inputs."""

import math

import pytest
import torch
from strategies import inputs

from ntk_teach.inner_products import inner_products, nearly_collinear


def test_generic_pairs_are_the_matrix_product():
    """Nothing else happens to pairs in general position."""
    x1, x2 = inputs(5, 30, seed=1), inputs(4, 30, seed=2)
    assert torch.equal(inner_products(x1, x2), x1 @ x2.T)


@pytest.mark.parametrize("dtype, angles", [(torch.float64, (1e-3, 1e-7)), (torch.float32, (1e-1, 1e-3))])
@pytest.mark.parametrize("scale", [1.0, -2.5])
def test_the_cosine_of_a_small_angle_is_right_to_the_last_digits(dtype, angles, scale):
    """1 − |cos| of two directions a small angle apart, in 2000 dimensions, to two units in the last place of 1."""
    base, across = inputs(2, 2000, seed=4)
    base, across = base / base.norm(), across - (across @ base) * base / base.square().sum()
    across = across / across.norm()
    for angle in angles:
        x = base.to(dtype)[None]
        y = (scale * (math.cos(angle) * base + math.sin(angle) * across)).to(dtype)[None]
        exact = float(torch.nn.functional.cosine_similarity(x.double(), y.double()))
        ours = inner_products(x, y) / (torch.linalg.vector_norm(x) * torch.linalg.vector_norm(y))
        assert abs(exact) > nearly_collinear(dtype) or angle in (1e-3, 1e-1)
        assert abs(float(ours) - exact) <= 4 * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_copies_have_cosine_one_in_high_dimension(dtype):
    """Duplicates, multiples and opposites of vectors of 50 000 coordinates: within four units in the last place, where
    the matrix product alone is off by a dozen and more."""
    x = torch.randn(40, 50_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)
    for y, sign in ((x.clone(), 1), (3.7 * x, 1), (-x, -1)):
        norms = torch.linalg.vector_norm(x, dim=1) * torch.linalg.vector_norm(y, dim=1)
        cosine = inner_products(x, y).diagonal() / norms
        assert float((cosine - sign).abs().max()) <= 4 * torch.finfo(dtype).eps


def test_zero_inputs_and_gradients():
    """A zero input has inner product 0; gradients are finite there and right at copies."""
    x = inputs(3, 4)
    x[1] = 0
    x.requires_grad_()
    product = inner_products(x, x.detach().clone())
    assert torch.equal(product[1], torch.zeros(3, dtype=torch.float64))
    (slope,) = torch.autograd.grad(product[0, 0], x)
    torch.testing.assert_close(slope[0], x[0].detach())
    assert torch.isfinite(slope).all()
