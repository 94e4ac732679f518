"""The fused kernel of convolutional networks against the plain algebra in float64.

Its arithmetic is compiled for the processor, too, with 32 lanes written out: it is tested where there is no GPU.
"""

import ctypes
import math
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError, RuleError
from ntk_teach.gram import fused_convolutions
from ntk_teach.gram.fused_convolutions import Grid, cntk_gram, source, stages_of, supported, tables, variances_of

HERE = Path(__file__).parent
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
TOLERANCE = 2e-5


def network(depth=2, window=3, padding="same", sigma_b=0.0, activation=None, behind=(), **etas):
    conv = ntk.Conv2d(window, padding=padding, sigma_w=1.4, sigma_b=sigma_b, **etas)
    return (*((conv, activation or ntk.relu) * depth), ntk.GlobalAvgPool(), *behind)


def images(n, height=8, width=8, channels=1, *, border=0, seed=0):
    """Positive pixels with a black border, as digits have."""
    x = torch.rand(n, height, width, channels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    if border:
        x[:, :border] = x[:, -border:] = x[:, :, :border] = x[:, :, -border:] = 0
    return x


def expected(layers, x1, x2=None):
    k = ntk.serial(*layers).kernel(x1, x2)
    return k.nngp, k.ntk


def error(ours, exact, layers, x1, x2=None):
    """Largest deviation of both kernels, in units of √(K_ii K_jj)."""
    own = expected(layers, x1)
    other = own if x2 is None else expected(layers, x2)
    sizes = [(a.diagonal()[:, None] * b.diagonal()).sqrt() for a, b in zip(own, other, strict=True)]
    return max(float(((a.cpu().double() - b) / s).abs().max()) for a, b, s in zip(ours, exact, sizes, strict=True))


CASES = {
    "plain": (network(), {}),
    "one layer": (network(1), {}),
    "deep": (network(4), {"border": 2}),
    "bias on black": (network(3, sigma_b=0.3), {"border": 3}),
    "wide window": (network(2, 5), {"height": 9, "width": 7}),
    "circular": (network(3, padding="circular"), {"height": 6, "width": 5}),
    "wide and circular": (network(2, 5, "circular", 0.2), {"height": 7, "width": 6, "channels": 3}),
    "leaky": (network(2, sigma_b=0.1, activation=ntk.leaky_relu(0.2)), {"channels": 3}),
    "absolute": (network(2, activation=ntk.absolute), {"border": 1}),
    "rates": (network(2, sigma_b=0.2, eta_w=0.5, eta_b=2.0), {}),
    "half trained": ((ntk.Conv2d(trained=False), ntk.relu, *network(2, sigma_b=0.1)), {}),
    "read out": (network(2, behind=(ntk.Dense(1.2, 0.1), ntk.Dense(0.7, 0.3, trained=False))), {}),
    "three of a warp": (network(2), {"height": 5, "width": 9}),
}


def kinds(layers):
    return [False] if layers[0].padding == "circular" else [True, False]


RUNS = [(name, rowwise) for name, (layers, _) in CASES.items() for rowwise in kinds(layers)]


def built(text, folder):
    """The kernel for the processor; called like a launch."""
    text = "\n".join([(HERE / "emulated_warp.h").read_text(), text, (HERE / "emulated_launch.h").read_text()])
    folder.joinpath("fused.cpp").write_text(text)
    command = [
        "g++",
        "-O0",
        "-w",
        "-shared",
        "-fPIC",
        "-ffp-contract=off",
        "-o",
        folder / "fused.so",
        folder / "fused.cpp",
    ]
    subprocess.run(command, check=True)
    function = ctypes.CDLL(str(folder / "fused.so")).fused

    def launch(grid, block, arguments):
        plain = [ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else a for a in arguments]
        function(*plain, grid[0], grid[1])

    return launch


@needs_compiler
@pytest.mark.parametrize("name, rowwise", RUNS)
def test_its_arithmetic_on_the_processor(name, rowwise, tmp_path, monkeypatch):
    """One list and two, every kind of layer."""
    monkeypatch.setattr(fused_convolutions, "_launcher", lambda text, device: built(text, tmp_path))
    monkeypatch.setattr(fused_convolutions, "TOGETHER", 6)  # several launches
    layers, sizes = CASES[name]
    x, z = images(3, seed=1, **sizes), images(2, seed=2, **sizes)
    z[1] = x[0]  # coincident images of two lists
    for two in (None, z):
        ours = cntk_gram(layers, x, two, grid=Grid(rowwise))
        assert error(ours, expected(layers, x, two), layers, x, two) < TOLERANCE


@needs_gpu
@pytest.mark.parametrize("name, rowwise", RUNS)
def test_on_a_gpu(name, rowwise):
    layers, sizes = CASES[name]
    x, z = images(4, seed=3, **sizes), images(3, seed=4, **sizes)
    z[1] = x[0]
    for two in (None, z):
        ours = cntk_gram(layers, x.cuda(), None if two is None else two.cuda(), grid=Grid(rowwise, 4, 1))
        assert error(ours, expected(layers, x, two), layers, x, two) < TOLERANCE


@needs_gpu
@pytest.mark.parametrize("rowwise", [True, False])
def test_digits_on_a_gpu(rowwise):
    layers, x = network(3, sigma_b=0.05), images(3, 28, 28, border=4)
    ours = cntk_gram(layers, x.float().cuda(), grid=None if rowwise else Grid(False, 4, 3))
    assert error(ours, expected(layers, x), layers, x) < TOLERANCE


@needs_gpu
def test_progress_counts_rows():
    seen = []
    cntk_gram(network(1), images(3).cuda(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)


def test_variances_are_those_of_the_plain_algebra():
    """Of every pixel, in front of every activation, also where images come in several chunks."""
    layers, x = network(3, sigma_b=0.2)[:-1], images(5, 6, 5, 2)
    ours = variances_of(layers, x, together=2)
    assert ours.shape == (3, 5, 6, 5)
    for stage in range(3):
        k = ntk.serial(*layers[: 2 * stage + 1]).kernel(x)
        own = k.self1.diagonal(dim1=-2, dim2=-1).view(5, 6, 5)
        torch.testing.assert_close(ours[stage], own, rtol=1e-13, atol=0)


def test_the_arccosine_polynomial():
    """√(1 − x) P(x) in float32, as the kernel has it: 3e-7 everywhere."""
    text = (HERE.parents[1] / "ntk_teach" / "gram" / "fused_convolutions.cu").read_text()
    body = text[text.index("DEVICE real acos_factor") :].partition("}")[0]
    numbers = [
        float(part.strip(" ;f"))
        for line in body.splitlines()[1:]
        for part in line.replace("*", "+").split("+")[1:]
        if any(c.isdigit() for c in part)
    ]
    x = torch.linspace(0, 1, 100_001)
    p = torch.zeros_like(x)
    for number in numbers:
        p = p * x + number
    assert len(numbers) == 7
    assert float(((1 - x).sqrt() * p - torch.acos(x.double())).abs().max()) < 3e-7


def test_tables_hold_pixels_and_scales():
    """The product of the scales is √(v v')/k; a row stands twice; a variance of 0 is a tiny one."""
    layers, x = network(2)[:-1], images(2, 6, 5, 2, border=2)
    stages, variances = stages_of(layers), variances_of(layers, x)
    once, twice = tables(x, variances, stages), tables(x, variances, stages, twice=True)
    assert once.shape == (2, 4, 6, 32)
    assert torch.equal(twice[:, :, :6], once) and torch.equal(twice[:, :, 6:], once)
    torch.testing.assert_close(once[:, :2, :, :5].double(), x.movedim(-1, 1) / math.sqrt(2), rtol=1e-6, atol=0)
    scale = 1.4**2 / 9
    torch.testing.assert_close(once[:, 2, :, :5].double().square(), variances[0] / scale, rtol=1e-6, atol=1e-30)
    assert float(once[:, 2:, :, :5].min()) > 0


REFUSED = {
    "vectors": (network(), torch.rand(2, 5)),
    "no pool": (network()[:-1], images(1)),
    "flattened": ((*network()[:-1], ntk.Flatten()), images(1)),
    "dense first": ((ntk.Dense(), ntk.relu, ntk.GlobalAvgPool()), images(1)),
    "no activation": ((ntk.Conv2d(), *network()), images(1)),
    "smooth": (network(activation=ntk.erf), images(1)),
    "straight": (network(activation=ntk.leaky_relu(1.0)), images(1)),
    "stride": ((ntk.Conv2d(stride=2), *network()[1:]), images(1)),
    "valid": (network(padding="valid"), images(1)),
    "even window": (network(window=2), images(1)),
    "widest window": (network(window=7), images(1)),
    "no weights": ((ntk.Conv2d(sigma_w=0.0), *network()[1:]), images(1)),
    "two windows": ((ntk.Conv2d(5), ntk.relu, *network()), images(1)),
    "two paddings": ((ntk.Conv2d(padding="circular"), ntk.relu, *network()), images(1)),
    "large": (network(), images(1, 33, 8)),
    "small": (network(window=5), images(1, 4, 8)),
    "deepest": (network(17), images(1)),
    "behind the pool": (network(behind=(ntk.Dense(), ntk.relu)), images(1)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_do_has_a_reason(name):
    layers, x = REFUSED[name]
    assert supported(layers, x)
    with pytest.raises(RuleError, match="use ntk"):
        cntk_gram(layers, x)


@pytest.mark.parametrize("name", CASES)
def test_what_it_can_do(name):
    layers, sizes = CASES[name]
    assert supported(layers, images(1, **sizes)) is None


@pytest.mark.parametrize("depth", [1, 6, 16])
@pytest.mark.parametrize("window", [3, 5])
def test_a_launch_fits_the_registers(depth, window):
    """Warps on a multiprocessor are whole warps, no more than 64; circular padding needs all rows."""
    grid = Grid.suited(depth, window, circular=False)
    assert grid.rowwise and grid.blocks >= 1 and grid.warps * grid.blocks <= 64
    assert not Grid.suited(depth, window, circular=True).rowwise


def test_it_wants_a_gpu_and_says_so():
    with pytest.raises(DomainError, match="CUDA device"):
        cntk_gram(network(), images(2))
    with pytest.raises(RuleError, match="one size"):
        cntk_gram(network(), images(2), images(2, 9, 8))
    with pytest.raises(DomainError, match="rowwise=False"):
        source(8, 8, 1, 3, True, stages_of(network()[:-1]), Grid())
