"""nbgrader's own tools on a course that we graded: formgrader in a real browser, and its commands."""

from __future__ import annotations

import csv

import pytest
from graded_class import room, site
from in_browser import PATIENCE, Formgrader, Visitor, apart, chromium, nbgrader

from ntk_teach.grading.classroom.report import Report
from ntk_teach.grading.sandbox.backends import UNSANDBOXED

pytestmark = pytest.mark.browser
__all__ = ["chromium", "room", "site"]  # fixtures

COMMENT = "Well argued; say what bounds the second derivative."


@pytest.fixture(scope="module")
def visitor(browser, site: Formgrader):
    visitor = apart(Visitor)(browser, viewport={"width": 1300, "height": 1000})
    visitor.page.set_default_timeout(1000 * PATIENCE)
    apart(visitor.open)(site.address("manage_assignments"))
    yield visitor
    apart(visitor.close)()


@pytest.fixture
def visit(visitor, site: Formgrader, tmp_path):
    """Opens a page by its path, and leaves a picture of the last one in the test's folder."""
    yield lambda *path: visitor.open(site.address(*path))
    apart(visitor.page.screenshot)(path=tmp_path / "last.png", full_page=True)
    assert not visitor.tried
    assert not visitor.foreign
    assert not visitor.console


def rows(room) -> dict:
    return {row.student: row for row in Report.load(room.course.state(f"graded-{room.slug}")).rows}


def submission(visit, room, student: str):
    """The page on which this student's notebook is graded by hand."""
    page = visit("manage_students", student, room.slug)
    page.locator("#main-table a", has_text=room.slug).click()
    page.wait_for_function("window.formgrader?.grades?.loaded && formgrader.comments.loaded")
    return page


def grade(room, student: str, cell: str):
    """What the gradebook holds: points of the program, of a person, and whether a person shall look."""
    from ntk_teach.grading.classroom.gradebook import gradebook

    with gradebook(room.course) as book:
        found = book.find_grade(cell, room.slug, room.slug, student)
        return found.auto_score, found.manual_score, bool(found.needs_manual_grade)


def comment(room, student: str, cell: str) -> str:
    from ntk_teach.grading.classroom.gradebook import gradebook

    with gradebook(room.course) as book:
        return book.find_comment(cell, room.slug, room.slug, student).comment


@apart
def test_the_lists_show_our_scores(visit, room) -> None:
    """Assignments, submissions and gradebook: everybody is there, with the points of the report."""
    row = visit("manage_assignments").locator("#main-table tr", has_text=room.slug)
    row.locator("td.name").wait_for()
    assert row.locator("td.name").inner_text() == room.slug
    assert row.locator("td.num-submissions").inner_text() == "4"

    table = visit("manage_submissions", room.slug).locator("#main-table")
    table.locator("td.score").first.wait_for()
    shown = dict(zip(*(table.locator(f"td.{kind}").all_inner_texts() for kind in ("student-id", "score")), strict=True))
    assert shown == {student: f"{row.score:g} / 18" for student, row in rows(room).items()}
    assert shown == {"ada": "14 / 18", "bob": "12 / 18", "dan": "0 / 18", "mallory": "0 / 18"}

    table = visit("gradebook", room.slug, room.slug).locator("#main-table")
    table.locator("td.score").first.wait_for()
    assert sorted(table.locator("td.score").all_inner_texts()) == sorted(shown.values())


@apart
def test_a_submission_shows_what_the_program_found(visit, room) -> None:
    """The message of the mistake, and the points where a person would enter others."""
    page = submission(visit, room, "bob")
    task = room.exercise.find("05.4")
    (mistake,) = [known for known in task.misconceptions if known.function.__name__ == "spread_not_logged"]
    assert mistake.message in " ".join(page.inner_text("#notebook").split())
    points = page.locator("input.score").evaluate_all("all => all.map(box => [box.id, box.placeholder, box.value])")
    assert points == [[f"05-{n}", most, ""] for n, most in zip(range(1, 7), ("3", "3", "3", "0", "3", ""), strict=True)]


@apart
def test_a_refused_submission_says_why_at_every_task(visit, room) -> None:
    """A notebook that is none is a page all the same, on which a person can give points."""
    page = submission(visit, room, "dan")
    assert page.inner_text("#notebook").count("is not a notebook: JSONDecodeError") == len(room.exercise.tasks)
    assert page.locator("input.score").count() == 6


@apart
def test_what_a_person_enters_survives_every_way_to_grade_again(visit, room) -> None:
    """Points and a comment for the written answer, other points for a task: kept, and asked for again after a force."""
    page = submission(visit, room, "ada")
    for box, text, kind in (("05-6", "3", "grade"), ("05-6-comment", COMMENT, "comment"), ("05-4", "1", "grade")):
        with page.expect_response(lambda answer, kind=kind: f"/api/{kind}/" in answer.url) as saved:
            page.locator(f"[id='{box}']").fill(text)
            page.locator(f"[id='{box}']").blur()
        assert saved.value.ok
    assert grade(room, "ada", "05-6") == (None, 3.0, False)
    assert grade(room, "ada", "05-4") == (2.0, 1.0, False)
    assert rows(room)["ada"].score == 14

    assert room.run("grade", "05") == 1
    assert rows(room)["ada"].score == 16
    assert rows(room)["ada"].to_read == 0
    assert grade(room, "ada", "05-6") == (None, 3.0, False)  # nothing was graded again

    forced = ("grade", "05", "--force", "--student", "ada")
    again = ("autograde", room.slug, "--force", "--student", "ada")
    for run in (lambda: room.run(*forced), lambda: nbgrader(room.course.root, *again).returncode):
        assert run() == 0
        assert grade(room, "ada", "05-6") == (None, 3.0, True)
        assert grade(room, "ada", "05-4") == (2.0, 1.0, True)
        assert comment(room, "ada", "05-6") == COMMENT
    page = submission(visit, room, "ada")
    assert page.locator("[id='05-6']").input_value() == "3"
    assert page.locator("[id='05-6-comment']").input_value() == COMMENT


@apart
def test_the_button_of_formgrader_grades_in_our_sandbox(visit, room) -> None:
    """The same words and points as before, and a record of where it ran."""
    path, before = room.course.autograded(room.slug, "bob"), room.verdicts("bob")
    path.unlink()
    page = visit("manage_submissions", room.slug)
    page.locator("#main-table tr", has_text="bob").locator("td.autograde a").click()
    page.locator(".modal.in").wait_for()
    assert "Successfully autograded" in page.inner_text(".modal.in")
    assert room.verdicts("bob") == before
    assert f'"sandbox": "{UNSANDBOXED}"' not in path.read_text()
    assert '"sandbox": "' in path.read_text()
    assert grade(room, "bob", "05-4") == (0.0, None, False)


def test_nbgraders_commands_go_on_from_there(room, site) -> None:
    """``generate_feedback`` makes our pages, ``export`` has everybody's points."""
    made = nbgrader(room.course.root, "generate_feedback", room.slug, "--student", "ada", "--force")
    assert made.returncode == 0, made.stderr
    page = room.course.feedback(room.slug, "ada").read_text()
    assert COMMENT in page
    assert "A person set these points" in page
    made = nbgrader(room.course.root, "export", "--to", "grades.csv")
    assert made.returncode == 0, made.stderr
    with (room.course.root / "grades.csv").open() as file:
        table = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert table == {"ada": 16, "bob": 12, "dan": 0, "mallory": 0}
