"""One submission, from bytes to a graded notebook: plain data in, plain data out, on this machine or another."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

from ntk_teach.grading.classroom.execute import Execution
from ntk_teach.grading.classroom.library import provided_library, refusal
from ntk_teach.grading.classroom.notebooks import NotebookNode, own, parsed, text
from ntk_teach.grading.classroom.rebuild import rebuilt
from ntk_teach.grading.classroom.sanitize import plain
from ntk_teach.grading.sandbox.backends import chosen
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.sandboxes import Sandboxes, sandboxes
from ntk_teach.grading.task import Exercise
from ntk_teach.grading.tasks import exercise

__all__ = ["NOTES", "Job", "Result", "do", "execute", "jobs_of"]

NOTES = "ntk_teach"  # key of our record in the notebook's metadata
CELLS = 2000  # of a notebook; a release has some thirty


@dataclass(frozen=True)
class Job:
    """Everything that decides a result.

    Args:
        student, number, variant: whose, of which chapter, under which convention.
        submitted, released: the two notebooks, as text.
        seeds: of the inputs, by task.
        limits: what it may use, with this student's accommodation.
        backend: the sandbox.
        library: what of ntk_teach it may import, see ``library.provided_library``.
        refusal: what is said of the rest.
    """

    student: str
    number: str
    variant: str
    submitted: str
    released: str
    seeds: Mapping[str, int]
    limits: Limits
    backend: str
    library: Mapping[str, str]
    refusal: str


def jobs_of(exercise: Exercise, *, seeds: Mapping[str, int], released: str, backend: str) -> Callable[..., Job]:
    """``Job`` with all that a class has in common; student, submitted and limits are left to say."""
    return partial(
        Job,
        number=exercise.number,
        variant=exercise.variant,
        released=released,
        seeds=seeds,
        backend=backend,
        library=provided_library(exercise.provides),
        refusal=refusal(exercise.provides),
    )


@dataclass(frozen=True)
class Result:
    """What became of it.

    Args:
        student: whose.
        notebook: the graded notebook, as text; empty if there is none.
        refused: why there is none.
        mended: what was wrong with the notebook's cells.
        stopped: what ended an interpreter.
        over: a limit of time or memory was reached: worth one more try, alone.
        seconds: on the clock.
    """

    student: str
    notebook: str = ""
    refused: str = ""
    mended: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    over: bool = False
    seconds: float = 0.0
    backend: str = ""


def do(job: Job) -> Result:
    """Grade one submission. Raises OSError or Ended only where no sandbox can be had: then nothing was tried."""
    started = time.monotonic()
    try:
        submitted = parsed(job.submitted)
        released = own(job.released)
        if len(submitted.cells) > CELLS:
            return Result(job.student, refused=f"the notebook has {len(submitted.cells)} cells, more than {CELLS}")
        notebook, mended = rebuilt(submitted, released)
    except Exception as error:  # nbformat raises what the content makes it raise
        reason = plain(f"{type(error).__name__}: {error}", 200).replace("\n", " ")
        return Result(job.student, refused=f"the notebook cannot be read: {reason}")
    job = replace(job, backend=here(job.backend))
    execution = execute(notebook, job, sandboxes(job.backend))
    notebook.metadata[NOTES]["mended"] = mended
    seconds = time.monotonic() - started
    return Result(
        job.student,
        notebook=text(notebook),
        mended=tuple(mended),
        stopped=tuple(execution.stopped),
        over=execution.over,
        seconds=round(seconds, 3),
        backend=job.backend,
    )


def execute(notebook: NotebookNode, job: Job, where: Sandboxes) -> Execution:
    """Run and judge a rebuilt notebook in place."""
    chapter = exercise(job.number, job.variant)
    execution = Execution(chapter, job.seeds, where, job.limits, job.library, job.refusal)
    execution.run(notebook)
    for cell in notebook.cells:
        cell.setdefault("id", uuid.uuid4().hex[:8])
    notebook.metadata[NOTES] = {
        "verdicts": execution.verdicts,
        "stopped": execution.stopped,
        "sandbox": job.backend,
        "variant": job.variant,
    }
    return execution


@cache
def here(backend: str) -> str:
    """The way that this machine has, where the choice was left to it."""
    return chosen(backend)
