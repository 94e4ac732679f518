"""Many submissions at a time: on this machine and on a cluster, with the same scores; refusals that lose nothing."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from classroom import Classroom

from ntk_teach.grading.classroom.journal import alone
from ntk_teach.grading.classroom.report import Report
from ntk_teach.grading.cli.progress import Progress

BIN = Path(sys.executable).parent
RIGHT_SLOPE = """def variance_slope(widths, samples):
    u, v = widths.log(), samples.var(dim=1).log()
    u = u - u.mean()
    return float(u @ v / (u @ u))"""


def small(room) -> None:
    """Four students: everything right, nothing done, one task done, and a notebook that is none."""
    room.hand_in("ada", room.solved())
    room.hand_in("bob", room.empty())
    room.hand_in("cleo", room.answered({"05.4": RIGHT_SLOPE}))
    room.hand_in("dan", "{ this is not JSON")


FAILING = """
import time
from contextlib import ExitStack
from ntk_teach.grading.classroom.farm import _client
with ExitStack() as stack:
    client, _ = _client(stack, 1, None)
    client.loop.add_callback(lambda: 1 / 0)
    time.sleep(0.5)
"""


def test_what_fails_inside_the_cluster_prints_no_traceback() -> None:
    """A run that is stopped says one sentence, whatever the loop was at."""
    done = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    """A graded course that each test may copy."""
    room = Classroom.opened(tmp_path_factory.mktemp("farm"), "05", cpu=3)
    small(room)
    assert room.run("grade", "05") == 1
    return room


def copied(room: Classroom, target: Path) -> Classroom:
    shutil.copytree(room.course.root, target)
    return Classroom(type(room.course)(target), room.number)


def scores(room: Classroom) -> dict[str, tuple]:
    """What the gradebook and the record say, without what may differ between runs."""
    rows = Report.load(room.course.state(f"graded-{room.slug}")).rows
    with closing(sqlite3.connect(room.course.gradebook)) as book:
        grades = book.execute(
            "select submitted_assignment.student_id, grade.cell_id, grade.auto_score, grade.manual_score from grade "
            "join submitted_notebook on grade.notebook_id = submitted_notebook.id "
            "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
        ).fetchall()
    return {
        row.student: (row.status, row.score, row.tasks, sorted((g[2:] for g in grades if g[0] == row.student), key=str))
        for row in rows
    }


def test_every_submission_ends_in_a_row_and_in_the_gradebook(room) -> None:
    """Right 14, empty 0, one task 2, garbage 0 and to be looked at."""
    found = scores(room)
    assert {student: row[:2] for student, row in found.items()} == {
        "ada": ("graded", 14.0),
        "bob": ("graded", 0.0),
        "cleo": ("graded", 2.0),
        "dan": ("needs review", 0.0),
    }


def test_json_is_all_that_a_program_reads(room, capsys) -> None:
    """One document on standard output, with every row, and neither seeds nor digests."""
    capsys.readouterr()
    assert room.run("grade", "05", "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert [row["student"] for row in data["rows"]] == ["ada", "bob", "cleo", "dan"]
    assert data["rows"][0]["score"] == 14
    assert all(row["again"] for row in data["rows"])
    assert not any("seed" in key or "digest" in key for row in data["rows"] for key in row)


def test_regrading_gives_the_same_words_and_changes_nothing(room, capsys) -> None:
    """An appeal is answered from the same inputs; a changed submission shows."""
    before = {path: path.read_bytes() for path in room.course.root.rglob("*") if path.is_file()}
    assert room.run("regrade", "05", "ada", "cleo") == 0
    out = capsys.readouterr().out
    assert "ada: the same" in out and "cleo: the same" in out
    after = {path: path.read_bytes() for path in room.course.root.rglob("*") if path.is_file()}
    assert {path for path in before if before[path] != after.get(path)} <= {room.course.root / ".state/grading.lock"}
    room.hand_in("cleo", room.empty())
    try:
        assert room.run("regrade", "05", "cleo") == 1
        assert "2 points then, 0 now" in capsys.readouterr().out
    finally:
        small(room)


def test_a_real_cluster_gives_identical_scores(room, tmp_path) -> None:
    """A scheduler on the loopback with two worker processes of its own, each with its own warm interpreter."""
    other = copied(room, tmp_path / "course")
    shutil.rmtree(other.course.root / "autograded")
    address = tmp_path / "scheduler.json"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    plain = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    words = [str(BIN / "dask"), "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    programs = [subprocess.Popen([*words, "--scheduler-file", str(address)], **plain)]
    try:
        wait_for(address.is_file)
        place = json.loads(address.read_text())["address"]
        worker = [str(BIN / "dask"), "worker", place, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        programs += [subprocess.Popen(worker, **plain) for _ in range(2)]
        wait_for(lambda: workers(place) == 2)
        assert other.run("grade", "05", "--force", "--scheduler", place) == 1
        assert scores(other) == scores(room)
    finally:
        for program in reversed(programs):
            program.kill()
        for program in programs:
            program.wait()


def workers(place: str) -> int:
    from distributed import Client

    with Client(place, timeout=30) as client:
        return len(client.scheduler_info(n_workers=-1)["workers"])


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


@pytest.mark.parametrize(
    "words, told",
    [
        (["--scheduler", "tcp://127.0.0.1:1"], "a dask scheduler at tcp://127.0.0.1:1"),
        (["--workers", "0"], "a number from 1"),
        (["--sandbox", "root", "--unsandboxed"], "received both"),
        (["--received", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(room, capsys, words, told) -> None:
    """Exit code 2, one sentence, and the record stays."""
    before = scores(room)
    assert room.run("grade", "05", "--force", *words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err
    assert scores(room) == before


def test_two_graders_at_once(room, capsys) -> None:
    """The second one is told who is at work, and does nothing."""
    with alone(room.course):
        assert room.run("grade", "05", "--force") == 2
    err = capsys.readouterr().err
    assert f"process {os.getpid()} on " in err
    assert "what it finished is kept" in err
    assert room.run("grade", "05") == 1


def test_a_gradebook_that_another_program_holds(room, tmp_path, capsys, monkeypatch) -> None:
    """Waited for, then a sentence; what was graded meanwhile is entered by the next run without being run again."""
    other = copied(room, tmp_path / "course")
    monkeypatch.setattr("ntk_teach.grading.classroom.gradebook.PATIENCE", 1)
    holder = sqlite3.connect(other.course.gradebook, isolation_level=None)
    holder.execute("begin immediate")
    other.hand_in("eve", other.solved())
    assert other.run("grade", "05") == 2
    err = capsys.readouterr().err
    assert "close the other program" in err and "Traceback" not in err
    holder.execute("rollback")
    holder.close()
    kept = list((other.course.root / ".state" / f"results-{other.slug}").glob("*.json"))
    assert [path.stem for path in kept] == ["eve"]
    monkeypatch.setattr("ntk_teach.grading.classroom.judges.do", None)  # nothing may be executed now
    assert other.run("grade", "05") == 1
    assert scores(other)["eve"][:2] == ("graded", 14.0)
    assert not list(kept[0].parent.glob("*"))


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small disk, which needs root")
@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_disk_that_takes_no_more(room, tmp_path, capsys, how) -> None:
    """One sentence with what to do; with room again the same command goes on, and nothing is lost."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    try:
        other = copied(room, disk / "course")
        before = scores(other)
        for number in range(3):
            other.hand_in(f"new{number}", other.solved())
        filler = disk / "filler"
        if how == "full":
            fill(filler)
        else:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert other.run("grade", "05") == 2
        err = capsys.readouterr().err
        assert "Traceback" not in err
        assert "free some space" in err or "writable" in err
        if how == "full":
            filler.unlink()
        else:
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert other.run("grade", "05") == 1
        after = scores(other)
        assert {student: after[student] for student in before} == before
        assert [after[f"new{number}"][1] for number in range(3)] == [14.0] * 3
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(path: Path) -> None:
    with path.open("wb") as file:
        try:
            while True:
                file.write(bytes(65536))
                file.flush()
        except OSError:
            pass


def test_the_line_of_progress_says_how_far_and_how_long() -> None:
    """Counts of each kind, the rate, and the time that is left at this rate."""
    progress = Progress(quiet=True)
    progress.counts.update({"graded": 110, "zero": 4, "needs review": 6})
    line = progress.line(300, 60.0)
    assert "120/300" in line
    assert "110 graded · 6 needs review · 4 zero" in line
    assert "120/min" in line
    assert "1:30 left" in line
