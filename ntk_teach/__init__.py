"""ntk-teach: learn the neural tangent kernel by doing it.

One description of an architecture, read at finite width (``arch.network``) and at infinite width
(``arch.nngp``, ``arch.ntk``); the NTK of any network as it stands (``empirical_ntk``).
"""

from ntk_teach import data as data
from ntk_teach import interactive as interactive
from ntk_teach import nn as nn
from ntk_teach import plot as plot
from ntk_teach import zoo as zoo
from ntk_teach.activations import Activation as Activation
from ntk_teach.activations import erf as erf
from ntk_teach.activations import relu as relu
from ntk_teach.architecture import Architecture as Architecture
from ntk_teach.architecture import serial as serial
from ntk_teach.dynamics import gradient_descent as gradient_descent
from ntk_teach.empirical import empirical_ntk as empirical_ntk
from ntk_teach.kernel import Dual as Dual
from ntk_teach.kernel import Kernel as Kernel
from ntk_teach.layers import Dense as Dense

__version__ = "0.1.0"

__all__ = [
    "Dense",
    "relu",
    "erf",
    "Activation",
    "Dual",
    "Kernel",
    "serial",
    "Architecture",
    "empirical_ntk",
    "gradient_descent",
    "zoo",
    "nn",
    "data",
    "plot",
    "interactive",
]
