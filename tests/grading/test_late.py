"""Penalties for lateness in nbgrader's gradebook: by trusted times, in our grading and in plain nbgrader's steps."""

from datetime import timedelta

import nbformat
import pytest
from booked import DUE, SLUG, booked, open_book

from ntk_teach.grading.classroom.course import CourseError
from ntk_teach.grading.classroom.late import LatePenalties, LatePenalty, enter_times, policy, settle
from ntk_teach.grading.classroom.received import Policy, load_received
from ntk_teach.grading.tasks import exercise

TENTH = Policy(per_day=0.1)


@pytest.fixture
def course(tmp_path):
    """Ada came a day and an hour late, bob in time; nobody knows when eve came."""
    made = booked(tmp_path / "course", {"ada": (3, 7), "bob": (3, 2), "eve": (0, 7)})
    times = made.root / "times.csv"
    times.write_text("student,received\nada,2026-03-02T13:00:00Z\nbob,2026-03-01T11:00:00Z\n")
    load_received(made, exercise("05"), times)
    return made


def penalties(course) -> dict[str, float]:
    with open_book(course) as book:
        found = book.find_assignment(SLUG).submissions
        return {item.student.id: item.late_submission_penalty or 0.0 for item in found}


def forge(course, student: str, moved: timedelta) -> None:
    """What ``nbgrader autograde`` enters for a ``timestamp.txt`` that its student wrote."""
    with open_book(course) as book:
        book.update_or_create_submission(SLUG, student, timestamp=(DUE + moved).replace(tzinfo=None))


def step(course, student: str, monkeypatch, cls=LatePenalties, **settings) -> None:
    """The step as nbgrader runs it, in the course's folder."""
    from traitlets.config import Config

    monkeypatch.chdir(course.root)
    config = Config(LatePenalty=settings, AssignLatePenalties={"plugin_class": LatePenalty})
    names = {"notebook": SLUG, "assignment": SLUG, "student": student, "db_url": f"sqlite:///{course.gradebook}"}
    cls(config=config).preprocess(nbformat.v4.new_notebook(), {"nbgrader": names})


def test_settled_penalties(course) -> None:
    """Two days have begun for ada; who is in time, or whose time is unknown, loses nothing. Twice is once."""
    with open_book(course) as book:
        assert settle(book, course, SLUG, TENTH) == ["ada"]
        assert settle(book, course, SLUG, TENTH) == []
    assert penalties(course) == {"ada": pytest.approx(2.0), "bob": 0, "eve": 0}


def test_points_that_a_person_gives_later_count(course) -> None:
    """A penalty is a share of what was earned, whoever gave it and when."""
    with open_book(course) as book:
        settle(book, course, SLUG, TENTH)
        book.find_grade("05-2", SLUG, SLUG, "ada").manual_score = 2.0
        book.db.commit()
    with open_book(course) as book:
        settle(book, course, SLUG, TENTH)
    assert penalties(course)["ada"] == pytest.approx(1.0)


def test_an_extension_is_entered_and_one_given_by_hand_stays(course) -> None:
    """From ``accommodations.csv``; without a row, what stands in the gradebook."""
    (course.root / "accommodations.csv").write_text("student,exercise,due\nada,05,2026-03-03T00:00:00Z\n")
    with open_book(course) as book:
        assert enter_times(book, course, SLUG, "ada") == 0
        assert book.find_submission(SLUG, "ada").extension == timedelta(hours=36)
    (course.root / "accommodations.csv").unlink()
    with open_book(course) as book:
        book.find_submission(SLUG, "ada").extension = timedelta(hours=24)
        assert enter_times(book, course, SLUG, "ada") == 3600


def test_a_time_that_the_student_wrote_is_replaced(course) -> None:
    """Ada says she was early, eve that she was late: neither is believed."""
    forge(course, "ada", timedelta(days=-9))
    forge(course, "eve", timedelta(days=9))
    with open_book(course) as book:
        settle(book, course, SLUG, TENTH)
        assert book.find_submission(SLUG, "ada").timestamp == (DUE + timedelta(hours=25)).replace(tzinfo=None)
        assert book.find_submission(SLUG, "eve").timestamp is None
    assert penalties(course) == {"ada": pytest.approx(2.0), "bob": 0, "eve": 0}


def test_without_a_due_date_nothing_is_late(tmp_path) -> None:
    """Also where somebody was granted one, which nbgrader itself cannot add to nothing."""
    course = booked(tmp_path / "course", {"ada": (3, 7)}, due=None)
    (course.root / "accommodations.csv").write_text("student,due\nada,2026-03-03T00:00:00Z\n")
    with open_book(course) as book:
        assert enter_times(book, course, SLUG, "ada") == 0
        assert book.find_submission(SLUG, "ada").extension is None


def test_the_step_of_plain_nbgrader(course, monkeypatch) -> None:
    """``nbgrader autograde`` with our step in the place of its own: the same penalty, whatever the student wrote."""
    forge(course, "ada", timedelta(days=-9))
    forge(course, "eve", timedelta(days=9))
    for student in ("ada", "bob", "eve"):
        step(course, student, monkeypatch, per_day=0.1, most=0.15)
    assert penalties(course) == {"ada": pytest.approx(1.5), "bob": 0, "eve": 0}


def test_the_plugin_in_nbgraders_own_step_does_not_look_at_its_seconds(course, monkeypatch) -> None:
    """nbgrader asks for a penalty because ``timestamp.txt`` is late; the recorded times decide."""
    from nbgrader.preprocessors import AssignLatePenalties

    for student, said in (("ada", 30), ("bob", 30), ("eve", 30)):
        forge(course, student, timedelta(days=said))
        step(course, student, monkeypatch, AssignLatePenalties, per_day=0.1)
    assert penalties(course) == {"ada": pytest.approx(2.0), "bob": 0, "eve": 0}


def test_the_plugin_alone_knows_no_time_and_takes_nothing() -> None:
    assert LatePenalty(per_day=0.5).late_submission_penalty("ada", 10.0, 1e6) is None


def test_the_policy_of_a_course(course) -> None:
    """Read from its configuration; none where it says nothing; refused where it cannot be meant."""
    config = course.root / "nbgrader_config.py"
    plain = "\n".join(line for line in config.read_text().splitlines() if "c.LatePenalty" not in line)
    config.write_text(plain)
    assert policy(course) is None
    config.write_text(plain + "\nc.LatePenalty.per_day = 0.2\nc.LatePenalty.grace = 15\n")
    assert policy(course) == Policy(0.2, 15.0)
    config.write_text(plain + "\nc.LatePenalty.per_day = 20\n")
    with pytest.raises(CourseError, match="from 0 to 1"):
        policy(course)
