"""Convolutions layer by layer: against contracted Jacobians of torch.func, in every form, within the memory."""

import warnings
import weakref

import pytest
import torch
from empirical.images import IMAGES, REFUSED, SHAPE, ChannelsLast, built, ours, row
from strategies import inputs
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import ntk_teach as ntk
from ntk_teach.empirical import empirical_ntk_per_output, empirical_ntk_trace, layerwise, plan
from ntk_teach.empirical.convolution import Form, chosen
from ntk_teach.empirical.patches import Sizes
from ntk_teach.empirical.reading import Full, Trace
from ntk_teach.errors import DomainError, ShapeError


def images(n: int, seed: int, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return inputs(n, torch.Size(shape).numel(), seed=seed).reshape(n, *shape)


X, Z = images(4, 1), images(3, 2)


def contracted(network: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    """Σ_p ∂f_k ∂f_l, [n, m, c, c], by torch.func alone."""
    theta = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}

    def of_one(parameters: dict[str, Tensor], point: Tensor) -> Tensor:
        return functional_call(network, parameters, (point[None],)).reshape(-1)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop")  # of a mean over windows, in torch.func
        rows, columns = (vmap(jacrev(of_one), (None, 0))(theta, each) for each in (x, z))
    pairs = zip(rows.values(), columns.values(), strict=True)
    return sum(torch.einsum("nkp,mlp->nmkl", a.flatten(2), b.flatten(2)) for a, b in pairs)


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs.reshape(ours.shape), rtol=1e-12, atol=1e-12 * float(theirs.abs().max()))


def all_parts_agree(network: nn.Module, x: Tensor, z: Tensor | None, **more) -> None:
    expected = contracted(network, x, x if z is None else z)
    blocks = expected.diagonal(dim1=2, dim2=3)
    close(layerwise(network, x, z, **more), expected)
    close(empirical_ntk_trace(network, x, z, **more), blocks.mean(2))
    close(empirical_ntk_per_output(network, x, z, **more), blocks)


@pytest.mark.parametrize("name", IMAGES)
def test_equal_to_contracted_jacobians(name):
    """Whole, trace and each output, of (x, x) and (x, z)."""
    network = built(IMAGES[name])
    for second in (None, Z):
        all_parts_agree(network, X, second)


@pytest.mark.parametrize("form", Form, ids=lambda form: form.name)
@pytest.mark.parametrize("name", IMAGES)
def test_every_form_is_right(name, form, monkeypatch):
    """Whichever form were chosen, for the whole of (x, z) and the trace of (x, x)."""
    monkeypatch.setattr(plan, "chosen", lambda *_: form)
    network = built(IMAGES[name])
    close(layerwise(network, X, Z), contracted(network, X, Z))
    close(empirical_ntk_trace(network, X), contracted(network, X, X).diagonal(dim1=2, dim2=3).mean(2))


@pytest.mark.parametrize("form", Form, ids=lambda form: form.name)
@pytest.mark.parametrize("name", ["a filter for each channel", "ours, even filter"])
def test_blocks_make_the_whole(name, form, monkeypatch):
    """From the smallest memory that is enough, which the error names: inputs and channels come a few at a time."""
    monkeypatch.setattr(plan, "chosen", lambda *_: form)
    network, x, z = built(IMAGES[name]), images(5, 3), images(4, 4)
    for function, second in ((layerwise, None), (empirical_ntk_trace, z), (empirical_ntk_per_output, None)):
        whole = function(network, x, second)
        with pytest.raises(DomainError, match="at least") as caught:
            function(network, x, second, memory=1)
        least = int(str(caught.value).split("at least ")[1].split()[0])
        with pytest.raises(DomainError):
            function(network, x, second, memory=least - 1)
        for factor in (1, 3):
            close(function(network, x, second, memory=least * factor), whole)


def test_images_of_two_sizes():
    """Where the network takes any size, x and z need not have one; nor the choice of a form one number of sites."""
    network, wide = built(IMAGES["shortcut"]), images(3, 5, (2, 7, 9))
    for x, z in ((X, wide), (wide, X)):
        all_parts_agree(network, x, z)
        all_parts_agree(network, x, z, memory=400_000)


@pytest.mark.parametrize("name", REFUSED)
def test_where_the_formula_fails_it_is_refused_and_the_jacobians_serve(name):
    """A second use, another batch, another module: layerwise says why, empirical_ntk is right all the same."""
    build, why = REFUSED[name]
    network = built(build)
    with pytest.raises(ShapeError, match=why):
        layerwise(network, X, Z)
    close(ntk.empirical_ntk(network, X, Z), contracted(network, X, Z))


def test_a_network_of_the_library_goes_layer_by_layer():
    """arch.network of convolutions, pools and a dense read-out, as users build it."""
    c = ntk.Conv2d
    arch = ntk.serial(
        c(3, sigma_b=0.2), ntk.relu, ntk.AvgPool(2), c(3, 2, "circular"), ntk.erf, ntk.Flatten(), ntk.Dense()
    )
    x, z = X.movedim(1, -1), Z.movedim(1, -1)
    network = arch.network(width=5, like=x, out_features=2, seed=3)
    all_parts_agree(network, x, z)


def test_the_cheaper_form_is_chosen():
    """Few sites and wide layers: pairs of sites. Many sites: gradients, kept where they are smaller than signals."""
    early = Sizes(1, 784, 64, 576, 784 * 64, 900 * 64)
    late = Sizes(1, 16, 512, 4608, 16 * 512, 36 * 512)
    between = Sizes(1, 196, 256, 2304, 196 * 256, 256 * 256)
    assert [chosen(each, Trace(1), 1000, 1000) for each in (early, late, between)] == [
        Form.GRADIENTS,
        Form.SITES,
        Form.SIGNALS,
    ]
    # Ten outputs: products of gradients 100 times, of patches once; with three inputs forming gradients counts, too.
    middle = Sizes(1, 49, 512, 4608, 49 * 512, 81 * 512)
    assert chosen(middle, Full(1), 1000, 1000) is Form.SIGNALS
    assert chosen(middle, Full(10), 1000, 1000) is Form.SITES
    assert chosen(middle, Full(1), 3, 3) is Form.SITES


class Live(TorchDispatchMode):
    """Bytes of all tensors that torch's operations make, while they live."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: weakref.WeakSet = weakref.WeakSet()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor) and tensor.untyped_storage() not in self.known:
                storage = tensor.untyped_storage()
                self.known.add(storage)
                weakref.finalize(storage, self._freed, storage.nbytes())
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
        return made

    def _freed(self, size: int) -> None:
        self.now -= size


def deep() -> nn.Module:
    c = nn.Conv2d
    blocks = (c(2, 32, 3, padding=1), nn.ReLU(), c(32, 64, 3, stride=2), nn.ReLU(), c(64, 64, 2, padding=1), nn.Tanh())
    return row(*blocks, outputs=5)


def deep_of_ours() -> nn.Module:
    blocks = (
        ours(2, 32, 3, 1, "same"),
        nn.ReLU(),
        ours(32, 64, 3, 2, "circular"),
        nn.Tanh(),
        ours(64, 40, 2, 1, "valid"),
    )
    return nn.Sequential(ChannelsLast(), *blocks, ntk.nn.Flattened(), nn.LazyLinear(5))


PEAKS = {
    "whole, torch": (layerwise, deep, None),
    "trace, torch": (empirical_ntk_trace, deep, None),
    "whole, ours": (layerwise, deep_of_ours, None),
    **{f"whole, torch, {form.name}": (layerwise, deep, form) for form in Form},
    "trace, ours, SIGNALS": (empirical_ntk_trace, deep_of_ours, Form.SIGNALS),
}


@pytest.mark.parametrize("name", PEAKS)
def test_the_peak_stays_within_what_is_allowed(name, monkeypatch):
    """All tensors alive at a time, beside the result: below the memory allowed, itself far below the Jacobian."""
    function, build, form = PEAKS[name]
    if form is not None:
        monkeypatch.setattr(plan, "chosen", lambda *_: form)
    network, x, allowed = built(build), images(40, 6), 12 * 2**20
    jacobian = 8 * len(x) * 5 * sum(p.numel() for p in network.parameters())
    assert allowed < jacobian / 3
    function(network, x[:3])
    with Live() as live:
        theta = function(network, x, memory=allowed)
    grown = live.peak - theta.untyped_storage().nbytes()
    assert allowed / 20 < grown <= allowed, f"{grown / 2**20:.1f} MiB"


def test_with_memory_for_all_it_takes_less_than_the_jacobian():
    """With all the memory there is, no more is kept than one number for each parameter, output and input."""
    network, x = built(deep), images(40, 6)
    jacobian = 8 * len(x) * 5 * sum(p.numel() for p in network.parameters())
    with Live() as live:
        layerwise(network, x)
    assert live.peak < 0.8 * jacobian
