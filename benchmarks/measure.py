"""One case: start its programs, see that their numbers agree, then time them in turn."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case, Side
from benchmarks.machine import allowed_cores, description
from benchmarks.pairing import alternate, paired_ratio
from benchmarks.programs import FaultError, Program, UnavailableError

Record = dict[str, Any]


class DisagreementError(Exception):
    """Two programs gave different numbers, so that their times say nothing."""


@dataclass(frozen=True)
class Settings:
    """How measuring is done.

    Args:
        peers: interpreter of the other programs' environment; None leaves them out.
        quick: tiny sizes, to see that everything runs.
        n: number of inputs in every case, for a trial; None leaves each case its own.
        seconds: of timed calls in each case; no round begins after them.
        least, most: rounds, in each of which every program is called once.
        timeout: seconds until a program that does not answer is given up.
    """

    peers: Path | None
    quick: bool = False
    n: int | None = None
    seconds: float = 12.0
    least: int = 3
    most: int = 15
    timeout: float = 150.0


def difference(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Largest |ours − theirs| / max|theirs|, off the diagonal of the first two axes and on it."""
    if ours.shape != theirs.shape:
        raise DisagreementError(f"shape {list(ours.shape)} and {list(theirs.shape)}")
    error = np.abs(ours - theirs) / np.abs(theirs).max()
    if not np.isfinite(error).all():
        raise DisagreementError("NaN or infinity")
    if error.ndim < 2 or error.shape[0] != error.shape[1]:
        return float(error.max()), 0.0
    diagonal = np.eye(len(error), dtype=bool)
    off = error[~diagonal]
    return float(off.max(initial=0.0)), float(error[diagonal].max())


def agreement(ours: Path, theirs: Path, tolerance: tuple[float, float]) -> dict[str, list[float]]:
    """The differences of two files of numbers, by name. Raises DisagreementError where one exceeds the tolerance, or a
    name is missing; the floor alone has no numbers."""
    found = {}
    with np.load(ours) as mine, np.load(theirs) as others:
        if others.files and set(others.files) != set(mine.files):
            raise DisagreementError(f"{sorted(mine.files)} and {sorted(others.files)}")
        for name in others.files:
            off, on = difference(mine[name], others[name])
            if off > tolerance[0] or on > tolerance[1]:
                raise DisagreementError(
                    f"{name}: off the diagonal {off:.1e} (allowed {tolerance[0]:.0e}), "
                    f"on it {on:.1e} (allowed {tolerance[1]:.0e})"
                )
            found[name] = [off, on]
    return found


def measured(case: Case, settings: Settings) -> Record:
    """All that is known about a case afterwards. Raises DisagreementError, and what stops the first program."""
    parameters = {**case.parameters, **(case.quick if settings.quick else {})}
    if settings.n:
        parameters["n"] = settings.n
    where = description()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running: dict[str, Program] = {}
        sides: dict[str, Record] = {}
        absent: dict[str, str] = {}
        failed: list[str] = []
        for number, side in enumerate(case.sides):
            try:
                program = stack.enter_context(_started(side, settings))
                versions = program.prepare(case, parameters)
                first = program.ask("first", numbers=str(folder / f"{number}.npz"))
                if first["dtypes"] not in ([], [parameters["dtype"]]):
                    raise DisagreementError(f"{side.label} answers in {first['dtypes']}")
                near = {}
                if number and case.tolerance:
                    near = agreement(folder / "0.npz", folder / f"{number}.npz", case.tolerance[parameters["dtype"]])
            except (UnavailableError, FaultError) as reason:
                if number == 0:
                    raise
                absent[side.label] = str(reason)
                failed += [side.label] if isinstance(reason, FaultError) else []
                continue
            except DisagreementError as fact:
                raise DisagreementError(f"{case.name}, {side.label}: {fact}") from None
            running[side.label] = program
            sides[side.label] = {"versions": versions, "cores": side.cores, "first": first, "difference": near}
        rounds = alternate(
            {label: (lambda program=program: program.ask("again")) for label, program in running.items()},
            seconds=settings.seconds,
            least=1 if case.large else settings.least,
            most=1 if case.large else settings.most,
        )
    reference = [clock[case.clock] for clock in rounds[case.sides[0].label]]
    for label, clocks in rounds.items():
        ratio = paired_ratio(reference, [clock[case.clock] for clock in clocks])
        sides[label] |= {
            "cpu": [c["cpu"] for c in clocks],
            "wall": [c["wall"] for c in clocks],
            "ratio": ratio._asdict(),
        }
    return {
        "case": case.name,
        "title": case.titled(parameters),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": where,
        "parameters": parameters,
        "clock": case.clock,
        "rounds": len(reference),
        "sides": sides,
        "absent": absent,
        "failed": failed,
    }


def _started(side: Side, settings: Settings) -> Program:
    """The side's process. Raises UnavailableError where the machine or the settings lack what it needs."""
    cores = allowed_cores()
    if side.cores > len(cores):
        raise UnavailableError(f"needs {side.cores} cores, and this process may use {len(cores)}")
    if side.peer and settings.peers is None:
        raise UnavailableError("the other programs were left out (--ours)")
    interpreter = settings.peers if side.peer and settings.peers else Path(sys.executable)
    return Program(side, interpreter, cores, timeout=settings.timeout)


def least(record: Mapping[str, Any], label: str, clock: str) -> float:
    """Fewest seconds of a program's warm calls: what it takes when nothing disturbs it."""
    return float(min(record["sides"][label][clock]))
