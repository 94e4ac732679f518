"""Blocks computed by others: a pool of processes and a cluster give the digits of this process."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.gram import blocks, engine

X = inputs(150, 7)
ARCH = ntk.zoo.mlp(3)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "PANEL", 32)
    monkeypatch.setattr(engine, "PARCEL", 64)
    monkeypatch.setattr(engine, "WAITING", 3)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("arch", [ARCH, ntk.zoo.mlp(3, ntk.gelu), ntk.zoo.mlp(3, ntk.tanh)], ids=repr)
def test_a_pool_of_threads_gives_the_same_digits(arch):
    """Parcels cut the matrix along the same tiles: equal to the last digit, symmetric or not."""
    with ThreadPoolExecutor(2) as pool:
        assert torch.equal(arch.ntk(X, executor=pool, tile=16), arch.ntk(X, tile=16))
        assert torch.equal(arch.nngp(X, X[:40], executor=pool, tile=16), arch.nngp(X, X[:40], tile=16))


@pytest.mark.usefixtures("small_blocks")
def test_a_pool_of_processes_gives_the_same_digits(tmp_path):
    """A plan travels to another process and its values come back, into memory and into a file."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert torch.equal(ARCH.ntk(X, executor=pool, tile=16), ARCH.ntk(X, tile=16))
        mapped = ARCH.ntk(X, executor=pool, tile=16, out=tmp_path / "theta.npy")
        assert torch.equal(mapped, ARCH.ntk(X, tile=16))


@pytest.mark.usefixtures("small_blocks")
def test_a_cluster_gives_the_same_digits():
    """A LocalCluster of dask.distributed, and the same scheduler reached by its address."""
    pytest.importorskip("distributed", reason="the [distributed] extra is not installed")
    with ntk.cluster(workers=1) as client:
        assert torch.equal(ARCH.ntk(X, executor=client, tile=16), ARCH.ntk(X, tile=16))
        with ntk.cluster(client.scheduler.address) as second:
            assert torch.equal(ARCH.ntk(X, X[:9], executor=second, tile=16), ARCH.ntk(X, X[:9], tile=16))


@pytest.mark.usefixtures("small_blocks")
def test_a_worker_that_fails_fails_the_run():
    """An exception in a worker reaches the caller."""

    class Broken:
        def submit(self, function, /, *arguments):
            raise OSError("the worker is gone")

    with pytest.raises(OSError, match="gone"):
        ARCH.ntk(X, executor=Broken(), tile=16)
