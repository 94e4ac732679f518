"""Networks with sites of every family: finite width approaches infinite width, and what does not fit is refused."""

import math

import pytest
import torch
from site_networks import (
    FAMILIES,
    IMAGES,
    STEPS,
    VECTORS,
    batch,
    drawn,
)

import ntk_teach as ntk
from ntk_teach import (
    Aggregate,
    AvgPool,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    GraphSum,
    JumpingKnowledge,
    LastStep,
    Ragged,
    Recurrent,
    Residual,
    relu,
    serial,
)


def finite_kernels(arch: ntk.Architecture, x: torch.Tensor | Ragged, width: int, draws: range) -> torch.Tensor:
    """Θ of networks of this width, by their gradients. [draws, n, n]"""
    found = []
    for seed in draws:
        network = arch.network(width=width, like=x, seed=seed)
        outputs = network(x)
        outputs = (outputs.values if isinstance(outputs, Ragged) else outputs)[..., 0]
        parameters = list(network.parameters())
        rows = []
        for output in outputs:
            parts = torch.autograd.grad(output, parameters, retain_graph=True)
            rows.append(torch.cat([part.flatten() for part in parts]))
        jacobian = torch.stack(rows)
        found.append(jacobian @ jacobian.T)
    return torch.stack(found)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", FAMILIES)
def test_wide_networks_approach_the_limit(name, seed):
    """The mean over draws is Θ∞ within five standard errors, and the spread falls like 1/√n."""
    arch, x = FAMILIES[name], batch(name)
    limit, spread = arch.ntk(x), {}
    for width in (32, 128):
        draws = finite_kernels(arch, x, width, range(1000 * seed, 1000 * seed + 24))
        spread[width] = float((draws - limit).square().mean().sqrt())
        error = (draws.mean(0) - limit).abs() / (draws.std(0) / math.sqrt(len(draws)))
        assert float(error.max()) < 5.5, f"width {width}: {float(error.max()):.1f} standard errors"
    slope = math.log(spread[128] / spread[32]) / math.log(4)
    assert -0.9 < slope < -0.2, f"slope {slope:.2f}"


def test_equal_sites_alone_give_what_all_pairs_give():
    """Flatten and LastStep need no pair of different sites; with them kept the numbers are the same."""
    for name in ("strided and flat", "recurrent, last"):
        arch, x = FAMILIES[name], batch(name)
        k = ntk.kernel.Kernel.of(x)  # all pairs
        for layer in arch.layers:
            k = layer.kernel(k)
        torch.testing.assert_close(arch.kernel(x).ntk, k.ntk, rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(arch.kernel(x).nngp, k.nngp, rtol=1e-13, atol=1e-13)


def test_tiles_and_workers_change_nothing():
    """Blocks of one pair and of many, symmetric or not, in float32 too."""
    for name in FAMILIES:
        arch, x = FAMILIES[name], batch(name)
        whole = arch.kernel(x).ntk
        torch.testing.assert_close(arch.ntk(x, tile=1), whole, rtol=1e-7, atol=1e-12)
        torch.testing.assert_close(arch.ntk(x, tile=2), whole, rtol=1e-7, atol=1e-12)
        torch.testing.assert_close(arch.ntk(x, x[:2]), whole[:, :2], rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(arch.ntk(x, dtype=torch.float32).double(), whole, rtol=2e-3, atol=1e-4)


def test_a_file_that_was_begun_with_other_inputs_is_not_gone_on_with(tmp_path):
    """Ragged inputs, too, are what a file remembers."""
    parts = [drawn(t, 2, seed=t) for t in (3, 5, 4)]
    arch, place = FAMILIES["recurrent, last"], tmp_path / "theta.npy"
    arch.ntk(Ragged.sequences(parts), out=place)
    parts[0] = parts[0] + 1
    with pytest.raises(ntk.errors.DomainError, match="another computation"):
        arch.ntk(Ragged.sequences(parts), out=place)


@pytest.mark.parametrize(
    ("layers", "x", "words"),
    [
        ([Conv2d(), relu, Flatten(), Dense()], VECTORS, r"layer 1 of 4, Conv2d.*expected images .*received vectors"),
        ([Recurrent(), LastStep(), Dense()], IMAGES, r"layer 1 of 3.*expected sequences .*received images"),
        (
            [Aggregate(), Dense(), relu, GraphSum(), Dense()],
            STEPS,
            r"layer 1 of 5.*expected graphs, received sequences",
        ),
        ([Conv2d(), relu, Dense()], IMAGES, r"layer 3 of 3.*one output for each input.*16 sites of images"),
        ([Conv2d(5, padding="valid"), relu, Flatten(), Dense()], IMAGES, r"layer 1 of 4.*at least 5 sites, received 4"),
        ([Conv2d(), relu, relu, Flatten(), Dense()], IMAGES, r"layer 3 of 5.*expected Gaussian units"),
        (
            [Conv2d(), AvgPool(2), relu, AvgPool(1), relu, Flatten(), Dense()],
            IMAGES,
            r"layer 5 of 7.*expected Gaussian",
        ),
        ([Recurrent(), relu, LastStep(), Dense()], STEPS, r"layer 2 of 4.*expected Gaussian units"),
        ([Dense(), GlobalAvgPool(), Dense()], VECTORS, r"layer 2 of 3.*GlobalAvgPool, received units without sites"),
        (
            [Conv2d(), Residual(serial(relu, Conv2d(3, 2))), relu, Flatten(), Dense()],
            IMAGES,
            r"summands at the same sites",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_layers_name(layers, x, words):
    with pytest.raises(ntk.errors.NTKError, match=words):
        serial(*layers).ntk(x)


@pytest.mark.boundary
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Conv2d(0), "window a whole number"),
        (lambda: Conv2d(padding="reflect"), "padding one of"),
        (lambda: AvgPool(2, 0), "stride a whole number"),
        (lambda: Recurrent(torch.relu), "expected an activation"),
        (lambda: Aggregate("sum"), "scale one of"),
        (lambda: JumpingKnowledge([relu]), "a list of serial"),
        (lambda: JumpingKnowledge([serial(Dense(), relu)], [Dense()]), "2 heads"),
        (lambda: Recurrent(sigma_h=0.3).module(2, 4, torch.Generator()), "sigma_h=0 for a finite network"),
        (
            lambda: FAMILIES["pooled"].network(width=4, like=IMAGES, parametrization="standard"),
            "fully connected layers",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(ntk.errors.NTKError, match=words):
        make()
