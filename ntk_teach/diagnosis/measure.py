"""The measurements: one kernel before, one after, and gradient descent between them, on copies."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from ntk_teach.diagnosis.data import ROWS, WHERE, Rows, drawn, targets
from ntk_teach.diagnosis.path import forecast, trained
from ntk_teach.diagnosis.report import Diagnosis
from ntk_teach.empirical import empirical_ntk
from ntk_teach.empirical.problem import MEMORY, examined
from ntk_teach.errors import DomainError, check_count, check_scale, sentence
from ntk_teach.lazy import parameter_drift, relative_scale
from ntk_teach.spectrum import alignment, block_gram, centered_alignment

__all__ = ["diagnose"]


def diagnose(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    steps: int = 300,
    rate: float | int = 0.25,
    inputs: int = 128,
    seed: int = 0,
    memory: float | int = MEMORY,
) -> Diagnosis:
    """Is this network lazy on these data? Its kernel forecasts the loss curve; then a copy of it is trained.

    The cost is C = 1/(2N) Σ ‖f(x_i) − y_i‖², trained on all inputs at once. The forecast is that of the tangent,
    f_lin,k = y + (Id − lr Θ₀/N)^k (f₀ − y), exact for a network that is linear in its parameters.

    The verdict, by two thresholds:

    - "lazy": ``kernel_drift`` ≤ 0.1 and ``forecast_error`` ≤ 0.1;
    - "feature learning": not lazy, and ``kernel_turn`` ≥ 0.25;
    - "between": the rest; also a kernel that only grew, which is another speed but the same features.

    It holds for these inputs, this step size and this many steps, no others. κ is reported and does not decide.

    Args:
        network: any module from [n, …] to [n, c], or to [n], that treats the inputs one by one; it is left as it is.
        x: inputs [n, …].
        y: targets [n] for one output, or [n, c], of the dtype of x.
        steps: of gradient descent.
        rate: the step size as a share of the critical one, lr = rate · 2/λ_max(Θ₀/N), between 0 and 1.
        inputs: the most that are used, and no more than 2048/c; if more are given, so many are drawn from them.
        seed: of that draw, and of the start of the search for κ.
        memory: bytes for the kernels, as in ``empirical_ntk``.

    Returns: Diagnosis. Raises: ShapeError, DtypeError, DomainError for data that do not fit; DomainError, as
        ``empirical_ntk``, for dropout or batch normalization in training mode; for targets that are reached before
        the first step; and for a cost that blows up.

    Cost: two kernels, an eigendecomposition of N·c rows, ``steps`` passes, and some sixty derivatives for κ.
    Source: Lee et al. 2019 (the forecast); Chizat, Oyallon & Bach 2019 (κ); the thresholds are ours.
    Chapter: 14_critique.
    """
    rate = check_scale(rate, name="rate", where=WHERE)
    if not 0 < rate < 1:
        do = "at rate=1 even the tangent no longer comes to rest"
        raise DomainError(sentence(WHERE, "rate above 0 and below 1", repr(rate), do))
    check_count(steps, name="steps", where=WHERE)
    check_count(inputs, name="inputs", where=WHERE)
    check_count(seed, name="seed", where=WHERE, minimum=0)
    outputs = examined(network, x, None, memory, where=WHERE).outputs
    target = targets(y, x, outputs)
    chosen = drawn(len(x), min(inputs, max(1, ROWS // outputs)), seed).to(x.device)
    x, target = x.detach()[chosen], target[chosen]
    before = Rows(copy.deepcopy(network), x.shape[1:])
    after, flat = copy.deepcopy(before), x.flatten(1)

    kernel = _kernel(before, x, memory)
    with torch.no_grad():
        start = (before(flat) - target).double().reshape(-1)
    values, vectors = torch.linalg.eigh(kernel / len(x))
    values = torch.where(values > len(values) * torch.finfo(x.dtype).eps * values[-1], values, 0.0)
    if not bool(values[-1] > 0):
        do = "check that the outputs depend on the parameters"
        raise DomainError(sentence(WHERE, "a kernel that is not zero", "a zero matrix", do))
    if float(start.norm()) <= torch.finfo(x.dtype).eps * float(target.norm()):
        raise DomainError(sentence(WHERE, "targets to be learned", "what the network computes", "give others"))
    critical = 2 / float(values[-1])
    lr = rate * critical
    costs, residual = forecast(values, vectors, start, lr, steps, len(x))
    kappa = relative_scale(before, flat, target, iterations=12, starts=1, seed=seed).kappa
    actual = trained(after, flat, target, lr, steps, rate)
    moved = _kernel(after, x, memory)
    with torch.no_grad():
        end = (after(flat) - target).double().reshape(-1)
    return Diagnosis(
        given=len(y),
        inputs=len(x),
        outputs=outputs,
        steps=steps,
        lr=lr,
        critical_lr=critical,
        kappa=kappa,
        rates=values.flip(0),
        alignment_before=_alignment(kernel, target),
        alignment_after=_alignment(moved, target),
        forecast=costs,
        actual=actual.double(),
        kernel_drift=float((moved - kernel).norm() / kernel.norm()),
        kernel_turn=math.sqrt(max(0.0, 1 - float(alignment(kernel, moved)) ** 2)),
        parameter_drift=float(parameter_drift(before, after)),
        function_gap=float((end - residual).norm() / (residual - start).norm()),
    )


def _kernel(rows: Rows, x: Tensor, memory: float | int) -> Tensor:
    """Θ over the pairs (input, output), [n·c, n·c], float64."""
    theta = empirical_ntk(rows.network, x, memory=memory)
    return (block_gram(theta) if theta.ndim == 4 else theta).double()


def _alignment(kernel: Tensor, target: Tensor) -> float:
    """Of the mean over outputs with the targets; nan where all targets are the same."""
    n, c = target.shape
    y = (target - target.mean(0)).double()
    if float(y.norm()) <= len(y) * torch.finfo(target.dtype).eps * float(target.norm()):
        return math.nan
    mean = kernel.reshape(n, c, n, c).diagonal(dim1=1, dim2=3).mean(-1)  # [n, n]
    return float(centered_alignment(mean, y @ y.T))
