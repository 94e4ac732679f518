"""Bad input at every public door: an error of ours that says where, what was expected, what was received, what to do.

These tests run without the run-time type checker, as a reader of the book does.
"""

import math
import re

import numpy as np
import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.empirical import by_autograd, layerwise
from ntk_teach.errors import DomainError, DtypeError, NTKError, RuleError, ShapeError

pytestmark = pytest.mark.boundary

X = inputs(4, 3)
Y = X[:, 0]
ARCH = ntk.zoo.mlp(3)


def network(x: torch.Tensor = X):
    return ARCH.network(width=5, like=x)


class General(torch.nn.Module):
    """A network the layerwise formula does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3, 1, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x @ self.weight)


def spoiled(value: float) -> torch.Tensor:
    x = X.clone()
    x[1, 2] = value
    return x


BATCHES = {
    # a batch no function takes: kind of error, what the message must show as received
    "one axis": (X[0], ShapeError, r"\[3\]"),
    "three axes": (X[None], ShapeError, r"\[1, 4, 3\]"),
    "no input": (X[:0], DomainError, r"\[0, 3\]"),
    "no coordinate": (X[:, :0], DomainError, r"\[4, 0\]"),
    "NaN": (spoiled(math.nan), DomainError, "1 NaN or infinite of 12"),
    "infinite": (spoiled(-math.inf), DomainError, "1 NaN or infinite of 12"),
    "whole numbers": (torch.ones(4, 3, dtype=torch.int64), DtypeError, "torch.int64"),
    "truth values": (X > 0, DtypeError, "torch.bool"),
    "numpy": (X.numpy(), DtypeError, "ndarray"),
    "a list": ([[1.0, 2.0, 3.0]], DtypeError, "list"),
    "nothing": (None, DtypeError, "NoneType"),
}
DOORS = {
    # every public function that takes a batch, and the name the batch has there
    "kernel": (lambda x: ARCH.kernel(x), "x1"),
    "ntk": (lambda x: ARCH.ntk(x), "x1"),
    "nngp, second": (lambda x: ARCH.nngp(X, x), "x2"),
    "network": (lambda x: ARCH.network(width=5, like=x), "like"),
    "empirical_ntk": (lambda x: ntk.empirical_ntk(network(), x), "x1"),
    "empirical_ntk, second": (lambda x: ntk.empirical_ntk(network(), X, x), "x2"),
    "layerwise": (lambda x: layerwise(network(), x), "x1"),
    "gradient_descent": (lambda x: ntk.gradient_descent(network(), x, Y), "x"),
}
MISSING_IS_ALLOWED = {"nngp, second", "empirical_ntk, second"}


def raised(kind: type[NTKError], attempt) -> str:
    """The message of exactly this kind of error, which must be a whole sentence and short of a traceback."""
    with pytest.raises(kind) as caught:
        attempt()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert re.fullmatch(r"[^:]+: .*expected .+, received .+; .+", message, re.DOTALL), message
    assert caught.value.__cause__ is None
    return message


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("door", DOORS)
def test_a_bad_batch_is_refused_at_every_door(door, batch):
    """The message names the argument and shows what was received."""
    (attempt, name), (x, kind, received) = DOORS[door], BATCHES[batch]
    if door in MISSING_IS_ALLOWED and x is None:
        attempt(x)  # means x1
        return
    message = raised(kind, lambda: attempt(x))
    assert re.search(rf"\b{name}\b", message), message
    assert re.search(f"received .*{received}", message), message


GENERAL = {name: BATCHES[name] for name in ("one axis", "no input", "NaN", "whole numbers", "numpy")}


@pytest.mark.parametrize("batch", GENERAL)
def test_a_bad_batch_is_refused_for_any_module(batch):
    """The way by Jacobians has the same door as the layerwise one."""
    x, kind, received = GENERAL[batch]
    assert re.search(f"received .*{received}", raised(kind, lambda: by_autograd(General(), x)))


PAIRS = {
    "kernel, widths of inputs": (ShapeError, lambda: ARCH.kernel(X, X[:, :2]), r"\[4, 2\]"),
    "kernel, dtypes": (DtypeError, lambda: ARCH.ntk(X.float(), X), "float32.*float64"),
    "empirical, widths of inputs": (ShapeError, lambda: ntk.empirical_ntk(network(), X, X[:, :2]), r"\[4, 2\]"),
    "empirical, other fan-in": (ShapeError, lambda: ntk.empirical_ntk(network(), X[:, :2]), r"\[4, 2\]"),
    "empirical, dtypes": (DtypeError, lambda: ntk.empirical_ntk(network(), X, X.float()), "float32"),
    "empirical, network float32": (DtypeError, lambda: ntk.empirical_ntk(network(X.float()), X), "float32.*float64"),
    "any module, dtypes": (DtypeError, lambda: by_autograd(General(), X.float()), "float64.*float32"),
    "training, dtypes": (DtypeError, lambda: ntk.gradient_descent(network(), X, Y.float()), "float64.*float32"),
    "training, network float32": (DtypeError, lambda: ntk.gradient_descent(network(X.float()), X, Y), "float32"),
    "training, too few targets": (ShapeError, lambda: ntk.gradient_descent(network(), X, Y[:3]), r"\[3\]"),
    "training, targets transposed": (ShapeError, lambda: ntk.gradient_descent(network(), X, Y[None]), r"\[1, 4\]"),
    "training, other fan-in": (ShapeError, lambda: ntk.gradient_descent(network(), X[:, :2], Y), r"\[4, 2\]"),
    "training, targets of numpy": (DtypeError, lambda: ntk.gradient_descent(network(), X, Y.numpy()), "ndarray"),
    "training, NaN target": (DomainError, lambda: ntk.gradient_descent(network(), X, Y * math.nan), "NaN|nan"),
}


@pytest.mark.parametrize("case", PAIRS)
def test_arguments_that_do_not_fit_together_are_refused(case):
    """Both sides of the mismatch are in the message."""
    kind, attempt, received = PAIRS[case]
    assert re.search(received, raised(kind, attempt), re.DOTALL)


VALUES = {
    "width negative": (DomainError, lambda: ARCH.network(width=-3, like=X), "-3"),
    "width zero": (DomainError, lambda: ARCH.network(width=0, like=X), "0"),
    "width not whole": (DomainError, lambda: ARCH.network(width=2.5, like=X), "2.5"),
    "width infinite": (DomainError, lambda: ARCH.network(width=math.inf, like=X), "inf"),
    "one width too few": (ShapeError, lambda: ARCH.network(width=(5,), like=X), r"\[5\]"),
    "one width too many": (ShapeError, lambda: ARCH.network(width=(5, 6, 7), like=X), r"\[5, 6, 7\]"),
    "a width of zero among others": (DomainError, lambda: ARCH.network(width=(5, 0), like=X), "0"),
    "no output": (DomainError, lambda: ARCH.network(width=5, like=X, out_features=0), "0"),
    "seed negative": (DomainError, lambda: ARCH.network(width=5, like=X, seed=-1), "-1"),
    "sigma_w negative": (DomainError, lambda: ntk.Dense(sigma_w=-1.0), "-1.0"),
    "sigma_b not a number": (DomainError, lambda: ntk.Dense(sigma_b=math.nan), "nan"),
    "sigma_w a word": (DomainError, lambda: ntk.Dense(sigma_w="he"), "'he'"),
    "depth zero": (DomainError, lambda: ntk.zoo.mlp(0), "0"),
    "tolerance zero": (DomainError, lambda: ntk.Activation.from_function(torch.tanh, tolerance=0.0), "0"),
    "a torch module as layer": (DomainError, lambda: ntk.serial(ntk.Dense(), torch.nn.ReLU(), ntk.Dense()), "ReLU"),
    "no layer": (DomainError, lambda: ntk.serial(), "0 layers"),
    "no random layer": (DomainError, lambda: ntk.serial(ntk.relu), "none of them random"),
    "circle of no points": (DomainError, lambda: ntk.data.circle(0), "0"),
    "negative noise": (DomainError, lambda: ntk.data.circle(4, noise=-0.1), "-0.1"),
    "gaussian of no points": (DomainError, lambda: ntk.data.gaussian(-2), "-2"),
    "steps negative": (DomainError, lambda: ntk.gradient_descent(network(), X, Y, steps=-1), "-1"),
    "lr negative": (DomainError, lambda: ntk.gradient_descent(network(), X, Y, lr=-1.0), "-1.0"),
    "lr far too large": (DomainError, lambda: ntk.gradient_descent(network(), X, Y, lr=1e3, steps=200), "inf|nan"),
    "the limit for a finite network": (DtypeError, lambda: ntk.empirical_ntk(ARCH, X), "Architecture"),
    "layerwise of any module": (ShapeError, lambda: layerwise(General(), X), "General"),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_outside_the_domain_are_refused(case):
    """Scales, widths, counts and layers: the value itself is in the message."""
    kind, attempt, received = VALUES[case]
    assert re.search(f"received .*({received})", raised(kind, attempt), re.DOTALL)


def test_an_error_in_a_layer_names_the_layer_and_its_position_once():
    """The inner fact and the outer place make one sentence: layer 3 of 4, its name, what to do."""
    arch = ntk.serial(ntk.Dense(), ntk.erf, ntk.relu, ntk.Dense())
    message = raised(RuleError, lambda: arch.ntk(X))
    assert message.startswith("layer 3 of 4, relu: ")
    assert message.count("layer 3 of 4") == 1


def test_numpy_numbers_are_numbers():
    """Widths and scales that come out of a numpy array are as good as Python's own."""
    widths = np.array([3, 4])
    assert ARCH.network(width=widths[0], like=X)(X).shape == (4, 1)
    assert ntk.Dense(np.float64(1.5), np.float32(0.5)).sigma_w == 1.5
