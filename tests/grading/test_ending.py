"""Commands that are not let finish: a reader who goes away, a signal, a full disk. Nothing is lost, nothing stays."""

import errno
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from classroom import Classroom
from test_crash import left_over
from test_farm import wait_for

from ntk_teach.grading.classroom.report import Report
from ntk_teach.grading.cli import main
from ntk_teach.grading.cli.ending import CLOSED_PIPE, REFUSALS
from ntk_teach.grading.cli.progress import Progress, fitting

PROGRAM = [sys.executable, "-c", "from ntk_teach.grading.cli import run; run()"]
# Started from a shell's background, a program is told to ignore signals of the terminal; here it shall hear them.
HEARING = (
    "import signal\nfor one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(one, signal.SIG_DFL)\n"
)
STOPPED = "ntk-teach: stopped; what was finished is kept, run the same command again to go on\n"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="grading needs Linux")


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    """Nobody is graded yet; the first three take no time."""
    room = Classroom.opened(tmp_path_factory.mktemp("ending"), "05")
    for student in ("a1", "a2", "a3"):
        room.hand_in(student, "{ this is not JSON")
    return room


def copied(room: Classroom, target: Path, *solved: str) -> Classroom:
    """The class, and beside it students with everything right."""
    shutil.copytree(room.course.root, target)
    room = Classroom(type(room.course)(target), room.number)
    for student in solved:
        room.hand_in(student, room.solved())
    return room


def started(room: Classroom, place: Path, *words: str, **streams: object) -> subprocess.Popen:
    """The program, as a shell starts it: the first of a group that hears Ctrl-C; its processes are known by a place."""
    place.mkdir(exist_ok=True)
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(place)}
    variables.pop("PYTHONUNBUFFERED", None)  # as it is for most: Python holds back what it prints into a pipe
    command = [*PROGRAM[:2], HEARING + PROGRAM[2], *words, "--course", str(room.course.root)]
    return subprocess.Popen(command, env=variables, start_new_session=True, **streams)


def graded(room: Classroom) -> dict[str, float]:
    return {row.student: row.score for row in Report.load(room.course.state(f"graded-{room.slug}")).rows}


@pytest.mark.parametrize("words", [("status",), ("doctor",), ("status", "--json"), ("grade", "--help")], ids=" ".join)
def test_a_reader_who_has_gone_is_no_news(room, tmp_path, words) -> None:
    """As in ``ntk-teach status | true``: nothing on standard error, and the exit code of a closed pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    program = started(room, tmp_path / "place", *words, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert program.communicate()[1] == b""
    assert program.returncode == CLOSED_PIPE


def test_a_reader_who_takes_one_row(room, tmp_path) -> None:
    """As in ``ntk-teach grade 05 | head -1``: what was finished by then is kept, and the next run goes on."""
    one = copied(room, tmp_path / "course", "zoe")
    program = started(one, tmp_path / "place", "grade", "05", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = program.stdout.readline()
    program.stdout.close()
    assert first.startswith(b"a")
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait() == CLOSED_PIPE
    wait_for(lambda: not left_over(tmp_path / "place"), 20)
    before = graded(one)
    assert {"a1", "a2"} <= set(before)
    assert one.run("grade", "05") == 1
    assert graded(one) == {"a1": 0, "a2": 0, "a3": 0, "zoe": 14}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_in_the_middle(room, tmp_path, number, code) -> None:
    """To the whole group, as a terminal sends it: one sentence, soon, no process left, nobody pays for it."""
    one = copied(room, tmp_path / "course", "zoe", "zoz", "zoo")
    program = started(one, tmp_path / "place", "grade", "05", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    rows = []
    while len(rows) < 4:  # three that take no time, and one that was executed: others are under way
        rows.append(program.stdout.readline())
    begun = time.monotonic()
    os.killpg(program.pid, number)
    _, said = program.communicate(timeout=60)
    assert said == STOPPED
    assert program.returncode == code
    assert time.monotonic() - begun < 20
    wait_for(lambda: not left_over(tmp_path / "place"), 20)
    assert set(graded(one).values()) <= {0.0, 14.0}
    assert one.run("grade", "05") == 1
    assert graded(one) == {"a1": 0, "a2": 0, "a3": 0, "zoe": 14, "zoo": 14, "zoz": 14}


def test_a_signal_that_the_shell_wants_ignored(room, tmp_path) -> None:
    """``nohup ntk-teach grade 05 &`` outlives its terminal."""
    program = subprocess.Popen(
        ["nohup", *PROGRAM, "status", "--course", str(room.course.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    program.send_signal(signal.SIGHUP)
    out, _ = program.communicate()
    assert program.returncode == 0
    assert f"{room.slug}: " in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_a_full_disk_does_not_take(room, tmp_path) -> None:
    """A sentence, and the code of what could not be done."""
    with Path("/dev/full").open("wb") as full:
        program = started(room, tmp_path / "place", "status", stdout=full, stderr=subprocess.PIPE)
        said = program.communicate()[1].decode()
    assert program.returncode == 2
    assert said.startswith("ntk-teach: ") and said.count("\n") == 1
    assert "No space left on device" in said


def test_without_standard_streams(room, tmp_path) -> None:
    """Closed by whoever started it: nothing to say, and done. No file that is opened next takes their place."""
    words = " ".join(f"'{word}'" for word in [*PROGRAM, "status", "--course", str(room.course.root)])
    done = subprocess.run(["sh", "-c", f"{words} >&- 2>&-"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    code = "import os, sys; from ntk_teach.grading.cli.ending import streams; streams(); sys.exit(os.open('.', 0))"
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -c "{code}" >&- 2>&-'], check=False)
    assert done.returncode >= 3


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.EIO, errno.EMFILE])
def test_what_a_machine_may_refuse_anywhere(room, capsys, monkeypatch, number) -> None:
    """A quota, a full or broken disk, too many open files: one sentence with the file."""

    def refuses(self, slug):
        raise OSError(number, os.strerror(number), "some/file")

    monkeypatch.setattr(type(room.course), "students", refuses)
    capsys.readouterr()
    assert main(["status", "--course", str(room.course.root)]) == 2
    assert re.fullmatch(rf"ntk-teach: .*{os.strerror(number)}: some/file; free some space.*\n", capsys.readouterr().err)


def test_a_fault_of_ours_is_not_hidden(room, monkeypatch) -> None:
    """Only what the system refuses is told as its refusal."""
    assert errno.ENOENT not in REFUSALS and errno.EBADF not in REFUSALS

    def broken(self, slug):
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")

    monkeypatch.setattr(type(room.course), "students", broken)
    with pytest.raises(FileNotFoundError):
        main(["status", "--course", str(room.course.root)])


# ---- the line that is drawn again and again


@pytest.mark.parametrize("columns", [1, 20, 40, 80, 200])
def test_the_line_stays_in_one_row_of_the_window(columns) -> None:
    """A longer one would leave its beginning behind when it is taken away."""
    progress = Progress(quiet=True)
    progress.counts.update({"graded": 211, "needs review": 7, "zero": 31})
    line = progress.line(300, 1234.5)
    assert len(fitting(line, columns)) < max(columns, 2)
    assert fitting(line, 200) == line
    assert "249/300" in fitting(line, 40)


@pytest.mark.parametrize(("term", "drawn"), [("xterm", True), ("dumb", False)])
def test_a_terminal_that_cannot_take_a_line_away_gets_none(room, tmp_path, term, drawn) -> None:
    """An editor's shell says that it is dumb, and would show the codes as text."""
    one = copied(room, tmp_path / "course")
    ours, theirs = pty.openpty()
    command = [*PROGRAM, "grade", "05", "--course", str(one.course.root)]
    program = subprocess.Popen(command, env={**os.environ, "TERM": term}, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # the other side has closed
        pass
    os.close(ours)
    assert program.wait() == 1
    assert (b"\x1b[K" in seen, b"3/3" in seen) == (drawn, drawn)
