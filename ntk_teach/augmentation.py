"""Data augmentation as a kernel: the mean over an image and its mirror image."""

from __future__ import annotations

import torch

from ntk_teach.architecture import Architecture, Grams
from ntk_teach.errors import ShapeError, sentence
from ntk_teach.shapes import Gram, Images, OtherImages

__all__ = ["flip_augmented"]


def flip_augmented(arch: Architecture, x1: Images, x2: OtherImages | None = None) -> Grams:
    """Σ and Θ of training on every image and its horizontal mirror image:  K ← ½ (K(x, x') + K(flip x, x')).

    A network whose windows and pads are symmetric has K(flip x, flip x') = K(x, x'), so that the mean over the four
    pairs is the mean over these two. Kernel regression with it on n images equals regression with K on all 2n.

    Args: arch; x1 [n, h, w, c] and x2 [m, h, w, c], None for x1.

    Returns: Grams, Σ and Θ [n, m]. Raises: ShapeError for inputs that are no images, and as ``Architecture.grams``.

    Cost: twice that of ``arch.grams``. Source: Li et al. 2019, section 4. Chapter: 09_convolutional_ntk.
    """
    if x1.ndim != 4:
        do = "reshape to [n, height, width, channels]"
        raise ShapeError(sentence("flip_augmented", "images [n, h, w, c]", str(list(x1.shape)), do))
    plain = arch.grams(x1, x2)
    mirrored = arch.grams(x1.flip(2), x1 if x2 is None else x2)
    return Grams(*map(_mean, plain, mirrored))


def _mean(one: Gram, other: Gram) -> Gram:
    return torch.lerp(one, other, 0.5)
