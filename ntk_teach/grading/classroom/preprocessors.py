"""What we add to nbgrader's own steps, named in the course's ``nbgrader_config.py``. Needs the [instructor] extra."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Unicode
from traitlets.config import Config

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.classroom.nbgrader_tools import environment
from ntk_teach.grading.classroom.notebooks import NotebookNode, message, number, read
from ntk_teach.grading.classroom.rebuild import rebuilt
from ntk_teach.grading.seeds import VARIABLE
from ntk_teach.grading.tasks import CHAPTERS, exercise
from ntk_teach.grading.verdict import MIME, Verdict

__all__ = ["NOTES", "Rebuild", "Run", "Verdicts"]

NOTES = "ntk_teach"  # key of our record in the notebook's metadata
Converted = tuple[NotebookNode, dict[str, Any]]


class Rebuild(NbGraderPreprocessor):  # type: ignore[misc]
    """First of all steps: the submission on the skeleton of the release, so that nothing later meets a surprise."""

    released = Unicode(
        "release/{assignment}/{notebook}.ipynb", help="the released notebook, from the course's root"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        path = self.released.format(**resources["nbgrader"])
        result, mended = rebuilt(nb, read(Path(path)))
        for cell in result.cells:
            cell.setdefault("id", uuid.uuid4().hex[:8])
        result.metadata[NOTES] = {"mended": mended}
        return result, resources


class Run(Execute):  # type: ignore[misc]
    """nbgrader's execution with the course's seeds; a kernel that dies ends the notebook, not the submission.

    Without a course, as when a student tries a notebook out, the seeds are the public ones.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        # One thread for each kernel: a class is graded on few cores, and the answers are small.
        variables = {"OMP_NUM_THREADS": "1"}
        chapter = resources.get("nbgrader", {}).get("assignment", "").partition("_")[0]
        if chapter in CHAPTERS:
            variables[VARIABLE] = json.dumps(Course(Path.cwd()).seeds(exercise(chapter)))
        try:
            with environment(variables), self._private_sockets():
                nb, resources = super().preprocess(nb, resources)
        except Exception as error:  # whatever stopped it is told to the student, in one line
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            nb.metadata.setdefault(NOTES, {})["stopped"] = f"{type(error).__name__}: {reason}"
        return nb, resources

    @contextmanager
    def _private_sockets(self) -> Iterator[None]:
        """The kernel's sockets in a folder of ours, not ports that every user of the machine can listen to.

        The folder is named, because the default is relative, and kernel and grader do not stand in the same place.
        """
        with TemporaryDirectory(prefix="ntk-") as folder:
            if sys.platform != "win32":  # Windows has ports only
                sockets = {"transport": "ipc", "ip": str(Path(folder) / "kernel")}
                self.update_config(Config(KernelManager=sockets))
            yield


class Verdicts(NbGraderPreprocessor):  # type: ignore[misc]
    """Each graded cell's output becomes our message and the one number that nbgrader's ``determine_grade`` reads.

    So a warning on stderr costs nothing, a cell that never ran earns nothing, and the reason is on the page.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        stopped = nb.metadata.get(NOTES, {}).get("stopped", "")
        points = {}
        for position, cell in enumerate(nb.cells):
            meta = cell.metadata.get("nbgrader", {})
            if cell.cell_type != "code" or not meta.get("grade") or meta.get("solution"):
                continue
            earned, text = _told(cell, float(meta["points"]), stopped, nb.cells[:position])
            points[meta["grade_id"]] = {"points": earned, "text": text}
            cell.outputs = [message(text), number(earned, cell.execution_count)]
        nb.metadata.setdefault(NOTES, {})["verdicts"] = points
        return nb, resources


def _told(cell: NotebookNode, most: float, stopped: str, before: list[NotebookNode]) -> tuple[float, str]:
    """Points and words for one graded cell."""
    nothing = f"failed, 0 of {most:g} points"
    for output in cell.outputs:
        data = output.get("data", {}).get(MIME)
        if data is not None:
            try:
                verdict = Verdict.read(json.loads(data) if isinstance(data, str) else data)
            except (KeyError, TypeError, ValueError):
                break
            return min(max(verdict.points, 0.0), most), str(verdict)
    error = _error(cell)
    if error is not None:
        return 0.0, f"{nothing}: the cell stopped with {_line(error)}{_origin(error, before)}"
    if stopped:
        return 0.0, f"{nothing}: not reached, the notebook's process ended before ({stopped})"
    return 0.0, f"{nothing}: the cell gave no verdict; is `check` still the function from ntk_teach?"


def _error(cell: NotebookNode) -> NotebookNode | None:
    return next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)


def _line(error: NotebookNode) -> str:
    return f"{error.ename}: {error.evalue}".strip().partition("\n")[0]


def _origin(error: NotebookNode, before: list[NotebookNode]) -> str:
    """A name that is missing was to be defined in a cell that stopped itself: that one is to be mended."""
    name = error.evalue.split("'")[1] if error.ename == "NameError" and error.evalue.count("'") >= 2 else ""
    for cell in before if name else []:
        first = _error(cell)
        if first is not None and name in cell.source:
            return f"; it was to be defined in a cell that stopped with {_line(first)}"
    return ""
