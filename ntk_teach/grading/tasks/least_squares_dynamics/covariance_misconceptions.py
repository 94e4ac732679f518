"""Wrong covariances of trained networks: a posterior in their place, a term too few, the wrong kernel in a term."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ntk_teach.grading.tasks.least_squares_dynamics.covariance_terms import Question, answers, pushed, response

__all__ = ["EVERYWHERE"]


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


@answers
def one_cross_term_twice(q: Question) -> Tensor:
    """You doubled the cross term M Σ(X, x'), the map on the left: it stands once with the map on each side, and a
    covariance is symmetric.
    """
    moved = q.moved()
    return q.nngp_test_test + moved @ q.nngp @ moved.T - 2 * moved @ q.nngp_test.T


@answers
def other_cross_term_twice(q: Question) -> Tensor:
    """You doubled the cross term with the map on the right: it stands once with the map on each side, and a covariance
    is symmetric.
    """
    moved = q.moved()
    return q.nngp_test_test + moved @ q.nngp @ moved.T - 2 * q.nngp_test @ moved.T


@answers
def cross_terms_halved(q: Question) -> Tensor:
    """The cross terms are averaged: (a − b)² has 2ab, here once in each order."""
    mixed = q.moved() @ q.nngp_test.T
    return pushed(q, q.moved()) + (mixed + mixed.T) / 2


@answers
def prior_missing(q: Question) -> Tensor:
    """The covariance of the start at the test points is missing: a network still carries it, minus what was learned."""
    return pushed(q, q.moved()) - q.nngp_test_test


@answers
def identity_on_the_data(q: Question) -> Tensor:
    """Between the maps stands nothing: the starts on the data are correlated, with the covariance Σ(X, X)."""
    moved = q.moved()
    return pushed(q, moved) + moved @ (torch.eye(len(q.nngp), dtype=moved.dtype) - q.nngp) @ moved.T


@answers
def map_from_the_prior(q: Question) -> Tensor:
    """The map starts with Σ(x, X): what moves a test point along with the data is Θ(x, X)."""
    return pushed(q, response(q.ntk, q.nngp_test, q.t))


@answers
def rates_of_the_prior(q: Question) -> Tensor:
    """The exponential has Σ in it: Σ says where networks start, and Θ how fast they move."""
    values, vectors = torch.linalg.eigh(q.nngp)
    learned = vectors * -torch.expm1(-q.t * values / len(q.nngp)) @ vectors.T
    return pushed(q, q.settled() @ learned)


@answers
def half_as_fast(q: Question) -> Tensor:
    """The exponent is halved: the 1/2 in the cost and the 2 of the square's derivative cancel."""
    return pushed(q, q.moved(speed=0.5))


@answers
def averaged_again(q: Question) -> Tensor:
    """The map is divided by N once more: the 1/N stands in the exponent, and the inverse of Θ has none."""
    return pushed(q, q.moved() / len(q.ntk))


@answers
def cross_terms_at_infinity(q: Question) -> Tensor:
    """The time does not enter the cross terms: the same map stands in all terms, as far as it has come."""
    mixed = q.settled() @ q.nngp_test.T
    moved = q.moved()
    return q.nngp_test_test + moved @ q.nngp @ moved.T - mixed - mixed.T


@answers
def square_at_infinity(q: Question) -> Tensor:
    """The time does not enter the term with two maps: the same map stands in all terms, as far as it has come."""
    moved, settled = q.moved(), q.settled()
    return pushed(q, moved) - moved @ q.nngp @ moved.T + settled @ q.nngp @ settled.T


@answers
def posterior_on_its_way(q: Question) -> Tensor:
    """You let the posterior of Σ arrive exponentially: a network is no Bayesian with less data, at no time. Follow how
    f_t depends on its own start.
    """
    return q.nngp_test_test - response(q.nngp, q.nngp_test, q.t) @ q.nngp_test.T


@answers
def ones_for_identity(q: Question) -> Tensor:
    """The 1 in 1 − e^(−tΘ/N) is the identity matrix: a number is subtracted from every entry."""
    values, vectors = torch.linalg.eigh(q.ntk)
    left = vectors * torch.exp(-q.t * values / len(values)) @ vectors.T
    return pushed(q, q.settled() @ (1 - left))


@answers
def entrywise_exponential(q: Question) -> Tensor:
    """You took the exponential entry by entry: that of a matrix acts on its eigenvalues."""
    gone = torch.eye(len(q.ntk), dtype=q.ntk.dtype) - torch.exp(-q.t * q.ntk / len(q.ntk))
    return pushed(q, q.settled() @ gone)


@answers
def correlations(q: Question) -> Tensor:
    """You returned correlations: the size of the variance is what tells how much the networks differ."""
    found = pushed(q, q.moved())
    return found / torch.outer(found.diagonal(), found.diagonal()).sqrt()


@answers
def variances_alone(q: Question) -> Tensor:
    """The entries between different test points are left at 0: one network's values there move together."""
    return torch.diag(pushed(q, q.moved()).diagonal())


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
    one_cross_term_twice,
    other_cross_term_twice,
    cross_terms_halved,
    prior_missing,
    identity_on_the_data,
    map_from_the_prior,
    rates_of_the_prior,
    half_as_fast,
    averaged_again,
    cross_terms_at_infinity,
    square_at_infinity,
    posterior_on_its_way,
    ones_for_identity,
    entrywise_exponential,
    correlations,
    variances_alone,
)
