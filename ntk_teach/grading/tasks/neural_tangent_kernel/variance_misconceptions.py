"""Wrong slopes."""

from __future__ import annotations

from torch import Tensor

from ntk_teach.grading.task import Misconception

__all__ = ["all_of_them"]


def slope(u: Tensor, v: Tensor) -> Tensor:
    u = u - u.mean()
    return (u @ (v - v.mean())) / (u @ u)


def standard_deviation(widths: Tensor, samples: Tensor) -> Tensor:
    """You fitted the standard deviation: its slope is half of the variance's."""
    return slope(widths.log(), samples.std(dim=1).log())


def no_logarithms(widths: Tensor, samples: Tensor) -> Tensor:
    """You fitted a straight line to the raw numbers: a power law is straight only between logarithms."""
    return slope(widths, samples.var(dim=1))


def width_not_logged(widths: Tensor, samples: Tensor) -> Tensor:
    """The width is not in logarithms: a power law needs them on both axes."""
    return slope(widths, samples.var(dim=1).log())


def variance_not_logged(widths: Tensor, samples: Tensor) -> Tensor:
    """The variance is not in logarithms: a power law needs them on both axes."""
    return slope(widths.log(), samples.var(dim=1))


def two_bases(widths: Tensor, samples: Tensor) -> Tensor:
    """Two bases of logarithm are mixed (10 for the width, e for the variance): any base will do, but one."""
    return slope(widths.log10(), samples.var(dim=1).log())


def two_bases_reversed(widths: Tensor, samples: Tensor) -> Tensor:
    """Two bases of logarithm are mixed (e for the width, 10 for the variance): any base will do, but one."""
    return slope(widths.log(), samples.var(dim=1).log10())


def ends_only(widths: Tensor, samples: Tensor) -> Tensor:
    """You joined the first and the last width: least squares uses all of them."""
    spread = samples.var(dim=1).log()
    return (spread[-1] - spread[0]) / (widths[-1].log() - widths[0].log())


def axes_swapped(widths: Tensor, samples: Tensor) -> Tensor:
    """You fitted log width against log variance: the slope asked is that of the variance as the width grows."""
    return slope(samples.var(dim=1).log(), widths.log())


def second_moment(widths: Tensor, samples: Tensor) -> Tensor:
    """You averaged squares without subtracting the mean: that is the second moment, which tends to Θ², not to 0."""
    return slope(widths.log(), samples.square().mean(dim=1).log())


def one_mean_for_all(widths: Tensor, samples: Tensor) -> Tensor:
    """You subtracted one mean from all widths: each width fluctuates about its own."""
    return slope(widths.log(), (samples - samples.mean()).square().mean(dim=1).log())


def over_the_widths(widths: Tensor, samples: Tensor) -> Tensor:
    """The variance runs over the widths: it belongs to the networks, the second axis of samples."""
    return slope(widths.log(), samples.var(dim=0).log())


def of_the_mean(widths: Tensor, samples: Tensor) -> Tensor:
    """You fitted the mean of the samples: the question is how their variance falls."""
    return slope(widths.log(), samples.mean(dim=1).log())


def sign_dropped(widths: Tensor, samples: Tensor) -> Tensor:
    """The sign is lost: a variance that falls has a negative slope."""
    return slope(widths.log(), samples.var(dim=1).log()).abs()


def absolute_deviation(widths: Tensor, samples: Tensor) -> Tensor:
    """You fitted the mean absolute deviation: like the standard deviation it falls half as fast, and it is another
    number.
    """
    centered = samples - samples.mean(dim=1, keepdim=True)
    return slope(widths.log(), centered.abs().mean(dim=1).log())


all_of_them = (
    Misconception(standard_deviation),
    Misconception(no_logarithms),
    Misconception(width_not_logged),
    Misconception(variance_not_logged),
    Misconception(two_bases),
    Misconception(two_bases_reversed),
    Misconception(ends_only),
    Misconception(axes_swapped),
    Misconception(second_moment),
    Misconception(one_mean_for_all),
    Misconception(over_the_widths),
    Misconception(of_the_mean),
    Misconception(sign_dropped),
    Misconception(absolute_deviation),
)
