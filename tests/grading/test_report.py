"""The record of a grading run survives what can happen to a file."""

import pytest

from ntk_teach.grading.classroom.report import GRADED, REVIEW, Report, Row

ROWS = (
    Row("ada", GRADED, 14.0, 18.0, to_read=4.0, tasks={"05-1": 3.0}, digest="d1"),
    Row("bob", REVIEW, 0.0, 18.0, reasons=("no notebook", "twice")),
)


def test_saved_and_loaded(tmp_path) -> None:
    """Every field comes back."""
    path = tmp_path / "new" / "graded.json"
    Report(ROWS).save(path)
    assert Report.load(path) == Report(ROWS)
    assert [row.student for row in Report.load(path).to_review] == ["bob"]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{", "[]", '[{"student": 1}]', '[{"odd": 1, "reasons": []}]', "[3]"])
def test_a_damaged_record_is_no_record(tmp_path, text: str) -> None:
    """It costs another grading, never a wrong row."""
    path = tmp_path / "graded.json"
    path.write_text(text)
    assert Report.load(path) == Report(())


def test_a_row_says_everything_in_one_line() -> None:
    """Student, points, what is to be read, status, reasons."""
    assert str(ROWS[0]).split() == ["ada", "14", "of", "18,", "4", "to", "be", "read", "by", "you", "graded"]
    assert "0 of 18  needs review  (no notebook; twice)" in str(ROWS[1])
