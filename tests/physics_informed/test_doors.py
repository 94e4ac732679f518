"""What has no physics-informed kernel is refused with what to do."""

import pytest
import torch
from strategies import inputs
from torch import nn

import ntk_teach as ntk
from ntk_teach.errors import DomainError, DtypeError, RuleError, ShapeError
from ntk_teach.physics_informed import derivative, laplacian, limiting_pinn_kernels, pinn_kernels, wave
from ntk_teach.physics_informed.doors import sees_curvature

XU, XR = inputs(3, 2, seed=1), inputs(5, 2, seed=2)
DENSE = ntk.Dense(1.2, 0.3)


def arch(activation=ntk.erf):
    return ntk.serial(DENSE, activation, DENSE)


def net(activation=ntk.erf, outputs=1):
    return arch(activation).network(width=6, like=XU, out_features=outputs, seed=1)


class Centered(nn.Module):
    """Takes the mean of the batch away."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = net()

    def forward(self, x):
        return self.inner(x) - self.inner(x).mean(0)


BAD = {
    # name: (error, attempt, what the message must show)
    "points in a list": (DtypeError, lambda: pinn_kernels(net(), [0.0, 1.0], XR, laplacian), "xu: expected a torch"),
    "points without coordinates": (ShapeError, lambda: pinn_kernels(net(), XU, XR[:, 0], laplacian), r"xr: .*\[5\]"),
    "no points": (DomainError, lambda: pinn_kernels(net(), XU[:0], XR, laplacian), r"xu: .*non-empty"),
    "two spaces": (ShapeError, lambda: pinn_kernels(net(), XU, XR[:, :1], laplacian), r"coordinates \(2\)"),
    "two dtypes": (DtypeError, lambda: pinn_kernels(net(), XU, XR.float(), laplacian), "one dtype"),
    "another space than the network's": (
        ShapeError,
        lambda: pinn_kernels(net(), XU[:, :1], XR[:, :1], laplacian),
        r"x1 is xu.*received \[3, 1\]",
    ),
    "two outputs": (ShapeError, lambda: pinn_kernels(net(outputs=2), XU, XR, laplacian), "received 2 outputs; the eq"),
    "a mixing network": (DomainError, lambda: pinn_kernels(Centered(), XU, XR, laplacian), "one by one"),
    "no network": (DtypeError, lambda: pinn_kernels(arch(), XU, XR, laplacian), "torch.nn.Module"),
    "no operator": (DtypeError, lambda: pinn_kernels(net(), XU, XR, "laplacian"), r"\(u, x\) ↦ 𝓛u\(x\), received str"),
    "a mean for an operator": (
        ShapeError,
        lambda: pinn_kernels(net(), XU, XR, lambda u, x: laplacian(u, x).mean()),
        r"𝓛u of shape \[3, 1\] .* received of shape \[\]",
    ),
    "a coefficient without its axis": (
        ShapeError,
        lambda: pinn_kernels(net(), XU, XR, lambda u, x: x[:, 0] * derivative(1)(u, x)),
        r"received of shape \[3, 3\]; keep the second axis",
    ),
    "an axis that is not there": (ShapeError, lambda: pinn_kernels(net(), XU, XR, derivative(1, 2)), "below 2"),
    "an operator that mixes the points": (
        RuleError,
        lambda: pinn_kernels(net(), XU, XR, lambda u, x: laplacian(u, x) - u(x).mean(0)),
        "each row of 𝓛u from its own point",
    ),
    "a coefficient that divides by 0": (
        DomainError,
        lambda: pinn_kernels(net(), XU, XR, lambda u, x: u(x) / (x[:, :1] - XR[3, 0])),
        r"a finite 𝓛u at every point, received NaN or infinity at the rows \[3\] of xr",
    ),
    "an operator in float32": (DtypeError, lambda: pinn_kernels(net(), XU, XR, lambda u, x: u(x).float()), "of u"),
    "an operator without points": (
        ShapeError,
        lambda: pinn_kernels(net(), XU, XR, lambda u: u(XR)),
        r"an operator \(u, x\) .*TypeError: .*takes 1 positional argument",
    ),
    "an operator plus a number": (DomainError, lambda: laplacian + 1, r"Δ, plus: expected a LinearOperator, .*int"),
    "an operator minus a function": (DomainError, lambda: laplacian - (lambda u, x: u(x)), "Δ, minus: .*function"),
    "an operator of a number": (DomainError, lambda: laplacian @ 2, "Δ, behind it: expected a LinearOperator"),
    "relu and second derivatives": (
        DomainError,
        lambda: pinn_kernels(net(ntk.relu), XU, XR, laplacian),
        "a relu network is piecewise linear",
    ),
    "relu and second derivatives among others": (
        DomainError,
        lambda: pinn_kernels(net(ntk.relu), XU, XR, laplacian + derivative(0)),
        "use a smooth activation",
    ),
    "limits, a finite network": (
        DtypeError,
        lambda: limiting_pinn_kernels(net(), XU, XR, laplacian),
        "an Architecture, received Sequential; .*pinn_kernels",
    ),
    "limits, a number for the map of the inputs": (
        DtypeError,
        lambda: limiting_pinn_kernels(arch(), XU, XR, laplacian, inputs=3),
        "inputs: expected a function",
    ),
    "limits, a coefficient without its axis": (
        ShapeError,
        lambda: limiting_pinn_kernels(arch(), XU, XR, lambda u, x: x[:, 0] * derivative(1)(u, x)),
        r"2 functions side by side, .*x\[:, :1\]",
    ),
    "limits, two spaces": (
        ShapeError,
        lambda: limiting_pinn_kernels(arch(), XU, XR[:, :1], laplacian),
        "limiting_pinn_kernels: ",
    ),
    "limits, a sum over the functions": (
        ShapeError,
        lambda: limiting_pinn_kernels(arch(), XU, XR, lambda u, x: laplacian(u, x).sum(1, keepdim=True)),
        r"𝓛u of shape \[3, 2\] .* received of shape \[3, 1\]",
    ),
    "limits, a nonlinear operator": (
        RuleError,
        lambda: limiting_pinn_kernels(arch(), XU, XR, lambda u, x: laplacian(u, x) + u(x) ** 2),
        "linear operator",
    ),
    "limits, a right-hand side": (
        RuleError,
        lambda: limiting_pinn_kernels(arch(), XU, XR, lambda u, x: laplacian(u, x) - 1),
        "leave the right-hand side out",
    ),
    "limits, an activation at the end": (
        RuleError,
        lambda: limiting_pinn_kernels(ntk.serial(DENSE, ntk.erf), XU, XR, laplacian),
        "layer 2 of 2",
    ),
    "limits, a series at a variance of 0": (
        DomainError,
        lambda: limiting_pinn_kernels(ntk.serial(ntk.Dense(), ntk.tanh, ntk.Dense()), XU, XR * 0, derivative(1)),
        r"sigma_b > 0",
    ),
}
KINKED = {"relu": ntk.relu, "leaky": ntk.leaky_relu(0.2), "abrelu": ntk.abrelu(-1.0, 0.5), "absolute": ntk.absolute}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind


@pytest.mark.boundary
@pytest.mark.parametrize("name", KINKED)
def test_a_kink_has_no_limit(name):
    """Also inside a residual branch, and with one derivative only."""
    inside = ntk.serial(DENSE, ntk.Residual(ntk.serial(KINKED[name], DENSE)), ntk.erf, DENSE)
    for architecture in (arch(KINKED[name]), inside):
        with pytest.raises(RuleError, match=r"smooth activations, received .*, with a kink at 0; use erf"):
            limiting_pinn_kernels(architecture, XU, XR, derivative(1))


def test_which_operators_see_curvature():
    """Those that change when a function is replaced by its tangent, at one of the points at least."""
    x = torch.tensor([[0.0, -0.2], [0.3, 0.1]], dtype=torch.float64)
    blind = [derivative(0), derivative(1), derivative(1) + 2 * derivative(1, 1), lambda u, z: z[:, :1] * u(z) ** 2]
    seeing = [laplacian, wave(1.0), derivative(3), derivative(1) @ derivative(1, 1), derivative(0) + laplacian]
    seeing.append(lambda u, z: z[:, :1] * derivative(2)(u, z))  # nothing at the first point
    assert not any(sees_curvature(operator, x) for operator in blind)
    assert all(sees_curvature(operator, x) for operator in seeing)
