"""Any module: the layerwise formula where it holds, the Jacobians where it does not, the definition in both cases."""

import pytest
import torch
from empirical.networks import COVERED, UNCOVERED, D, built
from hypothesis import given
from hypothesis import strategies as st
from oracles import finite
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.empirical import by_autograd, layerwise
from ntk_teach.errors import ShapeError

X1, X2 = inputs(3, D, seed=1), inputs(2, D, seed=2)


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-12) -> None:
    """Equal to ``tolerance`` of the largest entry; a single output has no axes of its own."""
    theirs = theirs[:, :, 0, 0] if theirs.shape[-1] == 1 else theirs
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * float(theirs.abs().max()))


@pytest.mark.parametrize("name", COVERED)
def test_the_layerwise_formula_holds_for_modules_of_linear_layers(name):
    """Residual sums, skips, heads, in-place activations, parameters frozen one by one: equal to the definition."""
    network = built(COVERED[name])
    definition = finite.by_definition(network, X1, X2)
    for way in (layerwise, ntk.empirical_ntk, by_autograd):
        close(way(network, X1, X2), definition)
    close(layerwise(network, X1), finite.by_definition(network, X1, X1))


@pytest.mark.parametrize("name", UNCOVERED)
def test_where_the_formula_fails_it_is_refused_and_the_jacobians_serve(name):
    """A parameter with two uses, or outside linear layers: layerwise says why, empirical_ntk is right all the same."""
    build, why = UNCOVERED[name]
    network = built(build)
    definition = finite.by_definition(network, X1, X2)
    with pytest.raises(ShapeError, match=why):
        layerwise(network, X1, X2)
    close(ntk.empirical_ntk(network, X1, X2), definition)
    close(by_autograd(network, X1), finite.by_definition(network, X1, X1))


PARTS = {
    "linear": lambda width: nn.Linear(width, width),
    "no bias": lambda width: nn.Linear(width, width, bias=False),
    "frozen": lambda width: nn.Linear(width, width).requires_grad_(False),
    "gelu": lambda width: nn.GELU(),
    "tanh": lambda width: nn.Tanh(),
    "normalized": lambda width: nn.LayerNorm(width, elementwise_affine=False),
    "trained normalization": lambda width: nn.LayerNorm(width),
}


class Summed(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(x)


@given(
    rows=st.lists(st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=3), max_size=3),
    outputs=st.integers(1, 3),
    seed=st.integers(0, 100),
)
def test_random_architectures_equal_the_definition(rows, outputs, seed):
    """Whatever linear layers, activations, normalizations and residual sums are strung together."""

    def build() -> nn.Module:
        sums = [Summed(nn.Sequential(*[PARTS[part](5) for part in row])) for row in rows]
        return nn.Sequential(nn.Linear(D, 5), *sums, nn.Tanh(), nn.Linear(5, outputs))

    network = built(build, seed)
    close(ntk.empirical_ntk(network, X1, X2), finite.by_definition(network, X1, X2))
    covered = not any("trained normalization" in row for row in rows)
    if covered:
        close(layerwise(network, X1, X2), by_autograd(network, X1, X2))


def test_units_that_are_written_over_are_not_trusted():
    """A layer whose entering units change afterwards is refused: what was recorded is no longer what entered."""

    class Overwriting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.readout = nn.Linear(D, 5), nn.Linear(5, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a = torch.tanh(self.hidden(x))
            f = self.readout(a)
            with torch.no_grad():
                a.mul_(2.0)
            return f

    with pytest.raises(ShapeError, match="written over"):
        layerwise(built(Overwriting), X1)
