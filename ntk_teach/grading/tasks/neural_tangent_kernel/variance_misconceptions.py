"""Wrong slopes."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.grading.task import Misconception
from ntk_teach.grading.tasks.neural_tangent_kernel.convention import RELATIVE, Convention, under
from ntk_teach.grading.tasks.neural_tangent_kernel.other_conventions import others

__all__ = ["all_of_them"]


def slope(u: Tensor, v: Tensor) -> Tensor:
    u = u - u.mean()
    return (u @ (v - v.mean())) / (u @ u)


def spread(samples: Tensor, convention: Convention, *, over: int = 1) -> Tensor:
    return convention.spread.of(samples.var(dim=over), samples.mean(dim=over))


def right(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    return slope(widths.log(), spread(samples, convention).log())


def no_logarithms(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted a straight line to the raw numbers: a power law is straight only between logarithms."""
    return slope(widths, spread(samples, convention))


def width_not_logged(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """The width is not in logarithms: a power law needs them on both axes."""
    return slope(widths, spread(samples, convention).log())


def spread_not_logged(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """The {spread} is not in logarithms: a power law needs them on both axes."""
    return slope(widths.log(), spread(samples, convention))


def two_bases(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """Two bases of logarithm are mixed (10 for the width, e for the {spread}): any base will do, but one."""
    return slope(widths.log10(), spread(samples, convention).log())


def two_bases_reversed(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """Two bases of logarithm are mixed (e for the width, 10 for the {spread}): any base will do, but one."""
    return slope(widths.log(), spread(samples, convention).log10())


def ends_only(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You joined the first and the last width: least squares uses all of them."""
    logs = spread(samples, convention).log()
    return (logs[-1] - logs[0]) / (widths[-1].log() - widths[0].log())


def two_neighbors(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You joined the first two widths: least squares uses all of them."""
    logs = spread(samples, convention).log()
    return (logs[1] - logs[0]) / (widths[1].log() - widths[0].log())


def mean_of_local_slopes(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You averaged the slopes between neighbors: noise at two close widths then counts most. Least squares weighs a
    point by its distance from the middle.
    """
    return (spread(samples, convention).log().diff() / widths.log().diff()).mean()


def intercept(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You returned the other coefficient of the line, its height where log width = 0: asked is the slope."""
    return (
        spread(samples, convention).log().mean() - right(widths, samples, convention=convention) * widths.log().mean()
    )


def term_of_a_parabola(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted a parabola: a power law is a straight line, of degree one, between logarithms."""
    u = widths.log()
    powers = torch.stack([torch.ones_like(u), u, u**2], dim=1)
    found: Tensor = torch.linalg.lstsq(powers, spread(samples, convention).log()[:, None]).solution[1, 0]
    return found


def through_the_origin(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """Your line goes through the origin: a power law c · n^slope has a constant c, and its line an intercept."""
    u = widths.log()
    return (u @ spread(samples, convention).log()) / (u @ u)


def axes_swapped(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted log width against log {spread}: the slope asked is that of the {spread} as the width grows."""
    return slope(spread(samples, convention).log(), widths.log())


def second_moment(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You averaged squares without subtracting the mean: that is the second moment, which tends to Θ², not to 0."""
    moment = convention.spread.of(samples.square().mean(dim=1), samples.mean(dim=1))
    return slope(widths.log(), moment.log())


def one_mean_for_all(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You subtracted one mean from all widths: each width fluctuates about its own."""
    squares = (samples - samples.mean()).square().mean(dim=1)
    return slope(widths.log(), convention.spread.of(squares, samples.mean(dim=1)).log())


def over_the_widths(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """The {spread} runs over the widths: it belongs to the networks, the second axis of samples."""
    return slope(widths.log(), spread(samples, convention, over=0).log())


def of_the_mean(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted the mean of the samples: the question is how their {spread} falls."""
    return slope(widths.log(), samples.mean(dim=1).log())


def sign_dropped(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """The sign is lost: what falls as the width grows has a negative slope."""
    return right(widths, samples, convention=convention).abs()


def absolute_deviation(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted the mean absolute deviation: it falls half as fast as a variance, and it is another number than the
    {spread}.
    """
    centered = samples - samples.mean(dim=1, keepdim=True)
    return slope(widths.log(), centered.abs().mean(dim=1).log())


def mean_not_squared(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You divided the variance by the mean: only its square has the unit of a variance."""
    return slope(widths.log(), (samples.var(dim=1) / samples.mean(dim=1)).log())


def deviation_over_mean(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted the standard deviation divided by the mean: its slope is half of the one that is asked."""
    return slope(widths.log(), (samples.std(dim=1) / samples.mean(dim=1)).log())


def base_two_for_the_width(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """Two bases of logarithm are mixed (2 for the width, e for the {spread}): any base will do, but one."""
    return slope(widths.log2(), spread(samples, convention).log())


def base_two_for_the_spread(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """Two bases of logarithm are mixed (e for the width, 2 for the {spread}): any base will do, but one."""
    return slope(widths.log(), spread(samples, convention).log2())


def correlation(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You returned the correlation of the two logarithms, which says how straight the line is: asked is its slope."""
    found: Tensor = torch.corrcoef(torch.stack([widths.log(), spread(samples, convention).log()]))[0, 1]
    return found


def last_two_widths(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You joined the last two widths: least squares uses all of them."""
    return slope(widths[-2:].log(), spread(samples, convention)[-2:].log())


def ratio_of_logarithms(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You divided the logarithm of the {spread} by that of the width, at each width, and averaged: a power law c · nˢ
    has a constant c, which the quotient contains.
    """
    return (spread(samples, convention).log() / widths.log()).mean()


def not_centered(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You divided the covariance of the two logarithms by the raw mean square of log width: the slope is covariance
    over variance, and both are taken about the means.
    """
    u = widths.log()
    return ((u - u.mean()) @ spread(samples, convention).log()) / (u @ u)


def of_each_sample(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You took the logarithm of each network's squared deviation and fitted these: first average over the networks. The
    mean of logarithms is another number than the logarithm of a mean.
    """
    mean = samples.mean(dim=1, keepdim=True)
    logs = convention.spread.of((samples - mean).square(), mean).log()
    return slope(widths.log(), logs.mean(dim=1))


def range_of_the_samples(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You fitted the distance from the smallest to the largest sample: two networks decide it, and the {spread} has a
    say of all of them.
    """
    return slope(widths.log(), (samples.amax(dim=1) - samples.amin(dim=1)).log())


def relative_deviation(widths: Tensor, samples: Tensor, *, convention: Convention) -> Tensor:
    """You divided by the mean and took the standard deviation of that: asked is the {spread} itself."""
    return slope(widths.log(), (samples.std(dim=1) / samples.mean(dim=1)).log())


def another_spread(convention: Convention, other: Convention) -> Misconception:
    """A right answer to the text of another course."""
    message = (
        f"You fitted the {other.spread.name}, which is asked in the convention of {other.source}; the text of your "
        f"notebook, with the convention of {convention.source}, asks for the {convention.spread.name}: another slope."
    )
    return Misconception(under(other, right, name=f"convention_of_{other.name}", message=message))


def all_of_them(convention: Convention) -> tuple[Misconception, ...]:
    everywhere = (
        no_logarithms,
        width_not_logged,
        spread_not_logged,
        two_bases,
        two_bases_reversed,
        ends_only,
        two_neighbors,
        mean_of_local_slopes,
        intercept,
        term_of_a_parabola,
        through_the_origin,
        axes_swapped,
        second_moment,
        one_mean_for_all,
        over_the_widths,
        of_the_mean,
        sign_dropped,
        absolute_deviation,
        base_two_for_the_width,
        base_two_for_the_spread,
        correlation,
        last_two_widths,
        ratio_of_logarithms,
        not_centered,
        of_each_sample,
        range_of_the_samples,
        *([mean_not_squared, deviation_over_mean] if convention.spread == RELATIVE else [relative_deviation]),
    )
    wrong = (Misconception(under(convention, function)) for function in everywhere)
    return (*wrong, *(another_spread(convention, other) for other in others(convention)))
