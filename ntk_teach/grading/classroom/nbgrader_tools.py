"""nbgrader's own converters, started with the course's configuration and without their noise."""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ntk_teach.errors import sentence
from ntk_teach.grading.classroom.course import CONFIG, Course, CourseError

__all__ = ["configuration", "convert", "environment", "needs_nbgrader"]


@contextmanager
def needs_nbgrader() -> Iterator[None]:
    """A missing extra is a sentence that says what to install."""
    try:
        with _quiet():
            yield
    except ModuleNotFoundError as error:
        do = 'pip install "ntk-teach[instructor]"'
        raise CourseError(
            sentence("instructor's tools", "the [instructor] extra", f"no module {error.name}", do)
        ) from None


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables, for the processes started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    """nbgrader's known noise: warnings of its database layer, log lines that we report in our own words."""
    log = logging.getLogger("traitlets")
    level = log.level
    log.setLevel(logging.ERROR)
    silent = logging.NullHandler()  # without any handler, Python prints errors on stderr
    log.addHandler(silent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
        log.removeHandler(silent)


def convert(course: Course, converter: str, *, assignment: str, student: str = "*") -> str:
    """Run one of nbgrader's converters on one assignment; return what went wrong, empty for nothing.

    Args:
        course: the folder.
        converter: ``GenerateAssignment``, ``Autograde`` or ``GenerateFeedback``.
        assignment, student: what to convert; ``*`` is everybody.
    """
    with needs_nbgrader():
        from nbgrader import converters
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.utils import capture_log

        config = configuration(course)
        folder = CourseDirectory(config=config, assignment_id=assignment, student_id=student)
        app = getattr(converters, converter)(coursedir=folder, config=config)
        app.force = True
        # nbgrader starts its database tool by bare name: it is next to this interpreter, not always on PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        with course.writable(), environment({"PATH": path}):
            outcome = capture_log(app)
    return "" if outcome["success"] else _cause(str(outcome.get("log", "")) + str(outcome.get("error", "")))


def _cause(log: str) -> str:
    """The exception that stopped it: the last line of a traceback, but for nbgrader's own "see above"."""
    raised = re.findall(r"^ *(?!nbgrader\.converters)[\w.]*(?:Error|Exception|Entry|Found)\b.*", log, re.MULTILINE)
    return raised[-1].strip() if raised else "no reason given"


def configuration(course: Course) -> Any:
    """The course's ``nbgrader_config.py``, its folders and gradebook named in full."""
    from traitlets.config.loader import PyFileConfigLoader

    config = PyFileConfigLoader(CONFIG, path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = f"sqlite:///{course.gradebook}"
    return config
