"""The three blocks as one matrix, its weights, and who is slower without them."""

import pytest
import torch
from torch import nn

import ntk_teach as ntk
from ntk_teach.errors import DomainError
from ntk_teach.physics_informed import (
    PinnKernels,
    Standardization,
    adaptive_weights,
    derivative,
    limiting_pinn_kernels,
    pinn_kernels,
)

K = PinnKernels(
    torch.tensor([[2.0, 1.0], [1.0, 4.0]]), torch.tensor([[1.0, 0.0, 3.0], [0.5, 2.0, 1.0]]), torch.diag(torch.ones(3))
)
# As the authors have it: both ends 50 times, 100 points between, weights 𝒩(0, 1/fan-in), biases 𝒩(0, 1).
ENDS = torch.tensor([[0.0], [1.0]], dtype=torch.float64).repeat(50, 1)
BETWEEN = torch.linspace(0, 1, 100, dtype=torch.float64)[:, None]


def test_the_whole_is_put_together_from_its_blocks():
    """[[K_uu, K_ur], [K_urᵀ, K_rr]], symmetric."""
    whole = K.full()
    assert whole.shape == (5, 5) and torch.equal(whole, whole.T)
    assert torch.equal(whole[:2, :2], K.K_uu) and torch.equal(whole[:2, 2:], K.K_ur)
    assert torch.equal(whole[2:, 2:], K.K_rr)


def test_the_weights_are_ratios_of_traces():
    """tr K = 9, tr K_uu = 6, tr K_rr = 3: λ = 1.5 and 3, and both weighted parts have the trace of K."""
    weights = adaptive_weights(K)
    assert weights == pytest.approx((1.5, 3.0))
    weighted = K.weighted(weights)
    assert float(weighted[:2, :2].trace()) == pytest.approx(9) and float(weighted[2:, 2:].trace()) == pytest.approx(9)
    torch.testing.assert_close(weighted[:2, 2:], (1.5 * 3) ** 0.5 * K.K_ur)
    torch.testing.assert_close(weighted, weighted.T)


def test_the_weights_do_not_change_with_the_scale_of_the_kernel():
    """Only ratios enter; more residual points mean a smaller weight for each."""
    assert adaptive_weights(PinnKernels(*[7 * block for block in K])) == pytest.approx(adaptive_weights(K))
    more = PinnKernels(K.K_uu, K.K_ur.repeat(1, 2), torch.diag(torch.ones(6)))
    assert adaptive_weights(more).u > adaptive_weights(K).u and adaptive_weights(more).r < adaptive_weights(K).r


def ratio(kernels):
    return float(kernels.K_rr.trace() / kernels.K_uu.trace())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_imbalance_is_one_of_standardized_inputs(seed):
    """tr K_rr/tr K_uu is about 2 for x in [0, 1] and above 100 for standardized x, where u_xx has a factor 1/σ²."""
    net = ntk.serial(ntk.Dense(1, 1), ntk.tanh, ntk.Dense(1, 1)).network(width=1000, like=ENDS, seed=seed)
    raw = ratio(pinn_kernels(net, ENDS, BETWEEN, derivative(2)))
    standardized = nn.Sequential(Standardization.of(BETWEEN), net)
    assert 1 < raw < 4 and 100 < ratio(pinn_kernels(standardized, ENDS, BETWEEN, derivative(2))) < 250


def test_the_imbalance_is_there_at_infinite_width():
    """The same with erf, whose limit is in closed form: it is no accident of a draw."""
    arch = ntk.serial(ntk.Dense(1, 1), ntk.erf, ntk.Dense(1, 1))
    given = (arch, ENDS[:2], BETWEEN[::11], derivative(2))
    raw, standardized = limiting_pinn_kernels(*given), limiting_pinn_kernels(*given, inputs=Standardization.of(BETWEEN))
    assert 20 * ratio(raw) < ratio(standardized)


@pytest.mark.boundary
def test_a_part_that_cannot_be_trained_has_no_weight():
    """A trace of 0 would make an infinite weight."""
    with pytest.raises(DomainError, match="tr K_rr above 0, received 0"):
        adaptive_weights(PinnKernels(K.K_uu, K.K_ur * 0, K.K_rr * 0))
