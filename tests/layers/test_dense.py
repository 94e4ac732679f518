"""The fully connected layer: what it does to both kernels, and the finite module beside it."""

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.kernel import Kernel
from ntk_teach.nn import Linear

X1, X2 = inputs(4, 3, seed=1), inputs(5, 3, seed=2)


@pytest.mark.parametrize("sigma_w, sigma_b", [(1.0, 0.0), (1.0, 0.1), (1.4, 0.3), (0.0, 0.7)])
def test_first_layer(sigma_w, sigma_b):
    """Behind the inputs Σ = Θ = σ_w² x·x'/d + σ_b²."""
    k = ntk.Dense(sigma_w, sigma_b).kernel(Kernel.of(X1, X2))
    expected = sigma_w**2 * (X1 @ X2.T) / 3 + sigma_b**2
    torch.testing.assert_close(k.nngp, expected, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(k.ntk, expected, rtol=1e-13, atol=1e-14)
    assert k.gaussian


@pytest.mark.parametrize("trained, share", [(True, 1.0), (False, 0.0)])
def test_a_later_layer(trained, share):
    """Σ ← σ_w² Σ + σ_b²; Θ ← σ_w² Θ + Σ_new if the layer is trained, σ_w² Θ if it is not."""
    before = ntk.Dense(1.1, 0.2).kernel(Kernel.of(X1, X2))
    after = ntk.Dense(1.4, 0.3, trained=trained).kernel(before)
    torch.testing.assert_close(after.nngp, 1.96 * before.nngp + 0.09, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(after.ntk, 1.96 * before.ntk + share * after.nngp, rtol=1e-13, atol=1e-14)


def test_the_module_has_the_same_scales():
    """The finite reading is nn.Linear of this package with the description's scales and its frozen parameters."""
    generator = torch.Generator().manual_seed(0)
    module = ntk.Dense(1.4, 0.3, trained=False).module(3, 7, generator)
    assert isinstance(module, Linear)
    assert (module.sigma_w, module.sigma_b) == (1.4, 0.3)
    assert module.weight.shape == (7, 3)
    assert module.bias.shape == (7,)
    assert not module.weight.requires_grad


def test_repr_is_how_it_is_written():
    """A layer prints as the call that makes it."""
    assert repr(ntk.Dense(1.4, 0.1)) == "Dense(sigma_w=1.4, sigma_b=0.1)"
    assert repr(ntk.Dense(trained=False)) == "Dense(sigma_w=1, sigma_b=0, trained=False)"
    assert eval(repr(ntk.Dense(0.5, 0.25)), {"Dense": ntk.Dense}) == ntk.Dense(0.5, 0.25)
