"""The parts of the engine: blocks cover each pair once, progress is readable, memory stays bounded."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntk_teach.gram.blocks import panels_of, tiles_of
from ntk_teach.gram.progress import progress_line


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(1, 30))
def test_blocks_cover_every_pair_once(n, m, step, columns):
    """Whatever the sizes: each pair is in exactly one block, edges are multiples of the tile, panels are in order."""
    for symmetric, shape in ((False, (n, m)), (True, (n, n))):
        count = torch.zeros(shape)
        panels = panels_of(shape, step, symmetric=symmetric, columns=columns)
        for number, panel in enumerate(panels):
            for block in panel:
                assert block.panel == number
                assert block.rows.start % step == block.columns.start % step == 0
                count[block.rows, block.columns] += 1
                if block.mirrored:
                    count[block.columns, block.rows] += 1
        assert (count == 1).all()


@given(st.integers(1, 30), st.integers(1, 9))
def test_tiles_of_a_symmetric_block_are_its_upper_triangle(n, step):
    """Tiles on and above the diagonal, each once."""
    count = torch.zeros(n, n)
    for rows, columns in tiles_of(n, n, step, True):
        count[rows, columns] += 1
        if rows != columns:
            count[columns, rows] += 1
    assert (count == 1).all()


def test_the_line_of_progress(capsys):
    """It says how much is done and how long the rest takes, on one line that ends with the work."""
    show = progress_line("theta")
    show(1, 4)
    show(4, 4)
    text = capsys.readouterr().err
    assert "theta: 1/4 blocks, 25 %" in text
    assert "s left" in text
    assert text.endswith("\n")
    assert text.count("\n") == 1


PROGRAM = """
import resource, sys, torch
import ntk_teach as ntk
torch.set_num_threads(1)
arch = ntk.zoo.mlp(4)
n, d, dtype, file = {n}, {d}, torch.{dtype}, {file!r}
x = torch.randn(n, d, dtype=dtype)
arch.grams(x[:600])
arch.ntk(x[:300], x[300:900])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = arch.ntk(x, out=file) if file else arch.grams(x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def growth(**numbers) -> float:
    """Peak growth of the resident set in a fresh process, in MB; the system counts it in KiB."""
    program = PROGRAM.format(**numbers)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024 / 1e6


def test_memory_beyond_the_outputs_is_small():
    """N = 3000, d = 784, float64, both kernels: the outputs (144 MB) and at most 50 MB."""
    assert growth(n=3000, d=784, dtype="float64", file="") <= 144 + 50


@pytest.mark.skipif(sys.platform != "linux", reason="pages of a file are handed back with madvise, as on Linux")
def test_a_file_is_not_held_in_memory(tmp_path):
    """A float32 kernel of 12 000 inputs is 576 MB on disk; the process grows by less than 250 MB."""
    assert growth(n=12000, d=20, dtype="float32", file=str(tmp_path / "theta.npy")) <= 250
