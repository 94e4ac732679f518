"""How much a submission may use: one object, read by the grader and by the sandbox."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

__all__ = ["Limits"]

MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Generous next to a right answer, narrow next to a machine.

    Args:
        cpu: seconds of processor time for a cell, and for all calls of a task together. Waiting costs none of it.
        patience: a cell or task may take this many times ``cpu`` on the clock, on a busy machine.
        wall: seconds on the clock for the whole submission.
        memory: bytes of all processes together, beyond what the warm interpreter shares with everybody.
        processes: processes and threads at one time.
        file_size, disk: bytes of a file, and of all files in each of the sandbox's folders (they are in memory).
        output: bytes that a cell may print and show; what is beyond is cut.
        total_output: the same for the whole submission.
        messages: how many outputs a cell may have.
        answer: bytes of one returned array.
    """

    cpu: float = 20.0
    patience: float = 4.0
    wall: float = 300.0
    memory: int = 2048 * MB
    processes: int = 64
    file_size: int = 32 * MB
    disk: int = 64 * MB
    output: int = 256 * 1024
    total_output: int = 2 * MB
    messages: int = 100
    answer: int = 32 * MB

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"limits: expected {name} > 0, received {value}; give a positive number")

    @property
    def clock(self) -> float:
        """Seconds on the clock for one cell or task."""
        return self.cpu * self.patience

    def scaled(self, time: float) -> Limits:
        """With more time, for a student who is entitled to it."""
        return replace(self, cpu=self.cpu * time, wall=self.wall * time)
