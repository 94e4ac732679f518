"""Task 03.4: the law by which the kernel of P features comes to its limit, from saved Gram matrices."""

from __future__ import annotations

import math
import statistics
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntk_teach.grading.task import Case, Misconception, Task
from ntk_teach.grading.tasks.random_features.draws import saved_grams

__all__ = ["slope"]


def fitted(u: Tensor, v: Tensor) -> Tensor:
    u = u - u.mean()
    return (u @ (v - v.mean())) / (u @ u)


def distances(grams: Tensor, limit: Tensor) -> Tensor:
    """‖K̃ − K‖_F of every draw. [counts, draws]"""
    return (grams - limit).square().sum(dim=(2, 3)).sqrt()


def rms(grams: Tensor, limit: Tensor) -> Tensor:
    return distances(grams, limit).square().mean(dim=1).sqrt()


def reference(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """Not in the library: the least-squares slope of log rms distance against log P."""
    return fitted(counts.log(), rms(grams, limit).log())


def root_forgotten(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You fitted the mean square: without the root the slope is twice as steep, that of a variance."""
    return fitted(counts.log(), rms(grams, limit).square().log())


def no_logarithms(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You fitted a straight line to the raw numbers: a power law is straight only between logarithms."""
    return fitted(counts, rms(grams, limit))


def count_not_logged(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """The number of features is not in logarithms: a power law needs them on both axes."""
    return fitted(counts, rms(grams, limit).log())


def error_not_logged(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """The error is not in logarithms: a power law needs them on both axes."""
    return fitted(counts.log(), rms(grams, limit))


def two_bases(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """Two bases of logarithm are mixed (10 for the number of features, e for the error): any base will do, but one."""
    return fitted(counts.log10(), rms(grams, limit).log())


def two_bases_reversed(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """Two bases of logarithm are mixed (e for the number of features, 10 for the error): any base will do, but one."""
    return fitted(counts.log(), rms(grams, limit).log10())


def axes_swapped(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You fitted log P against log error: the slope asked is that of the error as P grows."""
    return fitted(rms(grams, limit).log(), counts.log())


def ends_only(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You joined the first and the last number of features: least squares uses all of them."""
    logs = rms(grams, limit).log()
    return (logs[-1] - logs[0]) / (counts[-1] / counts[0]).log()


def sign_dropped(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """The sign is lost: what falls as P grows has a negative slope."""
    return -reference(counts, grams, limit)


def exponent_of_the_law(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You returned the exponent of the law of large numbers: the saved matrices have a slope of their own."""
    return torch.tensor(-0.5, dtype=torch.float64)


def mean_of_distances(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You averaged the distances: the law of the variance is one of *squares*, which are averaged before the root."""
    return fitted(counts.log(), distances(grams, limit).mean(dim=1).log())


def median_distance(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You took the median of the draws: the mean of the squares is asked, in which a bad draw counts in full."""
    return fitted(counts.log(), distances(grams, limit).quantile(0.5, dim=1).log())


def mean_of_logarithms(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You averaged logarithms, draw by draw: the squares are averaged first, and the logarithm comes last."""
    return fitted(counts.log(), distances(grams, limit).log().mean(dim=1))


def average_of_the_draws(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You averaged the Gram matrices before taking the distance: in the average the errors of the draws cancel. The
    question is how far a *single* draw is from the limit.
    """
    return fitted(counts.log(), (grams.mean(dim=1) - limit).square().sum(dim=(1, 2)).sqrt().log())


def first_draw_only(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You used one draw of each number of features: the mean runs over all of them."""
    return fitted(counts.log(), distances(grams, limit)[:, 0].log())


def about_the_sample_mean(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You measured the spread of the draws about their own mean: the distance asked is that to the limit."""
    centered = grams - grams.mean(dim=1, keepdim=True)
    return fitted(counts.log(), centered.square().sum(dim=(2, 3)).mean(dim=1).log() / 2)


def limit_not_subtracted(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """The limit is not subtracted: the Gram matrices themselves tend to K and not to 0."""
    return fitted(counts.log(), grams.square().sum(dim=(2, 3)).mean(dim=1).log() / 2)


def difference_of_norms(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You compared lengths: the difference of two norms is not the norm of the difference."""
    gaps = grams.square().sum(dim=(2, 3)).sqrt() - limit.norm()
    return fitted(counts.log(), gaps.square().mean(dim=1).log() / 2)


def operator_norm(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """That is the operator norm, the largest singular value: the Frobenius norm takes the squares of all entries."""
    largest: Tensor = torch.linalg.matrix_norm(grams - limit, ord=2)
    return fitted(counts.log(), largest.square().mean(dim=1).log() / 2)


def largest_entry(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You took the largest entry of the difference: the Frobenius norm takes the squares of all entries."""
    return fitted(counts.log(), (grams - limit).abs().amax(dim=(2, 3)).square().mean(dim=1).log() / 2)


def absolute_entries(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You averaged the absolute values of the entries: the Frobenius norm, and the law of the variance, square them."""
    return fitted(counts.log(), (grams - limit).abs().mean(dim=(1, 2, 3)).log())


def intercept_returned(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You returned the height of the line at P = 1 and not its slope: which of the two coefficients comes first?"""
    logs = rms(grams, limit).log()
    return logs.mean() - fitted(counts.log(), logs) * counts.log().mean()


def through_the_origin(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """Your line goes through the origin, e = 1 at P = 1: a power law has a constant in front, and the fit an
    intercept.
    """
    logs, sizes = rms(grams, limit).log(), counts.log()
    return (sizes @ logs) / (sizes @ sizes)


def mean_of_local_slopes(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You averaged the slopes between neighbors: least squares weighs the sizes by their distance from the middle."""
    return (rms(grams, limit).log().diff() / counts.log().diff()).mean()


def last_two_sizes(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You joined the two largest numbers of features: least squares uses all of them."""
    logs = rms(grams, limit).log()
    return (logs[-1] - logs[-2]) / (counts[-1] / counts[-2]).log()


def correlation(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """That is the correlation of log e and log P: it says how straight the line is, and not how steep."""
    result: Tensor = torch.corrcoef(torch.stack([counts.log(), rms(grams, limit).log()]))[0, 1]
    return result


def worst_draw(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You took the worst of the draws: the mean of the squares over all draws is asked."""
    return fitted(counts.log(), distances(grams, limit).amax(dim=1).log())


def one_entry(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You followed one entry of the matrix: the Frobenius norm takes the squares of all entries."""
    return fitted(counts.log(), (grams - limit)[:, :, 0, 0].square().mean(dim=1).log() / 2)


def diagonal_only(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You used the diagonal of the difference alone: the Frobenius norm takes the squares of all entries."""
    errors = (grams - limit).diagonal(dim1=2, dim2=3).square().sum(-1)
    return fitted(counts.log(), errors.mean(dim=1).log() / 2)


def largest_size_for_the_limit(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """You measured from the mean at the largest number of features: the limit itself is given."""
    return fitted(counts.log(), rms(grams, grams[-1].mean(0)).log())


def numpy_polyfit(counts: Tensor, grams: Tensor, limit: Tensor) -> float:
    """A mean over entries and draws differs from the sum over entries by one factor, which no slope sees."""
    errors = np.sqrt(np.mean((grams.numpy() - limit.numpy()) ** 2, axis=(1, 2, 3)))
    return float(np.polyfit(np.log(counts.numpy()), np.log(errors), 1)[0])


def torch_least_squares(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    """The norm of all draws together, relative to the limit's, in powers of two."""
    errors = torch.linalg.vector_norm(grams - limit, dim=(1, 2, 3)) / limit.norm()
    columns = torch.stack([counts.log2(), torch.ones_like(counts)], dim=1)
    solution: Tensor = torch.linalg.lstsq(columns, errors.log2()[:, None]).solution
    return solution[0]


def plain_python(counts: Tensor, grams: Tensor, limit: Tensor) -> float:
    squares = [[float((gram - limit).norm()) ** 2 for gram in row] for row in grams]
    logs = [math.log10(statistics.fmean(row)) / 2 for row in squares]
    return statistics.linear_regression([math.log10(count) for count in counts.tolist()], logs).slope


def rounded(counts: Tensor, grams: Tensor, limit: Tensor) -> Tensor:
    return reference(counts, grams, limit).float()


slope = Task(
    id="03.4",
    title="How the error falls",
    signature="error_slope(counts, grams, limit) -> float",
    reference=reference,
    credit={"the slope": 2},
    cases=(
        Case("the slope", "5 sizes, 6 draws", partial(saved_grams, counts=(10, 40, 90, 400, 1000), draws=6, n=3)),
        Case("the slope", "4 uneven sizes, 9 draws", partial(saved_grams, counts=(20, 30, 500, 2000), draws=9, n=2)),
        Case("the slope", "3 sizes, 4 draws", partial(saved_grams, counts=(50, 80, 900), draws=4, n=5)),
    ),
    misconceptions=tuple(
        Misconception(function)
        for function in (
            root_forgotten,
            no_logarithms,
            count_not_logged,
            error_not_logged,
            two_bases,
            two_bases_reversed,
            axes_swapped,
            ends_only,
            sign_dropped,
            exponent_of_the_law,
            mean_of_distances,
            median_distance,
            mean_of_logarithms,
            average_of_the_draws,
            first_draw_only,
            about_the_sample_mean,
            limit_not_subtracted,
            difference_of_norms,
            operator_norm,
            largest_entry,
            absolute_entries,
            intercept_returned,
            through_the_origin,
            mean_of_local_slopes,
            last_two_sizes,
            correlation,
            worst_draw,
            one_entry,
            diagonal_only,
            largest_size_for_the_limit,
        )
    ),
    alternatives=(numpy_polyfit, torch_least_squares, plain_python, rounded),
)
