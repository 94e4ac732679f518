"""ntk-teach: learn the neural tangent kernel by doing it.

One description of an architecture, read at finite width (``arch.network``) and at infinite width
(``arch.nngp``, ``arch.ntk``); the NTK of any network as it stands (``empirical_ntk``); and what follows from a kernel:
training in closed form, its law over random initializations, generalization.
"""

from ntk_teach import data as data
from ntk_teach import experiments as experiments
from ntk_teach import finite_width as finite_width
from ntk_teach import interactive as interactive
from ntk_teach import landscape as landscape
from ntk_teach import lazy as lazy
from ntk_teach import neural_collapse as neural_collapse
from ntk_teach import nn as nn
from ntk_teach import physics_informed as physics_informed
from ntk_teach import plot as plot
from ntk_teach import surrogate as surrogate
from ntk_teach import zoo as zoo
from ntk_teach.activations import Activation as Activation
from ntk_teach.activations import Cos as Cos
from ntk_teach.activations import Erf as Erf
from ntk_teach.activations import Exp as Exp
from ntk_teach.activations import Gaussian as Gaussian
from ntk_teach.activations import Polynomial as Polynomial
from ntk_teach.activations import Rbf as Rbf
from ntk_teach.activations import Sin as Sin
from ntk_teach.activations import abrelu as abrelu
from ntk_teach.activations import absolute as absolute
from ntk_teach.activations import cos as cos
from ntk_teach.activations import erf as erf
from ntk_teach.activations import exp as exp
from ntk_teach.activations import gaussian as gaussian
from ntk_teach.activations import gelu as gelu
from ntk_teach.activations import identity as identity
from ntk_teach.activations import leaky_relu as leaky_relu
from ntk_teach.activations import monomial as monomial
from ntk_teach.activations import rbf as rbf
from ntk_teach.activations import relu as relu
from ntk_teach.activations import sigmoid as sigmoid
from ntk_teach.activations import sigmoid_like as sigmoid_like
from ntk_teach.activations import silu as silu
from ntk_teach.activations import sin as sin
from ntk_teach.activations import softplus as softplus
from ntk_teach.activations import tanh as tanh
from ntk_teach.architecture import Architecture as Architecture
from ntk_teach.architecture import Grams as Grams
from ntk_teach.architecture import serial as serial
from ntk_teach.architecture import standard_limit as standard_limit
from ntk_teach.augmentation import flip_augmented as flip_augmented
from ntk_teach.costs import Cost as Cost
from ntk_teach.costs import cross_entropy as cross_entropy
from ntk_teach.costs import logistic as logistic
from ntk_teach.costs import squared_error as squared_error
from ntk_teach.device import device as device
from ntk_teach.diagnosis import Diagnosis as Diagnosis
from ntk_teach.diagnosis import diagnose as diagnose
from ntk_teach.dynamics import gradient_descent as gradient_descent
from ntk_teach.empirical import empirical_ntk as empirical_ntk
from ntk_teach.empirical import empirical_ntk_per_output as empirical_ntk_per_output
from ntk_teach.empirical import empirical_ntk_trace as empirical_ntk_trace
from ntk_teach.empirical import ntk_vector_product as ntk_vector_product
from ntk_teach.finite_width import ntk_fluctuation as ntk_fluctuation
from ntk_teach.generalization import empirical_learning_curve as empirical_learning_curve
from ntk_teach.generalization import held_out_error as held_out_error
from ntk_teach.generalization import learning_curve as learning_curve
from ntk_teach.generalization import rkhs_bound as rkhs_bound
from ntk_teach.generalization import sphere_spectrum as sphere_spectrum
from ntk_teach.generalization import zonal as zonal
from ntk_teach.gram import cluster as cluster
from ntk_teach.gram import progress_line as progress_line
from ntk_teach.kernel import Dual as Dual
from ntk_teach.kernel import Kernel as Kernel
from ntk_teach.kernel_gradient_descent import cost_decay as cost_decay
from ntk_teach.kernel_gradient_descent import kernel_gradient as kernel_gradient
from ntk_teach.kernel_gradient_descent import kernel_gradient_descent as kernel_gradient_descent
from ntk_teach.kernel_gradient_descent import kernel_gradient_flow as kernel_gradient_flow
from ntk_teach.layers import Aggregate as Aggregate
from ntk_teach.layers import AverageSteps as AverageSteps
from ntk_teach.layers import AvgPool as AvgPool
from ntk_teach.layers import Conv2d as Conv2d
from ntk_teach.layers import Dense as Dense
from ntk_teach.layers import Flatten as Flatten
from ntk_teach.layers import GlobalAvgPool as GlobalAvgPool
from ntk_teach.layers import GraphSum as GraphSum
from ntk_teach.layers import JumpingKnowledge as JumpingKnowledge
from ntk_teach.layers import LastStep as LastStep
from ntk_teach.layers import Recurrent as Recurrent
from ntk_teach.layers import Residual as Residual
from ntk_teach.least_squares import LeastSquares as LeastSquares
from ntk_teach.linearize import linearize as linearize
from ntk_teach.linearize import tangent_features as tangent_features
from ntk_teach.physics_informed import pinn_kernels as pinn_kernels
from ntk_teach.posterior import GaussianLaw as GaussianLaw
from ntk_teach.posterior import limit_law as limit_law
from ntk_teach.posterior import limit_law_after as limit_law_after
from ntk_teach.posterior import nngp_posterior as nngp_posterior
from ntk_teach.posterior import sample_then_optimize as sample_then_optimize
from ntk_teach.ragged import Ragged as Ragged
from ntk_teach.random_features import RandomFeatures as RandomFeatures
from ntk_teach.spectrum import alignment as alignment
from ntk_teach.spectrum import block_gram as block_gram
from ntk_teach.spectrum import centered_alignment as centered_alignment
from ntk_teach.spectrum import decompose as decompose
from ntk_teach.spectrum import is_positive_definite as is_positive_definite
from ntk_teach.spectrum import kernel_norm_squared as kernel_norm_squared
from ntk_teach.spectrum import kernel_pca as kernel_pca
from ntk_teach.spectrum import rkhs_norm_squared as rkhs_norm_squared
from ntk_teach.training import Trajectories as Trajectories
from ntk_teach.training import train_ensemble as train_ensemble

__version__ = "0.1.0"

__all__ = [
    # describe a network
    "Dense",
    "Residual",
    "Conv2d",
    "AvgPool",
    "GlobalAvgPool",
    "Flatten",
    "Recurrent",
    "LastStep",
    "AverageSteps",
    "Aggregate",
    "GraphSum",
    "JumpingKnowledge",
    "Ragged",
    "relu",
    "leaky_relu",
    "abrelu",
    "absolute",
    "identity",
    "erf",
    "gelu",
    "sigmoid_like",
    "sin",
    "cos",
    "gaussian",
    "rbf",
    "exp",
    "tanh",
    "softplus",
    "silu",
    "sigmoid",
    "monomial",
    "Erf",
    "Sin",
    "Cos",
    "Exp",
    "Gaussian",
    "Rbf",
    "Polynomial",
    "Activation",
    "serial",
    "Architecture",
    "standard_limit",
    "flip_augmented",
    "zoo",
    # infinite width
    "Dual",
    "Kernel",
    "Grams",
    "device",
    "cluster",
    "progress_line",
    # finite width
    "empirical_ntk",
    "empirical_ntk_trace",
    "empirical_ntk_per_output",
    "ntk_vector_product",
    "nn",
    "finite_width",
    "ntk_fluctuation",
    # training a network
    "gradient_descent",
    "train_ensemble",
    "Trajectories",
    "linearize",
    "tangent_features",
    "RandomFeatures",
    "lazy",
    "landscape",
    "diagnose",
    "Diagnosis",
    "surrogate",
    "physics_informed",
    "pinn_kernels",
    # training a kernel
    "Cost",
    "squared_error",
    "logistic",
    "cross_entropy",
    "kernel_gradient",
    "cost_decay",
    "kernel_gradient_flow",
    "kernel_gradient_descent",
    "LeastSquares",
    "GaussianLaw",
    "limit_law",
    "limit_law_after",
    "nngp_posterior",
    "sample_then_optimize",
    # what a kernel knows
    "kernel_pca",
    "decompose",
    "is_positive_definite",
    "kernel_norm_squared",
    "rkhs_norm_squared",
    "alignment",
    "centered_alignment",
    "block_gram",
    "neural_collapse",
    "rkhs_bound",
    "sphere_spectrum",
    "zonal",
    "learning_curve",
    "empirical_learning_curve",
    "held_out_error",
    # to work with
    "data",
    "experiments",
    "plot",
    "interactive",
]
