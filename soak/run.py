"""The long versions of the tests: many seeds, large classes, throughput. `make soak` runs this before a release.

It writes soak/REPORT.md: the machine, the versions, when and on which commit each part ran, and for every test how long
it took and the numbers that it recorded (`record_property`). The report is committed; the tests themselves are those
marked `soak`. A part alone, `python soak/run.py grader`, leaves the others' last results in the report.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import torch

import ntk_teach
from ntk_teach.device import processor

HERE = Path(__file__).parent
KEPT = HERE.parent / ".cache" / "soak"
TASKS = "tests/grading/test_tasks.py"
ON_ALL_CORES = ["--numprocesses=auto", "--maxprocesses=4"]
# The grader's tests watch clocks and processors, so they have the machine for themselves.
PARTS = {
    "grader": [f"--ignore={TASKS}", "tests/grading"],
    "tasks": [*ON_ALL_CORES, "--dist=load", TASKS],
    "others": [*ON_ALL_CORES, "--dist=loadfile", "--ignore=tests/grading"],
}
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


def commit() -> str:
    """Of the working tree; a tree that differs from its commit, by more than this report, says so."""

    def git(*words: str) -> str:
        ended = subprocess.run(["git", *words], cwd=HERE.parent, capture_output=True, text=True, check=False)
        return ended.stdout.strip()

    changed = git("status", "--porcelain", "--", ".", ":!soak/REPORT.md")
    name = git("describe", "--always")
    return f"commit {name}{', changed since' if changed else ''}" if name else "no commit known"


def report(kept: Path) -> str:
    """Of all parts, from what each left there when it ran last."""
    table, parts, good = [], [], True
    for name in PARTS:
        results = kept / f"{name}.xml"
        found = rows(results) if results.exists() else []
        passed = bool(found) and not any("| FAILED |" in row or "| ERROR |" in row for row in found)
        when = (kept / f"{name}.txt").read_text().strip() if found else "did not run"
        parts.append(f"- {name}: {f'{len(found)} tests, ' if found else ''}{when}")
        table, good = table + found, good and passed
    lines = [
        "# Soak report",
        "",
        "Written by `make soak`; not edited by hand.",
        "",
        f"- Result: {f'every test passed ({len(table)})' if good else 'NOT PASSED'}",
        *parts,
        f"- Machine: {processor()}, {os.cpu_count()} cores, {platform.system()}; accelerator: {accelerator()}",
        f"- ntk-teach {ntk_teach.__version__}; Python {platform.python_version()}; "
        + ", ".join(f"{name} {version(name)}" for name in VERSIONS),
        "",
        "| test | result | seconds | recorded |",
        "|:--|:--|--:|:--|",
        *sorted(table),
        "",
    ]
    return "\n".join(lines)


def main(names: Sequence[str]) -> int:
    if unknown := set(names) - set(PARTS):
        print(f"soak: expected one of {', '.join(PARTS)}, received {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    environment = {"OMP_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "soak", **os.environ}
    KEPT.mkdir(parents=True, exist_ok=True)
    code = 0
    for name in names or PARTS:
        results, when = KEPT / f"{name}.xml", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit()}"
        results.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-m", "soak", f"--junitxml={results}", *XUNIT, *PARTS[name]]
        ended = subprocess.run(command, cwd=HERE.parent, env=environment, check=False)
        (KEPT / f"{name}.txt").write_text(when)
        (HERE / "REPORT.md").write_text(report(KEPT))
        code = code or ended.returncode
    print(f"wrote {(HERE / 'REPORT.md').relative_to(HERE.parent)}")
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
