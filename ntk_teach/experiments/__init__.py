"""The paper's experiments as functions, at any size, and their results in files."""

from ntk_teach.experiments.figure1 import figure1 as figure1
from ntk_teach.experiments.figure2 import figure2 as figure2
from ntk_teach.experiments.figure3 import figure3 as figure3
from ntk_teach.experiments.nngp import nngp as nngp
from ntk_teach.experiments.result import Result as Result

__all__ = ["figure1", "figure2", "figure3", "nngp", "Result"]
