"""The sizes at which the experiments run: seconds, a laptop's minutes, and the paper's own."""

from __future__ import annotations

from collections.abc import Callable

from ntk_teach.errors import DomainError, sentence
from ntk_teach.experiments.cntk import cntk
from ntk_teach.experiments.figure1 import figure1
from ntk_teach.experiments.figure2 import figure2
from ntk_teach.experiments.figure3 import figure3
from ntk_teach.experiments.mutag import mutag
from ntk_teach.experiments.nngp import nngp
from ntk_teach.experiments.poisson import poisson
from ntk_teach.experiments.result import Array, Settings
from ntk_teach.experiments.time_series import time_series

__all__ = ["EXPERIMENTS", "settings"]

EXPERIMENTS: dict[str, Callable[..., dict[str, Array]]] = {
    "figure1": figure1,
    "figure2": figure2,
    "figure3": figure3,
    "nngp": nngp,
    "cntk": cntk,
    "mutag": mutag,
    "time_series": time_series,
    "poisson": poisson,
}
_ALL_DIGITS: Settings = {"sizes": [100, 200, 500, 1000, 2000, 4000], "splits": 10, "digits": 5000}  # that we have
_ALL_READ = ["dense", "flatten", "local", "global"]
_ALL_MOLECULES: Settings = {"blocks": [1, 3], "inner": [1, 2, 3], "seeds": [0, 1, 2]}

SIZES: dict[str, dict[str, Settings]] = {
    "seconds": {
        "figure1": {"widths": [32, 128], "seeds": [0, 1, 2], "inputs": 16, "steps": 20, "points": 41},
        "figure2": {"widths": [50, 100], "seeds": [0, 1, 2], "steps": 100, "points": 31},
        "figure3": {"widths": [64], "seeds": [0], "digits": 64, "lr": 5.0, "time": 200.0, "looks": 20},
        "nngp": {"sizes": [50, 200], "splits": 2, "digits": 500, "activations": ["relu"]},
        "cntk": {
            "sizes": [50, 100],
            "splits": 2,
            "digits": 120,
            "side": 7,
            "depths": [2],
            "kernels": ["dense", "flatten", "global"],
        },
        "mutag": {"molecules_used": 80, "blocks": [1], "inner": [1], "penalties": [0.1, 1.0], "folds": 5, "seeds": [0]},
        "time_series": {"names": ["ItalyPowerDemand"], "families": ["last", "dense"]},
        "poisson": {"width": 64, "steps": 200, "points": 20, "looks": 12, "moments": 5},
    },
    "laptop": {
        "figure1": {"widths": [500, 2000], "seeds": list(range(10)), "inputs": 100, "steps": 200},
        "figure2": {"widths": [50, 1000], "seeds": list(range(10)), "steps": 1000},
        "figure3": {"widths": [100, 1000], "seeds": [0, 1], "digits": 512, "lr": 10.0, "time": 4000.0},
        "nngp": _ALL_DIGITS,
        "cntk": {
            "sizes": [50, 100, 200, 400],
            "splits": 10,
            "digits": 600,
            "side": 14,
            "depths": [1, 3],
            "kernels": _ALL_READ,
        },
        "mutag": _ALL_MOLECULES,
        "time_series": {"order": 0},
        "poisson": {"frequency": 4.0, "width": 512, "seeds": [0, 1, 2], "steps": 40_000, "refresh": 100},
    },
    "paper": {
        "figure1": {"widths": [500, 10_000], "seeds": list(range(10)), "inputs": 100, "steps": 200},
        "figure2": {"widths": [50, 1000], "seeds": list(range(10)), "steps": 1000},
        "figure3": {"widths": [100, 1000, 10_000], "seeds": [0, 1], "digits": 512, "lr": 10.0, "time": 4000.0},
        "nngp": _ALL_DIGITS,
        "cntk": {
            "sizes": [50, 100, 200, 400, 1000, 2000, 4000],
            "splits": 10,
            "digits": 5000,
            "side": 28,
            "depths": [3, 6],
        },
        "mutag": {**_ALL_MOLECULES, "penalties": [10 ** (-2 + 6 * i / 119) for i in range(120)]},
        "time_series": {"order": 0},
        "poisson": {"frequency": 4.0, "width": 512, "seeds": list(range(10)), "steps": 40_000, "refresh": 100},
    },
}


def settings(experiment: str, size: str) -> Settings:
    """The arguments of an experiment at a size. Raises: DomainError that lists what there is."""
    for what, name, known in (("an experiment", experiment, EXPERIMENTS), ("a size", size, SIZES)):
        if name not in known:
            expected = f"{what} among {', '.join(known)}"
            raise DomainError(sentence("experiments", expected, repr(name), "choose one of them"))
    return SIZES[size][experiment]
