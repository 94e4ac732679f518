"""Convolutions against another program's values, the authors', and the paper's loop over pixels."""

import numpy as np
import pytest
import references
import torch
from oracles import sites
from references import HERE
from site_networks import ROOT, close, drawn, stored

import ntk_teach as ntk
from ntk_teach import (
    AvgPool,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    relu,
    serial,
)


def described(layers: list) -> ntk.Architecture:
    """A reference file's network in our words."""
    found = {"relu": relu, "gelu": ntk.gelu, "gap": GlobalAvgPool(), "flatten": Flatten()}
    ours = []
    for name, *how in layers:
        if name == "conv":
            (window, _), (stride, _), padding, sigma_w, sigma_b = how
            ours.append(Conv2d(window, stride, padding.lower(), sigma_w=sigma_w, sigma_b=sigma_b))
        else:
            ours.append(Dense(*how) if name == "dense" else found[name])
    return serial(*ours)


@pytest.mark.parametrize("file", sorted(path.stem for path in HERE.glob("conv_*.npz")))
def test_convolutional_kernels_equal_the_reference(file):
    """Σ within 1e-12; Θ within 1e-12 off the diagonal and 1e-8 on it, where the other program is the inexact one."""
    reference = references.load(file)
    arch = described(reference.layers)
    for x2, nngp, theta in (
        (None, reference.nngp11, reference.ntk11),
        (reference.x2, reference.nngp12, reference.ntk12),
    ):
        ours = arch.grams(reference.x1, x2)
        close(ours.nngp, nngp, 1e-12)
        close(ours.ntk, theta, 1e-8)
        apart = ~torch.eye(*theta.shape, dtype=torch.bool) if x2 is None else torch.ones_like(theta, dtype=torch.bool)
        close(ours.ntk[apart], theta[apart], 1e-12)


@pytest.mark.parametrize("key", [key for key in stored("cntk") if key != "X"])
def test_the_convolutional_ntk_of_its_authors(key):
    """Arora et al. sum over the first window and over the channels, and without pooling over the pixels: factors."""
    values = stored("cntk")
    x = values["X"].permute(0, 2, 3, 1)
    depth, trained, pooled = int(key[3]), "fix0" in key, key.endswith("gap1")
    middle = [layer for _ in range(depth - 2) for layer in (relu, Conv2d(sigma_w=ROOT))]
    read = GlobalAvgPool() if pooled else Flatten()
    arch = serial(Conv2d(trained=trained), *middle, relu, read, Dense(ROOT, trained=trained))
    close((3 if pooled else 3 * 30) * arch.ntk(x), values[key], 1e-8)


CONVOLUTIONAL = {
    "same, flat": [("conv", 3, 1, "same", 1.3, 0.2), ("relu",), ("flatten",), ("dense", 1.1, 0.1)],
    "strided, even window": [
        ("conv", 2, 2, "same", 1.3, 0.0),
        ("relu",),
        ("conv", 3, 1, "valid", 1.2, 0.3),
        ("relu",),
        ("gap",),
        ("dense", 1.1, 0.1),
    ],
    "circular, pools of each kind": [
        ("conv", 3, 2, "circular", 1.3, 0.1),
        ("relu",),
        ("pool", 2, 1, "same"),
        ("conv", 2, 1, "circular", 1.2, 0.0),
        ("pool", 3, 1, "circular"),
        ("relu",),
        ("flatten",),
        ("dense", 1.0, 0.0),
    ],
}


def architecture(layers: list[tuple]) -> ntk.Architecture:
    words = {"relu": lambda: relu, "flatten": Flatten, "gap": GlobalAvgPool, "dense": Dense, "pool": AvgPool}
    words["conv"] = lambda q, s, padding, w, b: Conv2d(q, s, padding, sigma_w=w, sigma_b=b)
    return serial(*[words[kind](*how) for kind, *how in layers])


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_the_papers_loop_over_pixels(name):
    """Stride, padding and pools, with a black border whose pixels never move."""
    x = drawn(2, 5, 6, 2, seed=1)
    x[0, :2] = 0
    ours = architecture(CONVOLUTIONAL[name]).grams(x, x.flip(1))
    for i, j in np.ndindex(2, 2):
        sigma, theta = sites.convolutional(x[i].numpy(), x.flip(1)[j].numpy(), CONVOLUTIONAL[name])
        assert abs(float(ours.nngp[i, j]) - sigma) < 1e-12
        assert abs(float(ours.ntk[i, j]) - theta) < 1e-10
