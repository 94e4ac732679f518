"""What the chapter on kernel gradient descent claims, asserted from outside with the library."""

import copy
import itertools
import math

import pytest
import torch
from torch.func import functional_call, jvp

import ntk_teach as ntk
from ntk_teach.errors import DomainError

SEEDS = pytest.mark.parametrize("seed", range(3))
DOUBLE = torch.float64
CLASSES = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def problems(c: int) -> dict[ntk.Cost, torch.Tensor]:
    """Targets of the three costs for the eight inputs and c outputs."""
    one_hot = torch.nn.functional.one_hot(CLASSES, c).to(DOUBLE)
    return {ntk.squared_error: one_hot, ntk.logistic: 2 * one_hot - 1, ntk.cross_entropy: CLASSES}


COSTS = pytest.mark.parametrize("cost", problems(3), ids=str)


@SEEDS
def test_a_block_is_not_symmetric_and_the_whole_is(seed):
    """K(x, x') = K(x', x)ᵀ; the matrix over pairs is symmetric and semidefinite, the reshaped one is neither."""
    x = normal(6, 3, seed=seed)
    theta = ntk.empirical_ntk(ntk.zoo.mlp(4).network(width=24, like=x, out_features=2, seed=seed), x)
    assert (theta[0, 1] - theta[0, 1].T).norm() > 1e-3 * theta[0, 1].norm()
    torch.testing.assert_close(theta, theta.permute(1, 0, 3, 2), rtol=0, atol=1e-13)
    gram = ntk.block_gram(theta)
    assert torch.linalg.eigvalsh(gram)[0] > -1e-12
    torn = theta.reshape(12, 12)
    assert (torn - torn.T).norm() > 0.1 * torn.norm()


def test_semidefinite_is_not_definite():
    """On six points of the circle two features, or three, leave functions of norm zero; depth 4 leaves none."""
    x, _ = ntk.data.circle(6)
    for k, blind in ((x @ x.T, 4), (ntk.zoo.mlp(1).ntk(x), 3), (ntk.zoo.mlp(4).ntk(x), 0)):
        values, vectors = torch.linalg.eigh(k)
        assert int((values < 1e-12).sum()) == blind
        assert bool(ntk.is_positive_definite(k)) == (blind == 0)
        g = vectors[:, 0] * math.sqrt(6)
        assert (abs(float(ntk.kernel_norm_squared(k, g))) < 1e-12) == (blind > 0)


@SEEDS
@COSTS
def test_the_kernel_gradient_represents_the_derivative(cost, seed):
    """d/dε C(f + εg) = ⟨∇_K C, g⟩_H for g = Σ K(·, z_i) v_i, and ‖∇_K C‖²_H = ‖d‖²_K, with coupled outputs."""
    y, f, v = problems(3)[cost], normal(8, 3, seed=seed), normal(5, 3, seed=seed + 10)
    x, z = normal(8, 2, seed=seed + 20), normal(5, 2, seed=seed + 30)
    net = ntk.zoo.mlp(3).network(width=16, like=x, out_features=3, seed=seed)
    g = torch.einsum("nmkl,ml->nk", ntk.empirical_ntk(net, x, z), v)  # on the data
    slope = jvp(lambda outputs: cost.value(outputs, y), (f,), (g,))[1]
    gradient_at_z = ntk.kernel_gradient(ntk.empirical_ntk(net, z, x), cost.gradient(f, y))
    torch.testing.assert_close(slope, (gradient_at_z * v).sum(), rtol=1e-11, atol=1e-13)  # ⟨h, K(·, z)v⟩ = h(z)·v
    d, theta = cost.gradient(f, y), ntk.empirical_ntk(net, x)
    inner = (ntk.kernel_gradient(theta, d) * d).sum() / 8
    torch.testing.assert_close(inner, ntk.kernel_norm_squared(theta, d), rtol=1e-11, atol=1e-13)


@SEEDS
@COSTS
def test_gradient_descent_of_parameters_is_kernel_gradient_descent(cost, seed):
    """∂_t f(x) = J(x)θ̇ = −1/N Σ Θ(x, x_j) d(x_j) off the data, exactly, and ‖∇_θ C‖² = ‖d‖²_Θ."""
    x, off, y = normal(8, 2, seed=seed), normal(7, 2, seed=seed + 1), problems(3)[cost]
    net = ntk.zoo.mlp(4).network(width=20, like=x, out_features=3, seed=seed)
    parameters = dict(net.named_parameters())
    slopes = torch.autograd.grad(cost.value(net(x), y), list(parameters.values()))
    theta_dot = {name: -slope for name, slope in zip(parameters, slopes, strict=True)}
    held = {name: p.detach() for name, p in parameters.items()}
    velocity = jvp(lambda p: functional_call(net, p, (off,)), (held,), (theta_dot,))[1]
    d = cost.gradient(net(x).detach(), y)
    torch.testing.assert_close(
        velocity, -ntk.kernel_gradient(ntk.empirical_ntk(net, off, x), d), rtol=1e-10, atol=1e-13
    )
    squared = sum(slope.square().sum() for slope in slopes)
    torch.testing.assert_close(squared, -ntk.cost_decay(ntk.empirical_ntk(net, x), d), rtol=1e-11, atol=1e-13)


@SEEDS
def test_a_step_agrees_with_the_flow_in_proportion_to_lr(seed):
    """Off the data and in the fall of the cost: a tenth of lr, a tenth of the relative gap."""
    x, y = ntk.data.gaussian(12, seed=seed)
    off, _ = ntk.data.gaussian(40, seed=seed + 50)
    net = ntk.zoo.mlp(4).network(width=64, like=x, seed=seed)
    with torch.no_grad():
        before, d = net(off)[:, 0], net(x)[:, 0] - y
    velocity = -ntk.kernel_gradient(ntk.empirical_ntk(net, off, x), d)
    decay = ntk.cost_decay(ntk.empirical_ntk(net, x), d)
    gaps = []
    for lr in (1e-3, 1e-4):
        moved = copy.deepcopy(net)
        costs = ntk.gradient_descent(moved, x, y, lr=lr, steps=1)
        with torch.no_grad():
            gap = ((moved(off)[:, 0] - before) / lr - velocity).norm() / velocity.norm()
        gaps.append((float(gap), abs(float((costs[1] - costs[0]) / lr / decay) - 1)))
    for coarse, fine in zip(*gaps, strict=True):
        assert 8 < coarse / fine < 12


@SEEDS
def test_narrow_networks_with_moving_kernels_obey_their_own_bound(seed):
    """C(t) ≤ C(0) exp(−2∫κ) with κ measured along the path; the kernels move by a tenth and more."""
    z, target = ntk.data.circle(8)
    path = ntk.train_ensemble(
        ntk.zoo.mlp(4), z, target + 0.2, width=32, seeds=[seed], lr=0.5, steps=200, at=range(0, 201, 10), ntk_at=z
    )
    kappa = torch.linalg.eigvalsh(path.ntk[0])[:, 0] / 8
    bound = path.cost[0, 0] * torch.exp(-2 * torch.cumulative_trapezoid(kappa, path.times))
    assert (path.cost[0, 1:] < bound).all()
    assert (path.ntk[0, -1] - path.ntk[0, 0]).norm() > 0.1 * path.ntk[0, 0].norm()


@SEEDS
@COSTS
def test_a_constant_positive_kernel_has_the_promised_rate(cost, seed):
    """C(f_t) ≤ C(z) + (f_0 − z)ᵀK⁻¹(f_0 − z)/2t for any z, at early and late times."""
    factor = normal(8, 11, seed=seed)
    k, f0, y = factor @ factor.T / 11, normal(8, 3, seed=seed + 1), problems(3)[cost]
    t = torch.logspace(-1, 4, 11, dtype=DOUBLE)
    costs = torch.stack([cost.value(f, y) for f in ntk.kernel_gradient_flow(k, y, cost, t=t, f0=f0).f])
    for trial in range(4):
        z = (trial + 1) * normal(8, 3, seed=seed + 2 + trial)
        price = ((f0 - z) * torch.linalg.solve(k, f0 - z)).sum()
        assert (costs <= cost.value(z, y) + price / (2 * t) + 1e-9).all()


@SEEDS
def test_a_rotating_kernel_drives_the_logistic_cost_to_its_infimum(seed):
    """Part 1: eigenvalues stay in [κ, Λ] while the eigenvectors turn for ever; there is no minimizer, and C → 0."""
    n = 4
    base, turn = torch.linalg.qr(normal(n, n, seed=seed)).Q, normal(n, n, seed=seed + 1)
    spin = torch.linalg.matrix_exp(0.25 * (turn - turn.T))
    rates, y = torch.tensor([0.2, 0.5, 1.0, 2.0], dtype=DOUBLE), torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=DOUBLE)
    f, costs = torch.zeros(n, dtype=DOUBLE), []
    for _ in range(8000):
        costs.append(float(ntk.logistic.value(f, y)))
        f = f - 0.5 * base @ (rates * (base.T @ ntk.logistic.gradient(f, y)))
        base = spin @ base
    assert costs[-1] < 2e-3 < costs[80]
    assert all(later <= earlier for earlier, later in itertools.pairwise(costs))


def test_logistic_regression_on_digits_has_no_minimizer_and_a_bound():
    """The cost stays below min_R and goes to zero; the least margin grows by log 10 a decade, within 2 %."""
    images, digit = ntk.data.digits(seed=0)
    chosen = (digit == 3) | (digit == 8)
    x, y = images[chosen][:100], torch.where(digit[chosen][:100] == 3, 1.0, -1.0).to(DOUBLE)
    k, t = ntk.zoo.mlp(4).ntk(x), torch.logspace(0, 6, 13, dtype=DOUBLE)
    flow = ntk.kernel_gradient_flow(k, y, ntk.logistic, t=t)
    costs = torch.stack([ntk.logistic.value(f, y) for f in flow.f])
    price = y @ torch.linalg.solve(k, y)
    r = torch.linspace(0, 40, 401, dtype=DOUBLE)
    bound = (torch.log1p(torch.exp(-r)) + r.square() * price / (2 * t[:, None])).min(1).values
    assert (costs < bound).all()
    assert costs[-1] < 1e-3
    margin = (y * flow.f).min(1).values
    assert float(margin[-1] - margin[-3]) == pytest.approx(math.log(10), rel=0.02)


def test_a_singular_kernel_stops_where_it_was_predicted_to():
    """‖P₀(f₀ − y)‖²/2N; one input with two labels stops every kernel at the mean label."""
    angles = torch.tensor([0.3, 1.4, 2.2], dtype=DOUBLE)
    corner = torch.stack([angles.cos(), angles.sin()], dim=1)
    x, y = torch.cat([corner, -corner]), torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0, -1.0], dtype=DOUBLE)
    for arch, blind in ((ntk.zoo.mlp(1), 3), (ntk.zoo.mlp(2, sigma_b=0.0), 1), (ntk.zoo.mlp(4), 0)):
        k = arch.ntk(x)
        values, vectors = torch.linalg.eigh(k)
        null = vectors[:, values < 1e-9 * values[-1]]
        assert null.shape[1] == blind
        left = ntk.squared_error.value(ntk.kernel_gradient_flow(k, y, t=1e5).f, y)
        assert float(left) == pytest.approx(float((null.T @ y).square().sum()) / 12, abs=1e-6)
    twice = torch.cat([corner, corner[:1]])
    f = ntk.kernel_gradient_flow(ntk.zoo.mlp(4).ntk(twice), torch.tensor([1.0, 0.5, 0.2, -0.4], dtype=DOUBLE), t=1e5).f
    torch.testing.assert_close(f, torch.tensor([0.3, 0.5, 0.2, 0.3], dtype=DOUBLE), rtol=0, atol=1e-5)


def test_two_wells_stop_a_positive_definite_kernel():
    """Without convexity d = 0 is not a minimum: the same kernel ends at two different costs."""
    wells = ntk.Cost.from_function(lambda f, y: (f**2 - 1) ** 2 / 4 - f / 10, "two wells")
    z, _ = ntk.data.circle(8)
    k, nothing = ntk.zoo.mlp(4).ntk(z), torch.zeros(8, dtype=DOUBLE)
    ends = [ntk.kernel_gradient_flow(k, nothing, wells, t=1e4, f0=first).f for first in (0.5, -0.8)]
    assert ntk.is_positive_definite(k)
    assert all(float(wells.gradient(f, nothing).abs().max()) < 1e-9 for f in ends)
    assert float(wells.value(ends[1], nothing) - wells.value(ends[0], nothing)) > 0.1


@pytest.mark.parametrize("cost", [ntk.squared_error, ntk.logistic], ids=str)
def test_the_critical_step(cost):
    """Below 2/(s λ_max/N) the cost falls at each step; above, the squared error explodes and is refused."""
    z, _ = ntk.data.circle(8)
    k, y = ntk.zoo.mlp(4).ntk(z), torch.where(z[:, 0] > 0.1, 1.0, -1.0).to(DOUBLE)
    critical = 2 / (cost.smoothness * float(torch.linalg.eigvalsh(k)[-1]) / 8)
    costs = [float(cost.value(f, y)) for f in ntk.kernel_gradient_descent(k, y, cost, lr=0.98 * critical, steps=50).f]
    assert all(later < earlier for earlier, later in itertools.pairwise(costs))
    if cost is ntk.squared_error:
        f0 = torch.linalg.eigh(k).eigenvectors[:, -1]
        with pytest.raises(DomainError, match="choose lr below"):
            ntk.kernel_gradient_descent(k, y, cost, lr=1.1 * critical, steps=400, f0=f0)
