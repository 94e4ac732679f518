"""Real time series of the UCR and UEA archives, small ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntk_teach.errors import DomainError, NTKError, sentence
from ntk_teach.ragged import Ragged

__all__ = ["time_series"]

# Classification problems among those that sktime 1.2 carries in its own package.
NAMES = (
    "ACSF1",
    "ArrowHead",
    "BasicMotions",
    "GunPoint",
    "ItalyPowerDemand",
    "JapaneseVowels",
    "OSULeaf",
    "PLAID",
)

Series = Float[Tensor, "n t d"] | Ragged
OtherSeries = Float[Tensor, "m t d"] | Ragged
Found = tuple[Tensor | Ragged, Tensor, Tensor | Ragged, Tensor]


def time_series(name: str) -> tuple[Series, Int[Tensor, " n"], OtherSeries, Int[Tensor, " m"]]:
    """One data set of the UCR and UEA archives in the archive's own division, values as the archive has them.

    ACSF1, ArrowHead, GunPoint, ItalyPowerDemand and OSULeaf are series of one number a step; BasicMotions of six;
    JapaneseVowels (twelve) and PLAID (one) have series of unequal lengths.

    Args: name, one of these. Nothing is downloaded: they are in the package sktime.

    Returns: training series, their labels, test series, their labels. Series are [n, t, d] in float64, or ``Ragged``
    where lengths differ; labels count the classes from 0, int64.

    Raises: DomainError for another name; NTKError if the [data] extra is missing.

    Source: Dau et al. 2019 (UCR archive), Bagnall et al. 2018 (UEA archive), in the copy that sktime carries.
    Chapter: 10_recurrent_ntk.
    """
    if name not in NAMES:
        raise DomainError(
            sentence("data.time_series", f"one of {', '.join(NAMES)}", repr(name), "nothing is downloaded")
        )
    return _read(name)


@cache
def _read(name: str) -> Found:
    try:
        import sktime
        from sktime.datasets import load_from_tsfile
    except ImportError:
        do = 'pip install "ntk-teach[data]"'
        raise NTKError(sentence("data.time_series", "the package sktime", "none installed", do)) from None
    folder = Path(sktime.__file__).parent / "datasets" / "data" / name
    parts = []
    for part in ("TRAIN", "TEST"):
        path = folder / f"{name}_{part}.ts"
        if not path.is_file():
            do = 'pip install "sktime>=1.2", which carries it'
            raise NTKError(sentence(f"data.time_series, {name}", f"a file {path.name}", "none in this sktime", do))
        table, classes = load_from_tsfile(str(path), return_data_type="nested_univ")
        rows = [[torch.tensor(cell.to_numpy(), dtype=torch.float64) for cell in row] for row in table.to_numpy()]
        parts.append(([torch.stack(row, 1) for row in rows], [str(label) for label in classes]))
    named = sorted(set(parts[0][1]), key=lambda label: (len(label), label))  # 2 before 10
    lengths = {len(one) for series, _ in parts for one in series}
    series = [torch.stack(rows) if len(lengths) == 1 else Ragged.sequences(rows) for rows, _ in parts]
    labels = [torch.tensor([named.index(label) for label in classes]) for _, classes in parts]
    return series[0], labels[0], series[1], labels[1]
