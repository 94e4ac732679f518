"""Gradient descent in the space of functions: what a kernel makes of the slope of a cost, on the data and off it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.costs import Cost, squared_error
from ntk_teach.errors import (
    ConvergenceError,
    DomainError,
    ShapeError,
    check_array,
    check_count,
    check_gram,
    check_outputs,
    check_same,
    check_scale,
    sentence,
)
from ntk_teach.spectrum import block_gram, kernel_norm_squared

__all__ = ["Path", "kernel_gradient", "cost_decay", "kernel_gradient_flow", "kernel_gradient_descent"]

Cross = Float[Tensor, "m n"] | Float[Tensor, "m n c c"]
Square = Float[Tensor, "n n"] | Float[Tensor, "n n c c"]
Outputs = Float[Tensor, "n *c"]
OtherOutputs = Float[Tensor, "m *c"]
Values = Float[Tensor, "..."]


@dataclass(frozen=True, eq=False)
class Path:
    """f_t on the data at several times, and what it takes to know it anywhere else.

    Every f_t is f_0 plus a combination of the functions K(·, x_j), so the n integrals of d say it all:
    f_t(x) = f_0(x) − 1/N Σ_j K(x, x_j) ∫_0^t d|_{f_s}(x_j) ds.

    Args: t, the times [*t] in units of 1/lr; f, the outputs on the data [*t, n] or [*t, n, c]; integral of d, as f.
    """

    t: Float[Tensor, "*t"]
    f: Values
    integral: Values

    def predict(self, k_test: Cross, f0_test: float | int | OtherOutputs = 0.0) -> Values:
        """f_t(x) at other inputs, from k_test [m, n] or [m, n, c, c] and f_0 there.

        Returns: [*t, m] or [*t, m, c]. Raises: ShapeError, DtypeError, DomainError. Cost: T·m·n·c.
        """
        single = self.f.ndim == self.t.ndim + 1
        integral = self.integral[..., None] if single else self.integral  # [*t, n, c]
        _check_kernel(k_test, integral, name="k_test", where="Path.predict")
        shape = (len(k_test),) if single else (len(k_test), integral.shape[-1])
        start = _start(f0_test, shape, integral, name="f0_test", where="Path.predict")
        moved = _applied(k_test, integral) / integral.shape[-2]
        return start - (moved[..., 0] if single else moved)


def kernel_gradient(k: Cross, d: Outputs) -> OtherOutputs:
    """∇_K C(x) = 1/N Σ_j K(x, x_j) d(x_j): the direction of steepest ascent that the kernel allows, df/dt = −∇_K C.

    Args:
        k: K(x, x_j), rows at the points of evaluation, on the data or off it. [m, n] stands for K ⊗ Id over the
            outputs; [m, n, c, c] couples them.
        d: the functional derivative of the cost at the data, ``cost.gradient(f, y)``, [n] or [n, c].

    Returns: [m] or [m, c]. Raises: ShapeError, DtypeError, DomainError. Cost: m·n·c operations (c² if coupled).

    Source: Jacot, Gabriel & Hongler 2018, section 3. Chapter: 02_kernel_gradient_descent.
    """
    where = "kernel_gradient"
    d = check_array(d, name="d", shape="[n] or [n, c]", where=where)
    columns = d[:, None] if d.ndim == 1 else d  # [n, c]
    _check_kernel(k, columns, name="k", where=where)
    moved = _applied(k, columns) / len(d)
    return moved[:, 0] if d.ndim == 1 else moved


def cost_decay(k: Square, d: Outputs) -> Float[Tensor, ""]:
    """dC/dt = −‖d‖²_K = −1/N² Σ_ij d(x_i)ᵀ K(x_i, x_j) d(x_j) ≤ 0 along the kernel gradient flow.

    Args and errors as ``kernel_norm_squared``. Returns: a scalar tensor, in units of cost per time.

    Source: Jacot, Gabriel & Hongler 2018, section 3. Chapter: 02_kernel_gradient_descent.
    """
    return -kernel_norm_squared(k, d)


def kernel_gradient_flow(
    k: Square,
    y: Tensor,
    cost: Cost = squared_error,
    *,
    t: float | int | Float[Tensor, "*t"],
    f0: float | int | Outputs = 0.0,
    tolerance: float = 1e-9,
) -> Path:
    """df_t/dt(x) = −1/N Σ_j K(x, x_j) d|_{f_t}(x_j) for any convex cost, by a numerical solver.

    Args:
        k: the kernel on the data, [n, n] or [n, n, c, c], symmetric.
        y: targets as the cost wants them.
        t: finite times ≥ 0 in units of 1/lr, a number or a tensor in any order.
        f0: outputs at t = 0, [n] or [n, c], or one number for all of them.
        tolerance: relative error of each step of the solver, which is LSODA: it turns implicit where rates differ
            by so much that an explicit method would crawl. At least a hundred times the rounding of the dtype.

    Returns: Path with f_t on the data; ``path.predict(k_test, f0_test)`` is f_t elsewhere.

    Raises: ShapeError, DtypeError, DomainError; ConvergenceError where the solver gives up.

    Cost: some ten to a thousand products with k. For the squared error ``LeastSquares`` is exact and faster.

    Source: Jacot, Gabriel & Hongler 2018, section 3. Chapter: 02_kernel_gradient_descent.
    """
    from scipy.integrate import solve_ivp  # a quarter of a second that `import ntk_teach` need not wait for

    where = "kernel_gradient_flow"
    tolerance = check_scale(tolerance, name="tolerance", where=where, minimum=1e-13)
    start = _checked_start(k, y, cost, f0, where=where)
    tolerance = max(tolerance, 100 * torch.finfo(k.dtype).eps)  # the slopes have no more digits
    times = check_array(torch.as_tensor(t, dtype=k.dtype, device=k.device), name="t", shape="[*t]", where=where)
    if bool((times < 0).any()):
        raise DomainError(sentence(where, "times t ≥ 0", f"{float(times.min())}", "the flow starts at t = 0"))

    # The unknown is the integral of d, not f: f on the data and anywhere else is linear in it.
    def outputs(integral: Tensor) -> Tensor:
        columns = integral.reshape(len(start), -1)  # [n, c]
        return start - (_applied(k, columns) / len(start)).reshape(start.shape)  # [n] or [n, c]

    def motion(now: float, state: np.ndarray) -> np.ndarray:
        integral = torch.as_tensor(state, dtype=k.dtype, device=k.device)
        slope: np.ndarray = cost.gradient(outputs(integral), y).detach().reshape(-1).double().cpu().numpy()
        if not np.isfinite(slope).all():  # LSODA would try again for ever
            do = "check that the cost is differentiable along the way"
            raise ConvergenceError(sentence(where, "a finite slope of the cost", f"NaN or ∞ at t = {now:.4g}", do))
        return slope

    moments = np.unique(times.double().cpu().numpy())
    states = np.zeros((len(moments), start.numel()))
    if moments[-1] > 0:
        solution = solve_ivp(
            motion, (0.0, moments[-1]), states[0], "LSODA", moments, rtol=tolerance, atol=1e-3 * tolerance
        )
        if not solution.success or not np.isfinite(solution.y).all():
            do = "raise the tolerance, or shorten t"
            raise ConvergenceError(sentence(where, f"a solution up to t = {moments[-1]:g}", solution.message, do))
        states = solution.y.T
    asked = np.searchsorted(moments, times.double().cpu().numpy())
    integral = torch.as_tensor(states[asked], dtype=k.dtype, device=k.device)  # [*t, n·c]
    integral = integral.reshape(*times.shape, *start.shape)  # [*t, n] or [*t, n, c]
    f = torch.stack([outputs(one) for one in integral.reshape(-1, *start.shape)]).reshape(integral.shape)  # [*t, n, c]
    return Path(times, f, integral)


def kernel_gradient_descent(
    k: Square,
    y: Tensor,
    cost: Cost = squared_error,
    *,
    lr: float | int,
    steps: int | Sequence[int],
    f0: float | int | Outputs = 0.0,
) -> Path:
    """f ← f − lr · 1/N Σ_j K(·, x_j) d|_f(x_j), step by step; t = lr · step.

    Args:
        k, y, cost, f0: as ``kernel_gradient_flow``.
        lr: the step size, dimensionless; stable below 2 / (cost.smoothness · λ_max(K/N)).
        steps: a number keeps every step from 0 to ``steps``; a list of numbers keeps those.

    Returns: Path, as ``kernel_gradient_flow``, so ``path.predict(k_test, f0_test)`` is f off the data.

    Raises: ShapeError, DtypeError; DomainError where the cost grows a millionfold or is no longer a number.

    Cost: one product with k for each step.

    Source: Jacot, Gabriel & Hongler 2018, section 3. Chapter: 02_kernel_gradient_descent.
    """
    where = "kernel_gradient_descent"
    lr = check_scale(lr, name="lr", where=where)
    f = _checked_start(k, y, cost, f0, where=where)
    kept = _kept(steps, where=where)
    wanted = set(kept)
    integral, first = torch.zeros_like(f), cost.value(f, y)
    outputs, integrals = {}, {}
    for step in range(max(kept) + 1):
        _check_descent(cost.value(f, y), first, k, cost, lr, step)
        if step in wanted:
            outputs[step], integrals[step] = f, integral
        d = cost.gradient(f, y).detach()
        f = f - lr * (_applied(k, d.reshape(len(d), -1)) / len(d)).reshape(f.shape)  # [n] or [n, c]
        integral = integral + lr * d
    t = lr * torch.tensor(kept, dtype=k.dtype, device=k.device)
    return Path(t, torch.stack([outputs[s] for s in kept]), torch.stack([integrals[s] for s in kept]))


def _applied(k: Tensor, d: Tensor) -> Tensor:
    """Σ_j K(x_i, x_j) d(x_j), from d [..., n, c] to [..., m, c]; two axes of k mean K ⊗ Id."""
    return k @ d if k.ndim == 2 else torch.einsum("mnkl,...nl->...mk", k, d)


def _kept(steps: int | Sequence[int], *, where: str) -> list[int]:
    if not isinstance(steps, Sequence):
        return list(range(check_count(steps, name="steps", where=where, minimum=0) + 1))
    if not steps:
        raise DomainError(sentence(where, "at least one step to keep", "none", "give steps=100 or steps=[0, 10, 100]"))
    return [check_count(step, name="steps", where=where, minimum=0) for step in steps]


def _check_kernel(k: object, d: Tensor, *, name: str, where: str) -> None:
    """k [m, n] or [m, n, c, c] fits d [..., n, c]."""
    kernel, (n, c) = check_array(k, name=name, shape="[m, n] or [m, n, c, c]", where=where), d.shape[-2:]
    if kernel.ndim not in (2, 4) or kernel.shape[1] != n or kernel.shape[2:] not in ((), (c, c)):
        expected = f"a kernel [m, {n}] or [m, {n}, {c}, {c}]"
        do = "rows are evaluation points, columns training points"
        raise ShapeError(sentence(f"{where}, {name}", expected, str(list(kernel.shape)), do))
    check_same(d, kernel, names=("d", name), where=where)


def _start(
    f0: float | int | Tensor, shape: tuple[int, ...] | torch.Size, like: Tensor, *, name: str, where: str
) -> Tensor:
    """f_0 of the given shape, from a tensor or from one number."""
    if not isinstance(f0, Tensor):
        value = check_scale(f0, name=name, where=where, minimum=-math.inf)
        return torch.full(shape, value, dtype=like.dtype, device=like.device)
    values = check_array(f0, name=name, shape=str(list(shape)), where=where)
    if values.shape != shape:
        do = "give one value for each point and output"
        raise ShapeError(sentence(f"{where}, {name}", f"shape {list(shape)}", str(list(values.shape)), do))
    check_same(like, values, names=("k", name), where=where)
    return values


def _checked_start(k: Tensor, y: Tensor, cost: Cost, f0: float | int | Tensor, *, where: str) -> Tensor:
    """The outputs at t = 0, after all that comes in has been checked against all else."""
    kernel = check_array(k, name="k", shape="[n, n] or [n, n, c, c]", where=where)
    if kernel.ndim == 4:
        block_gram(kernel)
    else:
        check_gram(kernel, where=where)
    labels = isinstance(y, Tensor) and not y.is_floating_point()
    if not labels:
        check_outputs(y, kernel, name="y", where=where)
    elif y.shape != (len(kernel),):
        do = "give one class for each input"
        raise ShapeError(sentence(f"{where}, y", f"classes of shape {[len(kernel)]}", str(list(y.shape)), do))
    # Class indices do not say how many outputs there are; without f0 or a kernel that does, the largest index has to.
    classes = kernel.shape[2] if kernel.ndim == 4 else int(y.max()) + 1 if labels else 0
    shape = (len(kernel), classes) if labels else tuple(y.shape)
    if isinstance(f0, Tensor):
        start = check_outputs(f0, kernel, name="f0", where=where)
        start = start if labels else _start(f0, shape, kernel, name="f0", where=where)
    else:
        start = _start(f0, shape, kernel, name="f0", where=where)
    _check_kernel(kernel, start.reshape(len(start), -1), name="k", where=where)
    cost.value(start, y)
    return start


def _check_descent(current: Tensor, first: Tensor, k: Tensor, cost: Cost, lr: float, step: int) -> None:
    """Below the critical step size the cost of a convex problem never grows; a millionfold growth is divergence."""
    bound = 1e6 * max(float(first), torch.finfo(k.dtype).eps)
    if float(current) <= bound:
        return
    matrix = block_gram(k) if k.ndim == 4 else k
    critical = 2 * len(k) / (cost.smoothness * float(torch.linalg.eigvalsh(matrix)[-1]))
    known = f" = {critical:.4g}" if math.isfinite(critical) else ""
    received = f"a cost of {float(current):.3g} after {step} steps with lr = {lr:g}, from {float(first):.3g}"
    do = f"choose lr below 2 / (smoothness · λ_max(K/N)){known}"
    raise DomainError(sentence("kernel_gradient_descent", "a cost that falls", received, do))
