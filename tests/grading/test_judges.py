"""The processes that judge: one that dies is replaced, what they raise arrives, and none stays behind."""

import os
import pickle
import signal
import threading
import time

import pytest

from ntk_teach.grading.classroom import jobs, judges
from ntk_teach.grading.classroom.judges import Bench, Judge
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.process import Ended

JOB = jobs.Job("ada", "05", "book", "{ this is not JSON", "{}", {}, Limits(), "none", {}, "")


@pytest.fixture
def bench(monkeypatch, request):
    """Two judges who do what the test says in the place of grading."""
    monkeypatch.setattr(jobs, "do", request.param)
    made = Bench(2)
    yield made
    made.close()
    assert not any(judge._process.is_alive() for judge in made._all)


def dies(job):
    os.kill(os.getpid(), signal.SIGKILL)


def refuses(job):
    raise Ended("start", "no sandbox today")


def breaks(job):
    raise BrokenPipeError("the sandbox has gone")


def waits(job):
    time.sleep(60)


def names_itself(job):
    return jobs.Result(str(os.getpid()))


@pytest.mark.parametrize("bench", [dies], indirect=True)
def test_a_judge_who_dies_is_replaced(bench) -> None:
    """The one who follows starts afresh, and does the job as it is meant."""
    assert "cannot be read" in bench.do(JOB).refused
    assert len(bench._all) == 2


@pytest.mark.parametrize("bench", [dies], indirect=True)
def test_what_kills_two_judges_is_one_row(bench, monkeypatch) -> None:
    """Not the end of the run."""
    monkeypatch.setattr(judges, "Judge", lambda way: Judge("fork"))
    assert bench.do(JOB) == jobs.Result("ada", refused=judges.DIED)


@pytest.mark.parametrize("bench", [refuses], indirect=True)
def test_what_a_judge_raises_arrives(bench) -> None:
    """With its reason: the run stops for want of a sandbox, not for a fault of the submission."""
    with pytest.raises(Ended, match="no sandbox today") as raised:
        bench.do(JOB)
    assert raised.value.why == "start"


@pytest.mark.parametrize("bench", [breaks], indirect=True)
def test_a_broken_sandbox_is_no_dead_judge(bench) -> None:
    """The same kind of error, from within: it is raised, and the judge stays."""
    before = list(bench._all)
    with pytest.raises(BrokenPipeError, match="the sandbox has gone"):
        bench.do(JOB)
    assert bench._all == before


@pytest.mark.parametrize("bench", [waits], indirect=True)
def test_the_end_waits_for_nobody(bench) -> None:
    """Who is at work when the run is given up is ended, and so is who asked."""
    found = []
    asking = threading.Thread(target=lambda: found.append(bench.do(JOB)))
    asking.start()
    time.sleep(0.3)
    bench.close()
    asking.join(10)
    assert found == [jobs.Result("ada", refused=judges.DIED)]


@pytest.mark.parametrize("bench", [names_itself], indirect=True)
def test_judges_are_processes_of_their_own(bench) -> None:
    """Neither the grader nor each other; one on the bench is enough for two jobs in turn."""
    both = {bench.do(JOB).student for _ in range(2)}
    assert len(both) == 2
    assert str(os.getpid()) not in both
    assert {bench.do(JOB).student for _ in range(2)} == both


def test_a_reason_survives_the_way_from_a_worker() -> None:
    """Pickled and read again, as between processes and machines."""
    again = pickle.loads(pickle.dumps(Ended("memory", "too much")))
    assert (again.why, str(again)) == ("memory", "too much")
