"""The long versions of the tests: many seeds, large classes, throughput. `make soak` runs this before a release.

It writes soak/REPORT.md: the date, the versions, the machine, and for every test how long it took and the numbers
that it recorded (`record_property`). The report is committed; the tests themselves are those marked `soak`.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import torch

import ntk_teach
from ntk_teach.device import processor

HERE = Path(__file__).parent
TASKS = "tests/grading/test_tasks.py"
ON_ALL_CORES = ["--numprocesses=auto", "--maxprocesses=4"]
# The grader's tests watch clocks and processors, so they have the machine for themselves.
PARTS = [
    [f"--ignore={TASKS}", "tests/grading"],
    [*ON_ALL_CORES, "--dist=load", TASKS],
    [*ON_ALL_CORES, "--dist=loadfile", "--ignore=tests/grading"],
]
XUNIT = ["-o", "junit_family=xunit1"]  # the form that keeps what a test recorded
VERSIONS = ("torch", "numpy", "scipy", "jaxtyping", "nbgrader", "pytest", "hypothesis")


def accelerator() -> str:
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"


def outcome(case: ElementTree.Element) -> str:
    """passed, failed, error or skipped, with the reason of the last."""
    for kind in ("failure", "error", "skipped"):
        found = case.find(kind)
        if found is not None:
            reason = f": {found.get('message', '')}" if kind == "skipped" else ""
            return {"failure": "FAILED", "error": "ERROR", "skipped": "skipped"}[kind] + reason
    return "passed"


def rows(results: Path) -> list[str]:
    table = []
    for case in ElementTree.parse(results).iter("testcase"):
        numbers = ", ".join(f"{p.get('name')} = {p.get('value')}" for p in case.iter("property"))
        name = f"{case.get('classname', '').removeprefix('tests.')}::{case.get('name')}"
        cells = (f"`{name}`", outcome(case), f"{float(case.get('time', 0)):.1f}", numbers)
        table.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return table


def report(table: list[str], passed: bool, left: int = 0) -> str:
    result = f"every test passed ({len(table)})" if passed else "NOT PASSED"
    if left:
        result += f"; {left} of {len(PARTS)} parts did not run"
    lines = [
        "# Soak report",
        "",
        "Written by `make soak`; not edited by hand.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"- Result: {result}",
        f"- Machine: {processor()}, {os.cpu_count()} cores, {platform.system()}; accelerator: {accelerator()}",
        f"- ntk-teach {ntk_teach.__version__}; Python {platform.python_version()}; "
        + ", ".join(f"{name} {version(name)}" for name in VERSIONS),
        "",
        "| test | result | seconds | recorded |",
        "|:--|:--|--:|:--|",
        *table,
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    environment = {"OMP_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "soak", **os.environ}
    table, passed = [], True
    with tempfile.TemporaryDirectory() as folder:
        for position, part in enumerate(PARTS):
            results = Path(folder, f"{position}.xml")
            command = [sys.executable, "-m", "pytest", "-m", "soak", f"--junitxml={results}", *XUNIT, *part]
            ended = subprocess.run(command, cwd=HERE.parent, env=environment, check=False)
            passed = passed and ended.returncode == 0
            table += rows(results) if results.exists() else []
            (HERE / "REPORT.md").write_text(report(sorted(table), passed, len(PARTS) - 1 - position))
    print(f"wrote {(HERE / 'REPORT.md').relative_to(HERE.parent)}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
