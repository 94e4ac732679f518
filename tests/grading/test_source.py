"""The author's short tags become nbgrader's metadata, or an error that names the cell."""

from dataclasses import replace

import pytest
import tiny

from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.source import read_source
from ntk_teach.grading.task import Exercise, WrittenQuestion

QUESTION = WrittenQuestion("99.2", "Why", {"says why": 3, "says how": 2})
EXERCISE = Exercise("99", "tiny", ("data", "relu"), (tiny.task(),), (QUESTION,))

GOOD = """\
# %% [markdown]
# # Tiny ({{points 99.1}}) {{signature 99.1}} with {{provides}}

# %% given="setup"
import numpy

# %% solution="99.1"
def outer(x, depth):
    return depth

# %% check="99.1"
check("99.1", outer)

# %% tags=["demonstration"]
print("look")

# %% [markdown]
# {{rubric 99.2}}

# %% [markdown] written="99.2"
# because
"""


def read(tmp_path, text, exercise=EXERCISE):
    path = tmp_path / "99_tiny.py"
    path.write_text(text)
    return read_source(path, exercise)


def test_tags_become_metadata_with_points_from_the_task(tmp_path) -> None:
    """One source of truth: the notebook's points are the task's."""
    cells = {cell.id: cell for cell in read(tmp_path, GOOD).cells}
    meta = {name: dict(cell.metadata.get("nbgrader", {})) for name, cell in cells.items()}
    assert meta["99-1"] | {"points": 3} == meta["99-1"]
    assert (meta["99-1"]["grade"], meta["99-1"]["solution"], meta["99-1"]["locked"]) == (True, False, True)
    assert (meta["99-1-answer"]["grade"], meta["99-1-answer"]["solution"]) == (False, True)
    assert (meta["99-2"]["points"], meta["99-2"]["grade"], meta["99-2"]["solution"]) == (5, True, True)
    assert meta["given-setup"]["locked"]


def test_markers_are_filled_in(tmp_path) -> None:
    """Points, signature, rubric and what may be used are written once, in the tasks."""
    text = "\n".join(cell.source for cell in read(tmp_path, GOOD).cells)
    assert "Tiny (3 points) `outer(x, depth) -> [n, 3]` with `ntk.data`, `ntk.relu`" in text
    assert "- says why (3)\n- says how (2)" in text
    assert "{{" not in text


SPOKEN = {"text": {"sum": r"\frac{a}{b}", "last": "L+1"}, "code": {"factor": "2"}}
OPEN = GOOD.replace("# # Tiny", "# $x^{{{last}}} = {{sum}}$: `check('99.1', outer)`\n# # Tiny").replace(
    "    return depth\n", '    factor = 1  # {{factor}}\n    return depth * factor, {"a": {"b": {1: 2}}}\n'
)


def test_words_of_a_convention_fill_text_and_code(tmp_path) -> None:
    """Inside LaTeX's braces too; in code a whole right-hand side, and nothing that only looks like a marker."""
    cells = read(tmp_path, OPEN, replace(EXERCISE, **SPOKEN)).cells
    assert cells[0].source.startswith(r"$x^{L+1} = \frac{a}{b}$: `check('99.1', outer)`")
    assert '    factor = 2\n    return depth * factor, {"a": {"b": {1: 2}}}' in cells[2].source


def test_a_variant_is_named_wherever_its_check_is_called(tmp_path) -> None:
    """In the graded cell and where the text shows the call; the book's own is not named."""
    cells = read(tmp_path, OPEN, replace(EXERCISE, variant="other", **SPOKEN)).cells
    assert """`check('99.1', outer, variant="other")`""" in cells[0].source
    assert cells[3].source == 'check("99.1", outer, variant="other")'
    assert all("variant" not in cell.source for cell in read(tmp_path, OPEN, replace(EXERCISE, **SPOKEN)).cells)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("factor = 1  # {{factor}}", "factor = 1  # {{fctor}}", "cell 3: expected an assignment that the convention"),
        ("factor = 1  # {{factor}}", "factor += 1  # {{factor}}", "words of the convention: factor"),
        ("{{sum}}", "{{smu}}", "cell 1: expected a marker that the tasks can fill, received {{smu}}"),
        ('check("99.1", outer)', 'check(\n    "99.1", outer\n)', "cell 4: expected check"),
        ('check("99.1", outer)', 'check("99.1", outer)\ncheck("99.1", outer)', "received 2 calls"),
    ],
)
def test_a_word_that_cannot_be_filled_names_the_cell(tmp_path, old: str, new: str, words: str) -> None:
    """An unknown word, another statement than an assignment, a call that no variant could be added to."""
    assert old in OPEN
    with pytest.raises(CourseError) as caught:
        read(tmp_path, OPEN.replace(old, new), replace(EXERCISE, **SPOKEN))
    assert words in str(caught.value)


def test_ids_do_not_depend_on_the_place(tmp_path) -> None:
    """A cell inserted above leaves the ids below, so a release can be compared with the one before."""
    before = [cell.id for cell in read(tmp_path, GOOD).cells]
    after = [
        cell.id
        for cell in read(tmp_path, GOOD.replace('# %% given="setup"', '# %%\nx = 1\n\n# %% given="setup"')).cells
    ]
    assert [name for name in after if name in before] == before
    assert len(after) == len(before) + 1


def test_equal_cells_have_different_ids(tmp_path) -> None:
    """A notebook with two equal ids is not valid."""
    ids = [cell.id for cell in read(tmp_path, GOOD + "\n# %%\nx = 1\n\n# %%\nx = 1\n\n# %%\nx = 1\n").cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('solution="99.1"', 'solution="99.7"', "cell 3: expected solution= one of the exercise's tasks"),
        ('written="99.2"', 'written="99.1"', "cell 7: expected written="),
        ('check="99.1"', 'chekc="99.1"', "cell 4: expected at most one of"),
        ('check="99.1"', 'check="99.1" solution="99.1"', "cell 4: expected at most one of"),
        ("{{points 99.1}}", "{{point 99.1}}", "cell 1: expected a marker"),
        ("{{rubric 99.2}}", "{{rubric 99.1}}", "cell 6: expected a marker"),
        ('# %% check="99.1"\n', "# %%\n", "expected one cell 99-1, received 0"),
        ('# %% [markdown] written="99.2"', "# %% [markdown]", "expected one cell 99-2, received 0"),
        ('tags=["demonstration"]', 'solution="99.1"', "expected one cell 99-1-answer, received 2"),
    ],
)
def test_a_mistake_of_the_author_names_the_cell(tmp_path, old: str, new: str, words: str) -> None:
    """Where, expected, received."""
    assert old in GOOD
    with pytest.raises(CourseError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert words in str(caught.value)


def test_a_missing_file_says_where_to_put_it(tmp_path) -> None:
    """The first thing that goes wrong in a new course."""
    with pytest.raises(CourseError, match=r"no such file.*exercises/source/99_tiny"):
        read_source(tmp_path / "nothing.py", EXERCISE)
