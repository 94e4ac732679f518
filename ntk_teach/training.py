"""Many finite networks trained at once: what an ensemble does on its way to the limit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ntk_teach.architecture import Architecture
from ntk_teach.costs import squared_error
from ntk_teach.empirical import empirical_ntk
from ntk_teach.errors import (
    DomainError,
    ShapeError,
    check_accepts,
    check_count,
    check_same,
    check_scale,
    check_vectors,
    sentence,
)
from ntk_teach.shapes import OtherVectors, Vectors

__all__ = ["Trajectories", "train_ensemble"]

CHUNK = 2**20  # parameters stepped at once: few enough to stay in a processor's cache from step to step


@dataclass(frozen=True)
class Trajectories:
    """The same gradient descent from B random initializations, looked at after some of the steps.

    Args:
        steps: T numbers of steps taken. [T]
        times: t = lr · steps (t in units of 1/lr). [T]
        f: outputs at the training inputs, [B, T, n], or [B, T, n, c] for targets [n, c].
        cost: the cost of each network. [B, T]
        f_test: outputs at ``x_test``, [B, T, m] or [B, T, m, c]; None without ``x_test``.
        ntk: Θ at ``ntk_at``, [B, T, k, k], and [B, T, k, k, c, c] for several outputs; None without ``ntk_at``.
        parameters_at: the numbers of steps after which the parameters were kept.
        parameters: by name, each [B, len(parameters_at), *shape].

    Chapter: 06_least_squares_dynamics.
    """

    steps: Int[Tensor, " times"]
    times: Float[Tensor, " times"]
    f: Float[Tensor, "seeds times n *c"]
    cost: Float[Tensor, "seeds times"]
    f_test: Float[Tensor, "seeds times m *c"] | None
    ntk: Float[Tensor, "seeds times k k *pairs"] | None
    parameters_at: tuple[int, ...]
    parameters: dict[str, Tensor]


@dataclass(frozen=True)
class _Plan:
    """What is the same for every member of an ensemble."""

    x: Tensor
    y: Tensor
    x_test: Tensor | None
    ntk_at: Tensor | None
    cost: Callable[[Tensor, Tensor], Tensor]
    lr: float
    last: int
    at: frozenset[int]
    parameters_at: frozenset[int]


class _Record:
    """Lists that grow along the recorded steps."""

    def __init__(self) -> None:
        self.f: list[Tensor] = []
        self.cost: list[Tensor] = []
        self.f_test: list[Tensor] = []
        self.ntk: list[Tensor] = []
        self.parameters: dict[str, list[Tensor]] = {}


def train_ensemble(
    arch: Architecture,
    x: Vectors,
    y: Tensor,
    *,
    width: int | Sequence[int],
    seeds: Sequence[int],
    lr: float = 1.0,
    steps: int = 200,
    cost: Callable[[Tensor, Tensor], Tensor] = squared_error.value,
    at: Sequence[int] | None = None,
    x_test: OtherVectors | None = None,
    ntk_at: OtherVectors | None = None,
    parameters_at: Sequence[int] | None = None,
) -> Trajectories:
    """θ ← θ − lr ∂C/∂θ for the networks ``arch.network(width=width, like=x, seed=s)``, s in ``seeds``, side by side.

    Each member takes the steps of ``gradient_descent`` on its own network; nothing is shared but the data.

    Args:
        x: training inputs [n, d].
        y: targets [n] for one output, or [n, c].
        width: units of every hidden layer, or one number for each.
        seeds: of the draws, one for each of the B networks.
        lr: step size; training time is t = lr · steps (t in units of 1/lr).
        steps: how many.
        cost: (f, y) ↦ scalar, the cost of one network from its outputs [n] or [n, c]; the mean of half the squared
            error unless given.
        at: numbers of steps to look after; every one unless given.
        x_test: inputs [m, d] to follow beside the training inputs.
        ntk_at: inputs [k, d] at which to record Θ. One call of ``empirical_ntk`` for each network and recorded step.
        parameters_at: numbers of steps after which all parameters are kept; the first and the last unless given,
            ``()`` for none. Memory: B · P numbers for each.

    Returns: Trajectories. Raises: ShapeError, DtypeError, DomainError for inputs that do not fit; DomainError, naming
        the seed and lr, if a cost becomes infinite.

    Cost: B · steps forward and backward passes, in batched products of some 10⁶ parameters at a time.
    Source: Jacot, Gabriel & Hongler 2018, section 6. Chapter: 06_least_squares_dynamics.
    """
    where = "train_ensemble"
    x = check_vectors(x, name="x", where=where)
    target = check_vectors(y[:, None] if isinstance(y, Tensor) and y.ndim == 1 else y, name="y", where=where)
    check_same(x, target, names=("x", "y"), where=where)
    if len(target) != len(x):
        do = "give one target for each input"
        raise ShapeError(sentence(where, f"{len(x)} targets", str(list(y.shape)), do))
    check_scale(lr, name="lr", where=where)
    last = check_count(steps, name="steps", where=where, minimum=0)
    if not len(seeds):
        raise DomainError(sentence(where, "at least one seed", "none", "pass seeds=range(10)"))
    looks = _moments(range(last + 1) if at is None else at, last, "at", where)
    kept = _moments((0, last) if parameters_at is None else parameters_at, last, "parameters_at", where)
    plan = _Plan(x, y, x_test, ntk_at, cost, lr, last, frozenset(looks), frozenset(kept))

    def drawn(seed: int) -> nn.Sequential:
        return arch.network(width=width, like=x, out_features=target.shape[1], seed=seed)

    example = drawn(seeds[0])
    _check_plan(example, plan, where)
    size = max(1, CHUNK // max(1, sum(p.numel() for p in example.parameters())))
    groups = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    records = [_trained([drawn(seed) for seed in group], group, plan) for group in groups]

    def joined(lists: list[list[Tensor]]) -> Tensor:
        return torch.cat([torch.stack(values, dim=1) for values in lists])  # [B, T, ...]

    names = records[0].parameters
    taken = torch.tensor(looks, device=x.device)
    return Trajectories(
        steps=taken,
        times=taken.to(x.dtype) * lr,
        f=joined([record.f for record in records]),
        cost=joined([record.cost for record in records]),
        f_test=None if x_test is None else joined([record.f_test for record in records]),
        ntk=None if ntk_at is None else joined([record.ntk for record in records]),
        parameters_at=kept,
        parameters={name: joined([record.parameters[name] for record in records]) for name in names},
    )


def _trained(networks: list[nn.Sequential], seeds: Sequence[int], plan: _Plan) -> _Record:
    """A group of networks, stacked, through all steps."""
    base = copy.deepcopy(networks[0])
    parameters, buffers = stack_module_state(networks)
    del networks
    trained = [p for p in parameters.values() if p.requires_grad]

    def outputs(inputs: Tensor) -> Tensor:
        def one(theta: dict[str, Tensor], state: dict[str, Tensor]) -> Tensor:
            f: Tensor = functional_call(base, (theta, state), (inputs,))
            return f.reshape(len(f), *plan.y.shape[1:])  # [n] or [n, c]

        f: Tensor = vmap(one)(parameters, buffers)
        return f  # [B, n] or [B, n, c]

    record = _Record()
    for step in range(plan.last + 1):
        f = outputs(plan.x)
        costs: Tensor = vmap(plan.cost, (0, None))(f, plan.y)  # [B]
        _check_finite(costs, seeds, step, plan.lr)
        if step in plan.at:
            record.f.append(f.detach())
            record.cost.append(costs.detach())
            if plan.x_test is not None:
                with torch.no_grad():
                    record.f_test.append(outputs(plan.x_test))
            if plan.ntk_at is not None:
                record.ntk.append(_kernels(base, parameters, plan.ntk_at))
        if step in plan.parameters_at:
            for name, parameter in parameters.items():
                record.parameters.setdefault(name, []).append(parameter.detach().clone())
        if step < plan.last:
            # The members are independent, so the gradient of the sum of their costs is the gradient of each.
            slopes = torch.autograd.grad(costs.sum(), trained)
            with torch.no_grad():
                for parameter, slope in zip(trained, slopes, strict=True):
                    parameter.sub_(slope, alpha=plan.lr)
    return record


def _kernels(base: nn.Module, parameters: dict[str, Tensor], x: Tensor) -> Tensor:
    """Θ(x, x) of each member, [B, k, k] or [B, k, k, c, c]: its parameters laid into one module in turn."""
    own = dict(base.named_parameters())
    kernels = []
    for member in range(len(next(iter(parameters.values())))):
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(parameters[name][member])
        kernels.append(empirical_ntk(base, x))
    return torch.stack(kernels)


def _moments(steps: Sequence[int], last: int, name: str, where: str) -> tuple[int, ...]:
    """Numbers of steps in order, each once, none after the last."""
    wanted = sorted({check_count(step, name=name, where=where, minimum=0) for step in steps})
    if name == "at" and not wanted:
        raise DomainError(sentence(where, "at least one step to look after", "at=()", "pass at=(0, steps)"))
    if wanted and wanted[-1] > last:
        do = f"take more steps, or leave out what comes after step {last}"
        raise DomainError(sentence(where, f"{name} no later than steps={last}", str(wanted[-1]), do))
    return tuple(wanted)


def _check_plan(example: nn.Module, plan: _Plan, where: str) -> None:
    """Do the probes fit the network, is anything trained, and is the cost one number?"""
    if not any(p.requires_grad for p in example.parameters()):
        do = "let Dense(trained=True) stand somewhere"
        raise DomainError(sentence(where, "an architecture with trained parameters", "none", do))
    for name, probe in (("x_test", plan.x_test), ("ntk_at", plan.ntk_at)):
        if probe is not None:
            check_accepts(example, check_vectors(probe, name=name, where=where), name=name, where=where)
    with torch.no_grad():
        value = plan.cost(plan.y, plan.y)
    if not isinstance(value, Tensor) or value.ndim != 0:
        received = str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__
        raise ShapeError(sentence(where, "cost(f, y) a single number", received, "take the mean over the examples"))


def _check_finite(costs: Tensor, seeds: Sequence[int], step: int, lr: float) -> None:
    bad = torch.nonzero(~torch.isfinite(costs))
    if len(bad):
        first = int(bad[0])
        received = f"{costs[first].item()} for seed {seeds[first]} after {step} steps with lr={lr:g}"
        do = "choose lr below 2/λ_max(Θ/N) of the narrowest network"
        raise DomainError(sentence("train_ensemble", "finite costs", received, do))
