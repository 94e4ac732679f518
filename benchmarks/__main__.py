"""The command line: `python -m benchmarks [--quick] [--ours] [--large] [--only NAME …] [--out FOLDER]`."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from benchmarks import peers
from benchmarks.cases import CASES, Case
from benchmarks.machine import description
from benchmarks.measure import DisagreementError, Settings, measured
from benchmarks.programs import FaultError, UnavailableError
from benchmarks.report import save, saved, section, table

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
TRIALS = ROOT / ".cache" / "benchmarks"


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try it; writes to .cache")
    parser.add_argument("--n", type=int, help="this number of inputs in every case, for a trial; writes to .cache")
    parser.add_argument("--ours", action="store_true", help="leave the other programs out, and do not install them")
    parser.add_argument("--large", action="store_true", help="also the cases that take long")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="cases whose name contains one of these")
    parser.add_argument("--seconds", type=float, default=12.0, help="of timed calls in each case (default: 12)")
    parser.add_argument("--rounds", type=int, nargs=2, default=(3, 15), metavar=("LEAST", "MOST"))
    parser.add_argument("--out", type=Path, help="folder of the results")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    return parser.parse_args(words)


def chosen(only: list[str], large: bool) -> list[Case]:
    """The cases whose name is one of the words, or contains one that is no name; large ones only on request."""
    names = {case.name for case in CASES}

    def is_meant(name: str) -> bool:
        return not only or any(word == name if word in names else word in name for word in only)

    named = [case for case in CASES if is_meant(case.name)]
    return [case for case in named if large or not case.large]


def main(words: list[str] | None = None) -> int:
    asked = arguments(words)
    cases = chosen(asked.only, asked.large)
    if asked.list or not cases:
        print("\n".join(f"{case.name:28s} {case.titled(case.parameters)}" for case in (cases or CASES)))
        return 0 if cases else 2
    out = asked.out or (TRIALS if asked.quick or asked.n else RESULTS)
    wants_peers = not asked.ours and any(side.peer for case in cases for side in case.sides)
    try:
        interpreter = peers.build() if wants_peers else None
    except peers.PeersError as reason:
        print(reason, file=sys.stderr)
        return 2
    where = description()
    print(", ".join(f"{name}: {value}" for name, value in where.items()))
    if float(where["load"]) > 0.5:
        print("The machine is busy: CPU seconds are indicative, wall seconds and spreads are not to be quoted.")
    settings = Settings(
        interpreter,
        quick=asked.quick,
        n=asked.n,
        seconds=asked.seconds,
        least=asked.rounds[0],
        most=asked.rounds[1],
        timeout=3600.0 if asked.large else 150.0,
    )
    failed, started = [], time.monotonic()
    for case in cases:
        try:
            record = measured(case, settings)
        except UnavailableError as reason:
            print(f"\n{case.name}: skipped, {reason}", flush=True)
        except (DisagreementError, FaultError) as fault:
            print(f"\n{case.name}: FAILED, {fault}", flush=True)
            failed.append(case.name)
        else:
            save(record, out)
            failed += [f"{case.name}, {label}" for label in record["failed"]]
            print("\n" + "\n".join(section(record)).strip(), flush=True)
    (out / "table.md").parent.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(table(saved(out)), encoding="utf-8")
    print(f"\n{len(cases)} cases in {time.monotonic() - started:.0f} s, {len(failed)} failed; results in {out}")
    return 1 if failed else 0


if __name__ == "__main__":
    # Asked to end, leave through the `with` blocks, which end the programs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
