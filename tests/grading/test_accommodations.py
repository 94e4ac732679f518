"""What single students are granted, and every slip of the pen in the table."""

from datetime import UTC, datetime

import pytest
from booked import SLUG, bare

from ntk_teach.grading.classroom.accommodations import load
from ntk_teach.grading.classroom.course import CourseError

DUE = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 4, 12, tzinfo=UTC)


def granted(tmp_path, text: str):
    course = bare(tmp_path)
    (course.root / "accommodations.csv").write_text(text)
    return load(course)


def test_nothing_is_granted_where_there_is_no_table(tmp_path) -> None:
    found = load(bare(tmp_path))
    assert found.due("ada", SLUG, DUE) == DUE
    assert found.due("ada", SLUG, None) is None
    assert found.time("ada", SLUG) == 1.0


def test_more_days_and_more_time(tmp_path) -> None:
    """For one exercise, by number or slug, or for all; the row of the exercise wins cell by cell."""
    found = granted(
        tmp_path,
        "student,exercise,due,time\n"
        "ada,5,2026-03-04T13:00:00+01:00,\n"
        "ada,*,2026-03-09T12:00Z,2\n"
        f"bob,{SLUG},,1.5\n"
        "eve,,2026-02-01T12:00:00Z,\n",
    )
    assert found.due("ada", SLUG, DUE) == LATER
    assert found.due("ada", SLUG, DUE.replace(tzinfo=None)) == LATER
    assert found.due("ada", "06_other", DUE) == datetime(2026, 3, 9, 12, tzinfo=UTC)
    assert (found.time("ada", SLUG), found.time("bob", SLUG), found.time("bob", "06_other")) == (2.0, 1.5, 1.0)
    assert found.due("bob", SLUG, DUE) == DUE
    assert found.due("ada", SLUG, None) is None  # without a due date nothing is late


def test_an_extension_never_comes_before_the_date_of_the_others(tmp_path) -> None:
    found = granted(tmp_path, "student,exercise,due\neve,*,2026-02-01T12:00:00Z\n")
    assert found.due("eve", SLUG, DUE) == DUE


def test_names_that_are_nobodys(tmp_path) -> None:
    found = granted(tmp_path, "student,time\nada,2\nadda,2\n")
    assert found.strangers(["ada", "bob"]) == ["adda"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ada,99,,2", "expected an exercise: 01_.*, 05_neural_tangent_kernel, .* or \\*, received '99'"),
        ("ada,05_typo,,2", "received '05_typo'"),
        ("ada,05,2026-03-01T12:00,", "add the zone"),
        ("ada,05,,0.5", "from 1 to 100"),
        ("ada,05,,inf", "from 1 to 100"),
        ("ada,05,,nan", "from 1 to 100"),
        ("ada,05,,twice", "write 1.5"),
        ("ada,05,,", "two empty cells"),
        (",05,,2", "the name of their folder"),
        ("bob,5,,2", "one row for bob and 05_neural_tangent_kernel"),
    ],
)
def test_a_bad_row_names_its_line(tmp_path, row, words) -> None:
    with pytest.raises(CourseError, match=words) as told:
        granted(tmp_path, f"student,exercise,due,time\nbob,05,,2\n{row}\n")
    assert "accommodations.csv, line 3" in str(told.value)
