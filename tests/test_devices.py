"""One suite for every device: the same numbers on the CPU and, where there is one, on a GPU.

Without a GPU the second half is skipped, by name: that is the list of what waits for one.
"""

import math

import pytest
import torch
from strategies import inputs

import ntk_teach as ntk
from ntk_teach.empirical import by_autograd, layerwise

X, Z = inputs(40, 6, seed=1), inputs(7, 6, seed=2)
Y = X.prod(1)
D = ntk.Dense
ARCH = ntk.serial(
    D(1.2, 0.1), ntk.relu, D(1.1, 0.2), ntk.Residual(ntk.serial(ntk.tanh, D(0.8))), ntk.erf, D()
)  # fmt: skip


@pytest.fixture(params=["cpu", "cuda"])
def device(request) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device(request.param)


def assert_same(ours: torch.Tensor, expected: torch.Tensor, device: torch.device, tolerance: float = 1e-10) -> None:
    assert ours.device.type == device.type
    torch.testing.assert_close(ours.cpu(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_limiting_kernels(device, kind):
    """The engine on a device equals the plain algebra on the CPU, with inputs there, or here and device= given."""
    expected, across = getattr(ARCH.kernel(X), kind), getattr(ARCH.kernel(X, Z), kind)
    reading = getattr(ARCH, kind)
    assert_same(reading(X.to(device)), expected, device)
    assert_same(reading(X.to(device), Z.to(device)), across, device)
    assert_same(reading(X, device=device), expected, torch.device("cpu"))
    single = reading(X.to(device), dtype=torch.float32).cpu().double()
    assert float((single - expected).abs().max()) <= 1e-5 * float(expected.max())


@pytest.mark.parametrize("activation", [ntk.relu, ntk.gelu, ntk.sin, ntk.softplus, ntk.Polynomial([0.1, 1.0, 0.2])])
def test_plain_algebra_and_duals(device, activation):
    """arch.kernel with inputs on the device equals the CPU's, for closed forms and series."""
    arch = ntk.zoo.mlp(3, activation)
    k, expected = arch.kernel(X.to(device)), arch.kernel(X)
    assert_same(k.ntk, expected.ntk, device)
    assert_same(k.nngp, expected.nngp, device)


def test_inputs_of_one_norm(device):
    """The polynomial of the sphere."""
    x = ntk.data.sphere(60, 5, seed=0)
    arch = ntk.zoo.mlp(3, ntk.gelu)
    assert_same(arch.ntk(x.to(device)), arch.kernel(x).ntk, device)


def test_networks_and_their_kernels(device):
    """One seed is one network on every device; its empirical NTK, both ways, and the products with a vector."""
    here = ARCH.network(width=16, like=X, seed=3, out_features=2)
    there = ARCH.network(width=16, like=X.to(device), seed=3, out_features=2)
    assert_same(there(X.to(device)).detach(), here(X).detach(), device)
    expected = layerwise(here, X, Z)
    assert_same(layerwise(there, X.to(device), Z.to(device)), expected, device)
    assert_same(by_autograd(there, X.to(device), Z.to(device)), expected, device)
    assert_same(ntk.empirical_ntk_trace(there, X.to(device)), ntk.empirical_ntk_trace(here, X), device)
    v = torch.ones(len(Z), 2, dtype=torch.float64)
    product = ntk.ntk_vector_product(there, X.to(device), Z.to(device), v.to(device))
    assert_same(product, ntk.ntk_vector_product(here, X, Z, v), device)


def test_training_networks(device):
    """Gradient descent of one network and of an ensemble: the same trajectory."""
    here, there = (ARCH.network(width=8, like=x, seed=1) for x in (X, X.to(device)))
    costs = ntk.gradient_descent(here, X, Y, lr=0.2, steps=20)
    assert_same(ntk.gradient_descent(there, X.to(device), Y.to(device), lr=0.2, steps=20), costs, device, 1e-8)
    how = {"width": 8, "seeds": [1, 2], "lr": 0.2, "steps": 20}
    paths = [ntk.train_ensemble(ARCH, x, x.prod(1), ntk_at=x[:5], **how) for x in (X, X.to(device))]
    assert_same(paths[1].cost, paths[0].cost, device, 1e-8)
    assert_same(paths[1].ntk, paths[0].ntk, device, 1e-8)


def test_training_a_kernel(device):
    """Least squares at several times, the limiting law, the flow of another cost, and the spectrum."""
    own, cross, test = ARCH.grams(X), ARCH.grams(Z, X), ARCH.nngp(Z)

    def moved(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(device)

    t = torch.tensor([0.0, 3.0, math.inf], dtype=torch.float64)
    expected = ntk.LeastSquares.fit(own.ntk, Y).predict(cross.ntk, t)
    assert_same(
        ntk.LeastSquares.fit(moved(own.ntk), moved(Y)).predict(moved(cross.ntk), moved(t)), expected, device, 1e-8
    )
    laws = [
        ntk.limit_law(
            f(Y),
            ntk=f(own.ntk),
            nngp=f(own.nngp),
            ntk_test=f(cross.ntk),
            nngp_test=f(cross.nngp),
            nngp_test_test=f(test),
            t=5.0,
        )
        for f in (lambda tensor: tensor, moved)
    ]
    assert_same(laws[1].covariance, laws[0].covariance, device, 1e-8)
    signs = Y.sign()
    flows = [ntk.kernel_gradient_flow(f(own.ntk), f(signs), ntk.logistic, t=4.0).f for f in (lambda s: s, moved)]
    assert_same(flows[1], flows[0], device, 1e-7)
    assert_same(ntk.kernel_pca(moved(own.ntk), 3).eigenvalues, ntk.kernel_pca(own.ntk, 3).eigenvalues, device)


def test_generalization(device):
    """The bound and the learning curve."""
    gram = ARCH.ntk(X)
    assert_same(ntk.rkhs_bound(gram.to(device), Y.to(device)), ntk.rkhs_bound(gram, Y), device, 1e-6)
    curves = [ntk.empirical_learning_curve(g, y, [5, 20]) for g, y in ((gram, Y), (gram.to(device), Y.to(device)))]
    assert_same(curves[1].test_error, curves[0].test_error, device, 1e-6)


def test_linearized_and_random_features(device):
    """A linearized network, its tangent features, and the finite-width correction."""
    networks = [ARCH.network(width=6, like=x, seed=0) for x in (X, X.to(device))]
    features = [ntk.tangent_features(network, x) for network, x in zip(networks, (X, X.to(device)), strict=True)]
    assert_same(features[1], features[0], device)
    linear = [ntk.linearize(network)(x).detach() for network, x in zip(networks, (X, X.to(device)), strict=True)]
    assert_same(linear[1], linear[0], device)


def test_convolutions(device):
    """Strips of pixel pairs on a device, and in float32 on a GPU the fused kernel, equal the plain algebra."""
    x = inputs(7, 8 * 9, seed=3).view(7, 8, 9, 1)
    conv = ntk.Conv2d(3, sigma_w=1.3, sigma_b=0.1)
    for read in (ntk.GlobalAvgPool(), ntk.Flatten()):
        arch = ntk.serial(conv, ntk.relu, conv, ntk.relu, read, D())
        expected = arch.kernel(x)
        for kind in ("nngp", "ntk"):
            assert_same(getattr(arch, kind)(x.to(device)), getattr(expected, kind), device)
            single = getattr(arch, kind)(x.to(device), x[:3].to(device), dtype=torch.float32)
            assert_same(single.double(), getattr(expected, kind)[:, :3], device, 2e-5)
