"""What chapter 14 claims: its proof, the kernel that stays random, two verdicts, and what surrogates do not say."""

import itertools
import math

import pytest
import torch

import ntk_teach as ntk

# torch itself still calls torch.jit.script when its forward mode is used for the first time.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

A = 2 / math.sqrt(math.pi)
B = A * math.sqrt(2 / math.e)
FIRST, SIGNS = ntk.Dense(1, 0), ntk.Dense(1, 0, trained=False)
ARCH = ntk.serial(FIRST, ntk.erf, SIGNS)


class Net:
    """f_W(x_i) = n^{-1/2} Σ_r a_r erf(w_r · u_i), its Jacobian by the chain rule."""

    def __init__(self, x, n, seed):
        draw = torch.Generator().manual_seed(seed)
        self.u = x / math.sqrt(x.shape[1])
        self.a = torch.randn(n, generator=draw).sign().double()
        self.start = torch.randn(n, x.shape[1], generator=draw).double()

    def f(self, w):
        return torch.erf(self.u @ w.T) @ self.a / math.sqrt(len(self.a))

    def jacobian(self, w):
        slopes = A * torch.exp(-((self.u @ w.T) ** 2)) * self.a / math.sqrt(len(self.a))
        return (slopes[:, :, None] * self.u[:, None, :]).reshape(len(self.u), -1)


def problem(n_data=8, dimension=8, seed=0):
    x = ntk.data.sphere(n_data, dimension, seed=seed) * math.sqrt(dimension)
    y = torch.randn(n_data, generator=torch.Generator().manual_seed(seed)).sign().double()
    return x, y


def trained(net, y, lr, steps):
    """The flow by small steps: W_t, residuals, and the length of the path."""
    w, first = net.start.clone(), net.f(net.start)
    states, length = [], 0.0
    for _ in range(steps + 1):
        r = net.f(w) - first - y
        j = net.jacobian(w)
        states.append((w, r, j, length))
        step = -(lr / len(y)) * (j.T @ r).reshape(w.shape)
        length += step.norm().item()
        w = w + step
    return states


def test_constants_of_erf():
    """|φ'| ≤ A and φ' is Lipschitz with B, both attained; 2/(√(3/4) − √(1/2))² is below 80, and above 79."""
    u = torch.linspace(-4, 4, 200_001, dtype=torch.float64)
    slope = A * torch.exp(-(u**2))
    assert slope.max() == pytest.approx(A, rel=1e-9)
    assert (slope.diff() / u.diff()).abs().max() == pytest.approx(B, rel=1e-6)
    assert 79 < 2 / (math.sqrt(3 / 4) - math.sqrt(1 / 2)) ** 2 < 80


def test_the_kernel_and_its_limit_are_the_library_s():
    """J Jᵀ is the empirical kernel of the library's network with these weights; its mean over draws is the limit."""
    x, _ = problem()
    net = Net(x, 64, seed=3)
    module = ARCH.network(width=64, like=x, seed=0)
    with torch.no_grad():
        module[0].weight.copy_(net.start)
        module[2].weight.copy_(net.a[None])
    j = net.jacobian(net.start)
    torch.testing.assert_close(j @ j.T, ntk.empirical_ntk(module, x), rtol=1e-12, atol=1e-14)
    wide = Net(x, 200_000, seed=4).jacobian
    entries = wide(Net(x, 200_000, seed=4).start)
    spread = A**2 / math.sqrt(200_000)  # each entry is a mean of terms in [−A², A²]
    assert (entries @ entries.T - ARCH.ntk(x)).abs().max() < 5 * spread


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_jacobian_moves_by_no_more_than_the_weights(seed):
    """Step 3: ‖J − J₀‖_F ≤ B √(N/n) ‖W − W₀‖_F, for moves of any size."""
    x, y = problem(seed=seed)
    net = Net(x, 50, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    for size in (1e-3, 0.1, 1.0, 10.0):
        move = size * torch.randn(net.start.shape, generator=draw).double()
        change = (net.jacobian(net.start + move) - net.jacobian(net.start)).norm()
        assert change <= B * math.sqrt(len(y) / 50) * move.norm()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_good_kernel_keeps_the_path_short(seed):
    """Step 2, at a width far below the bound: while λ_min(Θ_s) ≥ c, the path is at most (‖r_0‖ − ‖r_t‖)/√c."""
    x, y = problem(seed=seed)
    states = trained(Net(x, 32, seed=seed), y, lr=0.2, steps=1500)
    worst = math.inf
    for _, r, j, length in states[::50]:
        worst = min(worst, torch.linalg.eigvalsh(j @ j.T)[0].item())
        # One part in a hundred for steps in place of a flow.
        assert length <= 1.01 * (y.norm() - r.norm()).item() / math.sqrt(worst) + 1e-12


def test_conclusions_hold_at_a_width_that_the_theorem_covers():
    """Two points and a wide network, where the bound can be met: all three claims, at all times."""
    x = math.sqrt(2) * torch.eye(2, dtype=torch.float64)
    y = torch.tensor([0.1, -0.1], dtype=torch.float64)
    smallest = torch.linalg.eigvalsh(ARCH.ntk(x))[0].item()
    start = 32 * A**4 * 4 / smallest**2 * math.log(2 * 3 / 0.05)
    stay = 80 * B**2 * 2 * y.square().sum().item() / smallest**2
    width = math.ceil(max(start, stay))
    assert width < 20_000
    for seed in range(3):
        lr = 0.05
        states = trained(Net(x, width, seed), y, lr=lr, steps=400)
        for step, (w, r, j, _) in enumerate(states[::20]):
            t = 20 * step * lr
            assert torch.linalg.eigvalsh(j @ j.T)[0] >= smallest / 2
            assert r.square().sum() <= math.exp(-smallest * t / 2) * y.square().sum() * (1 + 1e-9)
            assert (w - states[0][0]).norm() <= math.sqrt(2 / smallest) * y.norm()


def test_hoeffding_s_step_is_safe():
    """Step 1 with N = 3 and a third of its width: still no draw of 300 is off by λ/4 in the Frobenius norm."""
    x, _ = problem(n_data=3, dimension=4)
    limit = ARCH.ntk(x)
    smallest = torch.linalg.eigvalsh(limit)[0].item()
    width = math.ceil(32 * A**4 * 9 / smallest**2 * math.log(12 / 0.05) / 3)
    for seed in range(300):
        j = Net(x, width, seed).jacobian
        entries = j(Net(x, width, seed).start)
        assert (entries @ entries.T - limit).norm() < smallest / 4


def deviation(depth, width):
    arch = ntk.zoo.mlp(depth, sigma_w=math.sqrt(2), sigma_b=0.0)
    point = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    return (ntk.finite_width.exact_ntk_deviation(arch, point, width=width) / arch.ntk(point)[0]).item()


@pytest.mark.parametrize("factor", [4, 16, 64])
def test_the_kernel_stays_random_if_depth_and_width_grow_together(factor):
    """At a fixed ratio the relative deviation rises to a level; at a fixed depth it falls like n^{−1/2}."""
    together = [deviation(depth, factor * depth) for depth in (8, 16, 32, 64)]
    steps = [later - sooner for sooner, later in itertools.pairwise(together)]
    assert all(step > 0 for step in steps)
    assert steps[0] > 1.5 * steps[1] > 1.5**2 * steps[2]
    apart = [deviation(4, factor * depth) for depth in (32, 64)]
    assert apart[0] / apart[1] == pytest.approx(math.sqrt(2), rel=0.02)


def test_the_measured_width_is_orders_below_the_bound():
    """Sixteen points on a sphere: at width 128 both claims hold for all of ten networks; the bound is above 10⁷."""
    x, y = problem(n_data=16)
    eigenvalues = torch.linalg.eigvalsh(ARCH.ntk(x))
    smallest = eigenvalues[0].item()
    assert 32 * A**4 * 16**2 / smallest**2 * math.log(16 * 17 / 0.05) > 1e7
    lr = 0.4 * 16 / eigenvalues[-1].item()
    for seed in range(10):
        for step, (_, r, j, _) in enumerate(trained(Net(x, 128, seed), y, lr=lr, steps=400)):
            if step % 40 == 0:
                assert torch.linalg.eigvalsh(j @ j.T)[0] >= smallest / 2
                assert r.square().sum() <= 16 * math.exp(-smallest * lr * step / 16) * (1 + 1e-9)


SMALL, NAMES = ntk.data.digits(64, seed=0)
WANTED = ntk.data.centered_one_hot(NAMES, 10)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("seed", [0, 1])
def test_one_network_in_two_scalings_has_two_verdicts(seed):
    """ "Is my network lazy?": the forecast holds for the usual scaling and errs for mean field, whose kernel turns."""
    arch = ntk.zoo.mlp(2, ntk.erf)
    found = {}
    for scaling in ("ntk", "mean_field"):
        network = arch.network(width=512, like=SMALL, out_features=10, seed=seed, parametrization=scaling)
        found[scaling] = ntk.diagnose(network, SMALL, WANTED, steps=300)
    lazy, rich = found["ntk"], found["mean_field"]
    assert (lazy.verdict, rich.verdict) == ("lazy", "feature learning")
    assert rich.kappa > 5 * lazy.kappa
    assert rich.alignment_after - rich.alignment_before > 5 * (lazy.alignment_after - lazy.alignment_before)
    middle = (rich.forecast > 0.3 * rich.forecast[0]) & (torch.arange(301) > 10)
    assert (rich.actual < rich.forecast)[middle].all()


def test_a_kernel_that_only_grows_drifts_and_does_not_turn():
    """The two numbers of the verdict, for Θ₁ = 3 Θ₀: drift 2, turn 0; in general turn² = 1 − A²."""
    draw = torch.Generator().manual_seed(0)
    j0, j1 = (torch.randn(5, 9, generator=draw).double() for _ in range(2))
    k0, k1 = j0 @ j0.T, j1 @ j1.T
    assert ntk.alignment(k0, 3 * k0) == pytest.approx(1.0)
    scale = (k0 * k1).sum() / k0.square().sum()
    turn = (k1 - scale * k0).norm() / k1.norm()
    assert turn**2 == pytest.approx(1 - ntk.alignment(k0, k1).item() ** 2)


@pytest.mark.usefixtures("unchecked")
def test_the_last_layer_s_kernel_is_a_faithful_surrogate_by_construction():
    """ "Which training digits": any network is linear in its last hidden layer, so that fidelity does not choose."""
    x, labels = ntk.data.digits(400, seed=1)
    network = ntk.zoo.mlp(3).network(width=64, like=x, out_features=10, seed=0)
    ntk.gradient_descent(network, x[:200], ntk.data.centered_one_hot(labels, 10)[:200], lr=2.0, steps=150)

    def last_layer(x1, x2):
        h1, h2 = (torch.cat([network[:-1](x), x.new_ones(len(x), 1)], 1) for x in (x1, x2))
        return h1 @ h2.T

    own = ntk.surrogate.fit(network, x[:200])
    read = ntk.surrogate.fit(network, x[:200], kernel=last_layer, ridge=1e-10)
    torch.testing.assert_close(read.outputs(x[:200]), network(x[:200]).detach(), rtol=1e-5, atol=1e-6)
    # Off the data but for units that no training input reaches.
    assert read.fidelity(x[200:], labels[200:]).kendall > 0.99 > own.fidelity(x[200:], labels[200:]).kendall
    assert read.fidelity(x[200:], labels[200:]).explained > 0.999
    shares = [
        set(s.contributions(x[200:210])[:, :, 3][i].topk(5).indices.tolist()) for i in range(10) for s in (own, read)
    ]
    assert any(mine != theirs for mine, theirs in zip(shares[::2], shares[1::2], strict=True))
