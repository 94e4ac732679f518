"""Finite layers in NTK parametrization: parameters are 𝒩(0, 1), the scale stands in ``forward``."""

from ntk_teach.nn.convolution import Convolution as Convolution
from ntk_teach.nn.convolution import Flattened as Flattened
from ntk_teach.nn.convolution import GlobalMean as GlobalMean
from ntk_teach.nn.convolution import LocalMean as LocalMean
from ntk_teach.nn.graph import GraphTotal as GraphTotal
from ntk_teach.nn.graph import Levels as Levels
from ntk_teach.nn.graph import Neighbors as Neighbors
from ntk_teach.nn.linear import Linear as Linear
from ntk_teach.nn.linear import Pointwise as Pointwise
from ntk_teach.nn.linear import Residual as Residual
from ntk_teach.nn.linear import drawn as drawn
from ntk_teach.nn.recurrence import Last as Last
from ntk_teach.nn.recurrence import MeanOfSteps as MeanOfSteps
from ntk_teach.nn.recurrence import Recurrence as Recurrence
from ntk_teach.nn.sites import AtEachSite as AtEachSite

__all__ = [
    "Linear",
    "Pointwise",
    "Residual",
    "Convolution",
    "LocalMean",
    "GlobalMean",
    "Flattened",
    "Recurrence",
    "Last",
    "MeanOfSteps",
    "Neighbors",
    "GraphTotal",
    "Levels",
    "AtEachSite",
    "drawn",
]
