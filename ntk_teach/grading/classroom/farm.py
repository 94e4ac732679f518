"""Many submissions at once: the cores of this machine, or any dask cluster; the same function, the same results."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom import judges
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.jobs import Job, Result, here
from ntk_teach.grading.classroom.sanitize import plain
from ntk_teach.grading.sandbox.backends import SandboxError
from ntk_teach.grading.sandbox.process import Ended

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["cores", "results"]

# dask watches its workers closely, a hundred looks a second at each; ours only wait for sandboxes. And it remembers the
# last thousand events with all that came with them, which here are whole notebooks.
WATCHED = {
    "distributed.admin.low-level-log-length": 1,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.gil.enabled": False,
}
# A signal at the wrong moment makes a callback of distributed's fail, of which tornado would print the traceback.
QUIET = (
    "distributed",
    "distributed.worker",
    "distributed.scheduler",
    "distributed.nanny",
    "tornado.application",
)
AHEAD = 3  # jobs handed out for each worker: enough to keep it busy, few enough to keep memory flat


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def results(
    jobs: Iterator[Job], *, workers: int | None = None, scheduler: str | None = None
) -> Generator[Result, None, None]:
    """Results as they come, in whatever order. Jobs are drawn when there is room for them.

    Args:
        jobs: drawn one by one.
        workers: of this machine; by default one a core.
        scheduler: address of a running dask scheduler, such as ``tcp://host:8786``; its workers need this package
            with the [instructor] extra, and a sandbox of their own.

    A job that reached a limit of time or memory is done once more at the end, alone: the second result counts.

    Raises: CourseError if the cluster is not there, or no sandbox can be started.
    """
    first = next(jobs, None)
    if first is None:
        return
    with ExitStack() as stack:
        stack.callback(judges.stop)
        if scheduler is None:
            workers = workers or cores()
            try:
                judges.start(workers, here(first.backend))  # forks: before there are threads
            except OSError as error:
                raise _no_sandbox(error) from None
        client, many = _client(stack, workers, scheduler)
        stack.callback(judges.stop)  # at the end before the cluster, whose threads wait for them
        again = []
        for result in _drawn(client, _from(first, jobs), AHEAD * many):
            if isinstance(result, Job):
                again.append(result)
            else:
                yield result
        for job in again:  # nothing else runs now
            yield _result(client.submit(judges.do, job, pure=False), job)


def _from(first: Job, jobs: Iterator[Job]) -> Iterator[Job]:
    yield first
    yield from jobs


def _drawn(client: Client, jobs: Iterator[Job], most: int) -> Iterator[Result | Job]:
    """Results; and the job itself where it is to be tried again."""
    from distributed import as_completed

    waiting: dict[Future[Result], Job] = {}
    done = as_completed()
    for job in jobs:
        future = client.submit(judges.do, job, pure=False)
        waiting[future] = job
        done.add(future)
        if len(waiting) >= most:
            yield _or_again(next(done), waiting)
    while waiting:
        yield _or_again(next(done), waiting)


def _or_again(future: Future[Result], waiting: dict[Future[Result], Job]) -> Result | Job:
    job = waiting.pop(future)
    result = _result(future, job)
    return job if result.over else result


def _result(future: Future[Result], job: Job) -> Result:
    """Its result; what failed on our side stops the run, for no student shall pay for it."""
    from distributed import CancelledError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        found: Result = future.result()
    except KilledWorker:
        return Result(job.student, refused=judges.DIED)
    except (CancelledError, CommClosedError) as error:
        do_this = "look at the scheduler and its workers, and run this again: what was finished is kept"
        raise CourseError(sentence("grade", "the cluster to stay", str(error).partition("\n")[0], do_this)) from None
    except (Ended, OSError, SandboxError) as error:
        raise _no_sandbox(error) from None
    except Exception as error:  # a fault of the grader's that this one submission found
        return Result(job.student, refused=f"the grader failed on it: {plain(f'{type(error).__name__}: {error}', 300)}")
    return found


def _no_sandbox(error: Exception) -> CourseError:
    do_this = "see: ntk-teach doctor; what was finished is kept"
    return CourseError(sentence("grade", "a sandbox", plain(error, 300), do_this))


def _client(stack: ExitStack, workers: int | None, scheduler: str | None) -> tuple[Client, int]:
    try:
        from dask import config
        from distributed import Client, LocalCluster
    except ImportError:
        do_this = 'pip install "ntk-teach[instructor]"'
        raise CourseError(sentence("grade", "the package distributed", "none installed", do_this)) from None
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is told in our own words
    if scheduler is None:
        many = workers or cores()
        stack.enter_context(config.set(WATCHED))
        # Workers are threads: they wait for judges, which are processes of their own.
        local = stack.enter_context(
            LocalCluster(
                n_workers=many,
                threads_per_worker=1,
                processes=False,
                # Its page of numbers is for this machine alone; by default it would be open to the network.
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
            )
        )
        return stack.enter_context(Client(local)), many
    try:
        client = stack.enter_context(Client(scheduler, timeout=10))
        many = sum(info["nthreads"] for info in client.scheduler_info(n_workers=-1)["workers"].values())
    except (OSError, ValueError, TimeoutError) as error:
        do_this = "start it (dask scheduler; dask worker ADDRESS), or leave --scheduler away"
        raise CourseError(sentence("grade", f"a dask scheduler at {scheduler}", str(error), do_this)) from None
    if not many:
        do_this = f"start some: dask worker {scheduler} --nthreads 1"
        raise CourseError(sentence("grade", "workers in the cluster", "none", do_this))
    return client, many
