"""Kernels in files: the same numbers, resumed after an interruption, never mixed with another computation."""

import errno
import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError, DtypeError, NTKError, ShapeError
from ntk_teach.gram import blocks

ARCH = ntk.zoo.mlp(3)
X = inputs(90, 5)


@pytest.fixture
def small_panels(monkeypatch):
    """Panels of 16 rows, so that a small matrix has several."""
    monkeypatch.setattr(blocks, "PANEL", 16)


@pytest.mark.usefixtures("small_panels")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_file_holds_the_same_numbers(tmp_path, dtype):
    """out="theta.npy" is an ordinary .npy file with the numbers of the result in memory, symmetric or not."""
    path = tmp_path / "new" / "theta.npy"
    mapped = ARCH.ntk(X, out=path, dtype=dtype, tile=16)
    expected = ARCH.ntk(X, dtype=dtype, tile=16)
    assert torch.equal(mapped, expected)
    assert np.array_equal(np.load(path), expected.numpy())
    both = ARCH.grams(X, X[:20], out=(tmp_path / "a.npy", str(tmp_path / "b.npy")), tile=16)
    assert torch.equal(both.nngp, ARCH.nngp(X, X[:20], tile=16))
    assert np.array_equal(np.load(tmp_path / "b.npy"), ARCH.ntk(X, X[:20], tile=16).numpy())


@pytest.mark.usefixtures("small_panels")
def test_an_interrupted_file_is_gone_on_with(tmp_path):
    """What a run has noted as done is not computed again, the rest is, and the result is that of an undisturbed run."""
    path, counts = tmp_path / "theta.npy", []

    def interrupt(done, total):
        counts.append(total)
        if done >= total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ARCH.ntk(X, out=path, tile=16, progress=interrupt)
    panels = json.loads((tmp_path / "theta.npy.progress.json").read_text())["panels"]
    assert 0 < len(panels) < 6
    ARCH.ntk(X, out=path, tile=16, progress=lambda done, total: counts.append(total))
    assert counts[-1] < counts[0]
    assert np.array_equal(np.load(path), ARCH.ntk(X, tile=16).numpy())
    calls = []
    ARCH.ntk(X, out=path, tile=16, progress=lambda done, total: calls.append(done))  # complete: nothing is left to do
    assert not any(calls)


def test_a_killed_run_is_gone_on_with(tmp_path):
    """SIGKILL in the middle: the next run completes the file with the right numbers."""
    path = tmp_path / "theta.npy"
    program = f"""
        import os, signal, torch
        import ntk_teach as ntk
        from ntk_teach.gram import blocks
        blocks.PANEL = 16
        x = torch.load({str(tmp_path / "x.pt")!r})
        def kill(done, total):
            if done > total / 2:
                os.kill(os.getpid(), signal.SIGKILL)
        torch.set_num_threads(1)
        ntk.zoo.mlp(3).ntk(x, out={str(path)!r}, tile=16, progress=kill)
    """
    torch.save(X, tmp_path / "x.pt")
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False).returncode == -9
    totals = []
    before, blocks.PANEL = blocks.PANEL, 16
    try:
        ARCH.ntk(X, out=path, tile=16, progress=lambda done, total: totals.append(total))
    finally:
        blocks.PANEL = before
    assert totals[-1] < 6 * 7 // 2
    assert np.array_equal(np.load(path), ARCH.ntk(X, tile=16).numpy())


@pytest.mark.boundary
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda path: ARCH.ntk(2 * X, out=path), id="other inputs"),
        pytest.param(lambda path: ntk.zoo.mlp(4).ntk(X, out=path), id="another architecture"),
        pytest.param(lambda path: ARCH.nngp(X, out=path), id="another kernel"),
        pytest.param(lambda path: ARCH.ntk(X, out=path, dtype=torch.float32), id="another dtype"),
        pytest.param(lambda path: ARCH.ntk(X, X[:9], out=path), id="another shape"),
    ],
)
def test_a_file_of_another_computation_is_left_alone(tmp_path, other):
    """The message names the file and says what to do; its bytes stay."""
    path = tmp_path / "theta.npy"
    ARCH.ntk(X, out=path)
    before = path.read_bytes()
    with pytest.raises(DomainError, match=r"theta\.npy: expected .* received a file of another computation"):
        other(path)
    assert path.read_bytes() == before


def test_functions_of_one_name_are_told_apart(tmp_path):
    """Two activations called alike differ in their values, and so in the fingerprint of a file."""
    slow, fast = (
        ntk.Activation.from_function(lambda u, b=b: torch.sin(b * u), name="wave", tolerance=1e-8) for b in (0.5, 1.5)
    )
    nets = [ntk.serial(ntk.Dense(), wave, ntk.Dense()) for wave in (slow, fast)]
    nets[0].ntk(X, out=tmp_path / "theta.npy")
    with pytest.raises(DomainError, match="another computation"):
        nets[1].ntk(X, out=tmp_path / "theta.npy")


@pytest.mark.boundary
def test_places_that_do_not_fit_are_refused(tmp_path):
    """Shape, dtype, kind and file name: expected and received are in the message."""
    (tmp_path / "foreign.npy").write_bytes(b"not ours")
    (tmp_path / "file").write_bytes(b"")
    for kind, out, message in (
        (ShapeError, torch.empty(3, 3, dtype=torch.float64), r"\[90, 90\].*\[3, 3\]"),
        (DtypeError, torch.empty(90, 90), "float64.*float32"),
        (DomainError, np.broadcast_to(np.zeros(1), (90, 90)), "read-only"),
        (DtypeError, 7, "int"),
        (DomainError, tmp_path / "theta.txt", r"ends in \.npy"),
        (DomainError, tmp_path / "foreign.npy", "without a readable note"),
        (DomainError, tmp_path / "file" / "theta.npy", "expected a place for a new file"),
    ):
        with pytest.raises(NTKError, match=message) as caught:
            ARCH.ntk(X, out=out)
        assert type(caught.value) is kind


@pytest.mark.boundary
def test_a_disk_without_room_is_said_before_anything_is_computed(tmp_path, monkeypatch):
    """Room is taken when the file is made; if there is none the message says how much it takes, and no file stays."""

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DomainError, match=r"expected 6\.49e-05 GB of room, received .* GB \(No space left on device\)"):
        ARCH.ntk(X, out=tmp_path / "theta.npy")
    assert list(tmp_path.iterdir()) == []
