"""The machine that grades: its Python, the tools that matter, and what of it may be used."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from enum import IntEnum
from importlib import metadata
from pathlib import Path

__all__ = ["Finding", "State", "findings"]

TOOLS = {  # what for, and whether grading can do without
    "torch": True,
    "numpy": True,
    "scipy": True,
    "nbgrader": True,
    "nbformat": True,
    "nbconvert": True,
    "jupytext": True,
    "ipython": True,
    "dask": False,
    "distributed": False,
}
LOCK = "requirements.lock"
MEMORY, DISK = 2.0, 1.0  # GB below which a class may not fit: an interpreter with torch takes one


class State(IntEnum):
    """How it is; the worst of all is the exit code."""

    FINE = 0
    LOOK = 1
    STOP = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do where something should be done."""

    what: str
    state: State
    found: str
    do: str = ""

    def __str__(self) -> str:
        advice = f"\n{'':<24}do: {self.do}" if self.do else ""
        return f"{self.state.name.lower():<5} {self.what:<17} {self.found}{advice}"


def findings(place: Path) -> list[Finding]:
    """Of the machine, for a course at ``place``."""
    return [_python(), *_tools(place), _cores(), _memory(), _disk(place)]


def _python() -> Finding:
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        return Finding("python", State.LOOK, found, "use Python 3.11, 3.12 or 3.13: the tests run there")
    return Finding("python", State.FINE, found)


def _tools(place: Path) -> list[Finding]:
    locked, where = _locked(place)
    found = []
    for name, needed in TOOLS.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            extra = "instructor" if needed else "distributed"
            do = (
                f'pip install "ntk-teach[{extra}]"'
                if needed
                else f'for several machines: pip install "ntk-teach[{extra}]"'
            )
            found.append(Finding(name, State.STOP if needed else State.FINE, "not installed", do))
            continue
        wanted = locked.get(name)
        # A build for one kind of machine is still the version: 2.13.0+cpu
        if wanted and version.partition("+")[0] != wanted:
            do = f"points may differ from a grading elsewhere; pip install -r {where}"
            found.append(Finding(name, State.LOOK, f"{version}; the lock says {wanted}", do))
        else:
            found.append(Finding(name, State.FINE, f"{version}{', as locked' if wanted else ''}"))
    return found


def _locked(place: Path) -> tuple[dict[str, str], Path | None]:
    """Name to version, of the lock in the course or above it, or next to the package."""
    for folder in (place, *place.parents[:2], Path(__file__).parents[3]):
        path = folder / LOCK
        if path.is_file():
            lines = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            return {name.lower().replace("_", "-"): version for name, version in lines}, path
    return {}, None


def _cores() -> Finding:
    """Those that this process may use: a container or a scheduler gives fewer than the machine has."""
    all_of_them = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if sys.platform.startswith("linux") else all_of_them
    share = _share_of_cores()
    usable = max(1, min(allowed, int(share))) if share else allowed
    reason = f" of {all_of_them}" if usable < all_of_them else ""
    return Finding("cores", State.FINE, f"{usable}{reason}")


def _share_of_cores() -> float | None:
    """What a control group allows, in cores; versions 2 and 1."""
    quota, period = [*_text("/sys/fs/cgroup/cpu.max").split(), "", ""][:2]
    if not quota:
        quota = _text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
        period = _text("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit() and int(period):
        return int(quota) / int(period)
    return None


def _memory() -> Finding:
    free = _free_memory()
    if free is None:
        return Finding("memory", State.FINE, "cannot be told on this system")
    found = f"{free:.1f} GB free"
    if free < MEMORY:
        return Finding(
            "memory", State.LOOK, found, f"close other programs, or grade with one worker: {MEMORY:g} GB is safe"
        )
    return Finding("memory", State.FINE, found)


def _free_memory() -> float | None:
    """GB that can still be had, by the machine and by the control group."""
    known = []
    if match := re.search(r"MemAvailable:\s+(\d+) kB", _text("/proc/meminfo")):
        known.append(int(match[1]) * 1024)
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, now = _text(f"/sys/fs/cgroup/{most}"), _text(f"/sys/fs/cgroup/{used}")
        if limit.isdigit() and now.isdigit():
            known.append(int(limit) - int(now))
    return min(known) / 1e9 if known else None


def _disk(place: Path) -> Finding:
    free = shutil.disk_usage(place).free / 1e9
    if free < DISK:
        do = "free some space: autograded notebooks and pages take some MB a student"
        return Finding("disk", State.LOOK, f"{free:.1f} GB free at {place}", do)
    return Finding("disk", State.FINE, f"{free:.0f} GB free")


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
