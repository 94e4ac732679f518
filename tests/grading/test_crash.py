"""A grading that is killed at any moment: the next run goes on, and the end is that of an undisturbed one."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from classroom import Classroom
from test_farm import RIGHT_SLOPE, scores, wait_for

from ntk_teach.grading.classroom.report import Report

GRADE = "import sys; from ntk_teach.grading.cli import main; sys.exit(main(sys.argv[1:]))"


def handed_in(root: Path, many: int) -> Classroom:
    """A class in which no two neighbors earn the same, with a broken notebook and one that ends its own process."""
    room = Classroom.opened(root, "05", cpu=3)
    kinds = [
        room.solved(),
        room.empty(),
        room.answered({"05.4": RIGHT_SLOPE}),
        room.answered({"05.3": "import os\n\n\ndef output_ntk(*arguments):\n    os._exit(1)"}, room.solved()),
        "{ this is not JSON",
    ]
    for number in range(many):
        room.hand_in(f"s{number:02}", kinds[number % len(kinds)])
    return room


def started(room: Classroom, place: Path) -> subprocess.Popen:
    """A grading in a process of its own, whose sandboxes can be told from everybody else's."""
    place.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", GRADE, "grade", room.number, "--course", str(room.course.root)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(place)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def left_over(place: Path) -> list[str]:
    """Processes that were started with a folder in this place."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(place) in (process / "environ").read_bytes().decode(errors="replace"):
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def survives(tmp_path: Path, many: int, kills: int, seed: int) -> None:
    """Grade one class undisturbed, and a copy of it under fire; compare."""
    calm = handed_in(tmp_path / "calm", many)
    begun = time.monotonic()
    program = started(calm, tmp_path / "calm-place")
    assert program.wait() == 1, program.stderr.read().decode()
    program.stderr.close()
    whole = time.monotonic() - begun
    disturbed = Classroom(type(calm.course)(tmp_path / "disturbed"), calm.number)
    disturbed.course.root.mkdir()
    for name in ("nbgrader_config.py", "source", "submitted", "release", ".secret"):
        source = calm.course.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, disturbed.course.root / name)
    assert disturbed.run("release", "05") == 0
    place, moments, done = tmp_path / "place", random.Random(seed), {}
    for number in range(kills):
        program = started(disturbed, place)
        try:
            program.wait(timeout=moments.uniform(0.2, 1.0) * whole if number % 2 else moments.uniform(0.4, 0.9) * whole)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            program.wait()
        program.stderr.close()
        wait_for(lambda: not left_over(place), 20)
        # What stands in the record is never done again.
        for row in Report.load(disturbed.course.state(f"graded-{disturbed.slug}")).rows:
            path = disturbed.course.autograded(disturbed.slug, row.student)
            assert done.setdefault(row.student, path.stat().st_mtime_ns) == path.stat().st_mtime_ns, row.student
    program = started(disturbed, place)
    assert program.wait() == 1, program.stderr.read().decode()
    program.stderr.close()
    assert scores(disturbed) == scores(calm)
    results = disturbed.course.root / ".state" / f"results-{disturbed.slug}"
    assert not results.exists() or not list(results.iterdir())


def test_killed_at_five_moments(tmp_path) -> None:
    """Kill −9, again and again: same gradebook, nothing graded twice, no process left."""
    survives(tmp_path, many=8, kills=5, seed=5)


@pytest.mark.soak
def test_killed_at_fifty_moments(tmp_path) -> None:
    """The same with forty submissions and fifty kills."""
    survives(tmp_path, many=40, kills=50, seed=50)
