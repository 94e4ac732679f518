"""The full MNIST, read from the files that the reader has."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntk_teach.data.folder import check_part, contents, damaged, drawn, find

__all__ = ["mnist_files"]

WHERE = "data.mnist_files"
PREFIX = {"train": "train", "test": "t10k"}


def mnist_files(
    folder: str | Path,
    *,
    part: Literal["train", "test"] = "train",
    n: int | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> tuple[Float[Tensor, "n height width 1"], Int[Tensor, " n"]]:
    """MNIST, or a data set in its format, from the IDX files in ``folder``: 60000 images to train, 10000 to test.

    Args:
        folder: holds train-images-idx3-ubyte and train-labels-idx1-ubyte for the part "train", t10k-… for "test", each
            raw or with .gz at the end; a dot before idx in place of the hyphen is accepted.
        part: which of the two.
        n: how many, drawn without replacement; None means all, in the order of the file.
        seed: of the draw.
        dtype: of the pixels. All of MNIST takes 188 MB in float32 and 376 MB in float64.

    Returns: x [n, 28, 28, 1], pixels divided by 255; labels 0–9 [n], int64. A dense network takes ``x.flatten(1)``.

    Raises: NTKError if the folder or a file is absent; DomainError if one is truncated or not of this format, or n is
        larger than what there is.

    Source: LeCun et al. 1998. Chapter: 07_generalization.
    """
    check_part(part, where=WHERE)
    images = _idx(folder, f"{PREFIX[part]}-images", axes=3)
    labels = _idx(folder, f"{PREFIX[part]}-labels", axes=1)
    (pixels, image_file), (classes, label_file) = images, labels
    if len(pixels) != len(classes):
        raise damaged(
            label_file, f"{len(pixels)} labels, as {image_file.name} has images", str(len(classes)), where=WHERE
        )
    if classes.max() > 9:
        raise damaged(label_file, "labels from 0 to 9", str(int(classes.max())), where=WHERE)
    return drawn(pixels[..., None], classes, n, seed, dtype, where=WHERE)  # [n, height, width, 1]


def _idx(folder: str | Path, stem: str, *, axes: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], Path]:
    """An array of bytes: 0 0 8 axes, then each size as four bytes, highest first, then the data."""
    names = [f"{stem}{mark}idx{axes}-ubyte{ending}" for mark in "-." for ending in ("", ".gz")]
    do = "put the four files of MNIST there; nothing is downloaded"
    path = find(folder, names, where=WHERE, do=do)
    raw = contents(path, where=WHERE)
    header = 4 + 4 * axes
    if raw[:4] != bytes((0, 0, 8, axes)):
        raise damaged(path, f"the magic number 0000080{axes}", raw[:4].hex() or "an empty file", where=WHERE)
    if len(raw) < header:
        raise damaged(path, f"a header of {header} bytes", f"{len(raw)} bytes", where=WHERE)
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, header, 4)]
    expected = header + math.prod(shape)
    if len(raw) != expected or not all(shape):
        raise damaged(path, f"{expected} bytes for {shape}, none of them 0", f"{len(raw)} bytes", where=WHERE)
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape), path
