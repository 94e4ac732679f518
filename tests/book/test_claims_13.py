"""What chapter 13 says, with the library from outside: the theorems, the identities, and what three networks do."""

import copy
import math

import pytest
import torch

import ntk_teach as ntk
from ntk_teach import neural_collapse
from ntk_teach.neural_collapse import BlockKernel, block_distance, block_kernel, collapse

pytestmark = pytest.mark.usefixtures("unchecked")

CLASSES, EACH, WIDTH = 10, 20, 64
IMAGES, NAMES = ntk.data.digits(seed=0)


def digits(first, last):
    rows = torch.cat([torch.nonzero(c == NAMES)[first:last, 0] for c in range(CLASSES)])
    return IMAGES[rows].float(), NAMES[rows]


X, LABELS = digits(0, EACH)
Y = ntk.data.centered_one_hot(LABELS, CLASSES).float()
SAME = (Y @ Y.T).double()


def trained(network, targets, steps=300, decay=0.0):
    after = copy.deepcopy(network)
    descent = torch.optim.SGD(after.parameters(), lr=1.0, momentum=0.9, weight_decay=decay)
    for _ in range(steps):
        descent.zero_grad()
        ((after(X) - targets).square().sum() / (2 * len(X))).backward()
        descent.step()
    return after


def collapsed(network, x=X, labels=LABELS):
    return collapse(network[:-1](x).double(), labels, copy.deepcopy(network[-1]).double())


def kernel(network):
    return ntk.empirical_ntk_trace(network, X).double()


# ---- identities


def flow(k, *, noise=0.0, decay=0.0, steps=3000, lr=0.1, centered=True, seed=0):
    """Read-out and features with a fixed kernel of the features; start at E = 0 without noise."""
    classes, d, n = 4, 9, len(k)
    group = torch.arange(classes).repeat_interleave(n // classes)
    target = ntk.data.centered_one_hot(group, classes).T
    generator = torch.Generator().manual_seed(seed)
    w = 0.3 * torch.randn(classes, d, generator=generator, dtype=torch.float64)
    w = w - w.mean(0) if centered else w
    q = torch.randn(n, classes, generator=generator, dtype=torch.float64)
    q = torch.linalg.qr(q - q.mean(0))[0].T
    values, vectors = torch.linalg.eigh(k)
    extra = torch.randn(d, n, generator=generator, dtype=torch.float64)
    h = w.T @ q @ (vectors @ (values.sqrt()[:, None] * vectors.T)) + noise * (extra - extra.mean(1, keepdim=True))
    b = torch.zeros(classes, 1, dtype=torch.float64)

    def invariant():
        return w.T @ w - h @ torch.linalg.solve(k, h.T)

    start = invariant()
    for _ in range(steps):
        r = (w @ h + b - target) / n
        w, h, b = (
            w - lr * (r @ h.T + decay * w),
            h - lr * (w.T @ r @ k + decay * h),
            b - lr * r.sum(1, keepdim=True),
        )
    return w, h, group, collapse(h.T, group, lambda g: g @ w.T + b[:, 0]), start, invariant()


BLOCKS = BlockKernel(1.0, 0.6, 0.2).matrix(torch.arange(4).repeat_interleave(5))


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_invariant_is_conserved_to_first_order_in_the_step(noise) -> None:
    """E changes by an amount ∝ lr at a fixed time, from a balanced start and from another."""
    changes = []
    for lr, steps in ((0.2, 250), (0.1, 500), (0.05, 1000)):
        *_, start, end = flow(BLOCKS, noise=noise, lr=lr, steps=steps)
        changes.append(float((end - start).norm()))
    assert changes[0] < 0.05 * float(BLOCKS.norm())
    assert changes[0] / changes[1] == pytest.approx(2, rel=0.1)
    assert changes[1] / changes[2] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_balanced_start_with_blocks_collapses_completely(seed) -> None:
    """NC1 to NC4 to rounding of the step size, and the norms of the theorem."""
    _, h, group, found, _, _ = flow(BLOCKS, seed=seed)
    assert float(found.nc1) < 1e-3
    assert float(found.nc2_norms) < 0.03
    assert float(found.nc2_angles) < 0.03
    assert float(found.nc3) < 0.05
    assert float(found.nc4) == 0
    of_class = 0.4 + 5 * 0.4
    norms = torch.stack([h[:, group == c].mean(1).square().sum() for c in range(4)])
    torch.testing.assert_close(norms, torch.full((4,), math.sqrt(of_class / 5) * 3 / 4).double(), rtol=0.05, atol=0)


def test_without_blocks_only_nc1_holds() -> None:
    """A positive definite kernel of no structure: features on their means, at unequal angles."""
    draw = torch.randn(20, 20, generator=torch.Generator().manual_seed(1)).double()
    *_, found, _, _ = flow(draw @ draw.T / 20 + 0.1 * torch.eye(20).double(), lr=0.2, steps=4000)
    assert float(found.nc1) < 1e-3
    assert float(found.nc2_angles) > 0.05


def test_without_balance_there_is_a_remainder_and_decay_forgets_it() -> None:
    """NC1 stays where E is not 0; with decay on W and H, E is multiplied by e^(−2δt)."""
    *_, found, start, end = flow(BLOCKS, noise=0.3)
    assert float(found.nc1) > 0.005
    assert float((end - start).norm()) < 0.1 * float(start.norm())
    *_, forgotten, start, end = flow(BLOCKS, noise=0.3, decay=4e-3, lr=0.3)
    assert float((end - math.exp(-2 * 4e-3 * 900) * start).norm()) < 0.05 * float(start.norm())
    assert float(forgotten.nc1) < 0.1 * float(found.nc1)


def test_what_all_outputs_share_dies_out_slowly() -> None:
    """From a draw with ΠW ≠ W, NC3 falls like t^(−1/2): four times the time, half of it."""
    early, late = (float(flow(BLOCKS, centered=False, lr=0.5, steps=steps)[3].nc3) for steps in (2000, 8000))
    assert early / late == pytest.approx(2, rel=0.15)


def test_the_read_outs_part_of_the_kernel_is_made_of_features() -> None:
    """K − (the kernel with a frozen read-out) = σ_w²/d h·h' + σ_b²; with collapsed features a block kernel."""
    network = ntk.zoo.mlp(4, sigma_w=math.sqrt(2)).network(width=16, like=X, out_features=CLASSES, seed=0).double()
    x = X[::10].double()
    whole, h = ntk.empirical_ntk_trace(network, x), network[:-1](x).detach()
    network[-1].requires_grad_(False)
    rest = ntk.empirical_ntk_trace(network, x)
    torch.testing.assert_close(whole - rest, 2 * h @ h.T / 16 + 0.01, rtol=1e-9, atol=1e-12)
    _, h, group, _, _, _ = flow(BLOCKS)
    found = block_kernel(h.T @ h, group)
    assert found.gamma_d == pytest.approx(found.gamma_c, rel=1e-2)
    assert float(block_distance(h.T @ h, group)) < 0.03


def test_equal_angles_are_at_most_those_of_the_simplex() -> None:
    """C centered vectors with equal cosines c of unit length: 0 = |Σ|² = C + C (C − 1) c."""
    for classes in (2, 5, 10):
        corners = torch.eye(classes).double() - 1 / classes
        unit = corners / corners.norm(dim=1, keepdim=True)
        assert float((unit @ unit.T)[0, 1]) == pytest.approx(-1 / (classes - 1))


# ---- observations, on three master seeds


@pytest.fixture(scope="module", params=[0, 1, 2])
def networks(request):
    """A draw, the network trained from it, with weight decay, and lazily."""
    arch = ntk.zoo.mlp(4, sigma_w=math.sqrt(2))
    drawn = arch.network(width=WIDTH, like=X, out_features=CLASSES, seed=request.param)
    lazy = drawn(X).detach() + Y / 16
    return drawn, trained(drawn, Y), trained(drawn, Y, decay=3e-4), trained(drawn, lazy, steps=100)


def test_alignment_rises_and_the_distance_from_the_blocks_does_not_fall(networks) -> None:
    """γ_d > γ_c > γ_n before and after; both alignments up; a distance of about a third; the lazy kernel rests."""
    drawn, plain, _, lazy = (kernel(network) for network in networks)
    for k in (drawn, plain):
        found = block_kernel(k, LABELS)
        assert found.gamma_d > found.gamma_c > found.gamma_n > 0
    before, after = block_kernel(drawn, LABELS), block_kernel(plain, LABELS)
    assert after.gamma_c / after.gamma_n > 1.2 * before.gamma_c / before.gamma_n
    assert ntk.alignment(plain, SAME) > 2 * ntk.alignment(drawn, SAME)
    assert ntk.centered_alignment(plain, SAME) > ntk.centered_alignment(drawn, SAME) + 0.1
    assert block_distance(plain, LABELS) > block_distance(drawn, LABELS)
    assert abs(float(ntk.centered_alignment(lazy, SAME) - ntk.centered_alignment(drawn, SAME))) < 0.05


def test_eigenvectors_take_the_structure_and_eigenvalues_do_not(networks) -> None:
    """The C leading modes come to span the functions of the class; class modes and other modes differ severalfold."""
    indicators = torch.nn.functional.one_hot(LABELS).double() / math.sqrt(EACH)
    captured = []
    for network in networks[:2]:
        values, vectors = torch.linalg.eigh(kernel(network))
        captured.append(float((vectors[:, -CLASSES:].T @ indicators).square().sum() / CLASSES))
    assert captured[1] > captured[0] + 0.2
    values = values.flip(0)
    assert float(values[1] / values[CLASSES - 1]) > 1.5
    assert float(values[CLASSES] / values[len(X) // 2]) > 5


def test_features_collapse_in_part_and_lazy_ones_do_not(networks) -> None:
    """NC1 down at least fourfold; decay turns the read-out further; lazy features stay; test digits are looser."""
    drawn, plain, decayed, lazy = (collapsed(network) for network in networks)
    assert plain.nc1 < drawn.nc1 / 4
    assert plain.nc4 < 0.05
    assert decayed.nc3 < plain.nc3 < drawn.nc3
    assert plain.nc3 > 0.5
    assert float(lazy.nc1) == pytest.approx(float(drawn.nc1), rel=0.15)
    others = collapsed(networks[1], *digits(EACH, 60))
    assert others.nc1 > 2 * plain.nc1


def test_different_outputs_do_not_decouple(networks) -> None:
    """The root mean square of Θ_kl beside that of Θ_kk does not fall in training."""
    ratios = []
    for network in networks[:2]:
        squares = ntk.empirical_ntk(network, X[::8]).square().mean((0, 1))
        own = torch.eye(CLASSES, dtype=torch.bool)
        ratios.append(float((squares[~own].mean() / squares[own].mean()).sqrt()))
    assert 0.05 < ratios[0] < ratios[1]


def test_the_rates_of_the_theorem_are_those_of_the_nearest_block_kernel(networks) -> None:
    """200 eigenvalues of its matrix are three numbers, 190, 9 and 1 times."""
    block = block_kernel(kernel(networks[1]), LABELS)
    rates = neural_collapse.block_rates(block, classes=CLASSES, per_class=EACH)
    found = torch.linalg.eigvalsh(block.matrix(LABELS))
    expected = torch.cat([torch.full((n,), v) for v, n in zip(rates[:3], rates.multiplicities, strict=True)])
    torch.testing.assert_close(found, expected.double().sort().values, rtol=1e-5, atol=1e-5)
