"""The neural tangent kernel of a finite network, at any moment of training: whole, in part, or times a vector.

Two ways that agree. Where all trained parameters stand in linear layers and convolutions, ``layerwise`` multiplies
inner products of units by inner products of gradients; for any other module ``by_autograd`` multiplies Jacobians.
``empirical_ntk`` looks at the network and takes the first where it holds.
"""

from ntk_teach.empirical.kernel import by_autograd as by_autograd
from ntk_teach.empirical.kernel import empirical_ntk as empirical_ntk
from ntk_teach.empirical.kernel import empirical_ntk_per_output as empirical_ntk_per_output
from ntk_teach.empirical.kernel import empirical_ntk_trace as empirical_ntk_trace
from ntk_teach.empirical.kernel import layerwise as layerwise
from ntk_teach.empirical.vector_product import ntk_vector_product as ntk_vector_product

__all__ = [
    "empirical_ntk",
    "empirical_ntk_trace",
    "empirical_ntk_per_output",
    "ntk_vector_product",
    "layerwise",
    "by_autograd",
]
