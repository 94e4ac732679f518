"""Where the kernels go: memory, a given array, or a file that can be larger than memory and be resumed."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ntk_teach.errors import DomainError, DtypeError, ShapeError, sentence
from ntk_teach.ragged import Ragged

__all__ = ["Destination", "FileDestination", "Output", "destination", "fingerprint"]

Output = Tensor | npt.NDArray[np.floating] | str | Path


class Destination:
    """A matrix in memory that tiles are written to."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix

    def write(self, rows: slice, columns: slice, tile: Tensor, mirrored: bool) -> None:
        self.matrix[rows, columns] = tile
        if mirrored:
            self.matrix[columns, rows] = tile.T

    def finished(self) -> set[int]:
        """The row panels that an earlier, interrupted run has left complete."""
        return set()

    def finish(self, panel: int) -> None:
        """All tiles of a row panel are written."""


class FileDestination(Destination):
    """A ``.npy`` file, written through a memory map, with a note beside it of the panels that are complete.

    The note is written after the panel has reached the file, so a run that is killed at any moment loses at most the
    panels it was at. It also holds the fingerprint of what is being computed: a run with other inputs, another
    architecture or another dtype does not go on with this file.
    """

    def __init__(self, path: Path, shape: tuple[int, int], dtype: torch.dtype, fingerprint: str) -> None:
        self.path, self.note = path, path.with_name(path.name + ".progress.json")
        self.fingerprint = fingerprint
        self.done: set[int] = set()
        numpy_dtype = np.dtype(str(dtype).removeprefix("torch."))
        if path.exists():
            self._resume(shape, numpy_dtype)
            self.map = np.lib.format.open_memmap(path, mode="r+")
        else:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self.map = np.lib.format.open_memmap(path, mode="w+", dtype=numpy_dtype, shape=shape)
            except OSError as fault:
                received = fault.strerror or type(fault).__name__
                do = "choose a folder that can be written to"
                raise DomainError(sentence(f"gram, out {path}", "a place for a new file", received, do)) from None
            self._reserve()
            self._note()
        super().__init__(torch.from_numpy(self.map))

    def _resume(self, shape: tuple[int, int], dtype: np.dtype[np.floating]) -> None:
        expected = "a new file, or one that was begun with the same inputs, architecture and dtype"
        do = "choose another path, or delete the file and its .progress.json"
        where = f"gram, out {self.path}"
        try:
            begun = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise DomainError(sentence(where, expected, "a file without a readable note of progress", do)) from None
        if begun.get("fingerprint") != self.fingerprint:
            raise DomainError(sentence(where, expected, "a file of another computation", do))
        found = np.lib.format.open_memmap(self.path, mode="r")
        if found.shape != shape or found.dtype != dtype:
            raise DomainError(sentence(where, expected, f"an array {list(found.shape)} of {found.dtype}", do))
        self.done = set(begun["panels"])

    def _reserve(self) -> None:
        """Have the whole file now: a disk that fills up under a memory map ends the process without a word."""
        size = self.path.stat().st_size
        try:
            if hasattr(os, "posix_fallocate"):
                with self.path.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, size)
        except OSError as fault:
            del self.map
            self.path.unlink()
            free = shutil.disk_usage(self.path.parent).free
            received = f"{free / 1e9:.3g} GB ({fault.strerror})"
            do = "choose another disk, or dtype=torch.float32"
            raise DomainError(
                sentence(f"gram, out {self.path}", f"{size / 1e9:.3g} GB of room", received, do)
            ) from None

    def _note(self) -> None:
        new = self.note.with_name(self.note.name + ".new")
        new.write_text(json.dumps({"fingerprint": self.fingerprint, "panels": sorted(self.done)}), encoding="utf-8")
        os.replace(new, self.note)

    def finished(self) -> set[int]:
        return set(self.done)

    def finish(self, panel: int) -> None:
        self.map.flush()
        # The pages are in the file now; without this they would count as this process's memory until the end.
        pages: mmap.mmap = self.map._mmap  # type: ignore[attr-defined]  # numpy's documented base of a memmap
        if hasattr(mmap, "MADV_DONTNEED"):
            pages.madvise(mmap.MADV_DONTNEED)
        self.done.add(panel)
        self._note()


def destination(
    out: Output | None, shape: tuple[int, int], dtype: torch.dtype, device: torch.device, fingerprint: str
) -> Destination:
    """Memory where ``out`` is None, the given array, or the file of that name."""
    if out is None:
        return Destination(torch.empty(shape, dtype=dtype, device=device))
    if isinstance(out, str | Path):
        path = Path(out)
        if path.suffix != ".npy":
            raise DomainError(sentence("gram, out", "a file name that ends in .npy", str(path), "add the ending"))
        return FileDestination(path, shape, dtype, fingerprint)
    if not isinstance(out, Tensor | np.ndarray):
        do = "pass a tensor, an array, a memory map or a file name"
        raise DtypeError(sentence("gram, out", "somewhere to write", type(out).__name__, do))
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        do = 'open it with mode="r+", or copy it'
        raise DomainError(sentence("gram, out", "an array that can be written to", "a read-only one", do))
    matrix = torch.from_numpy(out) if isinstance(out, np.ndarray) else out
    if tuple(matrix.shape) != shape:
        do = "allocate one row for each input of x1 and one column for each of x2"
        raise ShapeError(sentence("gram, out", f"an array of shape {list(shape)}", str(list(matrix.shape)), do))
    if matrix.dtype != dtype:
        do = "allocate it in the dtype of the computation, or pass dtype="
        raise DtypeError(sentence("gram, out", str(dtype), str(matrix.dtype), do))
    return Destination(matrix)


def fingerprint(*parts: object) -> str:
    """One number for everything that determines the values."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Ragged):
            digest.update(fingerprint(part.values, part.present, part.edges).encode())
        elif isinstance(part, Tensor):
            digest.update(part.detach().cpu().contiguous().numpy().tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()
