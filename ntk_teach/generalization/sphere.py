"""The eigenvalues of a rotation-invariant kernel on the sphere: which functions a kernel learns first.

On the sphere S^{d−1} with its uniform distribution the eigenfunctions of K(x, x') = κ(x·x') are the spherical
harmonics, whatever κ is; the kernel only chooses the eigenvalue λ_k of each degree k, and with it the time 1/λ_k
to learn it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntk_teach.errors import ConvergenceError, DomainError, ShapeError, check_count, check_scale, sentence
from ntk_teach.shapes import Gram, OtherVectors, Vectors

__all__ = ["SphereSpectrum", "sphere_spectrum", "zonal", "gegenbauer", "multiplicity"]

NODES, DOUBLINGS = 32, 9  # Gauss–Legendre nodes of a panel; how often the panels are halved before giving up

Zonal = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class SphereSpectrum:
    """Eigenvalues of a zonal kernel on S^{d−1}, one for each degree.

    Args:
        dimension: d, the coordinates of an input.
        degrees: k. [degrees]
        eigenvalues: λ_k of the integral operator of the uniform distribution; 0 where |λ_k| is below its error.
        multiplicities: N(d, k), how many independent harmonics share λ_k.
        error: what doubling the quadrature changed, plus rounding.
        trace: κ(1) = Σ_k N(d, k) λ_k over all degrees.

    Chapter: 07_generalization.
    """

    dimension: int
    degrees: Int[Tensor, " degrees"]
    eigenvalues: Float[Tensor, " degrees"]
    multiplicities: Float[Tensor, " degrees"]
    error: Float[Tensor, " degrees"]
    trace: float

    @property
    def tail(self) -> float:
        """κ(1) − Σ N(d, k) λ_k: what the listed degrees leave. Modes too small to learn act as a ridge of this size."""
        return self.trace - float((self.multiplicities * self.eigenvalues).sum())

    @property
    def learning_time(self) -> Float[Tensor, " degrees"]:
        """1/λ_k in units of 1/lr, after which kernel gradient flow has left 1/e of degree k; ∞ where λ_k is 0."""
        return 1 / self.eigenvalues

    def decay(self, t: Float[Tensor, " times"]) -> Float[Tensor, "times degrees"]:
        """e^{−λ_k t}, the share of degree k that is still to be learned at time t, for infinitely many inputs."""
        return torch.exp(-t[:, None] * self.eigenvalues)  # [times, degrees]


def multiplicity(dimension: int, degree: int) -> int:
    """N(d, k) = (2k + d − 2)/k · C(k + d − 3, d − 2), the number of harmonics of degree k on S^{d−1}; N(d, 0) = 1.

    Raises: DomainError for a dimension below 2. Chapter: 07_generalization.
    """
    check_count(dimension, name="dimension", where="multiplicity", minimum=2)
    check_count(degree, name="degree", where="multiplicity", minimum=0)
    if degree == 0:
        return 1
    return (2 * degree + dimension - 2) * math.comb(degree + dimension - 3, dimension - 2) // degree


def gegenbauer(cosines: Float[Tensor, " n"], dimension: int, degree: int) -> Float[Tensor, "n degrees"]:
    """P_k(t) for k = 0 … degree, with P_k(1) = 1:  (k + d − 2) P_{k+1} = (2k + d − 2) t P_k − k P_{k−1}.

    x ↦ √N(d, k) P_k(x·v) is a harmonic of degree k and of unit mean square, for any unit vector v. d = 2 gives
    cos kθ, d = 3 Legendre's polynomials.

    Args: cosines t in [−1, 1]; dimension d at least 2; the highest degree.

    Returns: [n, degree + 1]. Raises: DomainError for a dimension below 2. Cost: 4 n · degree.
    Chapter: 07_generalization.
    """
    check_count(dimension, name="dimension", where="gegenbauer", minimum=2)
    check_count(degree, name="degree", where="gegenbauer", minimum=0)
    columns = [torch.ones_like(cosines), cosines]
    for k in range(1, degree):
        ahead = (2 * k + dimension - 2) * cosines * columns[k] - k * columns[k - 1]
        columns.append(ahead / (k + dimension - 2))
    return torch.stack(columns[: degree + 1], dim=1)  # [n, degree + 1]


def zonal(kernel: Callable[[Vectors, OtherVectors], Gram], dimension: int, *, radius: float = 1.0) -> Zonal:
    """t ↦ K(x, x') for |x| = |x'| = radius and x·x' = radius² t: a rotation-invariant kernel of the cosine.

    Args: kernel, for example ``arch.ntk``; dimension d of the inputs, at least 2; radius of the sphere.

    Returns: a function from cosines [n] to values [n], as ``sphere_spectrum`` takes it.

    Raises: DomainError for a dimension below 2. Chapter: 07_generalization.
    """
    check_count(dimension, name="dimension", where="zonal", minimum=2)
    check_scale(radius, name="radius", where="zonal")

    def of_cosine(cosines: Tensor) -> Tensor:
        x = torch.zeros(len(cosines), dimension, dtype=cosines.dtype, device=cosines.device)
        x[:, 0] = radius * cosines
        x[:, 1] = radius * ((1 - cosines) * (1 + cosines)).sqrt()
        pole = torch.zeros_like(x[:1])
        pole[0, 0] = radius
        return kernel(pole, x)[0]  # [n]

    return of_cosine


def sphere_spectrum(
    kernel_function: Zonal, dimension: int, degrees: Sequence[int], *, tolerance: float = 1e-12
) -> SphereSpectrum:
    """λ_k = c_d ∫₀^π κ(cos θ) P_k(cos θ) sin^{d−2}θ dθ, the Funk–Hecke formula, c_d = Γ(d/2) / (√π Γ((d−1)/2)).

    The kernels of wide relu networks have kinks at t = ±1 as functions of the cosine but none as functions of the
    angle, so Gauss–Legendre panels in θ converge exponentially.

    Args:
        kernel_function: κ, from cosines t [n] in [−1, 1] to values [n]; ``zonal(arch.ntk, dimension)`` makes one.
        dimension: d, the coordinates of an input, at least 2.
        degrees: the k to list.
        tolerance: panels are doubled until λ_k changes by less than tolerance · max|κ| / √N(d, k).

    Returns: SphereSpectrum, in float64.

    Raises: ConvergenceError if nine doublings do not reach the tolerance; DomainError for values that are not finite.

    Cost: a few hundred values of κ for each 16 degrees.

    Source: Funk–Hecke formula; for these kernels Bietti & Mairal 2019 and Basri, Jacobs, Kasten & Kritchman 2019.
    Chapter: 07_generalization.
    """
    where = "sphere_spectrum"
    check_count(dimension, name="dimension", where=where, minimum=2)
    check_scale(tolerance, name="tolerance", where=where, minimum=1e-14)
    if not degrees:
        raise DomainError(sentence(where, "at least one degree", "none", "pass range(10), for example"))
    wanted = torch.tensor([check_count(k, name="degree", where=where, minimum=0) for k in degrees])
    counts = torch.tensor([float(multiplicity(dimension, k)) for k in degrees], dtype=torch.float64)
    trace = float(_values(kernel_function, torch.ones(1, dtype=torch.float64))[0])
    panels = 2 * (1 + max(degrees) // 16)
    coarse, _ = _funk_hecke(kernel_function, dimension, wanted, panels)
    for _ in range(DOUBLINGS):
        panels *= 2
        fine, largest = _funk_hecke(kernel_function, dimension, wanted, panels)
        scale = largest / counts.sqrt()  # |λ_k| ≤ ‖κ‖ ‖P_k‖, and ‖P_k‖² = 1/N(d, k)
        change = (fine - coarse).abs()
        if bool((change <= tolerance * scale).all()):
            error = change + 4 * torch.finfo(torch.float64).eps * scale
            eigenvalues = torch.where(fine.abs() > error, fine, 0.0)
            return SphereSpectrum(dimension, wanted, eigenvalues, counts, error, trace)
        coarse = fine
    worst = float((change / scale).max())
    do = "is the kernel function smooth between t = −1 and 1? if it is meant to be rough, choose a larger tolerance"
    raise ConvergenceError(sentence(where, f"a relative change below {tolerance:g}", f"{worst:.1e}", do))


def _values(kernel_function: Zonal, cosines: Tensor) -> Tensor:
    values = kernel_function(cosines)
    if values.shape != cosines.shape:
        do = "return one value for each cosine"
        raise ShapeError(
            sentence("sphere_spectrum, kernel_function", str(list(cosines.shape)), str(list(values.shape)), do)
        )
    if not bool(torch.isfinite(values).all()):
        raise DomainError(
            sentence(
                "sphere_spectrum, kernel_function", "finite values on [−1, 1]", "NaN or infinite", "check it there"
            )
        )
    return values.to(cosines)


def _funk_hecke(kernel_function: Zonal, dimension: int, degrees: Tensor, panels: int) -> tuple[Tensor, float]:
    """λ_k by ``panels`` equal Gauss–Legendre panels in θ, and the largest |κ| met."""
    abscissa, weight = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(NODES))
    half = math.pi / (2 * panels)
    centers = half * (2 * torch.arange(panels, dtype=torch.float64) + 1)
    theta = (centers[:, None] + half * abscissa).reshape(-1)  # [panels * NODES]
    # c_d sin^{d−2}θ by logarithms: neither factor over- or underflows by itself in high dimension
    log_constant = math.lgamma(dimension / 2) - math.lgamma((dimension - 1) / 2) - math.log(math.pi) / 2
    density = torch.exp((dimension - 2) * theta.sin().log() + log_constant)
    cosines = theta.cos()
    values = _values(kernel_function, cosines)
    weighted = values * density * half * weight.repeat(panels)
    harmonics = gegenbauer(cosines, dimension, int(degrees.max()))[:, degrees]  # [panels * NODES, degrees]
    return weighted @ harmonics, float(values.abs().max())
