"""A class of attackers, accidents and oddities, graded at once with three bystanders: nothing stolen, nothing lost."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import secrets
import shutil
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from classroom import Classroom
from corpus import DAILY, HONEST, HOSTILE, Secrets, Submission
from corpus.submission import insert
from corpus.surroundings import Listeners, acting, canary, files_left, processes_left, snapshot, victim

from ntk_teach.grading.classroom.ingest import _shown
from ntk_teach.grading.classroom.report import Report, Row
from ntk_teach.grading.sandbox import found as sandboxes

LIMITS: dict[str, float] = {"cpu": 3, "patience": 2, "wall": 30, "memory": 1 << 30}
BYSTANDERS = {"honest-one": 14.0, "honest-two": 12.0, "honest-three": 8.0}
# What a terminal would obey, and what turns the direction of writing.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass
class Graded:
    """The class after its grading, and what was looked at before and after."""

    room: Any
    entries: list[Submission]
    code: int
    output: str
    seconds: float
    canaries: dict[str, str]
    before: dict[str, str]
    after: dict[str, str]
    heard: list[str]
    processes: list[str]
    files: list[Path]
    victim_lives: bool
    pages: dict[str, str]

    def __post_init__(self) -> None:
        self.rows: dict[str, Row] = {
            row.student: row for row in Report.load(self.room.course.state(f"graded-{self.room.slug}")).rows
        }

    def row(self, entry: Submission) -> Row | None:
        """A name that is no id has a row under a form of it that can be printed."""
        return self.rows.get(entry.folder) or self.rows.get(_shown(entry.folder))

    def handed_in(self, entry: Submission) -> list[Path]:
        return [path for path in (self.room.course.root / "submitted" / entry.folder).rglob("*") if path.is_file()]

    def written(self, entry: Submission) -> dict[str, str]:
        """Everything that the grader wrote for this student, by path."""
        made = {}
        for kind in ("autograded", "feedback"):
            for path in (self.room.course.root / kind / entry.folder).rglob("*"):
                if path.is_file():
                    made[str(path.relative_to(self.room.course.root))] = path.read_text(errors="replace")
        return made


def hand_in_bystanders(room: Any, neighbor: str = "") -> None:
    """Two who are partly right, and one who is right and whose notebook holds a canary."""
    note = nbformat.v4.new_markdown_cell(f"my notes {neighbor}")
    wrong = "def NAME(*given):\n    return 7.0"
    room.hand_in("honest-one", insert(room.solved(), note))
    room.hand_in("honest-two", room.answered({"05.4": wrong.replace("NAME", "variance_slope")}, room.solved()))
    code = {
        "05.2": wrong.replace("NAME", "network_ntk"),
        "05.5": "def layer_shares(*given):\n    raise NotImplementedError",
    }
    room.hand_in("honest-three", room.answered(code, room.solved()))


def graded_class(root: Path, entries: list[Submission], *words: str) -> Graded:
    """Hand in, hide the canaries, grade, give feedback, look around."""
    mark, canaries = f"corpus-{secrets.token_hex(4)}", {}
    for place in ("secret", "gradebook", "neighbor", "variable", "planted", "course", "source"):
        canaries[place] = canary(place)
    shared = Path(tempfile.mkdtemp(prefix="corpus-shared-"))
    (root / "course").mkdir(parents=True)
    (root / "course" / ".secret").write_text(canaries["secret"])
    room = Classroom.opened(root / "course", "05", **LIMITS)
    ears = Listeners(shared, mark)
    try:
        with victim() as lives, contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            known = Secrets(
                course=room.course.root,
                planted=shared / "planted.txt",
                variable="NTK_TEACH_CORPUS",
                port=ears.port,
                datagrams=ears.datagrams,
                socket=ears.socket,
                abstract=ears.abstract,
                victim=lives.pid,
                namespace=os.readlink("/proc/self/ns/pid") if os.path.exists("/proc/self/ns/pid") else "",
                mark=mark,
            )
            hand_in_bystanders(room, canaries["neighbor"])
            for entry in entries:
                entry.write(room, room.course.root / "submitted" / entry.folder / room.slug, known)
            hide(room, known, canaries)
            before, started = snapshot(room.course.root), time.monotonic()
            os.environ[known.variable] = canaries["variable"]
            code = run(room, "grade", "05", *words)
            seconds = time.monotonic() - started
            del os.environ[known.variable]
            after = snapshot(room.course.root)
            pages = {entry.name: page(room, entry.folder) for entry in entries if entry.page}
            assert room.run("export", "--csv", str(room.course.root / "grades.csv")) in (0, 1)
            patience = time.monotonic() + 5
            while processes_left(mark) and time.monotonic() < patience:
                time.sleep(0.1)
            processes, alive = processes_left(mark), lives.poll() is None
    finally:
        ears.close()
        shutil.rmtree(shared, ignore_errors=True)
    files = files_left(mark, room.course.root)
    return Graded(
        room,
        entries,
        code,
        out.getvalue(),
        seconds,
        canaries,
        before,
        after,
        ears.heard,
        processes,
        files,
        alive,
        pages,
    )


def run(room: Any, *words: str) -> int:
    """A run that an error stopped ends with what a shell would say; the class is looked at all the same."""
    try:
        return int(room.run(*words))
    except Exception:
        traceback.print_exc()
        return 70


def page(room: Any, student: str) -> str:
    """Make the feedback page of one student; what went wrong, or nothing. A page for everybody would take minutes."""
    from ntk_teach.grading.classroom.nbgrader_tools import convert

    return convert(room.course, "GenerateFeedback", assignment=room.slug, student=student)


def hide(room: Any, known: Secrets, canaries: dict[str, str]) -> None:
    """Put the canaries where a curious submission would look."""
    from ntk_teach.grading.classroom.gradebook import gradebook

    known.planted.write_text(canaries["planted"])
    (room.course.root / "notes-for-graders.txt").write_text(canaries["course"])
    author = room.course.source(room.slug).with_suffix(".ipynb")
    notebook = json.loads(author.read_text())
    notebook["metadata"]["note"] = canaries["source"]
    author.write_text(json.dumps(notebook))
    with gradebook(room.course) as book:
        book.update_or_create_student("honest-one", first_name=canaries["gradebook"])


def marked(entries: list[Submission]) -> list[Any]:
    """As parameters; what is not for every day is graded by the long version of the tests."""
    return [
        pytest.param(entry, marks=[] if entry.name in DAILY else pytest.mark.soak, id=f"{entry.family}: {entry.name}")
        for entry in entries
    ]


def selected(request: pytest.FixtureRequest) -> list[Submission]:
    """The entries whose tests were asked for: ``-k forgery`` grades the forgers, and the bystanders."""
    asked = [item.callspec.params.get("entry") for item in request.session.items if hasattr(item, "callspec")]
    names = {entry.name for entry in asked if isinstance(entry, Submission)} or DAILY
    return [entry for entry in [*HOSTILE, *HONEST] if entry.name in names]


@pytest.fixture(scope="session")
def graded(request, tmp_path_factory) -> Graded:
    """All that was asked for where there is a sandbox. Where there is none, only those who mean no harm."""
    kept = any(backend.works for backend in sandboxes())
    entries = [entry for entry in selected(request) if kept or entry in HONEST]
    return graded_class(tmp_path_factory.mktemp("corpus"), entries, *(() if kept else ("--unsandboxed",)))


@pytest.fixture(scope="session")
def quiet(tmp_path_factory, graded) -> Any:
    """The bystanders alone, in a course with the same secret."""
    root = tmp_path_factory.mktemp("quiet")
    (root / ".secret").write_text(graded.canaries["secret"])
    room = Classroom.opened(root, "05", **LIMITS)
    hand_in_bystanders(room)
    room.run("grade", "05")
    return room


def attacked(graded: Graded) -> None:
    if not any(backend.works for backend in sandboxes()):
        pytest.skip("no sandbox works on this machine, so no hostile submission was run")


@pytest.mark.parametrize("entry", marked([*HOSTILE, *HONEST]))
def test_points_status_and_words(graded, entry) -> None:
    """What an entry may earn, at least and at most, and a row that says something."""
    if entry not in graded.entries:
        attacked(graded)
    row = graded.row(entry)
    assert row is not None, f"no row for {entry.folder!r}: {entry.about}"
    told = f"{entry.about}\n{row}\n{row.tasks}"
    assert entry.least <= row.score <= entry.most, told
    assert entry.status in (None, row.status), told
    assert row.status in ("graded", "zero", "needs review"), told
    assert row.reasons or row.status == "graded", told


@pytest.mark.parametrize("student", BYSTANDERS)
def test_bystanders_are_graded_as_if_they_were_alone(graded, quiet, student: str) -> None:
    """The same points and the same words, cell by cell."""
    assert graded.rows[student].score == BYSTANDERS[student], graded.rows[student]
    assert graded.rows[student].status == "graded"
    assert graded.room.verdicts(student) == quiet.verdicts(student)


def test_the_run_ended_with_one_row_for_everybody(graded) -> None:
    """It was not stopped, and it lost nobody; each row is one line."""
    needs_a_person = any(row.status == "needs review" for row in graded.rows.values())
    assert graded.code == int(needs_a_person), graded.output[-3000:]
    assert len(graded.rows) == len(graded.entries) + len(BYSTANDERS)
    lines = [line for line in graded.output.splitlines() if re.search(r" of 18\b.*(graded|zero|needs review)", line)]
    assert len(lines) == len(graded.rows)


def test_no_secret_left_its_place(graded) -> None:
    """No canary, no seed and no secret in what was written for others, in the report or on the terminal."""
    hidden = {
        **graded.canaries,
        **{f"seed {n}": str(s) for n, s in graded.room.course.seeds(graded.room.exercise).items()},
    }
    found = []
    for entry in graded.entries:
        row = graded.row(entry)
        texts = {**graded.written(entry), "row": " ".join([*row.reasons, *row.remarks]) if row else ""}
        found += [
            f"{name} in {place}" for place, text in texts.items() for name, word in hidden.items() if word in text
        ]
    assert not found
    assert not [name for name, word in hidden.items() if word in graded.output]


def test_nobody_got_out(graded) -> None:
    """No entry reports a success that must not be, and none met a place without walls."""
    attacked(graded)
    said = [
        (entry.name, words)
        for entry in graded.entries
        for text in graded.written(entry).values()
        for words in re.findall(r"corpus-(?:escaped|unprotected)[^\\\n<]{0,60}", text)
    ]
    assert not said
    assert graded.victim_lives


def test_nothing_was_reached_changed_or_left_behind(graded) -> None:
    """No connection, no process, no file; the course is as it was."""
    assert graded.heard == []
    assert graded.processes == []
    assert graded.files == []
    changed = {path for path in graded.before | graded.after if graded.before.get(path) != graded.after.get(path)}
    assert not changed


def test_the_gradebook_says_what_the_rows_say(graded) -> None:
    """Nobody gave themselves points by hand, and nobody is in it who handed in nothing."""
    from ntk_teach.grading.classroom.gradebook import gradebook

    with gradebook(graded.room.course) as book:
        for submission in book.assignment_submissions(graded.room.slug):
            assert submission.student.id in graded.rows
            assert submission.score == graded.rows[submission.student.id].score, submission.student.id
            assert all(grade.manual_score is None for notebook in submission.notebooks for grade in notebook.grades)
    with (graded.room.course.root / "grades.csv").open() as file:
        table = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert set(BYSTANDERS) <= set(table)
    assert all(table[student] == graded.rows[student].score for student in table)


@pytest.mark.parametrize("entry", marked([entry for entry in HOSTILE if entry.page]))
def test_pages_hold_nothing_that_acts(graded, entry) -> None:
    """Of a student's text, nothing runs, loads or covers anything in a reader's browser."""
    attacked(graded)
    assert graded.pages[entry.name] == ""
    assert acting(graded.room.course.feedback(graded.room.slug, entry.folder).read_text()) == []


def test_a_terminal_is_told_words_only(graded) -> None:
    """Names and errors bring no sequence that a terminal obeys."""
    assert not OBEYED.findall(graded.output)


def test_what_is_written_stays_small_and_nobody_takes_long(graded) -> None:
    """Output is cut, and a submission's time is what was allowed, once more where a limit was reached.

    A notebook and its page repeat the student's own text, whose length the gate bounds; what comes on top is bounded.
    """
    top = {
        path: len(text) - sum(file.stat().st_size for file in graded.handed_in(entry))
        for entry in graded.entries
        for path, text in graded.written(entry).items()
    }
    assert not {path: size for path, size in top.items() if size > 4_000_000}
    took = {name: row.record.get("seconds", 0.0) for name, row in graded.rows.items()}
    assert not {name: seconds for name, seconds in took.items() if seconds > 1.5 * LIMITS["wall"]}


@pytest.mark.soak
def test_all_of_this_holds_for_the_long_class(graded, quiet) -> None:
    """The same looks at everybody whom the daily run leaves out; and one call makes everybody's page."""
    for student in BYSTANDERS:
        test_bystanders_are_graded_as_if_they_were_alone(graded, quiet, student)
    test_the_run_ended_with_one_row_for_everybody(graded)
    test_nobody_got_out(graded)
    test_nothing_was_reached_changed_or_left_behind(graded)
    test_the_gradebook_says_what_the_rows_say(graded)
    test_a_terminal_is_told_words_only(graded)
    assert graded.room.run("feedback", "05") in (0, 1)
    test_no_secret_left_its_place(graded)
    test_what_is_written_stays_small_and_nobody_takes_long(graded)


def test_the_corpus_is_what_it_says() -> None:
    """Names are unique, each has its sentence, and few need the patience of a limit."""
    entries = [*HOSTILE, *HONEST]
    assert not [name for name, times in Counter(entry.name for entry in entries).items() if times > 1]
    assert not [name for name, times in Counter(entry.folder for entry in entries).items() if times > 1]
    assert all(entry.about.endswith(".") for entry in entries)
    daily = [entry for entry in entries if entry.name in DAILY]
    assert len(daily) == len(DAILY)
    assert sum(entry in HOSTILE for entry in daily) >= 70
    assert sum(entry in HONEST for entry in daily) >= 24
    assert sum(entry.endless for entry in daily) <= 6
    assert {entry.family for entry in daily} == {entry.family for entry in entries}
