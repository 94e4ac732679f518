"""A rebuilt notebook, executed in sandboxes and judged here: cell after cell, each task in a fork of its own.

A cell that ends the interpreter costs that cell: a fresh sandbox is started, the cells before are run in it again, and
the notebook goes on behind.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ntk_teach.grading.classroom.notebooks import NotebookNode, message, number, output
from ntk_teach.grading.classroom.remote import Missing, Remote
from ntk_teach.grading.classroom.sanitize import plain, safe_outputs
from ntk_teach.grading.judge import judge, refused
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.process import WORDS, Ended, Sandboxed
from ntk_teach.grading.sandbox.sandboxes import Sandboxes
from ntk_teach.grading.task import Exercise, Task
from ntk_teach.grading.verdict import Verdict

__all__ = ["DEMONSTRATION", "Execution"]

DEMONSTRATION = "demonstration"  # tag of cells that use the whole library, and are not run
RESTARTS = 12


@dataclass
class Execution:
    """The run of one notebook.

    Args:
        exercise: its tasks.
        seeds: of the inputs, by task.
        sandboxes: where it runs.
        limits: what it may use.
        library, refusal: what of this package it may import, and what is said of the rest.

    After ``run``: the notebook has outputs, ``verdicts`` the points and words of every graded cell, ``stopped`` what
    ended an interpreter, ``over`` whether a limit of time or memory did.
    """

    exercise: Exercise
    seeds: Mapping[str, int]
    sandboxes: Sandboxes
    limits: Limits
    library: Mapping[str, str]
    refusal: str
    verdicts: dict[str, dict[str, object]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    over: bool = False
    box: Sandboxed | None = None
    played: list[str] = field(default_factory=list)
    restarts: int = 0
    shown: int = 0

    def run(self, notebook: NotebookNode) -> None:
        """Execute and judge. Raises Ended with ``why == "start"``, or OSError, if no sandbox can be had at all."""
        self.end = time.monotonic() + self.limits.wall
        try:
            for position, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
                    self._cell(cell, notebook.cells[:position])
        finally:
            if self.box is not None:
                self.box.close()

    def _cell(self, cell: NotebookNode, before: list[NotebookNode]) -> None:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade") and not meta.get("solution"):
            task = self.exercise.find(str(meta["grade_id"]).replace("-", "."))
            if isinstance(task, Task):
                verdict = self._judged(task, before)
                points, text = min(max(verdict.points, 0.0), float(meta["points"])), str(verdict)
                self.verdicts[meta["grade_id"]] = {"points": points, "text": text}
                cell.outputs = [message(text), number(points, None)]
        elif DEMONSTRATION not in cell.metadata.get("tags", []) and cell.source.strip():
            self._ordinary(cell)

    def _ordinary(self, cell: NotebookNode) -> None:
        """Run a cell that carries no points."""
        if time.monotonic() > self.end:
            return
        try:
            box = self._ready()
            claimed, count = box.run(cell.source)
        except Ended as end:
            reason = self._lost(end)
            cell.outputs = [output("error", ename="Stopped", evalue=reason, traceback=[f"Stopped: {reason}"])]
            return
        self.played.append(cell.source)
        cell.execution_count = count if type(count) is int and 0 < count < 1_000_000 else None
        left = min(self.limits.output, self.limits.total_output - self.shown)
        cell.outputs = safe_outputs(claimed, cell.execution_count, 2 * left) if left > 0 else []
        self.shown += sum(len(str(part)) for part in cell.outputs)
        self.over = self.over or any(part.get("ename") == "OutOfTime" for part in cell.outputs)

    def _judged(self, task: Task, before: list[NotebookNode]) -> Verdict:
        if time.monotonic() > self.end:
            self.over = True
            return refused(task, "not reached: the time of the whole submission was used up before")
        try:
            box = self._ready()
            box.task(task.name)
        except Ended as end:
            return refused(task, f"not reached: {self._lost(end)}")
        remote = Remote(box, self.limits.clock)
        try:
            verdict = judge(task, remote, self.seeds[task.id])
        except Missing as missing:
            verdict = refused(task, f"NameError: {missing}{origin(task.name, before)}")
        self.over = self.over or remote.over
        try:
            if remote.waits:
                box.done()
        except Ended:
            remote.lost = True
        if remote.lost:
            self.box = None
            self.stopped.append(f"{task.id}: {remote.dead.problem if remote.dead else 'its sandbox ended'}")
        return verdict

    def _ready(self) -> Sandboxed:
        """The sandbox, or a new one in which the cells before were run again."""
        while self.box is None:
            if self.restarts > RESTARTS:
                raise Ended("restarts", "the notebook ended its own process again and again")
            left = self.end - time.monotonic()
            if left <= 0:  # running the cells before again takes time, too
                raise Ended("wall", WORDS["wall"])
            self.restarts += 1
            box = self.sandboxes.open(replace(self.limits, wall=left))
            try:
                box.begin(self.library, self.refusal)
            except Ended:
                box.close()
                raise
            self.box = box
            for source in list(self.played):
                try:
                    box.run(source)
                except Ended:
                    self.played.remove(source)  # it ran once; the cells behind it shall not wait for it
                    self.box = None
                    break
        return self.box

    def _lost(self, end: Ended) -> str:
        """Note why the sandbox is gone; raise if it never was there."""
        self.box = None
        if end.why == "start":
            raise end
        self.over = self.over or end.why in ("cpu", "clock", "memory", "wall", "processes", "gone")
        reason = plain(end, 300)
        self.stopped.append(reason)
        return reason


def origin(name: str, before: list[NotebookNode]) -> str:
    """A function that is missing was to be defined in a cell that stopped itself: that one is to be mended."""
    for cell in before:
        for part in cell.get("outputs", []):
            if part.output_type == "error" and f"def {name}" in cell.source:
                line = plain(f"{part.ename}: {part.evalue}", 300).strip().partition("\n")[0]
                return f"; it was to be defined in a cell that stopped with {line}"
    return ""
