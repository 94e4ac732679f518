"""Real time series: what is read, that it is the archive's own, and what is refused."""

import importlib.util
import os
import sys

import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError, NTKError

SHAPES = {  # training series, test series, steps, numbers a step, classes: as the archives print them
    "GunPoint": (50, 150, 150, 1, 2),
    "ItalyPowerDemand": (67, 1029, 24, 1, 2),
    "ArrowHead": (36, 175, 251, 1, 3),
    "OSULeaf": (200, 242, 427, 1, 6),
    "ACSF1": (100, 100, 1460, 1, 10),
    "BasicMotions": (40, 40, 100, 6, 4),
}


@pytest.fixture(autouse=True, scope="module")
def package() -> None:
    """Skipped without the [data] extra, but never where CI is set."""
    if importlib.util.find_spec("sktime") is None:
        reason = 'the package sktime is missing: pip install "ntk-teach[data]"'
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.parametrize("name", SHAPES)
def test_the_archives_own_division(name):
    """Sizes and classes; finite, in float64; no training series is a test series."""
    n, m, t, d, classes = SHAPES[name]
    x, labels, x_test, truth = ntk.data.time_series(name)
    assert (x.shape, x_test.shape) == ((n, t, d), (m, t, d))
    assert x.dtype == x_test.dtype == torch.float64
    assert labels.dtype == truth.dtype == torch.int64
    assert sorted(set(labels.tolist())) == sorted(set(truth.tolist())) == list(range(classes))
    assert torch.isfinite(x).all()
    assert torch.isfinite(x_test).all()
    assert float(torch.cdist(x.flatten(1), x_test.flatten(1)).min()) > 1e-6


def test_series_belong_to_their_labels():
    """The nearest training series names the class of nine in ten test series of GunPoint, as is well known (91 %)."""
    x, labels, x_test, truth = ntk.data.time_series("GunPoint")
    nearest = torch.cdist(x_test.flatten(1), x.flatten(1)).argmin(1)
    assert float((labels[nearest] == truth).double().mean()) == pytest.approx(0.9133, abs=1e-3)


def test_series_of_unequal_lengths_are_ragged():
    """JapaneseVowels: 7 to 26 steps to train, 7 to 29 to test, twelve numbers each, nine speakers."""
    x, labels, x_test, truth = ntk.data.time_series("JapaneseVowels")
    lengths = [part.present.sum(1) for part in (x, x_test)]
    assert [(int(part.min()), int(part.max())) for part in lengths] == [(7, 26), (7, 29)]
    assert x.values.shape == (270, 26, 12)
    assert len(truth) == 370
    assert torch.bincount(labels).tolist() == [30] * 9


def test_what_the_package_does_not_carry_is_refused():
    """With the names that there are, and without asking any host."""
    with pytest.raises(DomainError, match=r"ArrowHead, .*PLAID.*'Adiac'.*nothing is downloaded"):
        ntk.data.time_series("Adiac")


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    """One sentence that names the extra."""
    monkeypatch.setitem(sys.modules, "sktime", None)
    sys.modules["ntk_teach.data.time_series"]._read.cache_clear()
    with pytest.raises(NTKError, match=r'pip install "ntk-teach\[data\]"'):
        ntk.data.time_series("GunPoint")


def test_a_package_without_the_file_is_one_sentence(monkeypatch, tmp_path):
    """An older or thinner sktime."""
    import sktime

    monkeypatch.setattr(sktime, "__file__", str(tmp_path / "__init__.py"))
    sys.modules["ntk_teach.data.time_series"]._read.cache_clear()
    with pytest.raises(NTKError, match=r"GunPoint_TRAIN\.ts"):
        ntk.data.time_series("GunPoint")
