"""Surrogates: the algebra against direct solutions, exactness where it must hold, fidelity against a plain kernel."""

import copy

import pytest
import torch
from scipy.stats import kendalltau, spearmanr
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach import surrogate
from ntk_teach.errors import DomainError, DtypeError, ShapeError

X, PROBE = inputs(14, 3, seed=0), inputs(6, 3, seed=1)


def drawn(outputs=3, seed=0):
    return ntk.zoo.mlp(3, ntk.erf).network(width=16, like=X, out_features=outputs, seed=seed)


def trace(network):
    return lambda x1, x2: ntk.empirical_ntk_trace(network, x1, x2)


def rbf(scale):
    return lambda x1, x2: torch.exp(-torch.cdist(x1, x2).square() / (2 * scale**2))


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_normalized_kernel_is_the_cosine_of_all_gradients(outputs):
    """Against the Jacobians themselves; 1 on the diagonal; the last block of the diagonal's walk may be short."""
    network = drawn(outputs)
    many = inputs(2 * surrogate.BLOCK + 3, 3, seed=2)
    j1, j2 = (ntk.tangent_features(network, x).flatten(1) for x in (PROBE, many))
    cosine = (j1 / j1.norm(dim=1, keepdim=True)) @ (j2 / j2.norm(dim=1, keepdim=True)).T
    torch.testing.assert_close(surrogate.normalized_ntk(network, PROBE, many), cosine, rtol=1e-10, atol=1e-12)
    own = surrogate.normalized_ntk(network, X, X)
    torch.testing.assert_close(own.diagonal(), torch.ones(14, dtype=torch.float64), rtol=1e-12, atol=0)


def test_contributions_sum_to_the_prediction():
    """Σ_i a_ik K(x, x_i) = s_k(x), and each is the weight times the kernel."""
    network = drawn()
    s = surrogate.fit(network, X)
    pulls = s.contributions(PROBE)
    assert pulls.shape == (6, 14, 3)
    torch.testing.assert_close(pulls.sum(1), s.outputs(PROBE), rtol=1e-12, atol=1e-13)
    k = surrogate.normalized_ntk(network, PROBE, X)
    torch.testing.assert_close(pulls[2, 5], s.weights[5] * k[2, 5], rtol=1e-12, atol=1e-15)


def test_weights_solve_the_ridge_equations():
    """(K + r Id) a = f(X) with r = ridge · mean diag K."""
    network = drawn()
    s = surrogate.fit(network, X, kernel=trace(network), ridge=0.01)
    k = ntk.empirical_ntk_trace(network, X)
    system = k + 0.01 * k.diagonal().mean() * torch.eye(14, dtype=torch.float64)
    torch.testing.assert_close(system @ s.weights, network(X).detach(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("ridge", [1e-3, 0.1])
def test_leaving_one_out_is_refitting_without_it(ridge):
    """The closed form against fourteen fits; the kept ridge is the one that errs least."""
    network = drawn()
    f, kernel = network(X).detach(), trace(network)
    scale = ridge * ntk.empirical_ntk_trace(network, X).diagonal().mean()
    error = 0.0
    for i in range(14):
        rest = [j for j in range(14) if j != i]
        k = kernel(X[rest], X[rest]) + scale * torch.eye(13, dtype=torch.float64)
        s = kernel(X[i : i + 1], X[rest]) @ torch.linalg.solve(k, f[rest])
        error += (s[0] - f[i]).square().sum().item()
    fitted = surrogate.fit(network, X, kernel=kernel, ridge=ridge)
    assert fitted.leave_one_out == pytest.approx(error / f.square().sum().item(), rel=1e-6)
    grid = [1e-4, 1e-3, 1e-2, 0.1, 1.0]
    errors = [surrogate.fit(network, X, kernel=kernel, ridge=r).leave_one_out for r in grid]
    assert surrogate.fit(network, X, kernel=kernel, ridge=grid).ridge == grid[errors.index(min(errors))]


def test_the_surrogate_of_a_linear_network_is_exact():
    """W x + b is in the span of its own kernel x·x' + 1; normalized too, where all inputs are of one length."""
    torch.manual_seed(0)
    network = nn.Linear(3, 2).double()
    s = surrogate.fit(network, X, kernel=trace(network), ridge=1e-12)
    torch.testing.assert_close(s.outputs(PROBE), network(PROBE), rtol=1e-7, atol=1e-8)
    circle, _ = ntk.data.circle(9)
    apart = torch.stack([torch.linspace(0.1, 3, 5).double().cos(), torch.linspace(0.1, 3, 5).double().sin()], 1)
    network = nn.Linear(2, 2).double()
    s = surrogate.fit(network, circle, ridge=1e-12)
    torch.testing.assert_close(s.outputs(apart), network(apart), rtol=1e-7, atol=1e-8)
    assert s.fidelity(apart)[:2] == pytest.approx((1.0, 1.0))


def test_fidelity_is_what_its_names_say():
    """Against scipy and plain counting; given labels choose the output that is ranked."""
    network = drawn()
    s = surrogate.fit(network, X, ridge=1.0)
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    mine, own = s.outputs(PROBE), network(PROBE).detach()
    found = s.fidelity(PROBE, labels)
    rows = torch.arange(6)
    assert found.kendall == pytest.approx(kendalltau(mine[rows, labels], own[rows, labels]).statistic)
    assert found.spearman == pytest.approx(spearmanr(mine[rows, labels], own[rows, labels]).statistic)
    assert found.agreement == pytest.approx((mine.argmax(1) == own.argmax(1)).double().mean().item())
    left = (mine - own).square().sum() / (own - own.mean(0)).square().sum()
    assert found.explained == pytest.approx(1 - left.item(), rel=1e-9)
    single = surrogate.fit(drawn(1), X)
    assert 0 <= single.fidelity(PROBE).agreement <= 1


def test_the_surrogate_keeps_the_network_that_it_was_fitted_to():
    """Further training changes neither its kernel nor its fidelity; the network is not touched."""
    network = drawn()
    before = copy.deepcopy(network.state_dict())
    s = surrogate.fit(network, X)
    first = s.outputs(PROBE)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    ntk.gradient_descent(network, X, X, lr=0.1, steps=20)
    assert torch.equal(s.outputs(PROBE), first)


def test_images_and_convolutions():
    """Any module, any axes of the inputs."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3))
    x = torch.randn(10, 1, 4, 4)
    s = surrogate.fit(network, x)
    assert s.outputs(x[:2]).shape == (2, 3)
    torch.testing.assert_close(s.contributions(x[:2]).sum(1), s.outputs(x[:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_network_s_own_kernel_is_more_faithful_than_a_plain_one(seed):
    """Digits: held-out fidelity against Gaussian kernels of the pixels, whose width is chosen as the ridge is."""
    x, labels = ntk.data.digits(500, seed=seed)
    train, test = x[:250], x[250:]
    network = ntk.zoo.mlp(3).network(width=64, like=x, out_features=10, seed=seed)
    y = ntk.data.centered_one_hot(labels, 10)[:250]
    ntk.gradient_descent(network, train, y, lr=2.0, steps=200)
    own = surrogate.fit(network, train)
    plain = [surrogate.fit(network, train, kernel=rbf(scale)) for scale in (0.5, 1, 1.5, 2, 3, 5)]
    best = min(plain, key=lambda s: s.leave_one_out)
    ours, theirs = (s.fidelity(test, labels[250:]) for s in (own, best))
    assert own.leave_one_out < best.leave_one_out
    assert ours.kendall > theirs.kendall
    assert ours.explained > theirs.explained


BAD = {
    "no ridge": (DomainError, lambda: surrogate.fit(drawn(), X, ridge=0.0), "ridges above 0"),
    "an empty list": (DomainError, lambda: surrogate.fit(drawn(), X, ridge=[]), "ridges above 0"),
    "other inputs": (ShapeError, lambda: surrogate.fit(drawn(), X).outputs(PROBE[:, :2]), r"\[m, 3\]"),
    "one input": (ShapeError, lambda: surrogate.fit(drawn(), X).outputs(PROBE[0]), "batch of one"),
    "another dtype": (DtypeError, lambda: surrogate.fit(drawn(), X).outputs(PROBE.float()), "float32"),
    "a crooked kernel": (
        DomainError,
        lambda: surrogate.fit(drawn(), X, kernel=lambda a, b: a @ torch.ones(3, 14).double()),
        "symmetric",
    ),
    "a small kernel": (
        ShapeError,
        lambda: surrogate.fit(drawn(), X, kernel=lambda a, b: a[:4] @ b[:4].T),
        r"\[14, 14\]",
    ),
    "an eleventh class": (
        DomainError,
        lambda: surrogate.fit(drawn(), X).fidelity(PROBE, torch.full((6,), 3)),
        "0 to 2",
    ),
    "too few labels": (ShapeError, lambda: surrogate.fit(drawn(), X).fidelity(PROBE, torch.zeros(5).long()), r"\[6\]"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind
