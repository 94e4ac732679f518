"""Our steps in nbgrader's own pipeline, named in the course's ``nbgrader_config.py``. Needs the [instructor] extra.

``nbgrader autograde`` and the formgrader's button go through these; ``ntk-teach grade`` calls the same functions, for
many submissions at a time.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Dict, Unicode

from ntk_teach.grading.classroom import accommodations
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.ingest import entries
from ntk_teach.grading.classroom.jobs import NOTES, execute, jobs_of
from ntk_teach.grading.classroom.notebooks import NotebookNode, parsed, read
from ntk_teach.grading.classroom.rebuild import rebuilt
from ntk_teach.grading.classroom.variant import course_exercise
from ntk_teach.grading.sandbox.backends import chosen
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.sandboxes import sandboxes

__all__ = ["Rebuild", "Run"]

Converted = tuple[NotebookNode, dict[str, Any]]


class Rebuild(NbGraderPreprocessor):  # type: ignore[misc]
    """First of all steps: through the gate, then on the skeleton of the release, so that nothing later is surprised.

    nbgrader has read the file by its name already, and copied what lay next to it: what it read is not used, and
    what it copied is removed.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        course, names = Course(Path.cwd()), resources["nbgrader"]
        student, slug = names["student"], names["assignment"]
        for copied in course.autograded(slug, student).parent.glob("*"):
            if copied.is_file() or copied.is_symlink():
                copied.unlink()
        entry = next((entry for entry in entries(course, slug) if entry.student == student), None)
        if entry is None or entry.refused:
            raise CourseError(f"{student}: {entry.refused if entry else 'not found in submitted/'}")
        result, mended = rebuilt(parsed(entry.content), read(course.released(slug)))
        result.metadata[NOTES] = {"mended": mended}
        return result, resources


class Run(NbGraderPreprocessor):  # type: ignore[misc]
    """Execution in a sandbox and judgment outside of it, in the place of nbgrader's ``Execute``."""

    limits = Dict(help="what a submission may use: cpu, wall, memory, …; see sandbox.limits.Limits").tag(config=True)
    sandbox = Unicode("auto", help="auto, root, user, bubblewrap, or unsandboxed").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        course, names = Course(Path.cwd()), resources["nbgrader"]
        number, student = names["assignment"].partition("_")[0], names["student"]
        exercise, backend = course_exercise(course, number), chosen(self.sandbox)
        limits = self.allowed.scaled(accommodations.load(course).time(student, exercise.slug))
        job = jobs_of(exercise, seeds=course.seeds(exercise), released="", backend=backend)
        mended = nb.metadata.get(NOTES, {}).get("mended", [])
        execute(nb, job(student=student, submitted="", limits=limits), sandboxes(backend))
        nb.metadata[NOTES]["mended"] = mended
        return nb, resources

    @property
    def allowed(self) -> Limits:
        """The limits; CourseError for a name that is none, or a number that cannot be."""
        known = [field.name for field in fields(Limits)]
        odd = sorted(set(self.limits) - set(known))
        if odd:
            raise CourseError(
                f"c.Run.limits: expected {', '.join(known)}; received {odd[0]!r}; correct nbgrader_config.py"
            )
        try:
            return Limits(**{**asdict(Limits()), **self.limits})
        except (TypeError, ValueError) as error:
            raise CourseError(f"c.Run.limits: {error}") from None
