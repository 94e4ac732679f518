"""The recurrent layer and its read-outs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntk_teach.activations import Activation, relu
from ntk_teach.errors import DomainError, RuleError, check_flag, check_scale, sentence
from ntk_teach.kernel import Dual, Kernel
from ntk_teach.nn import Last, MeanOfSteps, Recurrence
from ntk_teach.sites import Sites

__all__ = ["AverageSteps", "LastStep", "Recurrent"]


@dataclass(frozen=True)
class Recurrent:
    """h_t = φ(σ_w/√n W h_{t−1} + σ_u/√m U x_t + σ_b b): one step, repeated along time with the same W, U and b.

    At infinite width (t, t') sees (t − 1, t' − 1) and nothing else, since the weights that two different distances in
    time have met are independent; for the pre-activations

        Σ(t, t') = σ_w² E[φφ](t−1, t'−1) + σ_u² Σ_x(t, t') + σ_b²,
        Θ(t, t') = Σ(t, t') + σ_w² (Θ E[φ̇φ̇])(t−1, t'−1) + σ_u² Θ_x(t, t').

    Tied weights follow these rules if a fresh random layer reads them out (Yang 2020): end with LastStep() or
    AverageSteps(), and Dense(). Several such layers may be stacked.

    Args:
        activation: φ.
        sigma_w, sigma_u, sigma_b: scales of the weights from step to step, of the input's, and of the biases.
        sigma_h: standard deviation of an initial state that every input draws for itself, independently; 0: h_0 = 0.
        trained: False freezes W, U and b at their draws.

    Raises: DomainError for a scale that is none or what is no activation; RuleError where inputs are no sequences.

    Source: Alemohammad et al. 2020, Theorem 1; Yang 2020. Chapter: 10_recurrent_ntk.
    """

    activation: Activation = relu
    sigma_w: float = 1.0
    sigma_u: float = 1.0
    sigma_b: float = 0.0
    sigma_h: float = 0.0
    trained: bool = True
    random = True
    walks_sites = True

    def __post_init__(self) -> None:
        if not isinstance(self.activation, Activation):
            do = "pass one such as relu or erf, or Activation.from_function(f)"
            raise DomainError(sentence("Recurrent", "an activation", repr(self.activation), do))
        check_flag(self.trained, name="trained", where="Recurrent")
        for name in ("sigma_w", "sigma_u", "sigma_b", "sigma_h"):
            check_scale(getattr(self, name), name=name, where="Recurrent")

    def enters(self, sites: Sites | None) -> None:
        _check_steps(sites)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> Recurrence:
        if self.sigma_h:
            received = f"sigma_h={self.sigma_h:g}: a state that each input draws for itself is no function of the input"
            raise DomainError(
                sentence("Recurrent.module", "h_0 = 0", received, "choose sigma_h=0 for a finite network")
            )
        sigmas = (self.sigma_w, self.sigma_u, self.sigma_b)
        phi = self.activation.phi
        return Recurrence(fan_in, fan_out, phi, sigmas, generator=generator, trained=self.trained)

    def kernel(self, k: Kernel) -> Kernel:
        sides = _sequences(k)
        runs = [self._run(variance, side) for variance, side in zip(k.variances, sides, strict=True)]
        one, two = runs[0].at(1), runs[1].at(0)
        same = torch.eye(len(k.self1), dtype=k.nngp.dtype, device=k.nngp.device) if k.symmetric else None
        nngp, ntk = self._walk(k.nngp, k.ntk, one, two, same, full=not k.paired)
        if k.paired:
            own = [run.after.value for run in runs]
        else:
            always = k.nngp.new_ones(())
            own = [
                self._walk(cov, torch.zeros_like(cov), run, run, always, full=True)[0]
                for cov, run in zip((k.self1, k.self2), runs, strict=True)
            ]
        return replace(k, nngp=nngp, ntk=ntk, self1=own[0], self2=own[1], gaussian=False)

    def _run(self, variance: Tensor, side: Sites) -> _Run:
        """The variances of one list of sequences along time, [n, t]."""
        present = torch.ones_like(variance) if side.present is None else side.present
        first = present - torch.nn.functional.pad(present, (1, 0))[:, :-1]  # sequences end together, so they begin once
        before, pres, posts = torch.zeros_like(variance[:, 0]), [], []
        for t in range(variance.shape[1]):
            carried = before + self.sigma_h**2 * first[:, t]
            pres.append(self.sigma_w**2 * carried + self.sigma_u**2 * variance[:, t] + self.sigma_b**2)
            value, slope = self.activation.moments(pres[-1])
            posts.append(Dual(value * present[:, t], slope))
            before = posts[-1].value
        after = Dual(*(torch.stack(parts, 1) for parts in zip(*posts, strict=True)))
        return _Run(torch.stack(pres, 1), present, first, after)

    def _walk(
        self, cov: Tensor, theta: Tensor, one: _Run, two: _Run, same: Tensor | None, *, full: bool
    ) -> tuple[Tensor, Tensor]:
        """E[φφ] and Θ ⊙ E[φ̇φ̇] at every pair of steps, [..., t, t'], or at equal distance from the end, [..., t].

        ``same`` is 1 where x' is x, [n, n] or (): only there is h_0 shared, and only there a step meets itself.
        """
        steps = range(cov.shape[-2] if full else cov.shape[-1])
        rows: list[tuple[Tensor, Tensor]] = []
        for t in steps:
            here = [part[..., t, None] if full else part[..., t] for part in (one.before, one.present, one.first)]
            there = [part if full else part[..., t] for part in (two.before, two.present, two.first)]
            entering, met = (part[..., t, :] if full else part[..., t] for part in (cov, theta))
            carried, learned = rows[-1] if rows else (torch.zeros_like(entering), torch.zeros_like(entering))
            if full:  # (t − 1, t' − 1): the row before, one step on
                carried, learned = (torch.nn.functional.pad(part, (1, 0))[..., :-1] for part in (carried, learned))
            if self.sigma_h and same is not None:
                shared = same[..., None] if full else same
                carried = carried + self.sigma_h**2 * here[2] * there[2] * shared
            pre = self.sigma_w**2 * carried + self.sigma_u**2 * entering + self.sigma_b**2
            tangent = self.trained * pre + self.sigma_w**2 * learned + self.sigma_u**2 * met
            value, slope = self.activation.dual(pre, here[0], there[0])
            if same is not None:
                value, slope = _exact(value, slope, one, t, same, full=full)
            mask = here[1] * there[1]
            rows.append((value * mask, tangent * slope * mask))
        dim = -2 if full else -1
        values, tangents = (torch.stack(parts, dim) for parts in zip(*rows, strict=True))
        return values, tangents


class _Run(NamedTuple):
    """One list of sequences along time; all [n, t], or with one more axis for pairs."""

    before: Tensor  # variance of the pre-activations
    present: Tensor
    first: Tensor  # 1 at the first step of each sequence
    after: Dual  # E[φ²] and E[φ̇²]

    def at(self, axis: int) -> _Run:
        """With an axis for the other list."""
        before, present, first, value, slope = (part.unsqueeze(axis) for part in (*self[:3], *self.after))
        return _Run(before, present, first, Dual(value, slope))


def _exact(value: Tensor, slope: Tensor, one: _Run, t: int, same: Tensor, *, full: bool) -> tuple[Tensor, Tensor]:
    """Where a step meets itself, both expectations are those of one variable, free of cancellation."""
    found = []
    for part, own in ((value, one.after.value), (slope, one.after.slope)):
        column = part[..., t] if full else part
        column = torch.where(same > 0, own[..., t].expand_as(column), column)
        found.append(torch.select_scatter(part, column, -1, t) if full else column)
    return found[0], found[1]


def _sequences(k: Kernel) -> tuple[Sites, Sites]:
    for side in k.sites or (None,):
        _check_steps(side)
    assert k.sites is not None
    return k.sites


def _check_steps(sites: Sites | None) -> None:
    if sites is None or sites.kind != "sequences":
        received = "vectors without steps" if sites is None else sites.kind
        do = "reshape the inputs, or build them with Ragged.sequences([...])"
        raise RuleError(f"expected sequences [n, steps, features], received {received}; {do}")


@dataclass(frozen=True)
class LastStep:
    """The state after the last step: sequences of any length are compared end to end.

    Source: Alemohammad et al. 2020, section 2. Chapter: 10_recurrent_ntk.
    """

    random = False
    reads_sites = True

    def enters(self, sites: Sites | None) -> None:
        _check_steps(sites)

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[-1],)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        return Last()

    def kernel(self, k: Kernel) -> Kernel:
        _sequences(k)
        return k.read((lambda cov: cov[..., -1]) if k.paired else (lambda cov: cov[..., -1, -1]))


@dataclass(frozen=True)
class AverageSteps:
    """The mean over all steps:  Σ ← mean over pairs of steps (t, t') of Σ(t, t'), of each sequence's own steps.

    Source: Alemohammad et al. 2020, section 2 (average pooling). Chapter: 10_recurrent_ntk.
    """

    random = False
    reads_sites = True
    mixes_sites = True

    def enters(self, sites: Sites | None) -> None:
        _check_steps(sites)

    def leaves(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[-1],)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        return MeanOfSteps()

    def kernel(self, k: Kernel) -> Kernel:
        _sequences(k)
        return k.weighted(lambda present: present / present.sum(1, keepdim=True))
