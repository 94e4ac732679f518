"""Convolutions of every shape against another program's frozen values (see tests/reference/README.md)."""

import json

import numpy as np
import pytest
import torch
from references import HERE

import ntk_teach as ntk
from ntk_teach import AvgPool, Conv2d, Dense, Flatten, GlobalAvgPool, Residual, serial

ACTIVATIONS = {"relu": ntk.relu, "erf": ntk.erf, "gelu": ntk.gelu, "sin": ntk.sin, "leaky": ntk.leaky_relu(0.2)}
KINKED = ("relu", "leaky")

with np.load(HERE / "shapes_of_images.npz") as file:
    STORED = {key: file[key] for key in file.files}
NETWORKS = json.loads(str(STORED["networks"]))


def layer(kind: str, *how: object) -> ntk.layers.Layer:
    made = {
        "conv": Conv2d,
        "pool": AvgPool,
        "dense": Dense,
        "flatten": Flatten,
        "gap": GlobalAvgPool,
        "act": ACTIVATIONS.get,
        "res": lambda branch: Residual(serial(*[layer(*part) for part in branch])),
    }
    return made[kind](*how)


def error(ours: torch.Tensor, theirs: np.ndarray) -> float:
    """Of the largest entry; a kernel that vanishes must vanish."""
    apart = float((ours - torch.from_numpy(theirs)).abs().max())
    return apart / (float(np.abs(theirs).max()) or 1.0)


@pytest.mark.parametrize("number", range(len(NETWORKS)), ids=[name for name, _ in NETWORKS])
def test_both_kernels_of_every_shape(number):
    """Strides, paddings, even windows and windows larger than the image, pools, residual sums, black images.

    Σ to 1e-12; Θ to 1e-8 with a kink, where the other program loses digits, and to 1e-12 without.
    """
    layers = NETWORKS[number][1]
    arch = serial(*[layer(*part) for part in layers])
    x1, x2 = (torch.from_numpy(STORED[f"{name}_{number}"]) for name in ("x1", "x2"))
    smooth = not any(name in json.dumps(layers) for name in KINKED)
    for batches, pair in (((x1,), "11"), ((x1, x2), "12")):
        for found in (arch.kernel(*batches), arch.grams(*batches), arch.grams(*batches, tile=1)):
            assert error(found.nngp, STORED[f"nngp{pair}_{number}"]) < 1e-12
            assert error(found.ntk, STORED[f"ntk{pair}_{number}"]) < (1e-12 if smooth else 1e-8)
