"""Results as files: one small JSON a case, and one Markdown table of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, FLOOR, NUMERICAL
from benchmarks.measure import Record, least

HEAD = (
    "| program | first call, s | warm, CPU s | warm, s | relative time (spread) | peak beyond result, MB | agrees to |",
    "|:--|--:|--:|--:|:--|--:|--:|",
)
METHOD = (
    "Every program runs in a process of its own, on one and the same core unless its row says otherwise, and the",
    "processes are called in turn. *First call* is wall time, with all that is compiled or cached in it; *warm* is the",
    "fewest seconds of a round; a round is one later call, and of short ones the median of as many as fill a twentieth",
    "of a second. *Relative time* is the median, over the rounds, of this program's time over that of the case's first",
    "row, with the smallest and the largest: CPU time, and wall time where cores or devices are compared. *Agrees to*",
    "is the largest difference from the first row, relative to the largest entry. The *measured floor* is half a",
    "matrix product (a whole one for two batches), one transcendental function for each of these pairs and each hidden",
    "layer, and one read and two writes of the kernel: a sum of parts and not a bound.",
)


def save(record: Record, folder: Path) -> Path:
    """<folder>/<case>.json"""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record['case']}.json"
    path.write_text(json.dumps(_rounded(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def saved(folder: Path) -> list[Record]:
    """All results of a folder, in the order of the cases."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    return [found[case.name] for case in CASES if case.name in found]


def table(records: list[Record]) -> str:
    """One section a case, one row a program; what was measured where, in front."""
    lines = [
        "<!-- Written by `make bench`; not edited by hand. -->",
        *_preface(records),
        *summary(records),
        *[line for record in records for line in section(record)],
        *_extrapolated(records),
    ]
    return "\n".join(lines) + "\n"


def summary(records: list[Record]) -> list[str]:
    """One line for each other program in a case: how many times our time it takes."""
    rows = [
        f"| {record['title']}, {record['parameters']['dtype']} | {label} | **{side['ratio']['median']:.3g}** |"
        for record in records
        for label, side in list(record["sides"].items())[1:]
        if label != FLOOR.label
    ]
    return ["| what | compared with | its time over ours |", "|:--|:--|--:|", *rows, ""] if rows else []


def section(record: Record) -> list[str]:
    """A case: its title, its rows, and who is missing."""
    rows = [f"**{record['title']}**, {record['parameters']['dtype']}; {_count(record['rounds'])}", "", *HEAD]
    for label, side in record["sides"].items():
        first = side["first"]
        low, high = side["ratio"]["low"], side["ratio"]["high"]
        is_reference = label == next(iter(record["sides"]))
        relative = "1" if is_reference else f"{side['ratio']['median']:.3g} ({low:.3g} to {high:.3g})"
        errors = [max(pair) for pair in side["difference"].values()]
        cells = (
            label,
            _seconds(first["wall"]),
            _seconds(least(record, label, "cpu")),
            _seconds(least(record, label, "wall")),
            relative,
            f"{max(0, first['peak_bytes'] - first['result_bytes']) / 1e6:.0f}" if first["result_bytes"] else "",
            f"{max(errors):.1e}" if errors else "",
        )
        rows.append("| " + " | ".join(cells) + " |")
    missing = [f"{label}: {reason}" for label, reason in record["absent"].items()]
    return [*rows, *(["", f"Not measured: {'; '.join(missing)}."] if missing else []), ""]


def _preface(records: list[Record]) -> list[str]:
    """How, where and when, each said once."""
    if not records:
        return ["", "Nothing measured yet.", ""]
    machines, versions = set(), set()
    for record in records:
        where = record["machine"]
        machines.add(f"{where['processor']}, {where['cores']} cores, {where['memory_gb']} GB, {where['system']}")
        for side in record["sides"].values():
            versions |= {f"{name} {version}" for name, version in side["versions"].items()}
    loads = sorted(record["machine"]["load"] for record in records)
    dates = sorted(record["date"] for record in records)
    return [
        "",
        f"Measured {dates[0]} to {dates[-1]} on {' and '.join(sorted(machines))}; "
        f"load before a case {loads[0]} to {loads[-1]}.",
        f"Versions: {', '.join(sorted(versions))}.",
        "",
        *METHOD,
        "",
    ]


def _extrapolated(records: list[Record]) -> list[str]:
    """What quadrature would take at our size; said to be what it is."""
    by_name = {record["case"]: record for record in records}
    lines = []
    for activation in ("gelu", "tanh"):
        small, large = by_name.get(f"{activation}_series_200"), by_name.get(f"{activation}_series_2000")
        if small and large and NUMERICAL.label in small["sides"]:
            n = large["parameters"]["n"]
            factor = (n / small["parameters"]["n"]) ** 2
            theirs = least(small, NUMERICAL.label, "cpu") * factor
            ours = least(large, next(iter(large["sides"])), "cpu")
            lines += [
                f"Extrapolated, not run: {activation} by quadrature at n = {n} would take {theirs:.0f} s ({factor:.0f} "
                f"times its measured time), {theirs / ours:.0f} times our measured {_seconds(ours)} s.",
                "",
            ]
    return lines


def _seconds(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 1e-3 else f"{value:.5f}"


def _count(rounds: int) -> str:
    return f"{rounds} round{'' if rounds == 1 else 's'}"


def _rounded(value: Any) -> Any:
    """Six significant digits: more would be noise in the repository's history."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list) else value
