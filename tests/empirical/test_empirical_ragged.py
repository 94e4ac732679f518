"""Sequences and graphs of unequal size: the kernel of a network is that of its gradients, one input at a time."""

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
import torch
from site_networks import FAMILIES, drawn, some_graphs
from torch import Tensor, nn

import ntk_teach as ntk
from ntk_teach.empirical import by_autograd, empirical_ntk_per_output, empirical_ntk_trace, layerwise
from ntk_teach.errors import DomainError, DtypeError, ShapeError

RAGGED = [name for name in FAMILIES if name.startswith(("graph", "recurrent"))]
NAMED = pytest.mark.parametrize("name", RAGGED)


def examples(name: str) -> list[tuple[Tensor, ...]]:
    """Five inputs of unequal size, two of equal size among them: (series,) or (features, edges)."""
    if name.startswith("recurrent"):
        return [(drawn(steps, 2, seed=steps),) for steps in (3, 6, 1, 4)] + [(drawn(4, 2, seed=9),)]
    single = (drawn(1, 3, seed=8), torch.zeros(1, 1, dtype=torch.float64))
    return [*zip(*some_graphs(), strict=True), single, (drawn(4, 3, seed=9), some_graphs()[1][2])]


def batch(some: Sequence[tuple[Tensor, ...]]) -> ntk.Ragged:
    parts = [list(each) for each in zip(*some, strict=True)]
    return ntk.Ragged.sequences(*parts) if len(parts) == 1 else ntk.Ragged.graphs(*parts)


def network(name: str, outputs: int = 1, width: int = 6) -> nn.Module:
    return FAMILIES[name].network(width=width, like=batch(examples(name)), seed=1, out_features=outputs)


def by_definition(net: nn.Module, some: Sequence[tuple[Tensor, ...]]) -> Tensor:
    """[n, n, c, c] from the gradients of each input alone, which is padded by nothing."""
    parameters = [p for p in net.parameters() if p.requires_grad]
    rows = [
        [torch.cat([g.flatten() for g in torch.autograd.grad(f, parameters, retain_graph=True)]) for f in net(one)[0]]
        for one in (batch([each]) for each in some)
    ]
    jacobian = torch.stack([torch.stack(row) for row in rows])  # [n, c, P]
    return torch.einsum("ikp,jlp->ijkl", jacobian, jacobian)


def same(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12 * float(theirs.abs().max()))


@NAMED
@pytest.mark.parametrize("outputs", [1, 3])
def test_it_is_the_kernel_of_gradients_input_by_input(name, outputs):
    """Whole, its trace, its outputs, times a vector; of one batch, and of two that are padded to unequal sizes."""
    net, some = network(name, outputs), examples(name)
    theta = by_definition(net, some)
    whole = theta[..., 0, 0] if outputs == 1 else theta
    diagonals = theta.diagonal(dim1=2, dim2=3)
    x, few, one = batch(some), batch(some[2:4]), batch(some[:1])
    for way in (ntk.empirical_ntk, by_autograd):
        same(way(net, x), whole)
        same(way(net, x, few), whole[:, 2:4])
        same(way(net, one, x), whole[:1])
    gram = ntk.empirical_ntk(net, x)
    assert torch.equal(gram, gram.mT if outputs == 1 else gram.permute(1, 0, 3, 2))
    same(empirical_ntk_trace(net, few, x), diagonals.mean(-1)[2:4])
    same(empirical_ntk_per_output(net, x), diagonals)
    v = drawn(len(some), outputs, seed=3)
    same(ntk.ntk_vector_product(net, few, x, v), torch.einsum("ijkl,jl->ik", theta, v)[2:4])


@NAMED
def test_company_and_order_change_nothing(name):
    """A larger input beside it pads an input further; another order of inputs, or of nodes, is the same kernel."""
    net, some = network(name), examples(name)
    theta = ntk.empirical_ntk(net, batch(some))
    order = torch.tensor([3, 0, 4, 2, 1])
    same(ntk.empirical_ntk(net, batch(some)[order]), theta[order][:, order])
    same(ntk.empirical_ntk(net, batch([some[0], some[2]])), theta[[0, 2]][:, [0, 2]])
    if name.startswith("graph"):
        turned = [torch.randperm(len(x), generator=torch.Generator().manual_seed(0)) for x, _ in some]
        again = batch([(x[p], edges[p][:, p]) for (x, edges), p in zip(some, turned, strict=True)])
        same(ntk.empirical_ntk(net, again), theta)
        same(ntk.empirical_ntk(net, again, batch(some)), theta)


@NAMED
def test_blocks_make_the_whole(name):
    """From the smallest memory that is enough, which the refusal names."""
    net, x = network(name, 2), batch(examples(name))
    whole, few = ntk.empirical_ntk(net, x), x[1:3]
    with pytest.raises(DomainError, match="at least") as caught:
        ntk.empirical_ntk(net, x, memory=1.0)
    least = int(re.findall(r"at least (\d+) bytes", str(caught.value))[0])
    with pytest.raises(DomainError, match="at least"):
        ntk.empirical_ntk(net, x, memory=least - 1)
    for factor in (1, 2.3, 20):
        same(ntk.empirical_ntk(net, x, memory=least * factor), whole)
        same(ntk.empirical_ntk(net, few, x, memory=least * factor), whole[1:3])


@NAMED
def test_layerwise_says_what_to_do(name):
    """Weights that act at every site are outside its formula; with these frozen the read-out alone is within it."""
    net, x = network(name), batch(examples(name))
    with pytest.raises(ShapeError, match=r"(Recurrence|further axes|Levels).*use by_autograd\(network, x1, x2\)"):
        layerwise(net, x)
    if type(net[-1]).__name__ == "Linear":
        net[:-1].requires_grad_(False)
        same(layerwise(net, x), by_definition(net, examples(name))[..., 0, 0])


class MeanOfAll(nn.Module):
    """The mistake that padding invites: a mean over what is there and what is not."""

    def __init__(self) -> None:
        super().__init__()
        self.each, self.read = nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, x: ntk.Ragged) -> Tensor:
        return self.read(torch.tanh(self.each(x.values)).mean(1))


class MeanOfPresent(MeanOfAll):
    """A module of a user's own, as it should be."""

    def forward(self, x: ntk.Ragged) -> Tensor:
        sums = (torch.tanh(self.each(x.values)) * x.present[..., None]).sum(1)
        return self.read(sums / x.present.sum(1, keepdim=True))


class Centered(MeanOfPresent):
    """Mixes the inputs."""

    def forward(self, x: ntk.Ragged) -> Tensor:
        f = super().forward(x)
        return f - f.mean(0)


class AllSteps(nn.Module):
    """Made for series of one length: the read-out has a weight for each step."""

    def __init__(self, read: nn.Module) -> None:
        super().__init__()
        self.read = read

    def forward(self, x: ntk.Ragged) -> Tensor:
        return self.read(x.values.flatten(1))


def test_a_network_for_one_number_of_sites():
    """Nothing can be padded there, so padding cannot count; whichever layer says so, torch's or ours."""
    some = [(drawn(3, 2, seed=i),) for i in range(4)]
    ours = ntk.zoo.mlp(2).network(width=5, like=batch(some).values.flatten(1), seed=1)
    theirs = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    for net in (AllSteps(ours), AllSteps(theirs)):
        same(ntk.empirical_ntk(net, batch(some)), by_definition(net, some)[..., 0, 0])


def test_a_module_of_ones_own():
    """Right where padding does not count; refused, with what to do, where it does or where inputs are mixed."""
    some = examples("recurrent, last")
    net = MeanOfPresent().double()
    same(ntk.empirical_ntk(net, batch(some)), by_definition(net, some)[..., 0, 0])
    with pytest.raises(DomainError, match=r"padded sites do not count.*multiply by x\.present"):
        ntk.empirical_ntk(MeanOfAll().double(), batch(some))
    with pytest.raises(DomainError, match="one by one"):
        ntk.empirical_ntk(Centered().double(), batch(some))


@pytest.mark.boundary
def test_what_does_not_fit_is_refused_with_what_to_do():
    """Tensors for graphs, graphs for series, batches of two kinds, features of two kinds, another dtype."""
    series, graphs = (batch(examples(name)) for name in ("recurrent, last", "graph"))
    recurrent, graphical = network("recurrent, last"), network("graph")
    dense = ntk.zoo.mlp(2).network(width=4, like=series.values[:, 0])
    refused = [
        (DtypeError, graphical, (graphs.values,), r"a Ragged batch.*Ragged\.graphs"),
        (ShapeError, graphical, (batch([(drawn(4, 3),)]),), r"received Ragged sequences .*like=x1"),
        (ShapeError, recurrent, (graphs,), r"received Ragged graphs .*like=x1"),
        (ShapeError, dense, (series,), r"received Ragged sequences .*like=x1"),
        (ShapeError, recurrent, (series, series.values), "of one kind"),
        (ShapeError, recurrent, (series, batch([(drawn(4, 5),)])), "as many features"),
        (DtypeError, recurrent, (series.to(dtype=torch.float32),), r"use x1\.to\(network\)"),
        (ShapeError, recurrent[:1], (series,), r"read out the sites, with LastStep\(\)"),
    ]
    for kind, net, inputs, words in refused:
        with pytest.raises(kind, match=words):
            ntk.empirical_ntk(net, *inputs)


PEAK = """
import resource
import torch
import ntk_teach as ntk

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(0)
parts = [torch.randn(3 + 9 * k % 38, 5, generator=generator) for k in range(40)]
edges = [torch.diag(torch.ones(len(part) - 1), 1) for part in parts]
x, arch = {batch}
network, tiny = (arch.network(width=width, like=x) for width in (300, 3))
ntk.empirical_ntk(tiny, x[:2])
network(x)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ntk.empirical_ntk(network, x, memory=32 * 2**20)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
BATCHES = {
    "sequences": "ntk.Ragged.sequences(parts), ntk.zoo.rnn()",
    "graphs": "ntk.Ragged.graphs(parts, [e + e.T for e in edges]), ntk.zoo.gnn(2)",
}


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux alone")
@pytest.mark.parametrize("kind", BATCHES)
def test_the_peak_stays_within_what_is_allowed(kind):
    """Forty inputs at a time would take 26 MiB for graphs and four times as much for sequences, whose weights have a
    gradient at every step: the resident memory of a fresh process grows by the 32 MiB allowed and a few of torch's own.
    """
    program = PEAK.format(batch=BATCHES[kind])
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) <= 32 + 8, f"{ran.stdout} MiB"
