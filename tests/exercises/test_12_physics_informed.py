"""The exercise of chapter 12: what its demonstrations print is true, and its tasks ask for what the library gives."""

import re

import pytest
import torch
from classroom import Classroom
from nbclient import NotebookClient
from torch import nn

import ntk_teach as ntk
from ntk_teach import physics_informed as pinn
from ntk_teach.grading.tasks.physics_informed import exercise

KERNEL, WEIGHTED, ERRORS = (task.reference for task in exercise.tasks)
PROBLEM = pinn.poisson(2, interior=7)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom.opened(tmp_path_factory.mktemp("course"), "12")


def network(seed=0, width=40):
    arch = ntk.serial(ntk.Dense(1, 1), ntk.tanh, ntk.Dense(1, 1))
    return nn.Sequential(pinn.Standardization.of(PROBLEM.xr), arch.network(width=width, like=PROBLEM.xr, seed=seed))


def kernels(net):
    return pinn.pinn_kernels(net, PROBLEM.xu, PROBLEM.xr, PROBLEM.operator)


def test_the_solved_notebook_runs_from_top_to_bottom(room) -> None:
    """Demonstrations and visible checks included."""
    notebook = NotebookClient(room.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    scales, traces, motion = (
        [[float(number) for number in re.findall(r"\d[\d.]*(?:e[+-]?\d+)?", line)] for line in text.splitlines()]
        for text in shown
    )
    assert [row[0] for row in scales] == [1.0, 3.0, 10.0]
    assert scales[2][3] > 300 * scales[0][3]  # the ratio grows with a high power of w
    equal, adaptive = traces
    assert adaptive[0] == pytest.approx(adaptive[2], rel=1e-3)  # equal traces
    assert adaptive[1] != pytest.approx(adaptive[3], rel=0.1)  # and not equal largest eigenvalues
    assert equal[2] > 50 * equal[0]
    (_, _, _, *plain), (_, _, _, *weighted) = motion
    for boundary_0, boundary_1, _, equation_0, _, equation_100 in (plain, weighted):
        assert boundary_0 == 0 < boundary_1  # the equation moves the boundary in the first step
        assert equation_100 < 0.5 * equation_0
    assert weighted[2] < 0.3 * plain[2]


def test_the_kernel_is_the_librarys() -> None:
    """12.1: ``pinn_kernels`` of a network without standardization and without an output bias."""
    arch = ntk.serial(ntk.Dense(1, 1), ntk.tanh, ntk.Dense(1, 0))
    net = arch.network(width=9, like=PROBLEM.xr, seed=3)
    full = pinn.pinn_kernels(net, PROBLEM.xu, PROBLEM.xr, pinn.derivative(2)).full()
    w, b, a = net[0].weight[:, 0], net[0].bias, net[2].weight[0]
    own = KERNEL(w.detach(), b.detach(), a.detach(), PROBLEM.xu[:, 0], PROBLEM.xr[:, 0])
    torch.testing.assert_close(own, full, rtol=1e-10, atol=1e-10 * float(full.abs().max()))


def test_the_weights_are_the_librarys() -> None:
    """12.2: ``weighted`` with ``adaptive_weights``; both blocks have the trace of K."""
    k = kernels(network())
    weighted = WEIGHTED(k.full(), 2)
    torch.testing.assert_close(weighted, k.weighted(pinn.adaptive_weights(k)))
    for block in (weighted[:2, :2], weighted[2:, 2:]):
        assert float(block.trace()) == pytest.approx(float(k.full().trace()), rel=1e-12)


def test_a_short_step_is_that_of_the_network() -> None:
    """12.3: one small step of a real network with weighted costs, to second order in the step."""
    gaps = []
    for lr in (1e-7, 1e-8):
        net, pair = network(), torch.tensor([30.0, 1.5], dtype=torch.float64)
        k, before = kernels(net).full(), errors_of(net)
        halves = torch.stack([part.square().sum() / 2 for part in (before[:2], before[2:])])
        slopes = torch.autograd.grad(pair @ halves, list(net.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(net.parameters(), slopes, strict=True):
                parameter.sub_(lr * slope)
        predicted = ERRORS(k, 2, pair, before.detach(), lr, 1)
        moved = (errors_of(net) - before).detach()
        gaps.append(float((errors_of(net).detach() - predicted).norm() / moved.norm()))
    assert gaps[0] < 1e-2
    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.1)


def errors_of(net):
    return torch.cat([net(PROBLEM.xu) - PROBLEM.g, PROBLEM.operator(net, PROBLEM.xr) - PROBLEM.f])[:, 0]
