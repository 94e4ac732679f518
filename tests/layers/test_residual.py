"""The residual sum: kernels add where branch and skip are uncorrelated, and what is refused where they are not."""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError, RuleError
from ntk_teach.nn import Residual

X = inputs(4, 3, seed=2)
BLOCK = ntk.Residual(ntk.serial(ntk.relu, ntk.Dense(0.8, 0.3)))
ARCH = ntk.serial(ntk.Dense(1.1, 0.2), BLOCK, ntk.relu, ntk.Dense(1.2, 0.1))


def test_kernels_add():
    """Σ ← Σ + Σ_branch and Θ ← Θ + Θ_branch, written out for one block."""
    before = ntk.Dense(1.1, 0.2).kernel(ntk.kernel.Kernel.of(X))
    branch = ntk.Dense(0.8, 0.3).kernel(ntk.relu.kernel(before))
    after = BLOCK.kernel(before)
    for name in ("nngp", "ntk", "self1", "self2"):
        torch.testing.assert_close(getattr(after, name), getattr(before, name) + getattr(branch, name))
    assert after.gaussian


def test_the_finite_network_is_the_sum():
    """forward is a + branch(a), with as many units out as in, and parameters of its own."""
    network = ARCH.network(width=6, like=X, seed=1)
    block = network[1]
    assert isinstance(block, Residual)
    a = network[0](X)
    torch.testing.assert_close(block(a), a + block.branch(a))
    assert block.branch[1].weight.shape == (6, 6)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("width", [64, 256])
def test_wide_networks_approach_the_limit(width):
    """Mean over 100 draws of Θ_n and of f f' within five standard errors plus a bias that falls as 1/n."""
    thetas, outer = [], []
    for seed in range(100):
        network = ARCH.network(width=width, like=X, seed=seed, out_features=8)
        thetas.append(ntk.empirical_ntk(network, X).diagonal(dim1=2, dim2=3).mean(-1))
        f = network(X).detach()
        outer.append(f @ f.T / 8)
    for samples, limit in ((thetas, ARCH.ntk(X)), (outer, ARCH.nngp(X))):
        values = torch.stack(samples)
        errors = 5 * values.std(0) / math.sqrt(len(values))
        size = limit.diagonal().sqrt()
        assert ((values.mean(0) - limit).abs() <= errors + 4 / width * size[:, None] * size).all()
        assert float((errors / (size[:, None] * size)).max()) <= 0.4  # tight enough to mean something


def test_a_sum_with_raw_inputs_needs_a_dense_layer_first():
    """x + branch(x) is not Gaussian: an activation behind it is refused, a Dense layer is not."""
    raw = ntk.Residual(ntk.serial(ntk.Dense()))
    with pytest.raises(RuleError, match="layer 2 of 3, relu"):
        ntk.serial(raw, ntk.relu, ntk.Dense()).ntk(X)
    assert torch.isfinite(ntk.serial(raw, ntk.Dense(), ntk.relu, ntk.Dense()).ntk(X)).all()


def test_errors_name_the_layer_inside():
    """The outer place, then the place in the branch, then the fact."""
    arch = ntk.serial(ntk.Dense(), ntk.Residual(ntk.serial(ntk.relu, ntk.erf, ntk.Dense())), ntk.Dense())
    with pytest.raises(RuleError, match=r"layer 2 of 3, Residual\(.*layer 2 of 3, erf: expected Gaussian"):
        arch.ntk(X)


@pytest.mark.boundary
@pytest.mark.parametrize("branch", [ntk.relu, None, ntk.serial(ntk.Dense(), ntk.relu)])
def test_a_branch_that_does_not_end_with_fresh_weights_is_refused(branch):
    """Not a serial(...), or one that ends with an activation, whose covariance with the skip the rule does not know."""
    with pytest.raises(DomainError, match="Residual: expected"):
        ntk.Residual(branch)


def test_it_prints_as_it_is_written_and_lies_flat_in_serial():
    """repr is the call; a serial inside a serial is laid in, a residual keeps its branch."""
    assert repr(BLOCK) == "Residual(serial(relu, Dense(sigma_w=0.8, sigma_b=0.3)))"
    assert len(ntk.serial(ntk.serial(ntk.Dense(), BLOCK), ntk.Dense()).layers) == 3
