"""How far a network of width n is from its limit: the first correction, and exact moments where there are any."""

from ntk_teach.finite_width.exact import exact_excess_kurtosis as exact_excess_kurtosis
from ntk_teach.finite_width.exact import exact_ntk_deviation as exact_ntk_deviation
from ntk_teach.finite_width.first_order import Fluctuation as Fluctuation
from ntk_teach.finite_width.first_order import excess_kurtosis as excess_kurtosis
from ntk_teach.finite_width.first_order import ntk_fluctuation as ntk_fluctuation
from ntk_teach.finite_width.first_order import variance_fluctuation as variance_fluctuation

__all__ = [
    "Fluctuation",
    "variance_fluctuation",
    "ntk_fluctuation",
    "excess_kurtosis",
    "exact_excess_kurtosis",
    "exact_ntk_deviation",
]
