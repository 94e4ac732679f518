"""Convolutional networks of images [n, 2, 5, 5] for the tests of the empirical kernel, and those that are refused."""

import warnings

import torch
from torch import Tensor, nn

import ntk_teach as ntk

SHAPE = (2, 5, 5)


class ChannelsLast(nn.Module):
    """Our layers take [n, height, width, units]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(1, -1)


def ours(fan_in: int, fan_out: int, size: int, stride: int, padding: str, sigma_b: float = 0.3, **more) -> nn.Module:
    generator = torch.Generator().manual_seed(fan_out)
    return ntk.nn.Convolution(fan_in, fan_out, (size, stride, padding), 1.3, sigma_b, generator=generator, **more)


def row(*layers: nn.Module, outputs: int) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(outputs))


class Shortcut(nn.Module):
    """x + W * φ(V * x), and a global mean as the read-out: images of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.down = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)
        self.up, self.readout = nn.Conv2d(3, 4, 1, bias=False), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.first(x))
        return self.readout((h + self.up(torch.tanh(self.down(h)))).mean((2, 3)))


class OnesEach(nn.Module):
    """One output without an axis of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.readout = nn.Conv2d(2, 3, 2), nn.Conv2d(3, 1, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.sin(self.conv(input=x))).flatten()


def frozen_in_part() -> nn.Module:
    """A frozen bias, a frozen weight, a frozen convolution."""
    c = nn.Conv2d
    network = row(c(2, 3, 2), nn.Tanh(), c(3, 4, 2), nn.Tanh(), c(4, 3, 2), nn.Tanh(), c(3, 2, 2), outputs=2)
    network[0].bias.requires_grad_(False)
    network[2].weight.requires_grad_(False)
    network[4].requires_grad_(False)
    return network


def factors() -> nn.Module:
    """Our layers with learning-rate factors, one of them zero."""
    layers = ours(2, 3, 3, 1, "same", eta_w=0.5, eta_b=2.0), nn.GELU(), ours(3, 4, 2, 1, "valid", eta_w=0.0)
    return nn.Sequential(ChannelsLast(), *layers, nn.Tanh(), ntk.nn.GlobalMean(), nn.Linear(4, 2))


IMAGES = {
    "one convolution": lambda: row(nn.Conv2d(2, 3, 3), nn.Tanh(), outputs=1),
    "two, several outputs": lambda: row(nn.Conv2d(2, 4, 3), nn.Tanh(), nn.Conv2d(4, 3, 2), nn.GELU(), outputs=3),
    "stride, pool, in place": lambda: row(
        nn.Conv2d(2, 4, 3, stride=(2, 1), padding=(1, 2)),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 3, 1, bias=False),
        nn.Tanh(),
        outputs=2,
    ),
    "same, even filter, dilation": lambda: row(
        nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(3, 1)),
        nn.Tanh(),
        nn.Conv2d(3, 2, 3, padding=1, dilation=2, stride=2),
        outputs=2,
    ),
    "valid by name": lambda: row(nn.Conv2d(2, 3, 3, padding="valid"), nn.AvgPool2d(2), nn.Tanh(), outputs=2),
    "other paddings": lambda: row(
        nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode="circular"),
        nn.Tanh(),
        nn.Conv2d(3, 2, 2, padding="same", padding_mode="reflect"),
        nn.Tanh(),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"),
        outputs=2,
    ),
    "groups": lambda: row(
        nn.Conv2d(2, 4, 3, groups=2), nn.Tanh(), nn.Conv2d(4, 6, 2, groups=2, stride=2), nn.Tanh(), outputs=3
    ),
    "a filter for each channel": lambda: row(nn.Conv2d(2, 2, 3, groups=2), nn.Tanh(), nn.Conv2d(2, 3, 1), outputs=2),
    "ours, three paddings": lambda: nn.Sequential(
        *(ChannelsLast(), ours(2, 4, 3, 1, "same"), nn.ReLU(inplace=True), ours(4, 3, 2, 2, "circular", 0.0)),
        *(ntk.nn.LocalMean(2, 1, "same"), ours(3, 5, 2, 1, "valid"), nn.Tanh(), ntk.nn.Flattened(), nn.LazyLinear(3)),
    ),
    "ours, even filter": lambda: nn.Sequential(
        ChannelsLast(), ours(2, 3, 4, 2, "same"), nn.Tanh(), ntk.nn.Flattened(), nn.LazyLinear(2)
    ),
    "ours, factors": factors,
    "both kinds": lambda: row(nn.Conv2d(2, 3, 2), nn.Tanh(), ChannelsLast(), ours(3, 2, 3, 2, "valid"), outputs=2),
    "shortcut": Shortcut,
    "convolutions alone": OnesEach,
    "frozen in part": frozen_in_part,
    "along one axis": lambda: row(nn.Flatten(2), nn.Conv1d(2, 3, 4, stride=3), nn.Tanh(), outputs=2),
    "along three axes": lambda: row(
        nn.Unflatten(1, (1, 2)), nn.Conv3d(1, 3, 2, padding=1, stride=(1, 2, 3)), nn.Tanh(), outputs=2
    ),
}


class Twice(nn.Module):
    """One convolution called twice: gradients add before they are squared."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.readout = nn.Conv2d(2, 2, 3, padding=1), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.shared(torch.tanh(self.shared(x)))).mean((2, 3)))


class InTheBatch(nn.Module):
    """Halves of an image as inputs of their own: the convolution sees twice as many."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.readout = nn.Conv2d(1, 3, 3), nn.Linear(54, 2)

    def forward(self, x: Tensor) -> Tensor:
        halves = x.flatten(0, 1)[:, None]  # [2n, 1, 5, 5]
        return self.readout(torch.tanh(self.conv(halves)).reshape(len(x), -1))


class InsteadOfABatch(nn.Module):
    """The batch taken for the channels of one image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.readout = nn.Conv1d(2, 3, 2), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.stack([torch.tanh(self.conv(each)).flatten() for each in x[..., 0]]))


class Louder(nn.Conv2d):
    """A subclass may compute something else."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(2 * x)


def normalized() -> nn.Module:
    return row(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), outputs=2).eval()


REFUSED = {
    # name: (how it is built, what the refusal says)
    "called twice": (Twice, "called twice"),
    "in the batch": (InTheBatch, "further axes"),
    "without a batch": (InsteadOfABatch, "called twice"),
    "a subclass": (lambda: row(Louder(2, 3, 3), nn.Tanh(), outputs=2), "parameters in Louder"),
    "normalized, trained": (normalized, "parameters in BatchNorm2d"),
}


def built(build, seed: int = 0) -> nn.Module:
    """The network in float64, all its layers of a size."""
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel")  # a copy, torch says once
        torch.manual_seed(seed)
        network = build().double()
        network(torch.zeros(1, *SHAPE, dtype=torch.float64))
    return network
