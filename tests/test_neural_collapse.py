"""Neural collapse: means by explicit loops, eigenvalues of explicit matrices, and networks that have collapsed."""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.errors import DomainError, DtypeError, ShapeError
from ntk_teach.neural_collapse import BlockKernel, block_distance, block_kernel, block_rates, collapse

LABELS = torch.tensor([2, 0, 1, 0, 2, 2, 1, 0, 2])  # three classes of 3, 2 and 4 inputs, unsorted


def kernel(seed: int = 0, n: int = len(LABELS)):
    x = inputs(n, 12, seed=seed)
    return x @ x.T


def test_block_means_are_those_of_loops():
    """Entry by entry: the same input, two inputs of one class, two classes."""
    k, sums = kernel(), {"d": [], "c": [], "n": []}
    for i, one in enumerate(LABELS.tolist()):
        for j, other in enumerate(LABELS.tolist()):
            sums["d" if i == j else "c" if one == other else "n"].append(float(k[i, j]))
    found = block_kernel(k, LABELS)
    for value, entries in zip(found, sums.values(), strict=True):
        assert value == pytest.approx(sum(entries) / len(entries), rel=1e-12)


def test_block_kernel_is_the_nearest_and_the_distance_is_to_it():
    """Whatever is added to one of the three values, K is farther away; the rest is orthogonal to block kernels."""
    k = kernel(1)
    found = block_kernel(k, LABELS)
    gap = float(block_distance(k, LABELS)) * float(k.norm())
    assert gap == pytest.approx(float((k - found.matrix(LABELS)).norm()), rel=1e-12)
    for place in range(3):
        for change in (-0.1, 0.1):
            moved = list(found)
            moved[place] += change
            assert float((k - BlockKernel(*moved).matrix(LABELS)).norm()) > gap + 1e-4


def test_a_block_kernel_is_its_own_block_kernel():
    """Read back from its matrix, at distance 0, in any order of the inputs; float32 stays float32."""
    block = BlockKernel(3.0, 1.5, -0.25)
    matrix = block.matrix(LABELS)
    assert block_kernel(matrix, LABELS) == pytest.approx(block, rel=1e-14)
    assert float(block_distance(matrix, LABELS)) < 1e-15
    order = torch.randperm(len(LABELS), generator=torch.Generator().manual_seed(0))
    assert torch.equal(block.matrix(LABELS[order]), matrix[order][:, order])
    assert block_distance(kernel().float(), LABELS).dtype == torch.float32


@pytest.mark.parametrize(("classes", "per_class"), [(2, 2), (3, 5), (10, 4)])
@pytest.mark.parametrize("block", [(2.0, 0.75, 0.25), (1.0, 0.9, -0.02), (1.0, 0.25, 0.5)])
def test_rates_are_the_eigenvalues_of_the_matrix(classes, per_class, block):
    """All N eigenvalues, with their multiplicities, also where their order is another one."""
    rates = block_rates(BlockKernel(*block), classes=classes, per_class=per_class)
    labels = torch.arange(classes).repeat(per_class)
    found = torch.linalg.eigvalsh(BlockKernel(*block).matrix(labels))
    expected = torch.cat([torch.full((n,), v) for v, n in zip(rates[:3], rates.multiplicities, strict=True)])
    torch.testing.assert_close(found, expected.double().sort().values, rtol=1e-5, atol=1e-6)
    assert sum(rates.multiplicities) == classes * per_class


def test_rates_are_those_of_descent():
    """Gradient descent on the mean cost: a within-class residual shrinks by 1 − lr λ_single/N a step, and so on."""
    block, labels = BlockKernel(2.0, 1.2, 0.3), torch.arange(4).repeat_interleave(5)
    rates, k = block_rates(block, classes=4, per_class=5), block.matrix(labels)
    noise = inputs(20, 1, seed=3)[:, 0]
    by_class = torch.stack([noise[labels == c].mean() for c in range(4)])[labels]
    for part, rate in zip((noise - by_class, by_class - noise.mean(), torch.ones(20).double()), rates, strict=False):
        path = ntk.kernel_gradient_descent(k, torch.zeros(20).double(), lr=0.1, steps=3, f0=part)
        torch.testing.assert_close(path.f[-1], part * (1 - 0.1 * rate / 20) ** 3, rtol=1e-10, atol=1e-12)


# ---- features


class ReadOut(torch.nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, h):
        return h @ self.weight.T + self.bias


def simplex(classes: int, d: int, seed: int = 0):
    """Class means of a perfect collapse: equally long, at equal angles, in a random position. [C, d]"""
    frame, _ = torch.linalg.qr(inputs(d, classes, seed=seed))
    return (torch.eye(classes).double() - 1 / classes) @ frame.T


@pytest.mark.parametrize(("classes", "d"), [(2, 2), (4, 4), (5, 9)])
def test_a_collapsed_network_gives_zeros(classes, d):
    """Means on a simplex, features on their means, read-out along the means: zeros, also far from the origin."""
    means, labels = simplex(classes, d), torch.arange(classes).repeat(6)
    shift = inputs(1, d, seed=5)
    bias = 1 / classes - means @ shift[0]
    found = collapse(3 * means[labels] + 3 * shift, labels, ReadOut(means / 3, bias))
    assert all(float(value) < 1e-7 for value in found)


def test_collapse_is_that_of_loops():
    """Each number from its formula, sample by sample, for classes of different sizes."""
    h, d, weight, bias = inputs(9, 5, seed=1), 5, inputs(3, 5, seed=2), torch.tensor([0.3, -0.2, 0.1]).double()
    found = collapse(h, LABELS, ReadOut(weight, bias))
    means = [sum(h[i] for i in range(9) if LABELS[i] == c) / int((c == LABELS).sum()) for c in range(3)]
    center = sum(means) / 3
    within, between = torch.zeros(d, d).double(), torch.zeros(d, d).double()
    for i in range(9):
        gap = h[i] - means[LABELS[i]]
        within += torch.outer(gap, gap) / 9
    for mean in means:
        between += torch.outer(mean - center, mean - center) / 3
    inverse = torch.linalg.pinv(between, hermitian=True, rtol=1e-10)
    assert float(found.nc1) == pytest.approx(float(torch.trace(within @ inverse)) / 3, rel=1e-9)
    lengths = [float((mean - center).norm()) for mean in means]
    mean_length = sum(lengths) / 3
    spread = math.sqrt(sum((length - mean_length) ** 2 for length in lengths) / 3)
    assert float(found.nc2_norms) == pytest.approx(spread / mean_length, rel=1e-9)
    off = [
        abs(float((means[a] - center) @ (means[b] - center)) / (lengths[a] * lengths[b]) + 1 / 2)
        for a in range(3)
        for b in range(3)
        if a != b
    ]
    assert float(found.nc2_angles) == pytest.approx(sum(off) / 6, rel=1e-9)
    m = torch.stack(means) - center
    assert float(found.nc3) == pytest.approx(float((weight / weight.norm() - m / m.norm()).norm()), rel=1e-9)
    wrong = 0
    for i in range(9):
        nearest = min(range(3), key=lambda c: float((h[i] - means[c]).norm()))
        wrong += int(torch.argmax(weight @ h[i] + bias)) != nearest
    assert float(found.nc4) == pytest.approx(wrong / 9)


def test_collapse_does_not_see_scale_and_position():
    """Features turned, shifted and scaled, with a read-out that undoes it: the same NC1, NC2 and NC4."""
    h, weight, bias = inputs(9, 5, seed=1), inputs(3, 5, seed=2), torch.zeros(3).double()
    turn, _ = torch.linalg.qr(inputs(5, 5, seed=4))
    shift = inputs(1, 5, seed=6)
    first = collapse(h, LABELS, ReadOut(weight, bias))
    moved = collapse(7 * h @ turn.T + shift, LABELS, lambda g: ((g - shift) @ turn / 7) @ weight.T + bias)
    for name in ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"):
        torch.testing.assert_close(getattr(first, name), getattr(moved, name), rtol=1e-9, atol=1e-12)


def test_collapse_reads_the_last_layer_of_our_networks():
    """The scale in front of the stored weights is part of the read-out, in either parametrization."""
    x = inputs(9, 4, seed=2)
    found = []
    for kind in ("ntk", "standard"):
        network = ntk.zoo.mlp(3).network(width=6, like=x, out_features=3, seed=0, parametrization=kind)
        found.append(torch.stack(collapse(network[:-1](x), LABELS, network[-1])))
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)
    assert not found[0].requires_grad


@pytest.mark.usefixtures("unchecked")
def test_what_does_not_fit_is_refused():
    """Messages say where, what was expected, what was received."""
    k, read_out = kernel(), ReadOut(inputs(3, 5), torch.zeros(3).double())
    for labels in (LABELS[:-1], LABELS[:, None]):
        with pytest.raises(ShapeError, match="labels: expected"):
            block_kernel(k, labels)
        with pytest.raises(ShapeError, match="labels: expected"):
            collapse(inputs(9, 5), labels, read_out)
    for labels in (LABELS.double(), LABELS.tolist()):
        with pytest.raises(DtypeError, match="integers"):
            block_distance(k, labels)
    with pytest.raises(DomainError, match="two classes"):
        block_kernel(k, torch.zeros(9, dtype=torch.int64))
    with pytest.raises(DomainError, match="two inputs of one class"):
        block_kernel(k, torch.arange(9))
    with pytest.raises(DomainError, match="symmetric"):
        block_kernel(k + torch.triu(k), LABELS)
    with pytest.raises(DomainError, match="not zero"):
        block_distance(torch.zeros(9, 9).double(), LABELS)
    for choice in ({"classes": 1, "per_class": 3}, {"classes": 3, "per_class": 1}):
        with pytest.raises(DomainError, match="block_rates"):
            block_rates(BlockKernel(1.0, 0.5, 0.1), **choice)
    for labels in (LABELS + 1, LABELS.clamp(max=1), LABELS - 1):
        with pytest.raises(DomainError, match="classes 0 … 2"):
            collapse(inputs(9, 5), labels, read_out)
    with pytest.raises(DomainError, match="center"):
        collapse(torch.ones(9, 5).double(), LABELS, read_out)
