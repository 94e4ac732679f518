"""Who computes the tiles: threads of this process, or the workers of any executor, on any number of machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ntk_teach.errors import NTKError, sentence

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Executor", "Pending", "cluster"]


@runtime_checkable
class Pending(Protocol):
    """A result that will be there."""

    def result(self) -> Any: ...


@runtime_checkable
class Executor(Protocol):
    """What ``concurrent.futures`` executors and ``distributed.Client`` have in common."""

    def submit(self, function: Any, /, *arguments: Any) -> Pending: ...


@contextmanager
def cluster(address: str | None = None, *, workers: int | None = None) -> Iterator[Client]:
    """A dask.distributed client for ``executor=``; without an address, of a cluster of processes on this machine.

    Args:
        address: of a running scheduler, such as ``"tcp://host:8786"``; None starts a LocalCluster for the duration.
        workers: processes of the LocalCluster; by default one a core.

    Yields: a ``distributed.Client``. Raises: NTKError where the [distributed] extra is missing.

    Example: ``with ntk.cluster() as client: arch.ntk(x, executor=client)``. Chapter: engine.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        do = 'pip install "ntk-teach[distributed]"'
        raise NTKError(sentence("cluster", "the package distributed", "none installed", do)) from None
    if address is not None:
        with Client(address) as client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # by default its page of numbers would be open to the network
            worker_dashboard_address="127.0.0.1:0",
        ) as local,
        Client(local) as client,
    ):
        yield client
