"""Submissions that somebody may hand in, by family: to be graded all together, in one class with honest bystanders."""

from __future__ import annotations

from corpus import (
    folders,
    forgery,
    habits,
    honest,
    looking,
    odd_objects,
    persistence,
    protocol,
    readers,
    resources,
    structure,
    timing,
    uncounted,
)
from corpus.daily import DAILY
from corpus.submission import Secrets, Submission

__all__ = ["DAILY", "HONEST", "HOSTILE", "Secrets", "Submission"]

HOSTILE: list[Submission] = [
    *forgery.submissions,
    *protocol.submissions,
    *odd_objects.submissions,
    *looking.submissions,
    *resources.submissions,
    *persistence.submissions,
    *structure.submissions,
    *readers.submissions,
    *timing.submissions,
    *folders.submissions,
    *uncounted.submissions,
]
HONEST: list[Submission] = [*honest.submissions, *habits.submissions]
