"""Task 04.2: the Gaussian expectation of a product of two rectified units."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.compare import Close
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.gaussian_process_limit.draws import covariances, ray

__all__ = ["relu_dual"]


def reference(sigma: Tensor) -> Tensor:
    variance = sigma.diagonal()
    value = relu.dual(sigma, variance[:, None], variance[None, :]).value
    return torch.diagonal_scatter(value, relu.moments(variance).value)


# Wrong answers, each one change away from the right one.


def scales(sigma: Tensor) -> Tensor:
    return torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()


def bracket(rho: Tensor) -> Tensor:
    """sin ϑ + (π − ϑ) cos ϑ."""
    return (1 - rho**2).sqrt() + (math.pi - torch.arccos(rho)) * rho


def factor_two(sigma: Tensor) -> Tensor:
    """This is twice the expectation: the factor 2 of He's initialization belongs to the weights, not to E[φφ]."""
    rho = (sigma / scales(sigma)).clamp(-1, 1)
    return scales(sigma) / math.pi * bracket(rho)


def angle_for_its_complement(sigma: Tensor) -> Tensor:
    """You used ϑ where the closed form has π − ϑ: equal inputs, ϑ = 0, then give 0 where they should give most."""
    rho = (sigma / scales(sigma)).clamp(-1, 1)
    return scales(sigma) / (2 * math.pi) * ((1 - rho**2).sqrt() + torch.arccos(rho) * rho)


def covariance_for_correlation(sigma: Tensor) -> Tensor:
    """You passed a covariance to arccos; the angle belongs to the correlation, Σ over both standard deviations."""
    return scales(sigma) / (2 * math.pi) * bracket(sigma.clamp(-1, 1))


def divided_by_variances(sigma: Tensor) -> Tensor:
    """You divided Σ by the product of the variances; a correlation is Σ over the product of standard deviations."""
    return scales(sigma) / (2 * math.pi) * bracket((sigma / scales(sigma) ** 2).clamp(-1, 1))


def unit_variances(sigma: Tensor) -> Tensor:
    """The factor in front is missing: φ(λu) = λφ(u), so the expectation grows with both standard deviations."""
    return bracket((sigma / scales(sigma)).clamp(-1, 1)) / (2 * math.pi)


def product_of_variances(sigma: Tensor) -> Tensor:
    """In front stands the product of the two variances; it is the product of the standard deviations, √(q q')."""
    return scales(sigma) ** 2 / (2 * math.pi) * bracket((sigma / scales(sigma)).clamp(-1, 1))


def derivatives(sigma: Tensor) -> Tensor:
    """This is E[φ̇φ̇], the expectation of the derivatives; asked for is E[φφ]."""
    return (math.pi - torch.arccos((sigma / scales(sigma)).clamp(-1, 1))) / (2 * math.pi)


def centered(sigma: Tensor) -> Tensor:
    """You subtracted the means: this is the covariance of φ(u) and φ(v), and the next layer sums φφ as it is."""
    rho = (sigma / scales(sigma)).clamp(-1, 1)
    return scales(sigma) / (2 * math.pi) * (bracket(rho) - 1)


def independent(sigma: Tensor) -> Tensor:
    """This is E[φ(u)] E[φ(v)]: u and v are not independent, their correlation is what the kernel is about."""
    return scales(sigma) / (2 * math.pi)


def half(sigma: Tensor) -> Tensor:
    """Half of Σ is right on the diagonal only: for u ≠ v both units are active less often than one is."""
    return sigma / 2


def clipped_too_much(sigma: Tensor) -> Tensor:
    """You clip the correlation visibly inside [-1, 1]: that changes the value of equal inputs."""
    rho = (sigma / scales(sigma)).clamp(-1 + 1e-3, 1 - 1e-3)
    return scales(sigma) / (2 * math.pi) * bracket(rho)


def no_root(sigma: Tensor) -> Tensor:
    """You took variances for standard deviations throughout: the root is missing in the correlation and in front."""
    return scales(sigma) ** 2 / (2 * math.pi) * bracket((sigma / scales(sigma) ** 2).clamp(-1, 1))


def cosine_missing(sigma: Tensor) -> Tensor:
    """π − ϑ stands without its cos ϑ: that is right where ϑ = 0, on the diagonal, and nowhere else."""
    rho = (sigma / scales(sigma)).clamp(-1, 1)
    return scales(sigma) / (2 * math.pi) * ((1 - rho**2).sqrt() + math.pi - torch.arccos(rho))


def sine_and_cosine_exchanged(sigma: Tensor) -> Tensor:
    """sin ϑ and cos ϑ are exchanged: equal inputs, ϑ = 0, should give π in the bracket."""
    angle = torch.arccos((sigma / scales(sigma)).clamp(-1, 1))
    return scales(sigma) / (2 * math.pi) * (angle.cos() + (math.pi - angle) * angle.sin())


def sign_in_the_bracket(sigma: Tensor) -> Tensor:
    """The two parts of the bracket are subtracted: they add up, or E[φ(u)²] would be negative."""
    angle = torch.arccos((sigma / scales(sigma)).clamp(-1, 1))
    return scales(sigma) / (2 * math.pi) * (angle.sin() - (math.pi - angle) * angle.cos())


def half_the_expectation(sigma: Tensor) -> Tensor:
    """This is half the expectation: E[φ(u)²], on the diagonal, is half the variance, not a quarter."""
    rho = (sigma / scales(sigma)).clamp(-1, 1)
    return scales(sigma) / (4 * math.pi) * bracket(rho)


def density_left_out(sigma: Tensor) -> Tensor:
    """The 1/(2π) of the Gaussian density is missing: E[φ(u)²], on the diagonal, is half the variance."""
    return scales(sigma) * bracket((sigma / scales(sigma)).clamp(-1, 1))


def correlation_for_angle(sigma: Tensor) -> Tensor:
    """You put the correlation in the place of the angle: ϑ is its arccos."""
    angle = (sigma / scales(sigma)).clamp(-1, 1)
    return scales(sigma) / (2 * math.pi) * (angle.sin() + (math.pi - angle) * angle.cos())


def one_variance_for_both(sigma: Tensor) -> Tensor:
    """You divided Σ by one variance, by rows or columns: both standard deviations belong to a pair, so the result is
    symmetric.
    """
    q = sigma.diagonal().expand_as(sigma)
    return q / (2 * math.pi) * bracket((sigma / q).clamp(-1, 1))


def negative_correlations_cut(sigma: Tensor) -> Tensor:
    """You clip the correlation to [0, 1]: negative ones are as good as positive ones, down to −1."""
    return scales(sigma) / (2 * math.pi) * bracket((sigma / scales(sigma)).clamp(0, 1))


def zero_for_not_a_number(sigma: Tensor) -> Tensor:
    """You replaced NaN by 0 in the result: it stood where the correlation is 1 and the expectation is largest. Clip
    before arccos.
    """
    return torch.nan_to_num(not_clipped(sigma))


def zero_for_not_a_number_after_two_roots(sigma: Tensor) -> Tensor:
    """You replaced NaN by 0: it stood where √q · √q' was rounded down, the correlation is 1 and the expectation is
    largest. Clip before arccos.
    """
    return torch.nan_to_num(not_clipped_after_two_roots(sigma))


def not_clipped(sigma: Tensor) -> Tensor:
    """Rounding gives correlations like 1 + 2e-16, whose arccos is NaN: clip to [-1, 1] first."""
    return scales(sigma) / (2 * math.pi) * bracket(sigma / scales(sigma))


def not_clipped_after_two_roots(sigma: Tensor) -> Tensor:
    """√q · √q' is rounded three times, and Σ divided by it can be 1 + 2e-16, whose arccos is NaN: clip to [-1, 1]."""
    deviation = sigma.diagonal().sqrt()
    root = torch.outer(deviation, deviation)
    return root / (2 * math.pi) * bracket(sigma / root)


# Right answers that look different.


def with_sine_and_cosine(sigma: Tensor) -> Tensor:
    deviation = sigma.diagonal().sqrt()
    angle = torch.arccos((sigma / deviation[:, None] / deviation).clamp(-1, 1))
    return torch.outer(deviation, deviation) * (angle.sin() + (math.pi - angle) * angle.cos()) / (2 * math.pi)


def numpy_loops(sigma: Tensor) -> NDArray[np.float64]:
    s = sigma.numpy()
    value = np.zeros_like(s)
    for i in range(len(s)):
        for j in range(len(s)):
            root = np.sqrt(s[i, i] * s[j, j])
            angle = np.arccos(np.clip(s[i, j] / root, -1, 1))
            value[i, j] = root * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    return value


def float32(sigma: Tensor) -> Tensor:
    return with_sine_and_cosine(sigma.float())


def generic(rng: np.random.Generator, *, n: int) -> Arguments:
    return {"sigma": covariances(rng, n)}


def on_a_ray(rng: np.random.Generator) -> Arguments:
    return {"sigma": ray(rng, 30, 3)}


PAIRS, RAY = "pairs of inputs", "inputs on one ray"

relu_dual = Task(
    id="04.2",
    title="The dual of ReLU",
    signature="relu_dual(sigma) -> [n, n]",
    reference=reference,
    credit={PAIRS: 2, RAY: 1},
    cases=(
        Case(PAIRS, "5 inputs", partial(generic, n=5)),
        Case(PAIRS, "8 inputs", partial(generic, n=8)),
        Case(RAY, "30 inputs on a ray, without biases", on_a_ray),
    ),
    misconceptions=(
        *(
            Misconception(function)
            for function in (
                factor_two,
                angle_for_its_complement,
                covariance_for_correlation,
                divided_by_variances,
                unit_variances,
                product_of_variances,
                derivatives,
                centered,
                independent,
                half,
                clipped_too_much,
                no_root,
                cosine_missing,
                sine_and_cosine_exchanged,
                sign_in_the_bracket,
                half_the_expectation,
                density_left_out,
                correlation_for_angle,
                one_variance_for_both,
                negative_correlations_cut,
            )
        ),
        Misconception(not_clipped, keeps=2),
        Misconception(not_clipped_after_two_roots, keeps=2),
        Misconception(zero_for_not_a_number, keeps=2),
        Misconception(zero_for_not_a_number_after_two_roots, keeps=2),
    ),
    alternatives=(with_sine_and_cosine, numpy_loops, float32),
    compare=Close(rtol=3e-6, rtol_single=3e-4),
    when_nan="arccos of a correlation like 1 + 2e-16 is NaN: rounding can push it out of [-1, 1]; clip it first.",
)
