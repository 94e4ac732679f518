"""Times of receipt from a table or from the exchange, kept; the student's own ``timestamp.txt`` is never believed."""

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest
from booked import DUE, SLUG, booked, hand_in
from hypothesis import given
from hypothesis import strategies as st

from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.exchange import linked
from ntk_teach.grading.classroom.received import Policy, late_by, load_received, penalty, recorded
from ntk_teach.grading.cli.grade import _links
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("05")
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def course(tmp_path):
    made = booked(tmp_path / "course", {})
    for student in ("ada", "bob", "eve"):
        hand_in(made, student, f'{{"of": "{student}"}}')
    return made


def table(course, text: str):
    path = course.root / "times.csv"
    path.write_text(text)
    return path


# ---- what lateness costs


def test_seconds_after_the_due_date() -> None:
    """Zero before, zero where a time is unknown; nbgrader's times are UTC without saying so."""
    assert late_by(DUE + timedelta(hours=1), DUE) == HOUR
    assert late_by(DUE + timedelta(hours=1), DUE.replace(tzinfo=None)) == HOUR
    assert late_by(DUE - timedelta(hours=1), DUE) == late_by(None, DUE) == late_by(DUE, None) == 0


@pytest.mark.parametrize(
    ("seconds", "lost"),
    [(0, 0), (900, 0), (901, 1), (DAY, 1), (DAY + 1, 2), (4 * DAY, 4), (4 * DAY + 1, 5), (99 * DAY, 5)],
)
def test_a_share_for_each_day_that_has_begun(seconds, lost) -> None:
    """Ten percent a day of 10 points, a quarter of an hour forgiven, at most half."""
    assert penalty(10.0, seconds, Policy(per_day=0.1, grace=15, most=0.5)) == pytest.approx(lost)


@given(st.floats(0, 100), st.floats(0, 1e9), st.floats(0, 1), st.floats(0, 1))
def test_nobody_ends_below_zero_and_nothing_gets_cheaper_later(score, seconds, per_day, most) -> None:
    rule = Policy(per_day, most=most)
    assert 0 <= penalty(score, seconds, rule) <= score
    assert penalty(score, seconds, rule) <= penalty(score, seconds + DAY, rule)


@pytest.mark.parametrize("values", [{"per_day": 10}, {"grace": -1}, {"most": 1.5}, {"per_day": float("nan")}])
def test_a_policy_that_cannot_be_meant(values) -> None:
    with pytest.raises(CourseError, match=r"correct c\.LatePenalty"):
        Policy(**values)


# ---- from a table


def test_times_are_kept_and_the_next_table_adds_to_them(course) -> None:
    """Rows of other exercises are left alone; a regrade without a table has the same times."""
    assert load_received(course, EXERCISE) == {}
    first = table(course, "student,received,exercise\nada,2026-03-01T13:00:00+01:00,05\nbob,2026-03-02T12:00:00Z,\n")
    found = load_received(course, EXERCISE, first)
    assert found == {"ada": DUE, "bob": DUE + timedelta(days=1)}
    assert load_received(course, EXERCISE) == recorded(course, SLUG) == found
    load_received(course, EXERCISE, table(course, "student,received\nbob,2026-03-03T12:00:00Z\n"))
    assert recorded(course, SLUG) == {"ada": DUE, "bob": DUE + timedelta(days=2)}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("adda,2026-03-01T12:00:00Z,", "put the notebook into submitted/adda"),
        ("ada,2026-03-01 12:00,", "add the zone"),
        ("ada,noon,", "ISO 8601"),
        ("bob,2026-03-01T12:00:00Z,", "one time for bob"),
        ("ada,2026-03-01T12:00:00Z,77", "expected an exercise"),
    ],
)
def test_a_bad_row_names_its_line_and_nothing_is_kept(course, row, words) -> None:
    path = table(course, f"student,received,exercise\nbob,2026-03-01T12:00:00Z,5\n{row}\n")
    with pytest.raises(CourseError, match=words) as told:
        load_received(course, EXERCISE, path)
    assert "times.csv, line 3" in str(told.value)
    assert recorded(course, SLUG) == {}


@pytest.mark.parametrize("content", ["{", "[1]", '{"ada": {}}', '{"ada": {"received": "noon"}}', '{"ada": 3}'])
def test_a_damaged_record_is_no_amnesty(course, content) -> None:
    """Going on without would forgive every penalty."""
    path = course.state(f"received-{SLUG}")
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(CourseError, match="give the times again"):
        recorded(course, SLUG)


# ---- from the exchange


@pytest.fixture
def exchange(course, tmp_path):
    """A folder of nbgrader's exchange, and a way to hand in: what ``nbgrader submit`` leaves there."""
    root = tmp_path / "exchange"
    (root / "ntk-teach" / "inbound").mkdir(parents=True)
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + f"\nc.Exchange.root = {str(root)!r}\n")

    def submit(student: str, said: str, content: str, tail: str = "+r4nd0m"):
        folder = root / "ntk-teach" / "inbound" / f"{student}+{SLUG}+{said}{tail}"
        folder.mkdir()
        (folder / f"{SLUG}.ipynb").write_text(content)
        (folder / "timestamp.txt").write_text(said)
        return folder

    return submit


def changed(path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_ctime, UTC)


def later() -> None:
    time.sleep(0.05)  # the clock of the file system ticks in hundredths of a second


EARLY = "2020-01-01 00:00:00 UTC"


def test_the_exchange_says_when_it_saw_the_folder_not_what_the_folder_says(course, exchange) -> None:
    """A forged name, a forged text and a forged modification time change nothing."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    folder = exchange("ada", EARLY, '{"of": "ada"}')
    os.utime(folder, (0, 0))
    os.utime(folder / f"{SLUG}.ipynb", (0, 0))
    found = load_received(course, EXERCISE, "exchange")
    assert before <= found["ada"] <= datetime.now(UTC) + timedelta(seconds=1)
    assert set(found) == {"ada"}  # bob and eve came another way


def test_of_several_submissions_the_collected_bytes_count(course, exchange) -> None:
    """A later version that was not collected does not make the collected one late."""
    first = exchange("ada", EARLY, '{"of": "ada"}')
    later()
    exchange("ada", "2030-01-01 00:00:00 UTC", '{"of": "ada", "version": 2}')
    assert load_received(course, EXERCISE, "exchange")["ada"] == max(changed(first), changed(first / f"{SLUG}.ipynb"))


def test_whoever_writes_to_a_submission_moves_it_later(course, exchange) -> None:
    """In place, so that the folder itself does not notice; also after it was collected."""
    folder = exchange("ada", EARLY, "an early draft")
    later()
    (folder / f"{SLUG}.ipynb").write_text('{"of": "ada"}')
    written = changed(folder / f"{SLUG}.ipynb")
    assert written > changed(folder)
    assert load_received(course, EXERCISE, "exchange")["ada"] == written
    course.state(f"received-{SLUG}").unlink()
    later()
    (folder / f"{SLUG}.ipynb").write_text("something else, collected before")
    assert load_received(course, EXERCISE, "exchange")["ada"] > written


def test_for_the_same_bytes_the_first_reading_stands(course, exchange) -> None:
    """A backup that is restored, or a change of mode by the teacher, moves the file's clock and nobody's work."""
    folder = exchange("ada", EARLY, '{"of": "ada"}')
    first = load_received(course, EXERCISE, "exchange")["ada"]
    later()
    folder.chmod(0o750)
    assert changed(folder) > first
    assert load_received(course, EXERCISE, "exchange")["ada"] == first


def test_links_and_pipes_in_the_exchange_are_not_followed(course, exchange, tmp_path) -> None:
    """A folder that is a link is nobody's; a notebook that is a pipe is not waited for, and dates from its folder."""
    old = tmp_path / "old"
    old.mkdir()
    (old / f"{SLUG}.ipynb").write_text('{"of": "ada"}')
    folder = exchange("bob", EARLY, "x")
    folder.with_name(f"ada+{SLUG}+{EARLY}+x").symlink_to(old)
    (folder / f"{SLUG}.ipynb").unlink()
    os.mkfifo(folder / f"{SLUG}.ipynb")
    assert load_received(course, EXERCISE, "exchange") == {"bob": changed(folder)}
    assert linked(course, SLUG) == []


def test_a_link_in_the_place_of_the_notebook_is_no_way_to_be_in_time(course, exchange, tmp_path) -> None:
    """nbgrader collects what it leads to. The link dates from when it was laid, and is told, with its student."""
    folder = exchange("ada", EARLY, "an early draft")
    begun = changed(folder)
    later()
    mine = tmp_path / "mine.ipynb"
    mine.write_text('{"of": "ada"}')
    (folder / f"{SLUG}.ipynb").unlink()
    (folder / f"{SLUG}.ipynb").symlink_to(mine)
    found = load_received(course, EXERCISE, "exchange")["ada"]
    assert found == changed(folder) > begun
    assert linked(course, SLUG) == ["ada"]
    (line,) = _links(course, EXERCISE, "exchange")
    assert line.startswith("1 handed in a link") and line.endswith(": ada")
    assert _links(course, EXERCISE, "times.csv") == _links(course, EXERCISE, None) == []


def test_taking_a_notebook_away_after_it_was_collected_is_none_either(course, exchange) -> None:
    """Its folder says when. What is not there has no digest, which is nobody's first reading."""
    folder = exchange("ada", EARLY, '{"of": "ada"}')
    later()
    (folder / f"{SLUG}.ipynb").unlink()
    first = load_received(course, EXERCISE, "exchange")["ada"]
    assert first == changed(folder)
    (course.root / "submitted" / "ada" / SLUG / f"{SLUG}.ipynb").unlink()
    load_received(course, EXERCISE, "exchange")
    later()
    folder.chmod(0o750)
    assert load_received(course, EXERCISE, "exchange")["ada"] == changed(folder) > first


def test_what_nbgraders_own_exchange_leaves_there(course, tmp_path, monkeypatch) -> None:
    """Released, submitted and collected by nbgrader itself; one student writes an early time, one hands in again."""
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import default as exchange

    from ntk_teach.grading.classroom.nbgrader_tools import configuration

    root, mine = tmp_path / "exchange", tmp_path / "mine"
    (mine / SLUG).mkdir(parents=True)
    root.mkdir()
    root.chmod(0o777)
    released = course.root / "release" / SLUG / f"{SLUG}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_text("{}")
    shutil.rmtree(course.root / "submitted")
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.Exchange.root = {str(root)!r}\nc.Exchange.cache = {str(tmp_path / 'cache')!r}\n")
    monkeypatch.chdir(mine)

    def does(what: str, student: str = "*", **more: bool) -> None:
        config = configuration(course)
        folder = CourseDirectory(config=config, assignment_id=SLUG, student_id=student)
        getattr(exchange, what)(coursedir=folder, config=config, authenticator=Authenticator(), **more).start()

    def submit(student: str, text: str) -> None:
        (mine / SLUG / f"{SLUG}.ipynb").write_text(text)
        does("ExchangeSubmit", student)

    does("ExchangeReleaseAssignment")
    begun = datetime.now(UTC) - timedelta(seconds=1)
    submit("ada", '{"of": "ada"}')
    submit("bob", '{"of": "bob"}')
    (forged,) = (root / "ntk-teach" / "inbound").glob("bob+*")
    (forged / "timestamp.txt").write_text(EARLY)
    does("ExchangeCollect")
    assert "2020" in (course.root / "submitted" / "bob" / SLUG / "timestamp.txt").read_text()
    first = load_received(course, EXERCISE, "exchange")
    assert set(first) == {"ada", "bob"}
    assert all(begun <= time <= datetime.now(UTC) + timedelta(seconds=1) for time in first.values())
    time.sleep(1.1)  # nbgrader's own times count seconds where it compares them
    submit("ada", '{"of": "ada", "version": 2}')
    again = load_received(course, EXERCISE, "exchange")
    assert again == first  # not collected yet
    does("ExchangeCollect", update=True)
    again = load_received(course, EXERCISE, "exchange")
    assert again["ada"] > first["ada"]
    assert again["bob"] == first["bob"]


def test_names_with_signs_mean_themselves(course, exchange) -> None:
    hand_in(course, "a*", "star")
    exchange("ada", EARLY, "star")
    assert "a*" not in load_received(course, EXERCISE, "exchange")


def test_without_an_exchange(course) -> None:
    """Says which folder was looked for and which settings decide it."""
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.Exchange.root = '/nowhere'\n")
    with pytest.raises(CourseError, match=r"/nowhere/ntk-teach/inbound.*c\.Exchange\.root"):
        load_received(course, EXERCISE, "exchange")


def test_the_record_says_where_a_time_came_from(course) -> None:
    load_received(course, EXERCISE, table(course, "student,received\nada,2026-03-01T12:00:00Z\n"))
    kept = json.loads(course.state(f"received-{SLUG}").read_text())
    assert kept == {"ada": {"received": "2026-03-01T12:00:00+00:00", "source": "times.csv"}}
