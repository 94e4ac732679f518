"""Networks for the tests of the empirical kernel: those the layerwise formula covers, and those it does not."""

import torch
from torch import Tensor, nn
from torch.nn import functional

import ntk_teach as ntk

D = 4  # coordinates of an input


def ours(fan_in: int, fan_out: int, sigma_b: float = 0.3) -> nn.Module:
    return ntk.nn.Linear(fan_in, fan_out, 1.3, sigma_b, generator=torch.Generator().manual_seed(fan_out))


class Residual(nn.Module):
    """x + W φ(V x), the sum that a residual network is made of."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, 3), nn.Linear(3, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.up(functional.gelu(self.down(x)))


class Heads(nn.Module):
    """A common trunk, two read-outs: no output sees the layer of the other; the input skips into one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.one, self.two = nn.Linear(D, 5), nn.Linear(5, 1), nn.Linear(5 + D, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.trunk(input=x))
        return torch.cat([self.one(h), self.two(torch.cat([h, x], 1))], 1)


class Squeezed(nn.Module):
    """One output without an axis of its own, [n]."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.readout = nn.Linear(D, 5), nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.sin(self.hidden(x))).squeeze(1)


def in_place() -> nn.Module:
    return nn.Sequential(nn.Linear(D, 5), nn.ReLU(inplace=True), nn.Linear(5, 5), nn.ReLU(inplace=True), ours(5, 2))


def partly_frozen() -> nn.Module:
    """First a frozen bias, then a frozen weight, a frozen layer, and a layer without bias."""
    network = nn.Sequential(
        nn.Linear(D, 5), nn.GELU(), ours(5, 6), nn.Tanh(), ours(6, 5), nn.Tanh(), nn.Linear(5, 2, bias=False)
    )
    network[0].bias.requires_grad_(False)
    network[2].weight.requires_grad_(False)
    network[4].requires_grad_(False)
    return network


def frozen_features() -> nn.Module:
    """Convolution and normalization that are not trained are functions like any other."""
    features = nn.Sequential(nn.Unflatten(1, (1, D)), nn.Conv1d(1, 3, 2), nn.BatchNorm1d(3), nn.Flatten())
    features.requires_grad_(False)
    return nn.Sequential(features.eval(), nn.ReLU(), nn.Linear(3 * (D - 1), 2))


def convolutional() -> nn.Module:
    layers = [nn.Unflatten(1, (1, 2, D // 2)), nn.Conv2d(1, 3, 2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(27, 3)]
    return nn.Sequential(*layers)


COVERED = {
    "torch's linear layers": lambda: nn.Sequential(nn.Linear(D, 5), nn.GELU(), nn.Linear(5, 2)),
    "both kinds of layers": lambda: nn.Sequential(ours(D, 6), nn.Tanh(), nn.Linear(6, 5), nn.GELU(), ours(5, 3)),
    "residual": lambda: nn.Sequential(nn.Linear(D, 6), Residual(6), nn.SiLU(), Residual(6), ours(6, 2)),
    "heads and a skip": Heads,
    "activations in place": in_place,
    "an output without axis": Squeezed,
    "partly frozen": partly_frozen,
    "frozen features": frozen_features,
    "convolution": convolutional,
}


class Tied(nn.Module):
    """One layer called twice: gradients add before they are squared."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.readout = nn.Linear(D, D), nn.Linear(D, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.shared(torch.tanh(self.shared(x)))))


class TiedByHand(nn.Module):
    """The weight of a layer used a second time where no layer is called, as tied embeddings do."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(D, 6)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.hidden(x)) @ self.hidden.weight


class CalledInVain(nn.Module):
    """A layer that is called, but whose output is dropped; its weight is used by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.readout = nn.Linear(D, 6, bias=False), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        self.hidden(x)
        return self.readout(torch.tanh(functional.linear(2 * x, self.hidden.weight)))


class Steps(nn.Module):
    """A linear layer at every step of a sequence, then the mean over steps."""

    def __init__(self) -> None:
        super().__init__()
        self.each, self.readout = nn.Linear(2, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.each(x.reshape(len(x), D // 2, 2))).mean(1))


class Merged(nn.Module):
    """Steps once more, with the steps laid into the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.each, self.readout = nn.Linear(2, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.each(x.reshape(-1, 2))).reshape(len(x), D // 2, 5).mean(1))


class Turned(nn.Module):
    """Treats the inputs one by one, but shows them to its layer in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.readout = nn.Linear(D, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.hidden(x.flip(0))).flip(0))


class Unused(nn.Module):
    """A trained layer that the output does not see."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.readout, self.idle = nn.Linear(D, 5), nn.Linear(5, 2), nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.hidden(x)))


class Doubled(nn.Linear):
    """A subclass may compute something else."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(2 * x)


def hooked() -> nn.Module:
    network = nn.Sequential(nn.Linear(D, 5), nn.Tanh(), nn.Linear(5, 2))
    network[0].register_forward_hook(lambda module, entering, leaving: 3 * leaving)
    return network


def positive() -> nn.Module:
    """The weight is a function of the parameter."""
    network = nn.Sequential(nn.Linear(D, 5), nn.Tanh(), nn.Linear(5, 2))
    nn.utils.parametrize.register_parametrization(network[0], "weight", nn.Softplus())
    return network


def two_places() -> nn.Module:
    """Two layer objects that share one bias."""
    network = nn.Sequential(nn.Linear(D, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 2))
    network[2].bias = network[0].bias
    return network


def transposed() -> nn.Module:
    """A convolution the other way round has its weights elsewhere."""
    layers = [nn.Unflatten(1, (1, 2, D // 2)), nn.ConvTranspose2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(27, 3)]
    return nn.Sequential(*layers)


UNCOVERED = {
    # name: (how it is built, what the refusal says)
    "a layer called twice": (Tied, "called twice"),
    "tied by hand": (TiedByHand, "not used once"),
    "called in vain": (CalledInVain, "not used once"),
    "one bias at two places": (two_places, "two places"),
    "a sequence": (Steps, "further axes"),
    "steps in the batch": (Merged, "further axes"),
    "another order": (Turned, "another order"),
    "an idle layer": (Unused, "not used once"),
    "a subclass": (lambda: nn.Sequential(Doubled(D, 5), nn.Tanh(), nn.Linear(5, 2)), "parameters in Doubled"),
    "a hook": (hooked, "hook"),
    "a parametrized weight": (positive, "parameters in Parametriz"),
    "layer normalization": (
        lambda: nn.Sequential(nn.Linear(D, 5), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 2)),
        "parameters in LayerNorm",
    ),
    "batch normalization, settled": (
        lambda: nn.Sequential(nn.Linear(D, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2)).eval(),
        "parameters in BatchNorm1d",
    ),
    "transposed convolution": (transposed, "parameters in ConvTranspose2d"),
}


def built(build, seed: int = 0) -> nn.Module:
    """The network in float64, drawn from ``seed``; torch's own layers draw from the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build().double()
