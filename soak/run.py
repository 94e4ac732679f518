"""The long versions of the tests: many seeds, large classes, throughput. `make soak` runs this before a release.

It writes soak/REPORT.md, a section for each part: when and on which commit it ran, the machine, the versions, and for
every test how long it took and the numbers that it recorded (`record_property`). The report is committed; the tests
themselves are those marked `soak`. A part alone, `python soak/run.py grader`, leaves the others' sections as they are.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import torch

import ntk_teach
from ntk_teach.device import processor

HERE = Path(__file__).parent
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


def section(name: str, when: str, results: Path) -> str:
    """What one part found. A run that was ended from outside leaves no results, which is no success."""
    table = sorted(rows(results)) if results.exists() else []
    failed = sum("| FAILED |" in row or "| ERROR |" in row for row in table)
    bad = failed or not table
    lines = [
        f"## {name}",
        "",
        f"- Result: {f'NOT PASSED, {failed} of {len(table)} tests' if bad else f'{len(table)} tests passed'}",
        f"- {when}",
        f"- {processor()}, {os.cpu_count()} cores, {platform.system()}; accelerator: {accelerator()}",
        f"- ntk-teach {ntk_teach.__version__}; Python {platform.python_version()}; "
        + ", ".join(f"{package} {version(package)}" for package in VERSIONS),
        "",
        "| test | result | seconds | recorded |",
        "|:--|:--|--:|:--|",
        *table,
    ]
    return "\n".join(lines)


def sections(text: str) -> dict[str, str]:
    """Those of a report, by the names of their parts."""
    found = (part.strip() for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:])
    return {part.splitlines()[0].removeprefix("## "): part for part in found}


def report(found: Mapping[str, str]) -> str:
    """Of all parts: it has passed when each of them has."""
    parts = [found.get(name, f"## {name}\n\n- Result: NOT PASSED, did not run") for name in PARTS]
    good = not any("- Result: NOT PASSED" in part for part in parts)
    head = f"Written by `make soak`; not edited by hand.\n\n**{'Every test passed' if good else 'NOT PASSED'}.**"
    return "\n\n".join(["# Soak report", head, *parts]) + "\n"


def main(names: Sequence[str]) -> int:
    if unknown := set(names) - set(PARTS):
        print(f"soak: expected one of {', '.join(PARTS)}, received {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    environment = {"OMP_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "soak", **os.environ}
    written = HERE / "REPORT.md"
    code = 0
    for name in names or PARTS:
        when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit()}"
        with TemporaryDirectory() as folder:
            results = Path(folder) / "results.xml"
            command = [sys.executable, "-m", "pytest", "-m", "soak", f"--junitxml={results}", *XUNIT, *PARTS[name]]
            ended = subprocess.run(command, cwd=HERE.parent, env=environment, check=False)
            earlier = sections(written.read_text()) if written.exists() else {}
            written.write_text(report({**earlier, name: section(name, when, results)}))
        code = code or ended.returncode
    print(f"wrote {written.relative_to(HERE.parent)}")
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
