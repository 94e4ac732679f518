"""Every check of the project, one after the other, and one summary: what `make test` runs.

A check that fails does not hide those after it; the exit status is 1 where any failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

# A file is a unit: what it sets up once is set up once. Four at most, each with a gigabyte.
ON_ALL_CORES = ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"]
# The tests run twice over: under the run-time type checker, which turns every annotation of an array into an
# assertion, and without it where a test reads the message of our own check, which the checker would forestall.
UNDER_THE_CHECKER = "--jaxtyping-packages=ntk_teach,typechecked.checked"
TASKS = "tests/grading/test_tasks.py"
CHECKED = ["pytest", "-m", "not boundary and not soak", UNDER_THE_CHECKER, "--durations=25"]
CHECKS: list[tuple[str, list[str]]] = [
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("ruff check", ["ruff", "check", "."]),
    ("mypy --strict", ["mypy"]),
    # The grader's tests watch clocks and processors, so they have the machine for themselves; what each task declares
    # is arithmetic, and a task is a unit.
    ("pytest, the grader", [*CHECKED, f"--ignore={TASKS}", "tests/grading"]),
    ("pytest, its tasks", [*CHECKED, *ON_ALL_CORES, "--dist=load", TASKS]),
    ("pytest, all others", [*CHECKED, *ON_ALL_CORES, "--ignore=tests/grading"]),
    ("pytest, boundary", ["pytest", "-m", "boundary and not soak"]),
]


def run(command: list[str]) -> tuple[bool, float]:
    """Run one check with its output on the screen. A test run that finds no test (status 5) has failed, too."""
    started = time.monotonic()
    # One thread to a process: a test's arrays are small, and threads that wait for each other cost more than they save.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    status = subprocess.run([sys.executable, "-m", *command], env=environment, check=False).returncode
    if status < 0:  # a run that was killed ends without a word of its own
        print(f"\n{command[0]} was ended by signal {-status}", flush=True)
    return status == 0, time.monotonic() - started


def main() -> int:
    results = []
    for name, command in CHECKS:
        print(f"\n== {name}: {' '.join(command)}", flush=True)
        results.append((name, *run(command)))
    print("\n== summary")
    for name, passed, seconds in results:
        print(f"{name:20s} {'passed' if passed else 'FAILED':7s} {seconds:7.1f} s")
    failed = sum(not passed for _, passed, _ in results)
    print(f"\nchecks: {len(results) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
