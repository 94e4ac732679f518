"""What has no kernel is refused with what to do, and a network is left as it was found."""

import contextlib
import copy
import re

import pytest
import torch
from empirical.networks import COVERED, UNCOVERED, D, built, ours
from strategies import inputs
from torch import Tensor, nn

from ntk_teach.empirical import (
    by_autograd,
    empirical_ntk,
    empirical_ntk_per_output,
    empirical_ntk_trace,
    layerwise,
    ntk_vector_product,
)
from ntk_teach.errors import DomainError, DtypeError, NTKError, ShapeError

pytestmark = pytest.mark.boundary

X = inputs(6, D)
V = inputs(6, 2, seed=1)


def product(network, x1, x2=None, **more):
    return ntk_vector_product(network, x1, x2, V if len(x1) == 6 else V[: len(x1)], **more)


WAYS = {
    "empirical_ntk": empirical_ntk,
    "empirical_ntk_trace": empirical_ntk_trace,
    "empirical_ntk_per_output": empirical_ntk_per_output,
    "ntk_vector_product": product,
    "layerwise": layerwise,
    "by_autograd": by_autograd,
}


class Through(nn.Module):
    """Two linear layers with ``between`` between them."""

    def __init__(self, between) -> None:
        super().__init__()
        self.hidden, self.readout, self.between = nn.Linear(D, 5), nn.Linear(5, 2), between

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.between(torch.tanh(self.hidden(x))))


def noisy(h: Tensor) -> Tensor:
    return h + torch.randn_like(h)


HAVE_NO_KERNEL = {
    # name: (the network, what the message must show)
    "batch normalization in training": (lambda: Through(nn.BatchNorm1d(5)), r"BatchNorm1d \(between\).*eval\(\)"),
    "batch normalization without memory": (
        lambda: Through(nn.BatchNorm1d(5, track_running_stats=False)).eval(),
        r"BatchNorm1d \(between\).*track_running_stats=True",
    ),
    "dropout in training": (lambda: Through(nn.Dropout(0.5)), r"Dropout \(between\).*eval\(\)"),
    "random slopes in training": (lambda: Through(nn.RReLU()), r"RReLU \(between\).*eval\(\)"),
    "centered by the batch": (lambda: Through(lambda h: h - h.mean(0)), "one by one"),
    "summed along the batch": (lambda: Through(lambda h: h.cumsum(0)), "one by one"),
    "summed from the end of the batch": (lambda: Through(lambda h: h.flip(0).cumsum(0).flip(0)), "one by one"),
    "softmax over the batch": (lambda: Through(lambda h: h.softmax(0)), "one by one"),
    "the batch in reverse": (lambda: Through(lambda h: h.flip(0)), "one by one"),
    "noise": (lambda: Through(noisy), "one by one"),
}


def raised(kind: type[NTKError], attempt) -> str:
    with pytest.raises(kind) as caught:
        attempt()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert re.fullmatch(r"[^:]+: .*expected .+, received .+; .+", message, re.DOTALL), message
    return message


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HAVE_NO_KERNEL)
@pytest.mark.parametrize("n", [2, 6])
def test_a_network_that_mixes_or_draws_is_refused_by_every_way(name, way, n):
    """Θ(x, x') is a function of two inputs: no batch, no chance. The message names the module or says one by one."""
    build, shown = HAVE_NO_KERNEL[name]
    message = raised(DomainError, lambda: WAYS[way](built(build), X[:n]))
    assert re.search(shown, message), message
    assert message.startswith(way)


def test_mixing_is_seen_past_copies():
    """Also where the first and the last input are one, or a single input meets others: copies alone hide it."""
    network = built(lambda: Through(lambda h: h - h.mean(0)))
    closed = torch.cat([X, X[:1]])
    for x1, x2 in ((closed, None), (X[:1], X), (X[:1].expand(3, D), X)):
        assert "one by one" in raised(DomainError, lambda x1=x1, x2=x2: empirical_ntk(network, x1, x2))


@pytest.mark.parametrize("between", [nn.BatchNorm1d(5), nn.Dropout(0.5)], ids=lambda m: type(m).__name__)
def test_eval_is_the_cure(between):
    """What was refused in training mode has a kernel after eval()."""
    network = built(lambda: Through(between)).eval()
    for way in (empirical_ntk, by_autograd):
        assert torch.isfinite(way(network, X)).all()


def state(network: nn.Module) -> list:
    parameters = [(p, p.clone(), p.requires_grad, p.grad) for p in network.parameters()]
    hooks = [
        (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks), m.training)
        for m in network.modules()
    ]
    return [parameters, hooks, copy.deepcopy(dict(network.named_buffers()))]


def same(one: list, other: list) -> bool:
    parameters = all(
        p is q and torch.equal(a, b) and r == s and ((g is None and h is None) or torch.equal(g, h))
        for (p, a, r, g), (q, b, s, h) in zip(one[0], other[0], strict=True)
    )
    return parameters and one[1] == other[1] and all(torch.equal(one[2][name], other[2][name]) for name in one[2])


class Failing(nn.Module):
    """Breaks for batches of more than three, which the look at the door does not show."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.readout = nn.Linear(D, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.hidden(x))
        if len(x) > 3:
            raise RuntimeError("no more than three")
        return self.readout(h)


class Vanishing(Failing):
    """Fails in the look at the door itself."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("never")


FOUND = {
    "layers": COVERED["partly frozen"],
    "convolution": COVERED["convolution"],
    "transposed": UNCOVERED["transposed convolution"][0],
    "tied": UNCOVERED["a layer called twice"][0],
    "a hook": UNCOVERED["a hook"][0],
    "settled": UNCOVERED["batch normalization, settled"][0],
    "in training": lambda: Through(nn.BatchNorm1d(5)),
    "fails": Failing,
    "fails at once": Vanishing,
    "mixes": lambda: Through(lambda h: h - h.mean(0)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FOUND)
def test_the_network_is_left_as_found(name, way):
    """Parameters, gradients, requires_grad, training flags, buffers and hooks: also when an error is raised."""
    network = built(FOUND[name])
    for p in network.parameters():
        p.grad = torch.ones_like(p)
    before = state(network)
    with contextlib.suppress(NTKError, RuntimeError):
        WAYS[way](network, X)
    assert same(state(network), before)


def test_a_kernel_is_computed_without_gradients_too():
    """Inside torch.no_grad, with inputs that require a gradient: the same kernel, which requires none."""
    network = built(COVERED["residual"])
    expected = empirical_ntk(network, X)
    with torch.no_grad():
        for way in (empirical_ntk, by_autograd):
            torch.testing.assert_close(way(network, X.clone().requires_grad_()), expected, rtol=1e-12, atol=1e-12)
    assert not empirical_ntk(network, X.clone().requires_grad_()).requires_grad


LINEAR = nn.Sequential(nn.Linear(D, 5), nn.Tanh(), nn.Linear(5, 2)).double()
VALUES = {
    "memory a word": (DomainError, lambda: empirical_ntk(LINEAR, X, memory="2 GiB"), "'2 GiB'"),
    "memory negative": (DomainError, lambda: empirical_ntk(LINEAR, X, memory=-1), "-1"),
    "too little memory": (DomainError, lambda: empirical_ntk(LINEAR, X, memory=10), "10"),
    "too little for a product": (DomainError, lambda: product(LINEAR, X, memory=10), "10"),
    "v with an output too many": (ShapeError, lambda: ntk_vector_product(LINEAR, X, None, inputs(6, 3)), r"\[6, 3\]"),
    "v without outputs": (ShapeError, lambda: ntk_vector_product(LINEAR, X, None, X[:, 0]), r"\[6\]"),
    "v too short": (ShapeError, lambda: ntk_vector_product(LINEAR, X, X[:2], V), r"\[6, 2\]"),
    "v of another dtype": (DtypeError, lambda: ntk_vector_product(LINEAR, X, None, V.float()), "float32"),
    "v a list": (DtypeError, lambda: ntk_vector_product(LINEAR, X, None, [1.0]), "list"),
    "not a module": (DtypeError, lambda: empirical_ntk_trace(torch.tanh, X), "builtin"),
    "an output with three axes": (ShapeError, lambda: empirical_ntk(LINEAR, X[None]), r"\[1, 6, 2\]"),
    "an output for the batch": (ShapeError, lambda: by_autograd(Summing(), X), r"\[2\]"),
    "a pair of outputs": (ShapeError, lambda: by_autograd(Pair(), X), "tuple"),
    "nothing trained": (NTKError, lambda: layerwise(built(lambda: ours(D, 2)).requires_grad_(False), X), "none"),
    "inputs that do not fit together": (ShapeError, lambda: empirical_ntk(LINEAR, X, X[:, :2]), r"\[6, 2\]"),
}


class Summing(nn.Linear):
    def __init__(self) -> None:
        super().__init__(D, 2, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).sum(0)


class Pair(Summing):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def test_a_network_that_ignores_what_is_trained_has_the_kernel_zero():
    """Trained parameters that no output sees: zero by every way but the layerwise one, which refuses."""
    network = built(lambda: nn.Sequential(nn.Linear(D, 2).requires_grad_(False)))
    network.idle = nn.Linear(D, 2, dtype=torch.float64)
    network.forward = network[0].forward
    for way in (empirical_ntk, empirical_ntk_trace, empirical_ntk_per_output, by_autograd, product):
        assert not way(network, X).any()


@pytest.mark.parametrize("case", VALUES)
def test_arguments_that_do_not_fit_are_refused(case):
    """What was received is in the message."""
    kind, attempt, received = VALUES[case]
    message = raised(kind, attempt)
    assert re.search(f"received .*{received}", message, re.DOTALL), message


class AnotherOrder(nn.Module):
    """Sums of terms near 1 that cancel to 1e-5, rounded otherwise in a batch than alone, as a blocked product may."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(D, 50, dtype=torch.float32)
        self.read = nn.Linear(50, 1, bias=False, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        return 1e-5 * self.read(torch.tanh(self.hidden(x))) + 1e-7 * (len(x) > 1)


def test_an_output_near_zero_is_no_mixing_of_the_batch():
    """Rounding is as large as the terms make it; a change of the size of the terms is still refused."""
    torch.manual_seed(0)
    assert bool(torch.isfinite(empirical_ntk(AnotherOrder(), X.float())).all())
    mixing = nn.Sequential(nn.Linear(D, 50), nn.BatchNorm1d(50, track_running_stats=False), nn.Linear(50, 1)).double()
    with pytest.raises(DomainError, match="batch"):
        empirical_ntk(mixing.eval(), X)
