"""The page that a student gets back: one file, that asks nobody for anything and runs nothing but MathJax, if anything.

Named in the course's ``nbgrader_config.py``, so that ``ntk-teach feedback``, ``nbgrader generate_feedback`` and the
formgrader's button make the same page. Needs the [instructor] extra; with the [book] extra formulas are set.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import InvalidNotebook
from nbgrader.preprocessors import GetGrades
from traitlets.config import Config

from ntk_teach.grading.classroom.notebooks import NotebookNode
from ntk_teach.grading.tasks import CHAPTERS, exercise

__all__ = ["Colored", "FeedbackPage", "Marks"]

HERE = Path(__file__).parent
BLANK, STEPS = re.compile(r"\s{2,}"), 1_000_000
SETTINGS = r"""
window.MathJax = {
  tex: {inlineMath: [["$", "$"]], packages: {"[-]": ["require", "autoload"]}},
  options: {enableMenu: false},
  startup: {
    pageReady: () => MathJax.startup.defaultPageReady().then(() => {
      // Formulas wider than a telephone scroll, by keyboard too.
      for (const formula of document.querySelectorAll('mjx-container[display="true"]')) formula.tabIndex = 0;
    }),
  },
};
"""


class Marks(GetGrades):  # type: ignore[misc]
    """nbgrader's scores and comments, and for each graded cell a title, a word, and whether a person decided."""

    def _get_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        super()._get_score(cell, resources)
        meta = cell.metadata.nbgrader
        grade = self.gradebook.find_grade(meta["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
        meta["by_hand"] = grade.manual_score is not None
        unread = grade.manual_score is None and grade.auto_score is None
        earned, most = float(meta["score"]), float(meta["points"])
        meta["word"] = (
            "not read yet" if unread else "passed" if earned >= most else "failed" if earned <= 0 else "partly"
        )

    def preprocess_cell(self, cell: NotebookNode, resources: dict[str, Any], cell_index: int) -> Any:
        made = super().preprocess_cell(cell, resources, cell_index)
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade_id"):
            meta["title"] = _title(self.assignment_id, meta["grade_id"])
        return made


class Colored(Highlight2HTML):
    """Code in color; plain where it has thousands of blank lines, from each of which pygments looks for the last."""

    def __call__(self, source: str, language: str | None = None, metadata: Any = None) -> str:
        if sum(len(run) ** 2 for run in BLANK.findall(source)) > STEPS:
            return f'<div class="highlight"><pre>{escape(source)}</pre></div>'
        return str(super().__call__(source, language, metadata))  # type: ignore[no-untyped-call]


class FeedbackPage(HTMLExporter):
    """nbgrader's exporter of feedback, with a template of our own."""

    def __init__(self, config: Config | None = None, **more: Any) -> None:
        ours = Config(config or {})
        ours.FeedbackPage.template_name = "page"
        ours.FeedbackPage.extra_template_basedirs = [str(HERE)]
        ours.FeedbackPage.exclude_anchor_links = True
        super().__init__(config=ours, **more)  # type: ignore[no-untyped-call]
        colored = Colored(pygments_lexer="python", parent=self)  # type: ignore[no-untyped-call]
        self.filters = {**self.filters, "highlight_code": colored}

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **more: Any
    ) -> tuple[str, dict[str, Any]]:
        texts = [cell.metadata.get("nbgrader", {}).get("comment") or "" for cell in nb.cells]
        if not nb.metadata.get("ntk_teach", {}).get("refused"):
            texts += [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
        scripts = _scripts() if any("$" in text or "\\" in text for text in texts) else ()
        resources["style"] = (HERE / "page" / "style.css").read_text(encoding="utf-8")
        resources["policy"] = _policy(scripts)
        page, resources = super().from_notebook_node(nb, resources, **more)
        # The scripts are put in last: the rest has been parsed and written once more, and their digest may not change.
        inserted = "".join(f"<script>{script}</script>\n" for script in scripts)
        before, head, after = page.partition("</head>")
        return before + inserted + head + after, resources

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """A picture that is not there costs the reader this text's layout, not the class its feedback."""
        try:
            return str(super().markdown2html(context, source))
        except InvalidNotebook:
            return f"<pre>{escape(source)}</pre>"


def _title(slug: str, grade_id: str) -> str:
    """The task's own title; its id where there is none, as in exercises that are not of this book."""
    number, task = slug.partition("_")[0], grade_id.removesuffix("-answer").replace("-", ".")
    found = exercise(number).find(task) if number in CHAPTERS else None
    return f"{task} {found.title}" if found else task


def _policy(scripts: tuple[str, ...]) -> str:
    """Nothing is loaded, sent or run, but pictures in the page itself and these scripts, known by their digests."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _scripts() -> tuple[str, ...]:
    """MathJax and its settings, from the package that the book uses; nothing where it is not installed."""
    found = find_spec("sphinx-mathjax-offline")
    file = Path(found.origin).parent / "static" / "mathjax" / "tex-svg.js" if found and found.origin else None
    if file is None or not file.is_file():
        return ()
    program = file.read_text(encoding="utf-8")
    return (SETTINGS, program) if "<script" not in program and "</script" not in program else ()
