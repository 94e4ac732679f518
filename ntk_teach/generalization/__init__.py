"""How well a kernel generalizes: a bound from the norm, the spectrum on the sphere, the learning curve."""

from ntk_teach.generalization.bound import rkhs_bound as rkhs_bound
from ntk_teach.generalization.bound import rkhs_norm as rkhs_norm
from ntk_teach.generalization.learning_curve import LearningCurve as LearningCurve
from ntk_teach.generalization.learning_curve import learning_curve as learning_curve
from ntk_teach.generalization.sphere import SphereSpectrum as SphereSpectrum
from ntk_teach.generalization.sphere import gegenbauer as gegenbauer
from ntk_teach.generalization.sphere import multiplicity as multiplicity
from ntk_teach.generalization.sphere import sphere_spectrum as sphere_spectrum
from ntk_teach.generalization.sphere import zonal as zonal
from ntk_teach.generalization.subsets import empirical_learning_curve as empirical_learning_curve
from ntk_teach.generalization.subsets import held_out_error as held_out_error

__all__ = [
    "rkhs_norm",
    "rkhs_bound",
    "SphereSpectrum",
    "sphere_spectrum",
    "zonal",
    "gegenbauer",
    "multiplicity",
    "LearningCurve",
    "learning_curve",
    "empirical_learning_curve",
    "held_out_error",
]
