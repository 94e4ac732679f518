"""CIFAR-10 and CIFAR-100, read from the files that the reader has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntk_teach.data.folder import check_part, contents, damaged, drawn, find

__all__ = ["cifar10_files", "cifar100_files"]

SIDE, COLORS = 32, 3
PIXELS = SIDE * SIDE * COLORS

Images = Float[Tensor, "n 32 32 3"]
Classes = Int[Tensor, " n"]


def cifar10_files(
    folder: str | Path,
    *,
    part: Literal["train", "test"] = "train",
    n: int | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> tuple[Images, Classes]:
    """CIFAR-10 from the binary version's files in ``folder``: 50000 images to train, 10000 to test.

    The version for Python is refused: its files are pickles, and reading a pickle runs what is written in it.

    Args:
        folder: holds data_batch_1.bin to data_batch_5.bin for the part "train", test_batch.bin for "test" (in the
            archive cifar-10-binary.tar.gz they stand in cifar-10-batches-bin).
        part: which of the two.
        n: how many, drawn without replacement; None means all, in the order of the files.
        seed: of the draw.
        dtype: of the pixels. The part "train" takes 614 MB in float32.

    Returns: x [n, 32, 32, 3], pixels divided by 255, colors last; labels 0–9 [n], int64.

    Raises: NTKError if the folder or a file is absent; DomainError if one is truncated or not of this format, or n is
        larger than what there is.

    Source: Krizhevsky 2009. Chapter: 09_convolutional_ntk.
    """
    where, archive = "data.cifar10_files", "cifar-10-binary.tar.gz"
    check_part(part, where=where)
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if part == "train" else ["test_batch.bin"]
    images, labels = _records(folder, names, classes=(10,), archive=archive, where=where)
    return drawn(images, labels[:, 0], n, seed, dtype, where=where)


def cifar100_files(
    folder: str | Path,
    *,
    part: Literal["train", "test"] = "train",
    n: int | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> tuple[Images, Classes]:
    """CIFAR-100 from train.bin and test.bin of the binary version, with the 100 fine labels.

    Args, Returns and Raises: as ``cifar10_files``; labels 0–99; the archive is cifar-100-binary.tar.gz.

    Source: Krizhevsky 2009. Chapter: 09_convolutional_ntk.
    """
    where, archive = "data.cifar100_files", "cifar-100-binary.tar.gz"
    check_part(part, where=where)
    images, labels = _records(folder, [f"{part}.bin"], classes=(20, 100), archive=archive, where=where)
    return drawn(images, labels[:, 1], n, seed, dtype, where=where)


Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def _records(
    folder: str | Path, names: Sequence[str], *, classes: tuple[int, ...], archive: str, where: str
) -> tuple[Bytes, Bytes]:
    """Records of a byte for each label and 3072 for the image, the colors one after the other."""
    do = f"put the files of {archive} there; nothing is downloaded, and the pickles of the Python version are not read"
    length = len(classes) + PIXELS
    parts = []
    for name in names:
        path = find(folder, [name], where=where, do=do)
        raw = contents(path, where=where)
        if not raw or len(raw) % length:
            raise damaged(path, f"whole records of {length} bytes", f"{len(raw)} bytes", where=where)
        records = np.frombuffer(raw, np.uint8).reshape(-1, length)
        for column, count in enumerate(classes):
            if records[:, column].max() >= count:
                received = str(int(records[:, column].max()))
                raise damaged(path, f"labels from 0 to {count - 1}", received, where=where)
        parts.append(records)
    whole = np.concatenate(parts)
    images = whole[:, len(classes) :].reshape(-1, COLORS, SIDE, SIDE).transpose(0, 2, 3, 1)  # [n, 32, 32, 3]
    return images, whole[:, : len(classes)]
