"""The three rules, each alone, on kernels small enough to check by hand."""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import RuleError

X1, X2 = inputs(4, 3, seed=1), inputs(5, 3, seed=2)


def raw(symmetric: bool = False) -> ntk.Kernel:
    return ntk.Kernel.of(X1, None if symmetric else X2)


def gaussian_units(symmetric: bool = False) -> ntk.Kernel:
    """Units behind a dense layer, with Θ unequal to Σ."""
    return raw(symmetric).random(lambda cov: 1.3**2 * cov, 0.4, eta_w=0.7, eta_b=0.2)


def test_raw_inputs_are_their_inner_products():
    """Before any layer Σ(x, x') = x·x'/d, Θ = 0, and no activation may follow."""
    k = raw()
    assert torch.allclose(k.nngp, torch.einsum("nd,md->nm", X1, X2) / 3, rtol=1e-14, atol=1e-15)
    assert torch.equal(k.ntk, torch.zeros(4, 5, dtype=torch.float64))
    assert torch.allclose(k.self1, X1.square().mean(1), rtol=1e-14)
    assert torch.allclose(k.self2, X2.square().mean(1), rtol=1e-14)
    assert not k.gaussian
    assert not k.symmetric
    assert raw(symmetric=True).symmetric


def test_rule_1_adds_the_bias_and_the_gradients_of_the_new_parameters():
    """Σ ← LΣ + σ_b²,  Θ ← LΘ + η_w LΣ + η_b σ_b², and the units are Gaussian."""
    before = gaussian_units()
    after = before.random(lambda cov: 1.5 * cov, 0.3, eta_w=0.5, eta_b=2.0)
    torch.testing.assert_close(after.nngp, 1.5 * before.nngp + 0.09)
    torch.testing.assert_close(after.ntk, 1.5 * before.ntk + 0.75 * before.nngp + 0.18)
    torch.testing.assert_close(after.self1, 1.5 * before.self1 + 0.09)
    torch.testing.assert_close(after.self2, 1.5 * before.self2 + 0.09)
    assert after.gaussian


def test_a_trained_layer_adds_its_own_covariance():
    """With η = 1 rule 1 reads Θ ← LΘ + Σ_new; with η = 0, Θ ← LΘ."""
    before = gaussian_units()
    trained = before.random(lambda cov: 2 * cov, 0.3)
    torch.testing.assert_close(trained.ntk, 2 * before.ntk + trained.nngp)
    torch.testing.assert_close(before.random(lambda cov: 2 * cov, 0.3, 0.0, 0.0).ntk, 2 * before.ntk)


@pytest.mark.parametrize("symmetric", [False, True])
def test_rule_2_takes_both_duals_at_the_covariance(symmetric):
    """Σ ← E[φφ] and Θ ← Θ ⊙ E[φ'φ'], entry by entry; the self-covariances become E[φ²]."""
    before = gaussian_units(symmetric)
    after = before.activated(ntk.erf.dual, ntk.erf.moments)
    dual = ntk.erf.dual(before.nngp, before.self1[:, None], before.self2[None, :])
    torch.testing.assert_close(after.nngp, dual.value, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(after.ntk, before.ntk * dual.slope, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(after.self1, ntk.erf.moments(before.self1).value)
    torch.testing.assert_close(after.self2, ntk.erf.moments(before.self2).value)
    assert not after.gaussian


def test_rule_2_keeps_the_diagonal_of_a_symmetric_block_exact():
    """Where x' is x, the diagonal is the self-covariance to the last bit, not what the dual makes of ρ = 1."""
    before = gaussian_units(symmetric=True)
    after = before.activated(ntk.relu.dual, ntk.relu.moments)
    assert torch.equal(before.nngp.diagonal(), before.self1)
    assert torch.equal(after.nngp.diagonal(), after.self1)
    torch.testing.assert_close(after.ntk.diagonal(), before.ntk.diagonal() / 2, rtol=0, atol=0)


def test_rule_2_uses_the_exact_slope_on_the_diagonal():
    """A dual that is wrong at coincident points does no harm there: the diagonal comes from ``moments``."""

    def spoiled(cov, var1, var2):
        value, slope = ntk.relu.dual(cov, var1, var2)
        return ntk.Dual(torch.where(cov == var1, math.nan, value), torch.where(cov == var1, math.nan, slope))

    after = gaussian_units(symmetric=True).activated(spoiled, ntk.relu.moments)
    assert torch.isfinite(after.nngp).all()
    assert torch.isfinite(after.ntk).all()


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(raw(), id="raw inputs"),
        pytest.param(gaussian_units().activated(ntk.relu.dual, ntk.relu.moments), id="after an activation"),
        pytest.param(
            gaussian_units().activated(ntk.relu.dual, ntk.relu.moments).fixed(lambda cov: 4 * cov),
            id="after a fixed map after an activation",
        ),
    ],
)
def test_rule_2_refuses_units_that_are_not_gaussian(before):
    """Without a random layer in between the dual would be wrong, so it is refused."""
    with pytest.raises(RuleError, match="expected Gaussian units"):
        before.activated(ntk.relu.dual, ntk.relu.moments)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_rule_3_moves_both_kernels_and_keeps_what_is_gaussian(scale):
    """A constant factor c on the units multiplies Σ, Θ and both self-covariances by c², and Gaussian stays Gaussian."""
    for before in (raw(), gaussian_units(), gaussian_units(symmetric=True)):
        after = before.fixed(lambda cov: scale**2 * cov)
        for name in ("nngp", "ntk", "self1", "self2"):
            torch.testing.assert_close(getattr(after, name), scale**2 * getattr(before, name))
        assert after.gaussian == before.gaussian
        assert after.symmetric == before.symmetric


def test_rule_3_between_a_dense_layer_and_an_activation_is_a_larger_weight():
    """Scaling Gaussian units by c before φ equals σ_w ← c σ_w, σ_b ← c σ_b, but for the gradients, which scale too."""
    scaled = gaussian_units().fixed(lambda cov: 9 * cov).activated(ntk.erf.dual, ntk.erf.moments)
    direct = raw().random(lambda cov: (3 * 1.3) ** 2 * cov, 3 * 0.4, 0.7, 0.2).activated(ntk.erf.dual, ntk.erf.moments)
    torch.testing.assert_close(scaled.nngp, direct.nngp)
    torch.testing.assert_close(scaled.ntk, direct.ntk)


def test_a_kernel_cannot_be_changed_in_place():
    """Rules return new kernels; the one they start from stays as it was."""
    before = gaussian_units()
    kept = before.nngp.clone()
    before.random(lambda cov: 2 * cov, 1.0).activated(ntk.relu.dual, ntk.relu.moments)
    assert torch.equal(before.nngp, kept)
    with pytest.raises(AttributeError):
        before.gaussian = False
