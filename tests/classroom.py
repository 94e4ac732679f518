"""A real course in a temporary folder, and ways to fill in notebooks."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.cli import main
from ntk_teach.grading.tasks import exercise

ROOT = Path(__file__).parents[1]


@dataclass
class Classroom:
    """A course with its exercise released, and the notebooks that one can hand in."""

    course: Course
    number: str

    @classmethod
    def opened(cls, root: Path, number: str, **limits: float) -> Classroom:
        """A new course; ``limits`` are what a submission may use at grading, where they differ from the usual."""
        root.mkdir(parents=True, exist_ok=True)
        config = (ROOT / "exercises" / "nbgrader_config.py").read_text()
        allowed = {"cpu": 20, "wall": 300} | limits
        (root / "nbgrader_config.py").write_text(f"{config}\nc.Run.limits = {allowed!r}\n")
        shutil.copytree(ROOT / "exercises" / "source", root / "source", ignore=shutil.ignore_patterns("*.ipynb"))
        room = cls(Course(root.resolve()), number)
        assert room.run("release", number) == 0
        return room

    @property
    def exercise(self):
        return exercise(self.number)

    @property
    def slug(self) -> str:
        return self.exercise.slug

    def run(self, *words: str) -> int:
        return main([*words, "--course", str(self.course.root)])

    def empty(self):
        """The notebook as it is handed out."""
        return nbformat.read(self.course.released(self.slug), as_version=4)

    def solved(self):
        """The author's notebook, with the solutions."""
        return nbformat.read(self.course.source(self.slug).with_suffix(".ipynb"), as_version=4)

    def answered(self, code: dict[str, str], notebook=None):
        """A copy in which the answer of each named task is this code."""
        notebook = copy.deepcopy(notebook or self.empty())
        for cell in notebook.cells:
            task_id = cell.id.removesuffix("-answer").replace("-", ".")
            if cell.id.endswith("-answer") and task_id in code:
                cell.source = code[task_id]
        return notebook

    def hand_in(self, student: str, notebook) -> Path:
        """A notebook, or raw text of the file."""
        path = self.course.root / "submitted" / student / self.slug / f"{self.slug}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
        return path

    def verdicts(self, student: str) -> dict[str, dict]:
        """What was written on the autograded notebook, by graded cell."""
        notebook = nbformat.read(self.course.autograded(self.slug, student), as_version=4)
        return notebook.metadata["ntk_teach"]["verdicts"]
