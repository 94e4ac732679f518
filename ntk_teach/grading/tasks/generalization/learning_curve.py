"""Task 07.4: the test error of kernel regression, predicted from the spectrum."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach import learning_curve as predicted
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.generalization.draws import spectrum

__all__ = ["learning_curve"]

HALVINGS = 50


def reference(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    return predicted(eigenvalues, power, sizes, ridge=ridge, noise=noise).test_error


def threshold(eigenvalues: Tensor, sizes: Tensor, ridge: float | Tensor) -> Tensor:
    """κ with Σ λ/(λ + κ) + δ/κ = n, by halving an interval of log κ. [s]"""
    low, high = torch.full_like(sizes, -16.0), torch.full_like(sizes, 12.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        kappa = middle.exp()
        too_many = (eigenvalues / (eigenvalues + kappa[:, None])).sum(1) + ridge / kappa > sizes
        low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
    return ((low + high) / 2).exp()


def learned(eigenvalues: Tensor, kappa: Tensor) -> Tensor:
    return eigenvalues / (eigenvalues + kappa[:, None])  # L_i   [s, m]


def error(learnability: Tensor, power: Tensor, sizes: Tensor, noise: float) -> Tensor:
    amplified = sizes / (sizes - learnability.square().sum(1))
    return amplified * ((1 - learnability).square() @ power + noise**2)


# wrong


def not_amplified(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You left E₀ out: what is not learned disturbs what is, and comes back amplified."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    return (1 - share).square() @ power + noise**2


def amplified_by_the_sum(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """In E₀ you summed the L_i: their squares belong there. Without a ridge the L_i sum to n, and you divide by 0."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    amplified = sizes / (sizes - share.sum(1)).clamp(min=1e-9)
    return amplified * ((1 - share).square() @ power + noise**2)


def square_of_the_sum(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """In E₀ you squared the sum of the L_i: the sum of the squares belongs there."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    amplified = sizes / (sizes - share.sum(1).square())
    return amplified * ((1 - share).square() @ power + noise**2)


def sum_not_divided(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """In E₀ you compared the sum of the squares with 1: it is compared with n, the number of examples."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    return ((1 - share).square() @ power + noise**2) / (1 - share.square().sum(1))


def bias_not_squared(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You weighed the power by 1 − L_i: the amplitude that is missing has this factor, its power the square."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    amplified = sizes / (sizes - share.square().sum(1))
    return amplified * ((1 - share) @ power + noise**2)


def learned_power(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You added up what is learned: the error is what is not, with 1 − L_i in the place of L_i."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    amplified = sizes / (sizes - share.square().sum(1))
    return amplified * (share.square() @ power + noise**2)


def amplitudes(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You squared the power: ``power`` holds v_i² already."""
    return reference(eigenvalues, power.square(), sizes, ridge, noise)


def power_forgotten(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """The target does not enter: each mode counts as much as the target has of it."""
    return reference(eigenvalues, torch.ones_like(power), sizes, ridge, noise)


def ridge_not_in_kappa(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """The ridge is missing in the equation for κ."""
    return reference(eigenvalues, power, sizes, 0.0, noise)


def ridge_as_it_stands(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """In the equation for κ you added δ: the term is δ/κ. (λ_i, δ and κ have one unit; n has none.)"""
    kappa = threshold(eigenvalues, sizes - ridge, 0.0)
    return error(learned(eigenvalues, kappa), power, sizes, noise)


def root_of_the_error(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You took the root: the mean squared error itself is asked for."""
    return reference(eigenvalues, power, sizes, ridge, noise).sqrt()


def ridge_divided(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You divided the ridge by n: here δ is added to the Gram matrix as it stands."""
    kappa = threshold(eigenvalues, sizes, ridge / sizes)
    return error(learned(eigenvalues, kappa), power, sizes, noise)


def ridge_multiplied(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You multiplied the ridge by n: here δ is added to the Gram matrix as it stands."""
    kappa = threshold(eigenvalues, sizes, ridge * sizes)
    return error(learned(eigenvalues, kappa), power, sizes, noise)


def explicit_ridge_alone(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You put κ = δ/n: that holds when there are far more examples than modes. The modes too small to be learned act
    as a ridge themselves, so κ solves an equation.
    """
    return error(learned(eigenvalues, ridge / sizes), power, sizes, noise)


def kappa_times_n(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You compared n λ_i with κ: both sides count the examples then. L_i = λ_i/(λ_i + κ), with κ falling with n."""
    kappa = threshold(eigenvalues, sizes, ridge)
    return error(learned(eigenvalues, kappa / sizes), power, sizes, noise)


def first_modes(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You let n examples learn the n largest modes and nothing else: learning fades over many modes, about λ_i = κ."""
    rank = eigenvalues.argsort(descending=True).argsort()
    return (rank >= sizes[:, None]).to(power) @ power + noise**2


def training_error(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You computed the training error, (δ/nκ)² of the test error: 0 without a ridge."""
    return predicted(eigenvalues, power, sizes, ridge=ridge, noise=noise).train_error


def noise_forgotten(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """The noise is missing: a noisy label is fitted, and it is noisy in testing, too."""
    return reference(eigenvalues, power, sizes, ridge, 0.0)


def noise_not_squared(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """``noise`` is a standard deviation σ: the squared error has its square."""
    return reference(eigenvalues, power, sizes, ridge, noise**0.5)


def noise_not_amplified(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You added the noise outside of the bracket: it is amplified by E₀ like everything that cannot be learned."""
    return reference(eigenvalues, power, sizes, ridge, 0.0) + noise**2


def n_missing_upstairs(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """E₀ lacks the n upstairs: with nothing learned it is 1."""
    return reference(eigenvalues, power, sizes, ridge, noise) / sizes


def upside_down(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """E₀ is upside down: it amplifies, so it is never below 1."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    return (sizes - share.square().sum(1)) / sizes * ((1 - share).square() @ power + noise**2)


def modes_for_examples(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """In E₀ stands the number of modes: n is the number of examples, which the learned modes use up."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    return error(share, power, torch.full_like(sizes, float(len(power))), noise)


def one_minus_the_square(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You weighed the power by 1 − L_i²: first what is missing of the amplitude, 1 − L_i, and then its square."""
    share = learned(eigenvalues, threshold(eigenvalues, sizes, ridge))
    amplified = sizes / (sizes - share.square().sum(1))
    return amplified * ((1 - share.square()) @ power + noise**2)


def power_out_of_order(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You sorted the eigenvalues and left the power as it was: they belong to each other, mode by mode."""
    return reference(eigenvalues.sort(descending=True).values, power, sizes, ridge, noise)


def whole_trace(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You put κ = (Σ λ_i + δ)/n, as if no mode were learned: what is learned no longer acts as a ridge, so κ solves an
    equation.
    """
    return error(learned(eigenvalues, (eigenvalues.sum() + ridge) / sizes), power, sizes, noise)


def tail_of_the_trace(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """You let the n largest modes be learned and all others be a ridge: learning fades over many modes, so κ solves an
    equation.
    """
    falling = eigenvalues.sort(descending=True).values
    tails = torch.stack([falling[int(n) :].sum() for n in sizes])
    return error(learned(eigenvalues, ((tails + ridge) / sizes).clamp(min=1e-9)), power, sizes, noise)


# right


def by_bisection(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    return error(learned(eigenvalues, threshold(eigenvalues, sizes, ridge)), power, sizes, noise)


def by_brent(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> NDArray[np.float64]:
    from scipy.optimize import brentq

    spectrum_, squares, found = eigenvalues.numpy(), power.numpy(), []
    for n in sizes.tolist():

        def excess(log: float, n: float = n) -> float:
            kappa = np.exp(log)
            return float((spectrum_ / (spectrum_ + kappa)).sum() + ridge / kappa - n)

        kappa = np.exp(brentq(excess, -30, 30, xtol=1e-13))
        missing = kappa / (spectrum_ + kappa)
        rest = n - ((1 - missing) ** 2).sum()
        found.append(n * ((missing**2 * squares).sum() + noise**2) / rest)
    return np.array(found)


def by_newton(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    """In u = 1/κ the left side rises and is concave: Newton's steps from below never overshoot."""
    u = torch.full_like(sizes, 1e-6)
    for _ in range(200):
        total = 1 + eigenvalues * u[:, None]
        rise = (eigenvalues / total.square()).sum(1) + ridge
        u = u - ((eigenvalues * u[:, None] / total).sum(1) + ridge * u - sizes) / rise
        u = u.clamp(min=1e-12)
    return error(learned(eigenvalues, 1 / u), power, sizes, noise)


def float32(eigenvalues: Tensor, power: Tensor, sizes: Tensor, ridge: float, noise: float) -> Tensor:
    return by_bisection(eigenvalues.float(), power.float(), sizes.float(), ridge, noise)


def regression(rng: np.random.Generator, *, modes: int, sizes: tuple[int, ...], ridge: bool, noise: bool) -> Arguments:
    eigenvalues, power = spectrum(rng, modes)
    shuffled = torch.from_numpy(rng.permutation(modes))
    return {
        "eigenvalues": eigenvalues[shuffled],
        "power": power[shuffled],
        "sizes": torch.tensor(sizes, dtype=torch.float64),
        "ridge": float(rng.uniform(0.3, 0.9)) if ridge else 0.0,
        "noise": float(rng.uniform(0.3, 0.6)) if noise else 0.0,
    }


BIAS, NOISE = "a target without noise", "noise in the labels"

learning_curve = Task(
    id="07.4",
    title="The learning curve",
    signature="predicted_error(eigenvalues, power, sizes, ridge, noise) -> [s]",
    reference=reference,
    credit={BIAS: 2, NOISE: 1},
    cases=(
        Case(BIAS, "a ridge", partial(regression, modes=40, sizes=(3, 8, 20, 55), ridge=True, noise=False)),
        Case(BIAS, "no ridge", partial(regression, modes=60, sizes=(2, 10, 30), ridge=False, noise=False)),
        Case(NOISE, "a ridge", partial(regression, modes=30, sizes=(4, 12, 25, 40), ridge=True, noise=True)),
        Case(NOISE, "no ridge", partial(regression, modes=50, sizes=(3, 15, 35), ridge=False, noise=True)),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                not_amplified,
                amplified_by_the_sum,
                square_of_the_sum,
                sum_not_divided,
                bias_not_squared,
                learned_power,
                amplitudes,
                power_forgotten,
                ridge_not_in_kappa,
                ridge_as_it_stands,
                root_of_the_error,
                ridge_divided,
                ridge_multiplied,
                explicit_ridge_alone,
                kappa_times_n,
                first_modes,
                training_error,
                n_missing_upstairs,
                upside_down,
                modes_for_examples,
                one_minus_the_square,
                power_out_of_order,
                whole_trace,
                tail_of_the_trace,
            )
        ),
        Misconception(noise_forgotten, keeps=2),
        Misconception(noise_not_squared, keeps=2),
        Misconception(noise_not_amplified, keeps=2),
    ),
    alternatives=(by_bisection, by_brent, by_newton, float32),
    when_nan="a division by 0: without a ridge Σ L_i is n itself; E₀ has the sum of the squares.",
)
