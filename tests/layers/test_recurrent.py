"""Recurrent layers against the authors' values and the paper's loop over steps."""

import numpy as np
import pytest
from oracles import sites
from site_networks import (
    ROOT,
    close,
    drawn,
    stored,
)

from ntk_teach import (
    AverageSteps,
    Dense,
    Flatten,
    LastStep,
    Ragged,
    Recurrent,
    relu,
    serial,
)


@pytest.mark.parametrize("key", [key for key in stored("rntk") if key != "X"])
def test_the_recurrent_ntk_of_its_authors(key):
    """Their average adds equal times alone, as if each step had a read-out of its own, and the last one twice."""
    values = stored("rntk")
    read, deep, fixed, *scales = key.split("_")
    deep, fixed = int(deep[1:]), int(fixed[2:])
    sigmas = [ROOT if text == "sw1.4142" else float(text[2:]) for text in scales]
    layers = [Recurrent(relu, *sigmas, trained=number >= fixed) for number in range(deep)]
    x = values["X"][..., None]
    last = serial(*layers, LastStep(), Dense()).ntk(x)
    if read == "avg":
        # Flatten: the mean over the steps, each with weights of its own.
        last = serial(*layers, Flatten(), Dense()).ntk(x) + last / x.shape[1]
    close(last, values[key], 1e-12)


@pytest.mark.parametrize("read", ["last", "average"])
@pytest.mark.parametrize("layers", [[(1.2, 0.8, 0.1)], [(1.2, 0.8, 0.1), (0.9, 1.1, 0.3)]], ids=["one", "two"])
def test_the_papers_loop_over_steps(read, layers):
    """Sequences of unequal length, one layer and two."""
    lengths = (3, 5, 4)
    parts = [drawn(t, 2, seed=t) for t in lengths]
    body = [Recurrent(relu, *scales) for scales in layers]
    arch = serial(*body, LastStep() if read == "last" else AverageSteps(), Dense())
    ours = arch.grams(Ragged.sequences(parts))
    for i, j in np.ndindex(3, 3):
        sigma, theta = sites.recurrent(parts[i].numpy(), parts[j].numpy(), layers, read)
        assert abs(float(ours.nngp[i, j]) - sigma) < 1e-12
        assert abs(float(ours.ntk[i, j]) - theta) < (1e-7 if i == j else 1e-12)
