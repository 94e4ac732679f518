"""Files that the reader has: where they are, and whether they are whole. Nothing is downloaded."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ntk_teach.errors import DomainError, NTKError, check_count, sentence

__all__ = ["find", "contents", "damaged", "drawn", "check_part"]

SHOWN = 12  # names of a folder in a message


def find(folder: str | Path, names: Sequence[str], *, where: str, do: str) -> Path:
    """The first of ``names`` that is a file in ``folder``; otherwise what was expected, and what is there."""
    place = Path(folder).expanduser()
    if not place.is_dir():
        received = "a file of that name" if place.exists() else "nothing of that name"
        raise NTKError(sentence(f"{where}, {place}", "a folder", received, do))
    for name in names:
        if (place / name).is_file():
            return place / name
    there = sorted(entry.name for entry in place.iterdir())
    more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
    received = f"a folder with {', '.join(there[:SHOWN])}{more}" if there else "an empty folder"
    raise NTKError(sentence(f"{where}, {place}", f"a file {' or '.join(names)}", received, do))


def check_part(part: str, *, where: str) -> None:
    """ "train" or "test"."""
    if part not in ("train", "test"):
        raise DomainError(sentence(f"{where}, part", "'train' or 'test'", repr(part), "choose one of the two"))


def contents(path: Path, *, where: str) -> bytes:
    """The bytes of a file, unpacked if its name ends in .gz."""
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        raise damaged(path, "a whole gzip file", str(fault), where=where) from None


def damaged(path: Path, expected: str, received: str, *, where: str) -> DomainError:
    """What to raise for a file that is there but not what it should be."""
    return DomainError(sentence(f"{where}, {path.name}", expected, received, "fetch this file again"))


def drawn(
    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    labels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    n: int | None,
    seed: int,
    dtype: torch.dtype,
    *,
    where: str,
) -> tuple[Tensor, Tensor]:
    """n examples in random order, or all in the order of the file; only these become floating, in [0, 1]."""
    check_count(seed, name="seed", where=where, minimum=0)
    if not dtype.is_floating_point:
        do = "choose torch.float32 or torch.float64"
        raise DomainError(sentence(f"{where}, dtype", "a floating-point dtype", str(dtype), do))
    pixels, classes = torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))
    if n is not None:
        if check_count(n, name="n", where=where) > len(pixels):
            raise DomainError(sentence(where, f"at most {len(pixels)} images", str(n), "choose a smaller n"))
        order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(seed))[:n]
        pixels, classes = pixels[order], classes[order]
    return pixels.to(dtype).div_(255), classes
