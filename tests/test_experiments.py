"""The paper's experiments: small runs show what the figures show, and saved results can be derived again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ntk_teach import data, relu, tanh, zoo
from ntk_teach.errors import DomainError
from ntk_teach.experiments import Result, figure1, figure2, figure3, nngp
from ntk_teach.experiments.__main__ import main
from ntk_teach.experiments.result import measured
from ntk_teach.experiments.sizes import EXPERIMENTS, SIZES, settings

RESULTS = sorted((Path(__file__).parents[1] / "book" / "results").glob("*.npz"))


def test_every_size_has_every_experiment():
    """Seconds, laptop and paper: the same experiments, with arguments that the functions take."""
    for size in SIZES:
        for name in EXPERIMENTS:
            assert settings(name, size)


def test_figure1_spread_and_inflation_fall_with_the_width():
    """Ten times the width: the spread of the kernels at the peak and their rise in training are smaller, and both
    widths stand around the limit (the seconds version)."""
    found = figure1(widths=(32, 512), seeds=range(24), inputs=16, steps=30, points=9)
    peak = {w: found[f"before_{w}"][:, 4] for w in (32, 512)}
    assert peak[32].std() > 2 * peak[512].std()
    rise = {w: (found[f"after_{w}"] - found[f"before_{w}"]).mean() for w in (32, 512)}
    assert rise[32] > 3 * abs(rise[512])
    assert abs(peak[512].mean() - found["limit"][4]) < 5 * peak[512].std() / np.sqrt(24)
    assert (found["cost_32"][:, -1] < found["cost_32"][:, 0]).all()


def test_figure2_networks_lie_in_the_band_of_the_limit():
    """Half to nine tenths of the values of 24 trained networks lie between the 10th and the 90th percentile, and all
    pass through the data."""
    found = figure2(widths=(128,), seeds=range(24), steps=300, points=31)
    inside = np.abs(found["f_128"] - found["mean"]) <= 1.2816 * found["deviation"]
    assert 0.5 < inside.mean() < 0.92
    near = np.abs(found["angles"][:, None] - found["data_angles"]).argmin(0)
    assert (found["deviation"][near] < 0.5 * found["deviation"].max()).all()
    assert (found["deviation"] >= 0).all()


def test_figure3_wider_networks_stay_nearer_to_the_line():
    """‖h_t‖ starts at 0, is smaller for the wider network at its largest, and g_t rises from −1/2 towards 0."""
    found = figure3(widths=(64, 256), seeds=(0,), digits=96, lr=5.0, time=1000.0, looks=20)
    for width in (64, 256):
        assert found[f"deviation_{width}"][0, 0] == pytest.approx(0, abs=1e-6)
        assert found[f"along_{width}"][0, 0] == pytest.approx(-0.5, abs=1e-5)
        assert found[f"along_{width}"][0, -1] > -0.45
    assert found["deviation_256"].max() < found["deviation_64"].max()
    rates = found["eigenvalues"]
    assert (np.diff(rates) < 0).all()


def test_a_result_survives_its_file(tmp_path):
    """Arrays to float32, settings and provenance exactly; a foreign file is refused."""
    result = measured("figure1", figure1, settings("figure1", "seconds"), torch.device("cpu"))
    result.save(tmp_path / "figure1.npz")
    again = Result.load(tmp_path / "figure1.npz")
    assert again.settings == result.settings
    assert again.provenance == result.provenance
    assert set(again.provenance) == {"machine", "cores", "threads", "device", "seconds", "date", "versions"}
    np.testing.assert_allclose(again["before_32"], result["before_32"], rtol=1e-6)
    (tmp_path / "other.npz").write_bytes(b"something else")
    with pytest.raises(DomainError, match=r"other\.npz"):
        Result.load(tmp_path / "other.npz")


def test_the_command(tmp_path, capsys):
    """One command runs an experiment and saves it; a wrong name is one sentence and status 2."""
    assert main(["figure2", "--size", "seconds", "--device", "cpu", "--out", str(tmp_path)]) == 0
    assert Result.load(tmp_path / "figure2_seconds.npz")["f_50"].shape == (3, 31)
    assert "saved in" in capsys.readouterr().out
    assert main(["figure9"]) == 2
    assert "figure1, figure2, figure3" in capsys.readouterr().err


def files(experiment: str) -> list:
    found = [path for path in RESULTS if path.name.startswith(experiment)]
    return [pytest.param(path, id=path.stem) for path in found]


def test_the_repository_holds_a_result_of_each_experiment():
    """One saved file at least for each, with its settings and where it was made."""
    for name in EXPERIMENTS:
        assert files(name), f"no saved result of {name} in book/results"
    for path in RESULTS:
        result = Result.load(path)
        assert result.experiment == path.stem.split("_")[0]
        assert result.provenance["versions"]["torch"]
        assert all(np.isfinite(array).all() for array in result.arrays.values())


@pytest.mark.parametrize("path", files("figure1"))
def test_a_saved_figure1_can_be_derived_again(path):
    """The first network's kernel before training and its cost before the first step, at the narrowest width."""
    saved = Result.load(path)
    width, seed = saved.settings["widths"][0], saved.settings["seeds"][0]
    short = {**saved.settings, "widths": [width], "seeds": [seed], "steps": 1}
    found = figure1(**short)
    np.testing.assert_allclose(found[f"before_{width}"][0], saved[f"before_{width}"][0], rtol=1e-4)
    np.testing.assert_allclose(found[f"cost_{width}"][0, :2], saved[f"cost_{width}"][0, :2], rtol=1e-4)
    np.testing.assert_allclose(found["limit"], saved["limit"], rtol=1e-6)


@pytest.mark.parametrize("path", files("figure2"))
def test_a_saved_figure2_can_be_derived_again(path):
    """The limit law, and the first network of the narrowest width, trained to the end."""
    saved = Result.load(path)
    width, seed = saved.settings["widths"][0], saved.settings["seeds"][0]
    found = figure2(**{**saved.settings, "widths": [width], "seeds": [seed]})
    np.testing.assert_allclose(found["mean"], saved["mean"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["deviation"], saved["deviation"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[f"f_{width}"][0], saved[f"f_{width}"][0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("path", files("figure3"))
def test_a_saved_figure3_can_be_derived_again(path):
    """The eigenvalues, and the first looks of the narrowest network."""
    saved = Result.load(path)
    width, seed = saved.settings["widths"][0], saved.settings["seeds"][0]
    lr, last = saved.settings["lr"], float(saved["times"][2])
    found = figure3(**{**saved.settings, "widths": [width], "seeds": [seed], "time": last, "looks": round(last / lr)})
    np.testing.assert_allclose(found["eigenvalues"], saved["eigenvalues"], rtol=1e-5)
    index = int(np.flatnonzero(found["times"] == last)[0])
    np.testing.assert_allclose(found[f"deviation_{width}"][0, index], saved[f"deviation_{width}"][0, 2], rtol=2e-2)
    np.testing.assert_allclose(found[f"along_{width}"][0, index], saved[f"along_{width}"][0, 2], rtol=1e-3)


@pytest.mark.parametrize("path", files("nngp"))
def test_a_saved_nngp_can_be_derived_again(path):
    """Both activations on the first division, with 100 digits: their kernels alone, to the last digit counted."""
    saved = Result.load(path)
    images, labels = data.mnist(saved.settings["digits"], seed=0)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    rows = torch.stack([order[labels[order] == digit] for digit in range(10)])
    chosen, rest = rows[:, :10].reshape(-1), rows[:, 10:].reshape(-1)
    x = images - images.mean(1, keepdim=True)
    x = x / x.std(1, correction=0, keepdim=True)
    targets = torch.eye(10, dtype=torch.float64)[labels] - 0.1
    for activation, weights, biases in ((relu, 1.45, 0.28), (tanh, 1.96, 0.62)):
        arch = zoo.mlp(21, activation, sigma_w=weights**0.5, sigma_b=biases**0.5)
        gram = arch.nngp(x[chosen])
        mean = arch.nngp(x[rest], x[chosen]) @ torch.linalg.solve(gram, targets[chosen])
        accuracy = (mean.argmax(1) == labels[rest]).double().mean()
        assert saved[f"accuracy_{activation}"][0, 0] == pytest.approx(float(accuracy), abs=3e-4)
        error = (mean - targets[rest]).square().mean()
        assert saved[f"error_{activation}"][0, 0] == pytest.approx(float(error), rel=1e-4)


def test_nngp_learns_from_more_digits():
    """Four times the digits: a larger share of the others is read right, on each division."""
    found = nngp(sizes=(50, 200), splits=2, digits=500, activations=("relu",))
    small, large = found["accuracy_relu"]
    assert (large > small).all()
    assert small.min() > 0.4
