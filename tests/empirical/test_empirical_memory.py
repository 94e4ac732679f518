"""Memory: blocks are the whole, whatever their size, and what is allocated stays within what was allowed."""

import subprocess
import sys

import pytest
import torch
from empirical.networks import COVERED, UNCOVERED, D, built
from strategies import inputs
from torch import nn

from ntk_teach.empirical import (
    by_autograd,
    empirical_ntk_per_output,
    empirical_ntk_trace,
    layerwise,
    ntk_vector_product,
)
from ntk_teach.errors import DomainError

X1, X2 = inputs(7, D, seed=1), inputs(5, D, seed=2)
V1, V2 = inputs(7, 3, seed=3), inputs(5, 3, seed=4)
NETWORKS = {
    "layers": COVERED["both kinds of layers"],
    "convolution": COVERED["convolution"],
    "transposed": UNCOVERED["transposed convolution"][0],
}
FUNCTIONS = {
    "layerwise": ("layers", layerwise),
    "trace": ("layers", empirical_ntk_trace),
    "per output": ("layers", empirical_ntk_per_output),
    "convolutions": ("convolution", layerwise),
    "convolutions, trace": ("convolution", empirical_ntk_trace),
    "convolutions, per output": ("convolution", empirical_ntk_per_output),
    "Jacobians": ("transposed", by_autograd),
    "Jacobians, trace": ("transposed", empirical_ntk_trace),
    "Jacobians, per output": ("transposed", empirical_ntk_per_output),
}


def smallest(attempt) -> int:
    """The number of bytes that the refusal of one byte names."""
    with pytest.raises(DomainError, match="at least") as caught:
        attempt(1.0)
    return int(str(caught.value).split("at least ")[1].split()[0])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("second", [None, X2], ids=["x1", "x1 and x2"])
def test_blocks_make_the_whole(name, second):
    """From the smallest memory that is enough, which the error names, upwards: the same kernel, blocks or not."""
    which, function = FUNCTIONS[name]
    network = built(NETWORKS[which])
    whole = function(network, X1, second)
    least = smallest(lambda memory: function(network, X1, second, memory=memory))
    with pytest.raises(DomainError):
        function(network, X1, second, memory=least - 1)
    for factor in (1, 1.6, 3.1, 8, 100):
        part = function(network, X1, second, memory=least * factor)
        torch.testing.assert_close(part, whole, rtol=1e-12, atol=1e-12 * float(whole.abs().max()))
        if second is None:
            swapped = part.transpose(0, 1)
            assert torch.equal(part, swapped.mT if part.ndim == 4 else swapped)


@pytest.mark.parametrize("which", NETWORKS)
def test_blocks_make_the_whole_product(which):
    """Θ v, an input at a time."""
    network = built(NETWORKS[which])
    for second, v in ((None, V1), (X2, V2)):
        whole = ntk_vector_product(network, X1, second, v)
        least = smallest(lambda memory, s=second, v=v: ntk_vector_product(network, X1, s, v, memory=memory))
        for factor in (1, 1.3, 10):
            part = ntk_vector_product(network, X1, second, v, memory=least * factor)
            torch.testing.assert_close(part, whole, rtol=1e-12, atol=1e-12 * float(whole.abs().max()))


def test_one_input_alone_needs_no_second():
    """The smallest memory for a single input is about half of that for two, which must meet."""
    network = built(NETWORKS["layers"])
    one, two = (smallest(lambda memory, n=n: layerwise(network, X1[:n], memory=memory)) for n in (1, 2))
    assert one <= 0.51 * two


def test_no_jacobian_of_all_outputs_where_one_fits():
    """With memory for two rows of the Jacobian and not for two inputs, outputs are taken one at a time."""
    network = built(lambda: nn.Sequential(nn.Linear(D, 6), nn.LayerNorm(6), nn.Linear(6, 12)))
    least = smallest(lambda memory: by_autograd(network, X1, memory=memory))
    assert least < 8 * 2 * 12 * sum(p.numel() for p in network.parameters()) / 4
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(by_autograd(network, X1[:2], memory=least), by_autograd(network, X1[:2]), **close)


PEAK = """
import resource, sys
import torch
from torch import nn
import ntk_teach as ntk
from ntk_teach import empirical

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(0)
x = torch.randn({n}, 784, generator=generator)
network = {network}
function = empirical.{function}
more = ({v},) if "vector" in "{function}" else ()
tiny = nn.Sequential(nn.Linear(784, 3), nn.LayerNorm(3), nn.Linear(3, {c}))
# What torch loads and reserves on the first use of anything is not ours: a tiny kernel, a forward pass of the network.
function(tiny, x[:2], *((None, torch.ones(2, {c})) if more else ()))
network(x[:64])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
theta = function(network, x, *((None, *more) if more else ()), memory={memory})
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(grown - theta.untyped_storage().nbytes(), sum(p.numel() for p in network.parameters()))
"""
MIB = 2**20
WIDE = "ntk.zoo.mlp(4).network(width=2100, like=x, out_features={c})"
PEAKS = {
    # name: function, network, inputs, outputs, MiB allowed, at least so many parameters
    "ten million parameters, layerwise": ("empirical_ntk", WIDE, 1000, 1, 48, 1e7),
    "ten million parameters, product": ("ntk_vector_product", WIDE, 1000, 1, 240, 1e7),
    "ten outputs": ("empirical_ntk", "ntk.zoo.mlp(3).network(width=500, like=x, out_features={c})", 200, 10, 40, 6e5),
    "Jacobians": (
        "empirical_ntk",
        "nn.Sequential(nn.Linear(784, 400), nn.LayerNorm(400), nn.GELU(), nn.Linear(400, {c}))",
        60,
        2,
        64,
        3e5,
    ),
}


LONG = {"ten outputs", "ten million parameters, product"}


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux alone")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] if name in LONG else []) for name in PEAKS]
)
def test_the_peak_stays_within_what_is_allowed(name):
    """The resident memory of a fresh process grows by the result, the memory allowed and a few MiB of torch's own."""
    function, network, n, c, mib, parameters = PEAKS[name]
    program = PEAK.format(
        function=function,
        network=network.format(c=c),
        n=n,
        c=c,
        v=f"torch.randn({n}, {c}, generator=generator)",
        memory=float(mib * MIB),
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    grown, size = (int(word) for word in ran.stdout.split())
    assert size >= parameters
    assert grown <= (mib + 8) * MIB, f"{grown / MIB:.0f} MiB of {mib}"
