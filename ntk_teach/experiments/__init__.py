"""The experiments of the book as functions, at any size, and their results in files."""

from ntk_teach.experiments.cntk import cntk as cntk
from ntk_teach.experiments.figure1 import figure1 as figure1
from ntk_teach.experiments.figure2 import figure2 as figure2
from ntk_teach.experiments.figure3 import figure3 as figure3
from ntk_teach.experiments.mutag import mutag as mutag
from ntk_teach.experiments.nngp import nngp as nngp
from ntk_teach.experiments.poisson import poisson as poisson
from ntk_teach.experiments.result import Result as Result
from ntk_teach.experiments.time_series import time_series as time_series

__all__ = ["figure1", "figure2", "figure3", "nngp", "cntk", "mutag", "time_series", "poisson", "Result"]
