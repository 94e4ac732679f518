"""Lateness in nbgrader's terms: a plugin, a step in the place of ``AssignLatePenalties``, entries of the gradebook.

In ``nbgrader_config.py``: ``LatePenalties`` in the place of ``AssignLatePenalties`` among the steps of ``Autograde``,
and what it costs, ``c.LatePenalty.per_day = 0.1``. Needs the [instructor] extra.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float
from traitlets import Type as Class

from ntk_teach.grading.classroom import accommodations
from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.classroom.nbgrader_tools import configuration
from ntk_teach.grading.classroom.notebooks import NotebookNode
from ntk_teach.grading.classroom.received import Policy, late_by, penalty, recorded

__all__ = ["LatePenalties", "LatePenalty", "enter_times", "policy", "settle"]


class LatePenalty(LateSubmissionPlugin):  # type: ignore[misc]
    """Points that a late submission loses, by the course's own times of receipt."""

    per_day = Float(0.0, help="share of the earned points for each day that has begun, 0 to 1").tag(config=True)
    grace = Float(0.0, help="minutes that are forgiven").tag(config=True)
    most = Float(1.0, help="the largest share that can be lost, 0 to 1").tag(config=True)

    @property
    def policy(self) -> Policy:
        return Policy(self.per_day, self.grace, self.most)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """nbgrader asks this; ``total_seconds_late`` may stem from a file of the student's and is not looked at."""
        slug = getattr(self.parent, "assignment_id", None)
        if slug is None:  # nobody says which exercise, so no trusted time is known
            self.log.warning("LatePenalty: no exercise given, so no penalty for %s", student_id)
            return None
        submission = self.parent.gradebook.find_submission(slug, student_id)
        seconds = late_by(recorded(_here(), slug).get(student_id), _due(submission))
        return penalty(score, seconds, self.policy) or None


class LatePenalties(AssignLatePenalties):  # type: ignore[misc]
    """nbgrader's step, after the submission's time has been replaced by the one that the course recorded."""

    plugin_class = Class(LatePenalty, klass=LateSubmissionPlugin, help="what lateness costs").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as book:
            enter_times(book, _here(), names["assignment"], names["student"])
        result: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
        return result


def enter_times(book: Gradebook, course: Course, slug: str, student: str) -> float:
    """Write time of receipt and extension into the gradebook; return the seconds of lateness.

    Without a recorded time the entry is emptied: what stood there came from ``timestamp.txt``. An extension that a
    person entered in the gradebook stays unless ``accommodations.csv`` grants one.
    """
    seconds = _dated(book.find_submission(slug, student), recorded(course, slug), accommodations.load(course))
    book.db.commit()
    return seconds


def settle(book: Gradebook, course: Course, slug: str, rule: Policy) -> list[str]:
    """Bring all penalties of an exercise up to date; return the students whose penalty changed.

    nbgrader decides a penalty when the machine has graded; points for written answers come later, and count here too.
    """
    changed = []
    try:
        submissions = list(book.find_assignment(slug).submissions)
    except MissingEntry:
        return []
    times, granted = recorded(course, slug), accommodations.load(course)
    for submission in submissions:
        seconds = _dated(submission, times, granted)
        for notebook in submission.notebooks:
            owed = penalty(notebook.score, seconds, rule)
            if owed != (notebook.late_submission_penalty or 0.0):
                notebook.late_submission_penalty = owed or None
                changed.append(str(submission.student.id))
    book.db.commit()
    return changed


def _dated(submission: Any, times: Mapping[str, datetime], granted: accommodations.Accommodations) -> float:
    """The submission with its time and its extension, to be committed; the seconds of lateness."""
    student, common = submission.student.id, submission.assignment.duedate
    received = times.get(student)
    submission.timestamp = received.astimezone(UTC).replace(tzinfo=None) if received else None
    due = granted.due(student, submission.assignment.name, common)
    if due is not None and due != common:
        submission.extension = due.replace(tzinfo=None) - common
    return late_by(received, _due(submission))


def policy(course: Course) -> Policy | None:
    """``c.LatePenalty`` of the course's configuration; None where it has none."""
    config = configuration(course)
    if "LatePenalty" not in config:
        return None
    return LatePenalty(config=config).policy


def _here() -> Course:
    """nbgrader works in the course's folder while it converts."""
    return Course(Path.cwd())


def _due(submission: Any) -> datetime | None:
    """With the extension; nbgrader's own property fails on an extension of no due date."""
    common: datetime | None = submission.assignment.duedate
    return common + submission.extension if common and submission.extension else common
