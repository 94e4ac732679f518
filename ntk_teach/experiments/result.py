"""What an experiment found, with everything needed to believe it and to do it again."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ntk_teach.device import processor
from ntk_teach.errors import DomainError, sentence

__all__ = ["Result", "measured"]

Array = npt.NDArray[np.floating] | npt.NDArray[np.integer]
Settings = Mapping[str, object]


@dataclass(frozen=True)
class Result:
    """Arrays by name, the arguments of the function that made them, and where, when and with what it ran.

    Chapter: 06_least_squares_dynamics.
    """

    experiment: str
    arrays: dict[str, Array]
    settings: dict[str, object]
    provenance: dict[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def save(self, path: Path | str) -> None:
        """One ``.npz`` file; numbers in float32, which is what a figure needs, the rest as JSON inside."""
        words = {"experiment": self.experiment, "settings": self.settings, "provenance": self.provenance}
        arrays = {
            name: array.astype(np.float32) if array.dtype.kind == "f" else array for name, array in self.arrays.items()
        }
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=False, **arrays, about=np.array(json.dumps(words)))

    @classmethod
    def load(cls, path: Path | str) -> Result:
        """What ``save`` wrote. Raises: DomainError for a file that is none of ours."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            words = json.loads(str(arrays.pop("about")))
        except (OSError, ValueError, KeyError) as fault:
            do = "make it with python -m ntk_teach.experiments"
            raise DomainError(sentence(f"Result.load, {path}", "a saved experiment", repr(fault), do)) from None
        return cls(words["experiment"], arrays, words["settings"], words["provenance"])


def measured(experiment: str, run: Callable[..., dict[str, Array]], settings: Settings, device: torch.device) -> Result:
    """Run, and note the machine, the versions, the time it took and the day."""
    started = time.monotonic()
    arrays = run(**settings, device=device)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    provenance: dict[str, object] = {
        "machine": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "seconds": round(time.monotonic() - started, 1),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("torch", "numpy", "ntk-teach")},
        },
    }
    return Result(experiment, arrays, {name: _plain(value) for name, value in settings.items()}, provenance)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, range | tuple) else value
