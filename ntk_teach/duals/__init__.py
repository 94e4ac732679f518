"""Duals: E[φ(u)φ(v)] and E[φ̇(u)φ̇(v)] under two Gaussians, in closed form by family, or by a Hermite series.

Each is called as (cov, var1, var2) ↦ Dual(value, slope), broadcasting its arguments; ``moments(var)`` is the same at
u = v, written so that nothing cancels. Those in closed form know their φ as well.
"""

from ntk_teach.duals.arc_cosine import ArcCosine as ArcCosine
from ntk_teach.duals.arc_sine import ArcSine as ArcSine
from ntk_teach.duals.exponential import ExponentialDual as ExponentialDual
from ntk_teach.duals.exponential import GaussianDual as GaussianDual
from ntk_teach.duals.gelu import GeluDual as GeluDual
from ntk_teach.duals.polynomial import PolynomialDual as PolynomialDual
from ntk_teach.duals.series import HermiteDual as HermiteDual
from ntk_teach.duals.series import SeriesReport as SeriesReport
from ntk_teach.duals.trigonometric import SineDual as SineDual
