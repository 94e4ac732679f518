"""Wrong covariances of trained networks: a posterior in their place, a term too few, the wrong kernel in a term."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["EVERYWHERE"]


class Question(NamedTuple):
    """The arguments of the task."""

    ntk: Tensor  # [n, n]
    nngp: Tensor  # [n, n]
    ntk_test: Tensor  # [m, n]
    nngp_test: Tensor  # [m, n]
    nngp_test_test: Tensor  # [m, m]
    t: float

    def moved(self, *, speed: float = 1.0) -> Tensor:
        """M_t = Θ(x, X) Θ⁻¹ (1 − e^{−tΘ/N}), [m, n]."""
        return response(self.ntk, self.ntk_test, self.t, speed=speed)

    def settled(self) -> Tensor:
        """M at t = ∞."""
        settled: Tensor = torch.linalg.solve(self.ntk, self.ntk_test.T).T
        return settled


def response(k: Tensor, k_test: Tensor, t: float, *, speed: float = 1.0) -> Tensor:
    values, vectors = torch.linalg.eigh(k)
    weights = -torch.expm1(-speed * t * values / len(k)) / values
    moved: Tensor = k_test @ vectors @ (weights[:, None] * vectors.T)
    return moved


def answers(function: Callable[[Question], Tensor]) -> Callable[..., Tensor]:
    """A function of the question becomes one of the task's arguments, under the same name."""

    @wraps(function)
    def answer(
        ntk: Tensor, nngp: Tensor, ntk_test: Tensor, nngp_test: Tensor, nngp_test_test: Tensor, t: float
    ) -> Tensor:
        return function(Question(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t))

    return answer


def pushed(q: Question, moved: Tensor) -> Tensor:
    """The covariance of f_0(x) − M f_0(X)."""
    mixed = moved @ q.nngp_test.T
    return q.nngp_test_test + moved @ q.nngp @ moved.T - mixed - mixed.T


@answers
def nngp_posterior(q: Question) -> Tensor:
    """That is the posterior of the prior Σ: a Bayesian conditions with Σ, but the networks are moved by Θ."""
    known: Tensor = q.nngp_test @ torch.linalg.solve(q.nngp, q.nngp_test.T)
    return q.nngp_test_test - known


@answers
def posterior_of_two_kernels(q: Question) -> Tensor:
    """You subtracted Θ Θ⁻¹ Θ from Σ, as a posterior is written: this is no conditioning, the start is drawn from Σ
    and moved by a map that is made of Θ.
    """
    known: Tensor = q.ntk_test @ torch.linalg.solve(q.ntk, q.ntk_test.T)
    return q.nngp_test_test - known


@answers
def posterior_formula_with_the_map(q: Question) -> Tensor:
    """The prior minus M Σ(X, x') is the covariance only where M is made of Σ itself: with M of Θ the four terms do not
    collapse into two.
    """
    return q.nngp_test_test - q.moved() @ q.nngp_test.T


@answers
def square_dropped(q: Question) -> Tensor:
    """The term with M on both sides of Σ(X, X) is missing: without it a variance can be negative."""
    moved = q.moved()
    return pushed(q, moved) - moved @ q.nngp @ moved.T


@answers
def one_cross_term(q: Question) -> Tensor:
    """One of the two cross terms is missing: a covariance is symmetric."""
    moved = q.moved()
    return pushed(q, moved) + q.nngp_test @ moved.T


@answers
def other_cross_term(q: Question) -> Tensor:
    """Only the cross term with the map on the right is there: a covariance is symmetric and has both."""
    moved = q.moved()
    return pushed(q, moved) + moved @ q.nngp_test.T


@answers
def no_cross_terms(q: Question) -> Tensor:
    """The cross terms are missing: the start at a test point and the start on the data belong to one network."""
    moved = q.moved()
    return q.nngp_test_test + moved @ q.nngp @ moved.T


@answers
def cross_terms_added(q: Question) -> Tensor:
    """The cross terms have the wrong sign: what has been learned is M (y − f_0), with a minus before f_0."""
    moved = q.moved()
    mixed = moved @ q.nngp_test.T
    return q.nngp_test_test + moved @ q.nngp @ moved.T + mixed + mixed.T


@answers
def square_subtracted(q: Question) -> Tensor:
    """You subtracted M Σ M from the prior: that holds where M is the regression on Σ, and here it is not."""
    moved = q.moved()
    return q.nngp_test_test - moved @ q.nngp @ moved.T


@answers
def learned_part_alone(q: Question) -> Tensor:
    """That is the covariance of what has been learned alone: the network still carries its start at the test point."""
    moved = q.moved()
    return moved @ q.nngp @ moved.T


@answers
def prior_alone(q: Question) -> Tensor:
    """That is the covariance at the start: training pins the function at the data, and nearby too."""
    return q.nngp_test_test.clone()


@answers
def always_at_infinity(q: Question) -> Tensor:
    """The time does not enter: at a finite t the slow modes have not arrived, and the networks differ more."""
    return pushed(q, q.settled())


@answers
def moved_by_the_prior(q: Question) -> Tensor:
    """The map is made of Σ: that is the law of networks whose last layer alone is trained."""
    return pushed(q, response(q.nngp, q.nngp_test, q.t))


@answers
def ntk_as_prior_on_the_data(q: Question) -> Tensor:
    """Between the maps stands Θ: the start is drawn with the covariance Σ, and Θ only says how it moves."""
    moved = q.moved()
    return pushed(q, moved) + moved @ (q.ntk - q.nngp) @ moved.T


@answers
def ntk_in_the_cross_terms(q: Question) -> Tensor:
    """The cross terms have Θ(x, X): the start at a test point and on the data have the covariance Σ."""
    mixed = q.moved() @ (q.ntk_test - q.nngp_test).T
    return pushed(q, q.moved()) - mixed - mixed.T


@answers
def ntk_as_prior(q: Question) -> Tensor:
    """Θ stands in all terms but the first: the start has the covariance Σ everywhere, and Θ is in the map alone."""
    moved = q.moved()
    mixed = moved @ q.ntk_test.T
    return q.nngp_test_test + moved @ q.ntk @ moved.T - mixed - mixed.T


@answers
def no_average(q: Question) -> Tensor:
    """The exponent lacks the 1/N: the cost is a mean over the N inputs, so the rates are eig(Θ)/N."""
    return pushed(q, q.moved(speed=len(q.ntk)))


@answers
def twice_as_fast(q: Question) -> Tensor:
    """The exponent is doubled: with the 1/2 in the cost the residual decays at the rate eig(Θ)/N."""
    return pushed(q, q.moved(speed=2.0))


@answers
def what_is_left(q: Question) -> Tensor:
    """The map carries what is left of the residual: what moves a test point is what has been learned."""
    return pushed(q, q.settled() - q.moved())


@answers
def kernel_not_inverted(q: Question) -> Tensor:
    """The inverse of Θ is missing in the map: integrating e^(−sλ) over time divides each mode by its λ."""
    values, vectors = torch.linalg.eigh(q.ntk)
    learned = vectors * -torch.expm1(-q.t * values / len(q.ntk)) @ vectors.T
    return pushed(q, q.ntk_test @ learned)


EVERYWHERE: tuple[Callable[..., Tensor], ...] = (
    nngp_posterior,
    posterior_of_two_kernels,
    posterior_formula_with_the_map,
    square_dropped,
    one_cross_term,
    other_cross_term,
    no_cross_terms,
    cross_terms_added,
    square_subtracted,
    learned_part_alone,
    prior_alone,
    always_at_infinity,
    moved_by_the_prior,
    ntk_as_prior_on_the_data,
    ntk_in_the_cross_terms,
    ntk_as_prior,
    no_average,
    twice_as_fast,
    what_is_left,
    kernel_not_inverted,
)
