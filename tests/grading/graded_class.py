"""A class of four, graded once for all tests that look at it: honest, mistaken, hostile, and no notebook at all."""

from __future__ import annotations

from contextlib import ExitStack

import nbformat
import pytest
from classroom import Classroom
from in_browser import Formgrader, formgrader
from texts_to_show import ANSWER, CODE, HONEST, PICTURE, TRICKS

# The variance itself in the place of its logarithm.
MISTAKEN = """def variance_slope(widths, samples):
    u, v = widths.log(), samples.var(dim=1)
    u, v = u - u.mean(), v - v.mean()
    return float(u @ v / (u @ u))"""


def armed(name: str, trick: str) -> str:
    """The trick with code that tells the visitor."""
    return trick.replace("@@", f"hit('{name}')")


def hostile(room):
    """Every trick in a cell of its own, and all of them again in raw cells, attachments, metadata and code."""
    notebook = room.answered({"05.4": ANSWER})
    new = nbformat.v4
    for name, trick in TRICKS.items():
        source = f"Trick {name}:\n\n{armed(name, trick)}"
        notebook.cells.insert(-1, new.new_markdown_cell(source))
        raw = new.new_raw_cell(source, metadata={"raw_mimetype": "text/html", "format": "text/html"})
        notebook.cells.insert(-1, raw)
    notebook.cells[1:1] = [new.new_code_cell(source) for source in CODE.values()]
    attached = new.new_markdown_cell("![x](attachment:a.svg) ![y](attachment:b.png) ![z](attachment:c)")
    attached.attachments = {
        "a.svg": {"image/svg+xml": "<svg onload=hit('attached')></svg>"},
        "b.png": {"image/png": "\"><img src=x onerror=hit('attached')>"},
        "c": {"text/html": "<script>hit('attached')</script>"},
    }
    notebook.cells.append(attached)
    # A person reads the last cell with points of all: everything again.
    answer = next(cell for cell in notebook.cells if cell.id == "05-6")
    answer.source = "\n\n".join(cell.source for cell in notebook.cells if cell.source.startswith("Trick "))[:9000]
    for cell in notebook.cells:
        cell.metadata["tags"] = ["\"><script>hit('tag')</script>"]
        cell.metadata["alt"] = "\" onerror=\"hit('alt')"
    notebook.metadata["title"] = notebook.metadata["widgets"] = "</title><script>hit('title')</script>"
    return notebook


def honest(room):
    notebook = room.solved()
    notebook.cells[-1].source = HONEST
    notebook.cells[1:1] = [nbformat.v4.new_code_cell(PICTURE)]
    return notebook


_made: list[tuple[Classroom, Formgrader]] = []


def _graded(request: pytest.FixtureRequest, tmp_path_factory) -> tuple[Classroom, Formgrader]:
    """Made once, and kept to the end of the session: formgrader starts while the class is graded."""
    if not _made:
        room = Classroom.opened(tmp_path_factory.mktemp("class"), "05")
        room.hand_in("ada", honest(room))
        room.hand_in("bob", room.answered({"05.4": MISTAKEN}, room.solved()))
        room.hand_in("mallory", hostile(room))
        room.hand_in("dan", "{ this is not JSON")
        stack = ExitStack()
        site = stack.enter_context(formgrader(room.course.root, tmp_path_factory.mktemp("jupyter") / "home"))
        request.session.addfinalizer(stack.close)
        assert room.run("grade", "05") == 1  # one needs a person
        assert room.run("feedback", "05") == 0
        _made.append((room, site))
    return _made[0]


@pytest.fixture(scope="module")
def room(request, tmp_path_factory) -> Classroom:
    return _graded(request, tmp_path_factory)[0]


@pytest.fixture(scope="module")
def site(request, tmp_path_factory) -> Formgrader:
    return _graded(request, tmp_path_factory)[1]
