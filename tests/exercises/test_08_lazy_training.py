"""The exercise of chapter 08: what its demonstrations print is true, and its tasks ask for what the library gives."""

import copy
import re

import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient

import ntk_teach as ntk
from ntk_teach import lazy
from ntk_teach.grading.tasks.lazy_training import exercise

# torch itself still calls torch.jit.script when its forward mode is used for the first time.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

KAPPA, STEP, TANGENT, DRIFT, POWERS = (task.reference for task in exercise.tasks)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "08")


def network():
    x = ntk.data.gaussian(5, seed=3)[0]
    return ntk.zoo.mlp(3, ntk.erf).network(width=7, like=x, seed=1), x, torch.linspace(-1, 1, 5, dtype=torch.float64)


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    kappas, steps, tangent, drifts, powers = (re.findall(r"-?\+?\d+\.\d+", text) for text in shown)
    zero, one = [float(k) for k in kappas[:3]], [float(k) for k in kappas[3:]]
    assert zero[0] == pytest.approx(10 * zero[1], rel=1e-2)
    assert zero[0] == pytest.approx(0.16, abs=1e-4)
    assert one[2] == pytest.approx(0.08, rel=0.03)  # does not go on falling: 1 · 2/25 is left
    moved, cost = [float(v) for v in steps[::2]], [float(v) for v in steps[1::2]]
    assert moved[0] > 5 * moved[1] > 25 * moved[2]
    assert cost[0] == pytest.approx(cost[2], rel=0.2)
    gaps = [float(v) for v in tangent]
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2]
    narrow, wide, feature_narrow, feature_wide = ([float(v) for v in drifts[i : i + 4]] for i in (0, 4, 8, 12))
    assert narrow[0] == wide[0] == 0
    assert wide[-1] < 0.1 < feature_wide[-1]
    assert 0.3 < feature_wide[-1] / feature_narrow[-1] < 3
    assert [float(v) for v in powers[3::4]] == [-0.5, -1.5, 0.0, 0.0]
    assert [float(v) for v in powers[0::4]] == [0.0, 0.0, -0.5, -0.5]


def test_a_step_is_the_librarys(unchecked) -> None:
    """08.2: gradient descent with lr/α² on the scaled network, after it has moved."""
    net, x, y = network()
    h = lazy.scaled(net, 3.0)
    ntk.gradient_descent(h, x, y, lr=0.1 / 9, steps=5)
    before = copy.deepcopy(h.network)
    with torch.no_grad():
        f, f0 = before(x)[:, 0], net(x)[:, 0]
    change = STEP(ntk.tangent_features(before, x)[:, 0], f, f0, y, 3.0, 0.1)
    ntk.gradient_descent(h, x, y, lr=0.1 / 9, steps=1)
    flat = torch.nn.utils.parameters_to_vector
    torch.testing.assert_close(flat(h.network.parameters()) - flat(before.parameters()), change, rtol=1e-9, atol=1e-12)


def test_the_tangent_is_the_librarys(unchecked) -> None:
    """08.3: ``linearize``, trained."""
    net, x, y = network()
    probes = x[:3] + 0.2
    with torch.no_grad():
        starts = net(probes)[:, 0], net(x)[:, 0]
    rows = [ntk.tangent_features(net, points)[:, 0] for points in (probes, x)]
    linear = ntk.linearize(net)
    ntk.gradient_descent(linear, x, y, lr=0.3, steps=15)
    torch.testing.assert_close(
        TANGENT(*rows, *starts, y, 0.3, 15), linear(probes)[:, 0].detach(), rtol=1e-9, atol=1e-12
    )


def test_the_drift_is_the_librarys(unchecked) -> None:
    """08.4: ``lazy.kernel_drift``."""
    net, x, y = network()
    after = copy.deepcopy(net)
    ntk.gradient_descent(after, x, y, lr=0.3, steps=15)
    rows = torch.stack([ntk.tangent_features(n, x)[:, 0] for n in (net, after)])
    assert float(DRIFT(rows)[1]) == pytest.approx(float(lazy.kernel_drift(net, after, x)), rel=1e-9)


def test_kappa_is_the_librarys(unchecked) -> None:
    """08.1: ``relative_scale`` of a network with one output at one input."""
    net, x, y = network()
    point, names = x[:1], [name for name, _ in net.named_parameters()]
    shapes = [p.shape for p in net.parameters()]

    def output(theta):
        parts = torch.split(theta, [s.numel() for s in shapes])
        given = {n: p.reshape(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return torch.func.functional_call(net, given, (point,)).squeeze()

    theta = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
    gradient, hessian = torch.func.grad(output)(theta), torch.func.hessian(output)(theta)
    own = float(KAPPA(gradient, hessian, float(output(theta)), float(y[0]), 1.0))
    assert lazy.relative_scale(net, point, y[:1], iterations=200, starts=4).kappa == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_powers_are_those_of_networks(seed) -> None:
    """08.5: measured with gradients of random networks at two widths, 64 times apart."""
    generator = torch.Generator().manual_seed(seed)
    a1, a2, b2, c = (float(v) for v in torch.rand(4, generator=generator) - 0.5)
    sizes = []
    for n in (512, 512 * 64):
        draws = torch.randn(40, n, 3, generator=generator, dtype=torch.float64)
        u, v = n**a1 * draws[..., :2], n**-b2 * draws[..., 2]
        x = torch.tensor([0.6, -0.8], dtype=torch.float64)
        pre = n**-a1 * u @ x
        by_v, by_pre = n**-a2 * pre.tanh(), n**-a2 * v * (1 - pre.tanh().square())
        start = (by_v * v).sum(1).square().mean().sqrt()
        last, first = by_v.square().sum(1).mean(), n ** (-2 * a1) * by_pre.square().sum(1).mean()  # |x| = 1
        features = n ** (-2 * a1) * by_pre.abs().mean()
        rate = n**-c
        sizes.append(torch.stack([start, rate * last, rate * first, rate * features]))
    measured = (sizes[1] / sizes[0]).log() / torch.log(torch.tensor(64.0))
    # 40 networks: the root mean square at the start has relative error 0.11 each, 5 · 0.16 / log 64 = 0.19.
    torch.testing.assert_close(measured[1:], POWERS(a1, a2, b2, c)[1:], rtol=0, atol=0.02)
    torch.testing.assert_close(measured[:1], POWERS(a1, a2, b2, c)[:1], rtol=0, atol=0.2)
