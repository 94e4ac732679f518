"""What the doctor finds: each fault of machine, sandbox and course has its state and its advice."""

import os
import shutil
import sqlite3
from contextlib import closing

import pytest
from booked import EXERCISES, SLUG, bare, booked, hand_in

from ntk_teach.grading import sandbox
from ntk_teach.grading.classroom import machine
from ntk_teach.grading.classroom.doctor import examine
from ntk_teach.grading.classroom.machine import State
from ntk_teach.grading.cli import main
from ntk_teach.grading.sandbox.backends import Backend

FINE, LOOK, STOP = State


@pytest.fixture(autouse=True)
def tried(monkeypatch):
    """Sandboxes as told, so that nothing is started."""

    def tells(*backends: Backend) -> None:
        monkeypatch.setattr(sandbox, "found", lambda: list(backends))

    tells(Backend("root", False, "needs root"), Backend("user", True, "namespaces"))
    return tells


@pytest.fixture
def course(tmp_path):
    made = booked(tmp_path / "course", {"ada": (3, 7)})
    shutil.copytree(EXERCISES / "source", made.root / "source", ignore=shutil.ignore_patterns("*.ipynb"))
    return made


MACHINE = {"python", "cores", "memory", "disk", *machine.TOOLS}  # as it is where the tests run


def found(course, what: str):
    (finding,) = [finding for finding in examine(course) if finding.what == what]
    return finding


def test_a_course_where_all_is_well_but_the_release(course) -> None:
    """Somebody handed in, and what grading builds on is not there."""
    states = {finding.what: finding.state for finding in examine(course)}
    assert {what for what, state in states.items() if state is not FINE} - MACHINE == {"chapter 05"}
    assert found(course, "chapter 05").do == "run: ntk-teach release 05"
    assert set(states) >= {*MACHINE, "sandbox", "configuration", "secret", "gradebook"}


def test_a_path_with_the_signs_of_an_address(tmp_path) -> None:
    """The gradebook is asked for by an address, in which ``#`` means something."""
    made = booked(tmp_path / "Kurs ü #1", {"ada": (3, 7)})
    (made.root / "accommodations.csv").write_text("student,exercise,due,time\nada,*,,1.5\n")
    (made.root / "submitted" / "ada").rename(tmp_path / "elsewhere")
    assert found(made, "gradebook").found == "1 students, 1 exercises with a due date"
    assert found(made, "accommodations").state is FINE  # known from the gradebook alone


@pytest.mark.parametrize("name", ["100%25", "[2030]", "really?", "a*"])
def test_a_path_that_nbgrader_reads_otherwise(tmp_path, capsys, name) -> None:
    """It would find no file, or another gradebook: said before the first release, not in its words."""
    made = bare(tmp_path / name)
    assert found(made, "course").state is STOP
    assert "rename" in found(made, "course").do
    assert main(["release", "05", "--course", str(made.root)]) == 2
    assert f"nbgrader takes {' '.join(sorted(set(name) & set('%?*[')))} in a path" in capsys.readouterr().err


def test_a_fresh_course_is_well(tmp_path) -> None:
    """Nothing is released, handed in or secret yet, and nothing was made by looking."""
    made = bare(tmp_path / "course")
    shutil.copytree(EXERCISES / "source", made.root / "source", ignore=shutil.ignore_patterns("*.ipynb"))
    before = sorted(made.root.rglob("*"))
    assert {finding.state for finding in examine(made) if finding.what not in MACHINE} == {FINE}
    assert [path for path in sorted(made.root.rglob("*")) if "__pycache__" not in str(path)] == before


def test_without_a_course_the_machine_is_looked_at_all_the_same() -> None:
    findings = examine(None, "no course here")
    assert findings[0].what == "python"
    assert (findings[-1].state, findings[-1].found) == (STOP, "no course here")
    assert "--course DIR" in str(findings[-1])


# ---- sandbox


def test_sandboxes(course, tried) -> None:
    """The first that works, with its others; none is a decision for a person."""
    assert found(course, "sandbox").found == "user: namespaces"
    tried(Backend("user", True, "a"), Backend("bubblewrap", True, "b"))
    assert found(course, "sandbox").found == "user: a (also bubblewrap)"
    tried(Backend("user", False, "not allowed here"))
    finding = found(course, "sandbox")
    assert finding.state is LOOK
    assert "not allowed here" in finding.found
    assert "install bubblewrap" in finding.do
    tried()
    assert found(course, "sandbox").state is LOOK


# ---- machine


def test_a_tool_that_is_missing_or_not_the_locked_one(course, monkeypatch) -> None:
    """A lock in the course is looked at first; a build for one kind of machine is still the version."""
    versions = {"torch": "2.0.0+cpu", "numpy": "1.0"}

    def version(name):
        if name in ("nbgrader", "dask"):
            raise machine.metadata.PackageNotFoundError(name)
        return versions.get(name, "1.0")

    monkeypatch.setattr(machine.metadata, "version", version)
    (course.root / "requirements.lock").write_text("# pinned\ntorch==2.0.0\nnumpy==2.0\n")
    assert found(course, "torch").found == "2.0.0+cpu, as locked"
    assert (found(course, "numpy").state, found(course, "numpy").found) == (LOOK, "1.0; the lock says 2.0")
    assert (found(course, "nbgrader").state, found(course, "dask").state) == (STOP, FINE)
    assert "[instructor]" in found(course, "nbgrader").do


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, "16"),
        ({"/sys/fs/cgroup/cpu.max": "max 100000"}, "16"),
        ({"/sys/fs/cgroup/cpu.max": "250000 100000"}, "2 of 16"),
        ({"/sys/fs/cgroup/cpu.max": "50000 100000"}, "1 of 16"),
        ({"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, "16"),
        (
            {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
            "4 of 16",
        ),
    ],
)
def test_cores_that_may_be_used(tmp_path, monkeypatch, files, cores) -> None:
    """A container is told its share in version 2 or 1 of control groups."""
    monkeypatch.setattr(machine, "_text", lambda path: files.get(path, ""))
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert {f.what: f.found for f in machine.findings(tmp_path)}["cores"] == cores


def test_little_memory_and_little_disk(tmp_path, monkeypatch) -> None:
    """The control group's memory counts where it is less than the machine's."""
    files = {
        "/proc/meminfo": "MemTotal: 64000000 kB\nMemAvailable:   32000000 kB\n",
        "/sys/fs/cgroup/memory.max": "3000000000",
        "/sys/fs/cgroup/memory.current": "1500000000",
    }
    monkeypatch.setattr(machine, "_text", lambda path: files.get(path, ""))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    by_name = {finding.what: finding for finding in machine.findings(tmp_path)}
    assert (by_name["memory"].state, by_name["memory"].found) == (LOOK, "1.5 GB free")
    assert by_name["disk"].state is LOOK
    files["/sys/fs/cgroup/memory.max"] = "max"
    assert {f.what: f.found for f in machine.findings(tmp_path)}["memory"] == "32.8 GB free"


# ---- course


def test_a_configuration_without_our_steps_or_with_a_mistake(course) -> None:
    """Plain nbgrader would believe what a notebook says about itself."""
    path = course.root / "nbgrader_config.py"
    good = path.read_text()
    path.write_text(good + "\nc.Autograde.sanitize_preprocessors = []\n")
    assert found(course, "configuration").state is LOOK
    assert "without Rebuild" in found(course, "configuration").found
    path.write_text(good + "\nimport nowhere_to_be_found\n")
    assert found(course, "configuration").state is STOP
    path.write_text("c = (\n")
    finding = found(course, "configuration")
    assert finding.state is STOP
    assert "SyntaxError" in finding.found


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_a_secret_that_others_may_read_or_that_is_none(course) -> None:
    """The text itself is never shown."""
    text = course.secret().decode()
    path = course.root / ".secret"
    assert found(course, "secret").state is FINE
    path.chmod(0o644)
    finding = found(course, "secret")
    assert (finding.state, finding.do) == (LOOK, f"chmod 600 {path}")
    assert not any(text in str(finding) for finding in examine(course))
    path.write_text("short")
    assert found(course, "secret").state is STOP


def test_a_gradebook_that_is_locked_old_or_broken(course) -> None:
    """Each has another advice."""
    assert found(course, "gradebook").found == "1 students, 1 exercises with a due date"
    with closing(sqlite3.connect(course.gradebook)) as other:
        other.execute("begin immediate")
        assert found(course, "gradebook").state is LOOK
        assert "close the program" in found(course, "gradebook").do
        other.rollback()
        other.execute("update alembic_version set version_num = 'old'")
        other.commit()
    assert found(course, "gradebook").state is STOP
    assert "nbgrader db upgrade" in found(course, "gradebook").do
    course.gradebook.write_bytes(b"this is no database at all, but long enough to look at" * 100)
    assert found(course, "gradebook").state is STOP
    assert "restore it" in found(course, "gradebook").do


def test_a_folder_that_cannot_be_written(course, monkeypatch) -> None:
    """Root may write anywhere, so the refusal is played."""

    def refuses(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuses)
    assert found(course, "course").state is STOP
    assert "Permission denied" in found(course, "course").found


def test_chapters(course) -> None:
    """No source, a damaged record of times, a variant that there is not."""
    record = course.state(f"received-{SLUG}")
    record.parent.mkdir()
    record.write_text('{"ada": {"received": "2026-03-01T12:00:00+00:00"}}')
    assert "1 times of receipt" in found(course, "chapter 05").found
    record.write_text("{")
    assert found(course, "chapter 05").state is STOP
    record.unlink()
    (course.root / "source").rename(course.root / "sources")
    assert "copy the folder" in found(course, "chapter 05").do
    course.state("variant-05").write_text('{"variant": "nobody\'s"}')
    assert found(course, "chapter 05").state is STOP


def test_a_course_of_one_chapter(course) -> None:
    """Chapters that were not copied are none of the course's; with none at all there is nothing to grade."""
    for folder in (course.root / "source").iterdir():
        if not folder.name.startswith("05"):
            shutil.rmtree(folder)
    assert (found(course, "chapter 04").state, found(course, "chapter 04").found) == (FINE, "not in this course")
    assert found(course, "chapter 05").state is LOOK  # ada has handed in, and nothing is released
    shutil.rmtree(course.root / "source")
    assert found(course, "chapters").state is STOP


def test_accommodations_for_nobody(course) -> None:
    """A student of the gradebook or of the folder is known; a name with a slip of the pen is not."""
    hand_in(course, "bob")
    path = course.root / "accommodations.csv"
    path.write_text("student,time\nada,2\nbob,2\n")
    assert (found(course, "accommodations").state, found(course, "accommodations").found) == (FINE, "2 rows")
    path.write_text("student,time\nadda,2\n")
    assert "unknown: adda" in found(course, "accommodations").found
    path.write_text("student,time\nada,0\n")
    assert found(course, "accommodations").state is STOP
