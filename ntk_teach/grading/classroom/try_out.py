"""A student's notebook, run from top to bottom on the public inputs: what the grader will say, before handing in."""

from __future__ import annotations

from pathlib import Path

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.nbgrader_tools import needs_nbgrader

__all__ = ["try_out"]


def try_out(path: Path) -> list[tuple[float, float, str]]:
    """Points, points to get and words of every graded cell. The notebook itself is not changed."""
    with needs_nbgrader():
        import nbformat

        from ntk_teach.grading.classroom.notebooks import read
        from ntk_teach.grading.classroom.preprocessors import NOTES, Run, Verdicts

        if not path.is_file():
            raise CourseError(sentence("check", "a notebook", f"{path}: no such file", "name your .ipynb file"))
        try:
            notebook = read(path)
        except (ValueError, AttributeError, nbformat.ValidationError):
            do = "open it in Jupyter and save it again"
            raise CourseError(sentence("check", "a notebook", f"{path.name}, which cannot be read", do)) from None
        resources = {"metadata": {"path": str(path.parent.resolve())}}
        notebook, _ = Run(skip_cells_with_tag="demonstration").preprocess(notebook, resources)
        notebook, _ = Verdicts().preprocess(notebook, resources)
    most = {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    found = notebook.metadata[NOTES]["verdicts"]
    if not found:
        do = "start from the released notebook, and keep its check cells"
        raise CourseError(sentence("check", "graded cells", f"none in {path.name}", do))
    return [(item["points"], most[name], item["text"]) for name, item in found.items()]
