"""Loss curves: filter-normalized directions show the function, raw ones its parametrization."""

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError, ShapeError
from ntk_teach.landscape import filter_normalized, loss_surface, random_direction

X = inputs(6, 3, seed=1)
Y = X[:, 0] * X[:, 1]
OFFSETS = torch.linspace(-1, 1, 9, dtype=torch.float64)


def drawn(sigma_b: float = 0.3, seed: int = 0):
    return ntk.zoo.mlp(4, sigma_b=sigma_b).network(width=(7, 5, 6), like=X, seed=seed)


def loss(f):
    return (f(X)[:, 0] - Y).square().mean() / 2


def rescaled(network, factor: float):
    """The first layer's weights and biases times the factor, the next layer's weights divided by it."""
    twin = drawn(seed=99)
    twin.load_state_dict(network.state_dict())
    with torch.no_grad():
        twin[0].weight.mul_(factor)
        twin[0].bias.mul_(factor)
        twin[2].weight.div_(factor)
    return twin


@pytest.mark.parametrize("factor", [7.0, 0.01])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_normalized_curves_do_not_see_a_rescaling(factor, seed):
    """W₁ → λW₁, b₁ → λb₁, W₂ → W₂/λ is the same function for relu: the same curve to 1e-10, a different raw one."""
    network = drawn()
    twin = rescaled(network, factor)
    torch.testing.assert_close(twin(X), network(X), rtol=1e-12, atol=1e-13)
    d = random_direction(network, seed=seed)
    curves, raw = (
        [loss_surface(net, loss, [way(net)], OFFSETS) for net in (network, twin)]
        for way in (lambda net: filter_normalized(d, net), lambda net: d)
    )
    torch.testing.assert_close(curves[0], curves[1], rtol=1e-10, atol=1e-12)
    assert float((raw[0] - raw[1]).abs().max()) > 0.1 * float(raw[0].max() - raw[0].min())


def test_every_filter_gets_the_length_of_its_weights():
    """Row by row ‖d_i‖ = ‖θ_i‖ with the direction kept; biases are 0; the direction that came in is unchanged."""
    network = drawn()
    d = random_direction(network)
    before = {name: part.clone() for name, part in d.items()}
    normalized = filter_normalized(d, network)
    for name, theta in network.named_parameters():
        assert torch.equal(d[name], before[name])
        if theta.ndim == 1:
            assert not normalized[name].any()
            continue
        for row, drawn_row, weights in zip(normalized[name], d[name], theta.detach(), strict=True):
            expected = drawn_row * (float(weights.square().sum()) / float(drawn_row.square().sum())) ** 0.5
            torch.testing.assert_close(row, expected, rtol=1e-13, atol=1e-14)


def test_normalization_forgets_the_length_of_the_direction():
    """c·d gives the same as d; twice normalized is once; filters of four axes are flattened."""
    network = drawn()
    d = random_direction(network)
    once = filter_normalized(d, network)
    for other in (filter_normalized({name: 3.0 * part for name, part in d.items()}, network), once):
        again = filter_normalized(other, network)
        for name in once:
            torch.testing.assert_close(again[name], once[name], rtol=1e-13, atol=1e-14)
    conv = torch.nn.Conv2d(2, 4, 3, dtype=torch.float64)
    lengths = filter_normalized(random_direction(conv), conv)["weight"].flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, conv.weight.detach().flatten(1).norm(dim=1), rtol=1e-12, atol=1e-13)


def test_a_filter_without_direction_stays():
    """0/0 is 0, not NaN."""
    network = drawn()
    d = {name: torch.zeros_like(part) for name, part in random_direction(network).items()}
    assert all(not part.any() for part in filter_normalized(d, network).values())


def test_a_surface_is_the_loss_of_moved_networks():
    """S[i, j] is the loss of a network whose parameters were really moved by a_i d₁ + a_j d₂; curves are its axes."""
    network = drawn()
    start = [p.detach().clone() for p in network.parameters()]
    ways = [filter_normalized(random_direction(network, seed=s), network) for s in (1, 2)]
    offsets = torch.tensor([-0.5, 0.0, 1.0], dtype=torch.float64)
    surface = loss_surface(network, loss, ways, offsets)
    assert surface.shape == (3, 3)
    for i in range(3):
        for j in range(3):
            moved = drawn(seed=5)
            with torch.no_grad():
                for (name, p), theta in zip(moved.named_parameters(), start, strict=True):
                    p.copy_(theta + offsets[i] * ways[0][name] + offsets[j] * ways[1][name])
            assert float(surface[i, j]) == pytest.approx(float(loss(moved).detach()), rel=1e-12)
    torch.testing.assert_close(surface[:, 1], loss_surface(network, loss, ways[:1], offsets), rtol=1e-13, atol=0)
    torch.testing.assert_close(surface[1], loss_surface(network, loss, ways[1:], offsets), rtol=1e-13, atol=0)
    assert all(torch.equal(p, q) for p, q in zip(network.parameters(), start, strict=True))


def test_directions_are_drawn_from_their_seed():
    """One seed is one direction, 𝒩(0, 1) in every parameter; frozen parameters have none."""
    network = ntk.zoo.mlp(3).network(width=100, like=X)
    d, same, other = (random_direction(network, seed=s) for s in (4, 4, 5))
    assert all(torch.equal(d[name], same[name]) for name in d)
    assert not torch.equal(d["0.weight"], other["0.weight"])
    for seed in range(3):  # a network's own seed gives no direction along its parameters
        theta = ntk.zoo.mlp(3).network(width=100, like=X, seed=seed)
        parts = random_direction(theta, seed=seed)
        for name, p in theta.named_parameters():
            if p.numel() >= 100:
                cosine = torch.cosine_similarity(parts[name].reshape(-1), p.detach().reshape(-1), dim=0)
                assert abs(float(cosine)) < 5 / p.numel() ** 0.5
    entries = torch.cat([part.reshape(-1) for part in d.values()])  # 10 601 of them
    assert abs(float(entries.mean())) < 5 / len(entries) ** 0.5
    assert abs(float(entries.var()) - 1) < 5 * (2 / len(entries)) ** 0.5
    network[0].weight.requires_grad_(False)
    assert "0.weight" not in random_direction(network)


D = random_direction(drawn())
BAD = {
    "nothing trained": (DomainError, lambda: random_direction(drawn().requires_grad_(False)), "none"),
    "negative seed": (DomainError, lambda: random_direction(drawn(), seed=-1), "-1"),
    "another network's direction": (
        ShapeError,
        lambda: filter_normalized(D, ntk.zoo.mlp(4).network(width=4, like=X)),
        r"0.weight: \[4, 3\].*received 0.weight \[7, 3\]",
    ),
    "an unknown parameter": (
        ShapeError,
        lambda: loss_surface(drawn(), loss, [{"9.weight": torch.ones(2, 2)}], OFFSETS),
        "no such parameter",
    ),
    "no direction": (DomainError, lambda: loss_surface(drawn(), loss, [], OFFSETS), "none"),
    "no offset": (ShapeError, lambda: loss_surface(drawn(), loss, [D], OFFSETS[:0]), r"\[0\]"),
    "offsets of a plane": (ShapeError, lambda: loss_surface(drawn(), loss, [D], OFFSETS[None]), r"\[1, 9\]"),
    "a loss for each example": (
        ShapeError,
        lambda: loss_surface(drawn(), lambda f: f(X)[:, 0] - Y, [D], OFFSETS),
        r"received \[6\]",
    ),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind
