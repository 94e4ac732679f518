"""Tables: every error has its place, no cell is a formula, a file is written whole or not at all."""

import csv
import os
from datetime import UTC, datetime

import pytest

from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.tables import instant, plain, read_table, write_table

TEXTS = [
    "Ada",
    'O"Neil, Ada',
    "two\nlines",
    "=HYPERLINK(1)",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    " =1",
    "＝1+1",
    "-",
    "-5",
]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "an empty file"),
        ("name,received\n", "add student"),
        ("student,received,color\n", "rename 'color'"),
        ("student,student,received\n", "each once"),
        ("student,received\nada,x,y\n", "line 2: expected 2 cells, received 3"),
        ('student,received\n"ada,x\n', "save it as CSV"),
        (b"student,received\n\xff,x\n", "in UTF-8"),
    ],
)
def test_a_table_that_is_none_says_where_and_what_to_do(tmp_path, content, words) -> None:
    """Each fault has its own words and names the file."""
    path = tmp_path / "times.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CourseError) as told:
        read_table(path, ["student", "received"])
    assert words in str(told.value)
    assert str(path) in str(told.value)


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(CourseError, match="No such file"):
        read_table(tmp_path / "none.csv", ["student"])


def test_what_spreadsheets_do_to_a_table_is_read(tmp_path) -> None:
    """A byte-order mark, capitals in the header, blanks, empty rows, columns in another order, short rows."""
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffReceived , STUDENT,exercise\r\n\r\n 1 , ada \r\n,,\r\n2,bob,05\r\n".encode())
    lines = read_table(path, ["student", "received"], ["exercise"])
    assert [(line["student"], line["received"], line["exercise"]) for line in lines] == [
        ("ada", "1", ""),
        ("bob", "2", "05"),
    ]
    assert lines[1].place.endswith("line 5")


@pytest.mark.parametrize(
    "text", ["2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00Z", "20260301T120000Z", "2026-03-01 12:00:00 UTC"]
)
def test_a_time_with_its_zone_is_read(text) -> None:
    assert instant(text, "here") == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-03-01T12:00:00", "add the zone"),
        ("2026-03-01", "add the zone"),
        ("yesterday", "ISO 8601"),
        ("", "ISO 8601"),
        ("2026-02-30T12:00:00Z", "ISO 8601"),
        ("0001-01-01T00:00:00+14:00", "ISO 8601"),
    ],
)
def test_a_time_that_is_none(text, words) -> None:
    with pytest.raises(CourseError, match=words):
        instant(text, "here")


def test_what_is_written_is_read_again_and_is_no_formula(tmp_path) -> None:
    """Commas, quotation marks, line ends survive; a cell that would be computed begins with an apostrophe."""
    path = tmp_path / "t.csv"
    write_table(path, [TEXTS, [1.0, 0.1 + 0.2, None, -2.5]])
    with path.open(newline="") as file:
        texts, numbers = csv.reader(file)
    assert [text.removeprefix("'") for text in texts] == TEXTS
    assert [text for text in texts if text.startswith("'")] == [f"'{text}" for text in TEXTS[3:-2]]
    assert numbers == ["1", "0.3", "", "-2.5"]
    assert plain("a=b") == "a=b"


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch) -> None:
    """Nor a draft next to it; whoever could not read it cannot read the new one."""
    path = tmp_path / "t.csv"
    write_table(path, [["old"]])
    path.chmod(0o600)
    write_table(path, [["new"]])
    assert path.stat().st_mode & 0o777 == 0o600

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CourseError, match="No space left"):
        write_table(path, [["newest"]])
    assert path.read_text() == "new\n"
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("where", ["nowhere/t.csv", "folder"])
def test_a_target_that_is_no_file_is_one_sentence(tmp_path, where) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CourseError, match="name a file in a folder that exists"):
        write_table(tmp_path / where, [["x"]])
