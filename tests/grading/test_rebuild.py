"""What students do to notebooks by accident is mended before anything can stumble over it."""

import copy

import nbformat
import pytest

from ntk_teach.grading.classroom.rebuild import rebuilt


def cell(kind, source, name="", **meta):
    made = getattr(nbformat.v4, f"new_{kind}_cell")(source, id=name or f"plain-{abs(hash(source)) % 10**8}")
    if name:
        made.metadata.nbgrader = {"grade_id": name, "grade": False, "solution": False, "locked": True, **meta}
    return made


@pytest.fixture
def released():
    return nbformat.v4.new_notebook(
        cells=[
            cell("markdown", "# Title"),
            cell("code", "import torch", "given-setup"),
            cell("code", "def first(x):\n    raise NotImplementedError()", "1-answer", solution=True, locked=False),
            cell("code", "check('1', first)", "1", grade=True, points=3),
            cell("code", "def second(x):\n    raise NotImplementedError()", "2-answer", solution=True, locked=False),
            cell("code", "check('2', second)", "2", grade=True, points=2),
            cell("markdown", "YOUR ANSWER HERE", "3", grade=True, solution=True, points=4),
        ]
    )


@pytest.fixture
def submitted(released):
    notebook = copy.deepcopy(released)
    notebook.cells[2].source = "def first(x):\n    return x"
    notebook.cells[6].source = "I think so."
    return notebook


def sources(notebook):
    return [c.source for c in notebook.cells]


def ids(notebook):
    return [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]


def test_an_honest_submission_is_left_as_it_is(submitted, released) -> None:
    """Answers stay, nothing is mended."""
    result, mended = rebuilt(submitted, released)
    assert sources(result) == sources(submitted)
    assert mended == []


def test_extra_cells_stay_where_they_were_and_lose_foreign_metadata(submitted, released) -> None:
    """A helper before the answer still runs before it."""
    helper = cell("code", "def helper(): pass", "made-up", grade=True, points=1000)
    submitted.cells.insert(2, helper)
    result, mended = rebuilt(submitted, released)
    assert sources(result)[2] == "def helper(): pass"
    assert ids(result)[2] is None
    assert mended == []


def test_a_deleted_test_comes_back(submitted, released) -> None:
    """In its place, after its answer."""
    del submitted.cells[3]
    result, mended = rebuilt(submitted, released)
    assert ids(result) == ids(released)
    assert mended == ["the cell 1 was missing"]


def test_an_edited_test_is_replaced(submitted, released) -> None:
    """The released check wins, and a person is told."""
    submitted.cells[3].source = "42.0"
    result, mended = rebuilt(submitted, released)
    assert result.cells[3].source == "check('1', first)"
    assert mended == ["the cell 1 was edited: the released one is used"]


def test_changed_points_and_flags_are_put_back(submitted, released) -> None:
    """All metadata are the release's."""
    submitted.cells[3].metadata.nbgrader.update(points=1000, solution=True, grade=False)
    result, _ = rebuilt(submitted, released)
    assert result.cells[3].metadata == released.cells[3].metadata


def test_a_cell_copied_with_its_id_cannot_be_graded_twice(submitted, released) -> None:
    """The copy of an answer runs after it, as it did for the student; the copy of a test is dropped."""
    again = copy.deepcopy(submitted.cells[2])
    again.source = "def first(x):\n    return 2 * x"
    submitted.cells[3:3] = [again]
    submitted.cells.append(copy.deepcopy(submitted.cells[4]))
    result, mended = rebuilt(submitted, released)
    assert sources(result)[2:4] == ["def first(x):\n    return x", "def first(x):\n    return 2 * x"]
    assert [name for name in ids(result) if name] == [name for name in ids(released) if name]
    assert len(mended) == 2


@pytest.mark.parametrize("keep_ids", [True, False])
def test_answers_without_metadata_are_found(submitted, released, keep_ids: bool) -> None:
    """Some editors drop all metadata: the notebook's own ids, or the functions' names, are enough."""
    for number, each in enumerate(submitted.cells):
        each.metadata.clear()
        if not keep_ids:
            each.id = f"new{number}"
    result, mended = rebuilt(submitted, released)
    assert [name for name in ids(result) if name] == [name for name in ids(released) if name]
    assert "I think so." in sources(result)  # without any id it is a cell for a person to find
    assert result.cells[2].source == "def first(x):\n    return x"
    assert any("1-answer was found by" in line for line in mended)


def test_an_empty_notebook_becomes_the_release(released) -> None:
    """Nothing handed in is nothing answered, not a crash."""
    result, mended = rebuilt(nbformat.v4.new_notebook(), released)
    assert sources(result) == sources(released)
    assert len(mended) == 5


def test_metadata_of_the_wrong_type_are_ignored(submitted, released) -> None:
    """nbgrader's key may hold anything."""
    submitted.cells[3].metadata.nbgrader = "hello"
    submitted.cells[2].metadata.nbgrader = {"grade_id": ["a", "list"]}
    result, _ = rebuilt(submitted, released)
    assert ids(result) == ids(released)
    assert result.cells[2].source == "def first(x):\n    return x"


def test_texts_are_laid_out_while_there_are_not_too_many(submitted, released) -> None:
    """The converter takes its time: texts beyond a hundred thousand characters are shown as they were written."""
    submitted.cells[1:1] = [cell("markdown", f"**note {number}** {'x' * 4_985}") for number in range(40)]
    result, _ = rebuilt(submitted, released)
    notes = [source for source in sources(result) if "**note" in source]
    assert [source.startswith("```\n**") for source in notes] == [False] * 20 + [True] * 20


def test_what_happened_often_is_said_once(submitted, released) -> None:
    """A thousand copies of a cell are one sentence of a row, not a thousand."""
    submitted.cells[3:3] = [copy.deepcopy(submitted.cells[2]) for _ in range(1000)]
    result, mended = rebuilt(submitted, released)
    assert mended == ["the cell 1-answer is there twice: the first is the answer, the others run after it"]
    assert len(result.cells) == 1007
