"""Task 07.3: the eigenvalues of a rotation-invariant kernel, by degree."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.generalization import gegenbauer, multiplicity
from ntk_teach.grading.task import Arguments, Case, Misconception, Task

__all__ = ["degrees"]

NODES = 48


def reference(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    return averaged(values, density(angles, weights, dimension - 2), gegenbauer(angles.cos(), dimension, degree))


def density(angles: Tensor, weights: Tensor, power: int) -> Tensor:
    """sin^power θ dθ, of total mass 1. [q]"""
    mass = weights * angles.sin() ** power
    return mass / mass.sum()


def averaged(values: Tensor, mass: Tensor, functions: Tensor) -> Tensor:
    return (mass * values) @ functions  # [degree + 1]


# wrong


def density_of_the_cosine(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You used the density of the cosine, with power d − 3: it goes with dt. The nodes are angles, and dt = −sin θ dθ
    brings one power more.
    """
    return averaged(values, density(angles, weights, dimension - 3), gegenbauer(angles.cos(), dimension, degree))


def sphere_of_dimension_d(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You used the power d − 1: that is the sphere one dimension higher. Inputs with d coordinates lie on S^{d−1}."""
    return averaged(values, density(angles, weights, dimension - 1), gegenbauer(angles.cos(), dimension, degree))


def uniform_angle(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You let the angle be uniform: that is so on the circle alone. Two random points in many dimensions are nearly
    orthogonal.
    """
    return averaged(values, density(angles, weights, 0), gegenbauer(angles.cos(), dimension, degree))


def mass_is_not_one(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """The density is not normalized: for the kernel that is 1 everywhere, λ₀ has to be 1."""
    mass = weights * angles.sin() ** (dimension - 2)
    return averaged(values, mass, gegenbauer(angles.cos(), dimension, degree))


def weights_forgotten(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """The quadrature's weights are missing: its nodes are not evenly spaced."""
    return averaged(
        values, density(angles, torch.ones_like(weights), dimension - 2), gegenbauer(angles.cos(), dimension, degree)
    )


def no_density(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You integrated over the angle without a density: the average is over the sphere, where few points are near the
    poles, and its density has mass 1.
    """
    return averaged(values, weights, gegenbauer(angles.cos(), dimension, degree))


def angle_for_cosine(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You put the angle into the polynomials: their argument is its cosine."""
    return averaged(values, density(angles, weights, dimension - 2), gegenbauer(angles, dimension, degree))


def relative(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You divided by λ₀: the eigenvalues themselves are asked for."""
    found = reference(values, angles, weights, dimension, degree)
    return found / found[0]


def legendre(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You used Legendre's polynomials in every dimension: they belong to d = 3. The recursion knows d."""
    return averaged(values, density(angles, weights, dimension - 2), gegenbauer(angles.cos(), 3, degree))


def fourier(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You used cos kθ in every dimension: these belong to the circle, d = 2."""
    return averaged(values, density(angles, weights, dimension - 2), gegenbauer(angles.cos(), 2, degree))


def monomials(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You averaged against the powers tᵏ: they are not orthogonal to each other, and tᵏ holds lower degrees."""
    powers = angles.cos()[:, None] ** torch.arange(degree + 1, dtype=angles.dtype)
    return averaged(values, density(angles, weights, dimension - 2), powers)


def gegenbauer_of_the_books(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """Your polynomials are not 1 at t = 1: tables of Gegenbauer's polynomials normalize otherwise. An eigenvalue
    needs P_k(1) = 1.
    """
    at_one = torch.tensor([math.comb(k + dimension - 3, k) if dimension > 2 else 2.0 for k in range(degree + 1)])
    functions = gegenbauer(angles.cos(), dimension, degree) * at_one.to(angles)
    return averaged(values, density(angles, weights, dimension - 2), functions)


def shared_out(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You divided by the number of harmonics of each degree: each of them has the whole λ_k."""
    return reference(values, angles, weights, dimension, degree) / counts(dimension, degree)


def summed_up(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You multiplied by the number of harmonics, or divided by the mean square of P_k, which is the same: that is the
    coefficient of κ, what a whole degree adds to K(x, x). λ_k belongs to one harmonic.
    """
    return reference(values, angles, weights, dimension, degree) * counts(dimension, degree)


def counts(dimension: int, degree: int) -> Tensor:
    return torch.tensor([float(multiplicity(dimension, k)) for k in range(degree + 1)], dtype=torch.float64)


def started_at_zero(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """On the circle the recursion cannot be started at k = 0: there it reads 0 · P₁ = 0. Start with P₀ = 1 and
    P₁ = t, which hold in every dimension.
    """
    t = angles.cos()
    columns = [torch.zeros_like(t), torch.ones_like(t)]  # P₋₁, whose factor is 0, and P₀
    for k in range(degree):
        ahead = (2 * k + dimension - 2) * t * columns[-1] - k * columns[-2]
        columns.append(ahead / torch.tensor(float(k + dimension - 2), dtype=t.dtype))
    return averaged(values, density(angles, weights, dimension - 2), torch.stack(columns[1:], dim=1))


def added_in_the_recursion(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """Your recursion adds its last term: it subtracts what P_{k−1} shares with t P_k."""
    return _recursion(values, angles, weights, dimension, degree, last=lambda k: -k)


def last_term_dropped(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """The last term of the recursion is missing: without P_{k−1} the polynomials are powers of t, not orthogonal."""
    return _recursion(values, angles, weights, dimension, degree, last=lambda k: 0)


def recursion_not_divided(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You did not divide by the factor in front of P_{k+1}: the polynomials then grow, and are not 1 at t = 1."""
    return _recursion(values, angles, weights, dimension, degree, front=lambda k: 1)


def recursion_one_ahead(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """Your recursion counts one too many: in its factors stands the k of P_k, from which P_{k+1} is made."""
    return _recursion(values, angles, weights, dimension, degree, shift=1)


def _recursion(
    values: Tensor,
    angles: Tensor,
    weights: Tensor,
    dimension: int,
    degree: int,
    *,
    last: Callable[[int], int] = lambda k: k,
    front: Callable[[int], int] | None = None,
    shift: int = 0,
) -> Tensor:
    t = angles.cos()
    columns = [torch.ones_like(t), t]
    for number in range(1, degree):
        k = number + shift
        ahead = (2 * k + dimension - 2) * t * columns[-1] - last(k) * columns[-2]
        columns.append(ahead / (front(k) if front else k + dimension - 2))
    return averaged(values, density(angles, weights, dimension - 2), torch.stack(columns[: degree + 1], dim=1))


def divided_by_pi(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You divided by π: that is the mass on the circle. In d dimensions it is another one, so that λ₀ of the kernel
    that is 1 everywhere is 1.
    """
    mass = weights * angles.sin() ** (dimension - 2) / math.pi
    return averaged(values, mass, gegenbauer(angles.cos(), dimension, degree))


def density_of_three_dimensions(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """You used the density sin θ in every dimension: it belongs to d = 3. The polynomials are right."""
    return averaged(values, density(angles, weights, 1), gegenbauer(angles.cos(), dimension, degree))


# right


def by_the_constant(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    """The density with its gamma functions."""
    constant = math.gamma(dimension / 2) / math.gamma((dimension - 1) / 2) / math.sqrt(math.pi)
    mass = constant * weights * angles.sin() ** (dimension - 2)
    return averaged(values, mass, gegenbauer(angles.cos(), dimension, degree))


def by_orthogonalization(
    values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int
) -> NDArray[np.float64]:
    """The powers of t made orthogonal under the density, and scaled to be 1 at t = 1. The last row is that point."""
    root = density(angles, weights, dimension - 2).sqrt().numpy()
    t = angles.cos().numpy()
    powers = np.vander(t, degree + 1, increasing=True)
    q, r = np.linalg.qr(root[:, None] * powers)
    at_one = np.linalg.solve(r.T, np.ones(degree + 1))
    return np.asarray((root * values.numpy()) @ (q / at_one), dtype=np.float64)


def numpy_recursion(
    values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int
) -> NDArray[np.float64]:
    t, mass = np.cos(angles.numpy()), weights.numpy() * np.sin(angles.numpy()) ** (dimension - 2)
    before, now, found = np.ones_like(t), t, []
    for k in range(degree + 1):
        polynomial = before if k == 0 else now
        if k >= 2:
            ahead = ((2 * k + dimension - 4) * t * now - (k - 1) * before) / (k + dimension - 3)
            before, now = now, ahead
            polynomial = now
        found.append((mass * values.numpy() * polynomial).sum() / mass.sum())
    return np.array(found)


def float32(values: Tensor, angles: Tensor, weights: Tensor, dimension: int, degree: int) -> Tensor:
    return reference(values.float(), angles.float(), weights.float(), dimension, degree)


def sampled(rng: np.random.Generator, *, dimension: int, degree: int) -> Arguments:
    """A kernel with all degrees, at the nodes of a Gauss rule in the angle."""
    abscissa, weight = np.polynomial.legendre.leggauss(NODES)
    angles = np.pi / 2 * (1 + abscissa)
    rise = rng.uniform(0.8, 2.0, size=degree + 4)
    values = sum(a * np.cos(angles) ** j for j, a in enumerate(rise))
    arrays = (values, angles, np.pi / 2 * weight)
    named = dict(zip(("values", "angles", "weights"), map(torch.from_numpy, arrays), strict=True))
    return named | {"dimension": dimension, "degree": degree}


SPHERES, CIRCLE = "spheres", "the circle"

degrees = Task(
    id="07.3",
    title="Eigenvalues by degree",
    signature="eigenvalues_by_degree(values, angles, weights, dimension, degree) -> [degree + 1]",
    reference=reference,
    credit={SPHERES: 2, CIRCLE: 1},
    cases=(
        Case(SPHERES, "d = 3, degrees up to 4", partial(sampled, dimension=3, degree=4)),
        Case(SPHERES, "d = 4, degrees up to 5", partial(sampled, dimension=4, degree=5)),
        Case(SPHERES, "d = 6, degrees up to 3", partial(sampled, dimension=6, degree=3)),
        Case(CIRCLE, "d = 2, degrees up to 5", partial(sampled, dimension=2, degree=5)),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                density_of_the_cosine,
                sphere_of_dimension_d,
                uniform_angle,
                mass_is_not_one,
                weights_forgotten,
                no_density,
                angle_for_cosine,
                relative,
                legendre,
                fourier,
                monomials,
                gegenbauer_of_the_books,
                shared_out,
                summed_up,
                added_in_the_recursion,
                last_term_dropped,
                recursion_not_divided,
                recursion_one_ahead,
                divided_by_pi,
                density_of_three_dimensions,
            )
        ),
        Misconception(started_at_zero, keeps=2),
    ),
    alternatives=(by_the_constant, by_orthogonalization, numpy_recursion, float32),
    when_nan="0/0: for d = 2 the recursion does not give P₁ from P₀; start with P₀ = 1 and P₁ = t.",
)
