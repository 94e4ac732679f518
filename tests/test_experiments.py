"""The paper's experiments: small runs show what the figures show, and saved results can be derived again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ntk_teach import Conv2d, Dense, Flatten, data, relu, serial, tanh, zoo
from ntk_teach.errors import DomainError
from ntk_teach.experiments import Result, figure1, figure2, figure3, mutag, nngp, poisson, time_series
from ntk_teach.experiments.__main__ import main
from ntk_teach.experiments.mutag import accuracy, architecture
from ntk_teach.experiments.result import measured
from ntk_teach.experiments.sizes import EXPERIMENTS, SIZES, settings
from ntk_teach.experiments.time_series import RIDGES, left_out

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
        assert result.experiment == path.stem.rpartition("_")[0]
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


@pytest.mark.parametrize("path", files("cntk"))
def test_a_saved_cntk_can_be_derived_again(path):
    """The smallest training set of the first division against 100 other digits: theirs is the saved share, up to the
    error of a sample of 100; the kernel with a weight for each pixel, at the smaller depth."""
    saved = Result.load(path)
    size, digits, side = saved.settings["sizes"][0], saved.settings["digits"], saved.settings["side"]
    images, labels = data.mnist(digits, seed=0)
    images = torch.nn.functional.avg_pool2d(images.view(-1, 1, 28, 28), 28 // side)[:, 0, :, :, None]
    order = torch.randperm(digits, generator=torch.Generator().manual_seed(0))
    rows = torch.stack([order[labels[order] == digit][: size // 10 + 10] for digit in range(10)])
    chosen, rest = rows[:, : size // 10].reshape(-1), rows[:, size // 10 :].reshape(-1)
    depth = saved.settings["depths"][0]
    layers = [layer for _ in range(depth) for layer in (Conv2d(3, sigma_w=2**0.5), relu)]
    kernel = serial(*layers, Flatten(), Dense()).ntk(images[torch.cat([chosen, rest])])
    root = kernel.diagonal().sqrt()  # relu without biases: norms are factors
    kernel = kernel / root / root[:, None]
    targets = torch.eye(10, dtype=torch.float64)[labels[chosen]] - 0.1
    weights = torch.linalg.solve(kernel[:size, :size] + 1e-4 * torch.eye(size, dtype=torch.float64), targets)
    accuracy = float(((kernel[size:, :size] @ weights).argmax(1) == labels[rest]).double().mean())
    share = float(saved["accuracy_flatten"][0, 0, 0])
    assert abs(accuracy - share) <= 5 * (share * (1 - share) / 100) ** 0.5


def test_cntk_knows_more_than_the_dense_kernel():
    """Convolutions with a global mean, of six layers, read more digits right than the dense kernel, on each division,
    from 100 to 4000 training digits; the saved laptop size says so from three layers on."""
    paper = Result.load(next(path for path in RESULTS if path.name == "cntk_paper.npz"))
    assert (paper["accuracy_global"][1] > paper["accuracy_dense"][1])[1:].all()
    laptop = Result.load(next(path for path in RESULTS if path.name == "cntk_laptop.npz"))
    assert (laptop["accuracy_local"][1] > laptop["accuracy_dense"][1]).all()


def test_nngp_learns_from_more_digits():
    """Four times the digits: a larger share of the others is read right, on each division."""
    found = nngp(sizes=(50, 200), splits=2, digits=500, activations=("relu",))
    small, large = found["accuracy_relu"]
    assert (large > small).all()
    assert small.min() > 0.4


@pytest.mark.parametrize("path", files("mutag"))
def test_a_saved_mutag_can_be_derived_again(path):
    """Twelve entries of the first kernel, with its jumping knowledge as a layer, and from it a fold of each seed; the
    nested accuracies are among those of all settings."""
    from sklearn.model_selection import StratifiedKFold

    saved = Result.load(path)
    graphs, labels = data.mutag()
    row = [int(saved[name][0]) for name in ("blocks", "inner", "degree", "jumping")]
    arch = architecture(row[0], row[1], ("uniform", "degree")[row[2]], jumping=bool(row[3]))
    np.testing.assert_allclose(arch.ntk(graphs[:3], graphs[3:7]).numpy(), saved["gram"][:3, 3:7], rtol=1e-6)
    np.testing.assert_array_equal(saved["labels"], labels.numpy())
    gram = saved["gram"].astype(np.float64)
    for place, seed in enumerate(saved["seeds"]):
        split = StratifiedKFold(10, shuffle=True, random_state=int(seed)).split(saved["labels"], saved["labels"])
        train, test = next(iter(split))
        found = accuracy(gram / gram.min(), saved["labels"], train, test, saved["penalties"][1:4].tolist())
        np.testing.assert_allclose(saved["accuracy"][place, 0, 0, 1:4, 0], found, atol=1e-6)
    for place, fold in np.ndindex(saved["nested"].shape):
        chosen = tuple(saved["chosen"][place, fold])
        assert saved["nested"][place, fold] == saved["accuracy"][place][(*chosen, fold)]


def test_mutag_levels_add_up_to_jumping_knowledge():
    """The experiment adds the kernels of the levels; the layer gives the same numbers."""
    found = mutag(molecules_used=20, blocks=(2,), inner=(2,), scales=("degree",), penalties=(1.0,), folds=2, seeds=(0,))
    graphs, _ = data.mutag(20)
    whole = architecture(2, 2, "degree", jumping=True).ntk(graphs).numpy()
    np.testing.assert_allclose(found["gram"], whole, rtol=1e-12)
    assert found["accuracy"].shape == (1, 2, 2, 1, 2)
    assert found["jumping"].tolist() == [1, 0]


@pytest.mark.parametrize("path", files("poisson"))
def test_a_saved_poisson_can_be_derived_again(path):
    """Each initialization: everything at the start, and the first looks of both ways of training."""
    saved = Result.load(path)
    few, seeds = [step for step in saved["steps"] if step <= 5], saved.settings["seeds"]
    found = poisson(**{**saved.settings, "steps": 5, "looks": 12})
    assert len(seeds) >= 3
    for step in few:
        there, here = (int(np.flatnonzero(result["steps"] == step)[0]) for result in (saved, found))
        for way in ("plain", "adaptive"):
            for name in ("loss_u", "loss_r", "error_u", "error_r", "trace_uu", "trace_rr", "weight_u", "drift"):
                expected = saved[f"{name}_{way}"]
                assert expected.shape == (len(seeds), len(saved["steps"]))
                shown = found[f"{name}_{way}"][:, here]
                place = f"{name} {way} {step}"
                np.testing.assert_allclose(shown, expected[:, there], rtol=1e-3, atol=1e-6, err_msg=place)
    rates = [result["eigenvalues_rr_plain"][:, 0, :5] for result in (found, saved)]
    np.testing.assert_allclose(*rates, rtol=1e-3)
    np.testing.assert_allclose(found["u_plain"][:, 0], saved["u_plain"][:, 0], rtol=1e-3, atol=1e-5)


def test_poisson_with_adaptive_weights_learns_the_boundary():
    """Small and short: the boundary's cost rises with equal weights, and ends lower with adaptive ones; the weights are
    those of the traces."""
    found = poisson(width=64, steps=150, points=20, looks=8, moments=4, frequency=2.0)
    plain, adaptive = found["loss_u_plain"][0], found["loss_u_adaptive"][0]
    assert plain.max() > 5 * plain[0]
    assert adaptive[-1] < plain[-1]
    assert (found["weight_u_plain"] == 1).all()
    whole = found["trace_uu_adaptive"][0, 0] + found["trace_rr_adaptive"][0, 0]
    assert found["weight_u_adaptive"][0, 0] == pytest.approx(whole / found["trace_uu_adaptive"][0, 0])
    assert found["u_plain"].shape == (1, len(found["moments"]), 101)


@pytest.mark.parametrize("path", files("time_series"))
def test_a_saved_time_series_can_be_derived_again(path):
    """ItalyPowerDemand: the last state's accuracy at the chosen scale and ridge, by a solver of our own, and the whole
    choice of the shuffled and the Gaussian family."""
    saved = Result.load(path)
    x, labels, x_test, truth = data.time_series("ItalyPowerDemand")
    accuracy, _, scale, ridge = (float(value) for value in saved["ItalyPowerDemand_last"])
    arch = zoo.rnn(sigma_w=scale, sigma_b=0.1)
    gram = arch.ntk(x)
    gram = gram + ridge * gram.diagonal().mean() * torch.eye(len(x), dtype=x.dtype)
    weights = torch.cholesky_solve(2.0 * labels[:, None].double() - 1, torch.linalg.cholesky(gram))
    said = (arch.ntk(x_test, x) @ weights)[:, 0] > 0
    assert float((said.long() == truth).double().mean()) == pytest.approx(accuracy, abs=1e-6)
    found = time_series(names=["ItalyPowerDemand"], families=["last", "rbf"], order=saved.settings["order"])
    for family in ("last", "shuffled", "rbf"):
        key = f"ItalyPowerDemand_{family}"
        np.testing.assert_allclose(found[key], saved[key], atol=2e-3)
    assert ridge in np.float32(RIDGES)


def test_leaving_out_with_one_inverse_is_leaving_out():
    """Each example in turn, predicted by ridge regression on all others."""
    x, targets = data.sphere(7, 3), torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gram, ridge = zoo.mlp(3).ntk(x), 0.2
    said = left_out(gram, targets, ridge)
    for i in range(7):
        rest = [j for j in range(7) if j != i]
        block = gram[rest][:, rest] + ridge * torch.eye(6, dtype=torch.float64)
        expected = gram[i, rest] @ torch.linalg.solve(block, targets[rest])
        torch.testing.assert_close(said[i], expected, rtol=1e-9, atol=1e-11)


def test_dense_and_gaussian_kernels_do_not_see_the_order_of_time():
    """The same choice and the same accuracy on shuffled series; the recurrent family chooses anew."""
    from ntk_teach.experiments.time_series import classified

    x, labels, x_test, truth = data.time_series("ItalyPowerDemand")
    order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(1))
    for family in ("dense", "rbf"):
        plain = classified(family, x, labels, x_test, truth)
        assert classified(family, x[:, order], labels, x_test[:, order], truth) == pytest.approx(plain, abs=2e-3)
