"""Physics-informed networks and their neural tangent kernel: how fast the equation and its boundary are learned.

A network u is trained to solve 𝓛u = f with u = g on the boundary. Its outputs are u(x_u) and 𝓛u(x_r), and their
kernel has three blocks: at finite width (``pinn_kernels``) and at infinite width (``limiting_pinn_kernels``).
"""

from ntk_teach.physics_informed.blocks import PinnKernels as PinnKernels
from ntk_teach.physics_informed.blocks import PinnWeights as PinnWeights
from ntk_teach.physics_informed.blocks import adaptive_weights as adaptive_weights
from ntk_teach.physics_informed.descent import PinnHistory as PinnHistory
from ntk_teach.physics_informed.descent import train_pinn as train_pinn
from ntk_teach.physics_informed.finite import pinn_kernels as pinn_kernels
from ntk_teach.physics_informed.limiting import limiting_pinn_kernels as limiting_pinn_kernels
from ntk_teach.physics_informed.operators import LinearOperator as LinearOperator
from ntk_teach.physics_informed.operators import derivative as derivative
from ntk_teach.physics_informed.operators import laplacian as laplacian
from ntk_teach.physics_informed.operators import wave as wave
from ntk_teach.physics_informed.problem import BoundaryProblem as BoundaryProblem
from ntk_teach.physics_informed.problem import poisson as poisson
from ntk_teach.physics_informed.standardization import Standardization as Standardization

__all__ = [
    "derivative",
    "laplacian",
    "wave",
    "LinearOperator",
    "Standardization",
    "pinn_kernels",
    "limiting_pinn_kernels",
    "PinnKernels",
    "adaptive_weights",
    "PinnWeights",
    "BoundaryProblem",
    "poisson",
    "train_pinn",
    "PinnHistory",
]
