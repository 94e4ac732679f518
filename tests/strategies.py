"""Inputs and architectures for the tests: drawn by hypothesis, or fixed by a seed."""

import math

import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor

import ntk_teach as ntk


def inputs(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """n Gaussian inputs of d coordinates and unequal norms."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return (x * torch.linspace(0.5, 2.0, n, dtype=torch.float64)[:, None]).to(dtype)


def batches(n: st.SearchStrategy[int] | int = 5, d: int = 3, nonzero: bool = False) -> st.SearchStrategy[Tensor]:
    """[n, d] with coordinates in [-3, 3]; zeros, repeated rows and opposite rows are likely and meant."""
    count = n if isinstance(n, st.SearchStrategy) else st.just(n)
    elements = st.floats(-3, 3, width=32).map(lambda value: 0.0 if abs(value) < 1e-3 else value)
    drawn = count.flatmap(lambda rows: arrays.arrays("float64", (rows, d), elements=elements)).map(torch.from_numpy)
    return drawn.filter(lambda x: bool((x.norm(dim=1) > 0.1).all())) if nonzero else drawn


depths = st.integers(1, 4)
weight_scales = st.sampled_from([0.6, 1.0, math.sqrt(2)])
bias_scales = st.sampled_from([0.0, 0.1, 1.0])
closed_forms = st.sampled_from([ntk.relu, ntk.erf])


# (sigma_w, sigma_b) of one to four weight layers. The architecture itself is built inside the test: the run-time type
# checker draws random numbers, which hypothesis does not allow while it draws its own.
scales = st.lists(st.tuples(weight_scales, bias_scales), min_size=1, max_size=4)


def perceptron(dense, activation: ntk.Activation) -> ntk.Architecture:
    """Dense, φ, Dense, …, Dense with the (sigma_w, sigma_b) listed."""
    return ntk.serial(*[part for pair in dense for part in (ntk.Dense(*pair), activation)][:-1])
