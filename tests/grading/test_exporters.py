"""Tables for nbgrader, Canvas and Moodle: as their importers read them, whatever people are called."""

import csv
import os
import subprocess
import sys

import pytest
from booked import SLUG, booked, open_book

from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.exporters import CanvasExport, MoodleExport, PlainExport
from ntk_teach.grading.classroom.publish import export

PEOPLE = {
    "ada": {"first_name": "Ada", "last_name": 'King, "Countess"', "email": "ada@uni.example", "lms_user_id": "4711"},
    "bob": {"first_name": "=HYPERLINK(1)", "last_name": "@bob", "email": "bob@uni.example"},
}
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Exercise: 05 Neural Tangent Kernel (99),Final Score
    Points Possible,,,,,10.0,(read only)
"King, Ada",4711,u1,ada,"Monday, early",3.5,1
Builder Bob,4712,u2,bob@uni.example,Monday,,0
"Student, Test",,,x9f,Monday,,0
"""
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments
Participant 7,Ada King,ada@uni.example,Submitted,-,"10,00",-,
Participant 8,+Bob,BOB@uni.example,Submitted,-,"10,00",-,
Participant 9,Zoe,zoe@uni.example,No submission,,"10,00",-,
"""


@pytest.fixture
def course(tmp_path):
    """Ada and bob handed in, eve did not; ada is late."""
    made = booked(tmp_path / "course", {"ada": (3, 5.5), "bob": (1, 0), "eve": None}, **PEOPLE)
    with open_book(made) as book:
        book.find_submission(SLUG, "ada").notebooks[0].late_submission_penalty = 1.5
        book.db.commit()
    return made


def made(course, kind, **settings) -> list[list[str]]:
    path = course.root / "out.csv"
    with open_book(course) as book:
        kind(to=str(path), **settings).export(book)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def roster(course, text: str) -> str:
    path = course.root / "roster.csv"
    path.write_text(text)
    return str(path)


def test_the_plain_table_has_nbgraders_columns_and_numbers(course) -> None:
    """Read back, each cell is what nbgrader's own table says; but for commas, which that one does not survive."""
    from nbgrader.plugins import CsvExportPlugin

    with open_book(course) as book:
        book.find_student("ada").last_name = "King"
        book.db.commit()
    rows = made(course, PlainExport)
    with open_book(course) as book:
        CsvExportPlugin(to=str(course.root / "theirs.csv")).export(book)
    with (course.root / "theirs.csv").open() as file:
        theirs = list(csv.reader(file))
    assert rows[0] == theirs[0]
    # nbgrader's rows come as the students were entered, ours by name.
    for mine, other in zip(rows[1:], sorted(theirs[1:], key=lambda row: (row[0], row[3])), strict=True):
        assert [cell.removeprefix("'") for cell in mine[:7]] == other[:7]
        assert [float(cell) for cell in mine[7:]] == [float(cell) for cell in other[7:]]
    assert {row[3]: float(row[9]) for row in rows[1:]} == {"ada": 7.0, "bob": 1.0, "eve": 0.0}


@pytest.mark.parametrize("kind", [PlainExport, CanvasExport, MoodleExport])
def test_a_name_is_neither_a_formula_nor_a_new_column(course, kind) -> None:
    """Commas and quotation marks stay in their cell; a formula is text."""
    rows = made(course, kind)
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert any('King, "Countess"' in cell for cell in cells)
    assert not any(cell.startswith(("=", "@", "+")) for cell in cells)


def test_students_and_exercises_can_be_chosen(course) -> None:
    """As ``nbgrader export --student --assignment`` do."""
    assert [row[3] for row in made(course, PlainExport, student=["bob"])[1:]] == ["bob"]
    assert made(course, PlainExport, assignment=["other"])[1:] == []


def test_canvas_without_a_roster(course) -> None:
    """Canvas finds a student by its own number, else by login; our names are never in the column of its numbers."""
    header, possible, *rows = made(course, CanvasExport)
    ada, bob, eve = sorted(rows, key=lambda row: row[3])
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", SLUG]
    assert possible == ["    Points Possible", "", "", "", "", "10"]
    assert ada == ['King, "Countess", Ada', "4711", "", "ada", "", "7"]
    assert bob[1:] == ["", "", "bob", "", "1"]
    assert eve == ["eve", "", "", "eve", "", ""]  # nothing handed in: Canvas keeps its own entry


def test_canvas_with_a_roster(course) -> None:
    """Names, numbers, sections and the title of the column are Canvas's own; who is not in our book is not in ours."""
    rows = made(course, CanvasExport, roster=roster(course, CANVAS))
    assert rows[0][5] == "Exercise: 05 Neural Tangent Kernel (99)"
    assert sorted(rows[2:], key=lambda row: row[1]) == [
        ["King, Ada", "4711", "u1", "ada", "Monday, early", "7"],
        ["Builder Bob", "4712", "u2", "bob@uni.example", "Monday", "1"],
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "Export Entire Gradebook"),
        (CANVAS.replace("bob@uni.example", "rob"), "nobody called bob"),
        (
            CANVAS.replace("u2,bob@uni.example", "u1,bob@uni.example")
            .replace("4711,u1,ada", "5,ada,x")
            .replace("4712", "6")
            .replace("u1", "ada"),
            "nobody called ada",
        ),
        (CANVAS.replace("Final Score", "05 neural tangent kernel again (5)"), "one column for 05_neural"),
    ],
)
def test_a_roster_of_canvas_that_does_not_fit(course, text, words) -> None:
    """No export, a student who is not there or is two people, two columns for one exercise."""
    with pytest.raises(CourseError, match=words):
        made(course, CanvasExport, roster=roster(course, text))


def test_moodle_without_a_roster(course) -> None:
    """Points and words of each exercise together: Moodle empties the one that an import leaves out."""
    header, *rows = made(course, MoodleExport)
    ada, bob, eve = sorted(rows)
    assert header[:5] == ["Username", "ID number", "First name", "Last name", "Email address"]
    assert header[5:] == [SLUG, f"Feedback: {SLUG}"]
    assert ada[5:] == ["7", "05.1: 3 of 3; 05.2: 5.5 of 7; late: -1.5"]
    assert bob[5:] == ["1", "05.1: 1 of 3; 05.2: 0 of 7"]
    assert eve[5:] == ["", ""]


def test_moodles_worksheet_is_filled_in(course) -> None:
    """Its own columns and identifiers; who handed in nothing is left as they are."""
    rows = made(course, MoodleExport, roster=roster(course, WORKSHEET))
    assert rows[0] == WORKSHEET.splitlines()[0].split(",")
    assert [row[0] for row in rows[1:]] == ["Participant 7", "Participant 8", "Participant 9"]
    assert [row[4] for row in rows[1:]] == ["7", "1", ""]
    assert [row[5] for row in rows[1:]] == ["10", "10", "10"]
    assert [row[6] for row in rows[1:]] == ["-", "-", "-"]
    assert rows[1][7] == "05.1: 3 of 3; 05.2: 5.5 of 7; late: -1.5"
    assert rows[2][1] == "'+Bob"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "Download grading worksheet"),
        (WORKSHEET.replace("Identifier", "Id"), "none called Identifier"),
        (WORKSHEET.replace('"10,00"', "100"), "a maximum grade of 10, received 100"),
        (WORKSHEET.replace("BOB@", "rob@"), "nobody called bob"),
        (WORKSHEET.replace("Email address", "Mail"), "one of ID number, Username, Email address"),
    ],
)
def test_a_worksheet_of_moodle_that_does_not_fit(course, text, words) -> None:
    with pytest.raises(CourseError, match=words):
        made(course, MoodleExport, roster=roster(course, text))


def test_a_worksheet_is_of_one_exercise(course) -> None:
    with open_book(course) as book:
        book.add_assignment("other")
    with pytest.raises(CourseError, match="name the chapter"):
        made(course, MoodleExport, roster=roster(course, WORKSHEET))


def test_what_nobody_has_read_is_not_zero_in_words(course) -> None:
    """Students read these words; a zero would be a verdict."""
    with open_book(course) as book:
        book.find_grade("05-2", SLUG, SLUG, "bob").auto_score = None
        book.db.commit()
    words = {row[0]: row[6] for row in made(course, MoodleExport)[1:]}
    assert words["bob"] == "05.1: 1 of 3; 05.2: not read yet"
    assert "05.2: 5.5 of 7" in words["ada"]


def test_export_settles_penalties_and_says_whose_answers_wait(course) -> None:
    """The penalty in the table follows the policy of today; a roster needs a format."""
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.LatePenalty.per_day = 0.1\n")
    with open_book(course) as book:
        book.find_grade("05-2", SLUG, SLUG, "bob").auto_score = None
        book.db.commit()
    result = export(course, course.root / "g.csv")
    assert (result.rows, result.unread) == (3, ("bob",))
    with (course.root / "g.csv").open() as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {
            "ada": 8.5,  # no time of receipt is known, so the penalty is gone
            "bob": 1.0,
            "eve": 0.0,
        }
    with pytest.raises(CourseError, match="name the format"):
        export(course, course.root / "g.csv", roster=course.root / "r.csv")


def test_nbgraders_own_command_exports_with_our_plugin(course) -> None:
    """``nbgrader export --exporter=… --to``, and the roster from its command line."""
    command = [sys.executable, "-m", "nbgrader", "export", "--to", "canvas.csv"]
    command += ["--exporter=ntk_teach.grading.classroom.exporters.CanvasExport"]
    command += [f"--CanvasExport.roster={roster(course, CANVAS)}"]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=course.root, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"King, Ada",4711,u1,ada,"Monday, early",7' in (course.root / "canvas.csv").read_text()
