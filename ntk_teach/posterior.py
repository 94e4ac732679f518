"""The Gaussian law of a trained wide network, and the Bayesian posterior that it is not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import (
    DomainError,
    ShapeError,
    check_array,
    check_count,
    check_cross,
    check_gram,
    check_same,
    check_scale,
    sentence,
)
from ntk_teach.least_squares import LeastSquares

__all__ = ["GaussianLaw", "limit_law", "limit_law_after", "nngp_posterior", "sample_then_optimize"]

Square = Float[Tensor, "n n"]
Cross = Float[Tensor, "m n"]
TestSquare = Float[Tensor, "m m"]
Outputs = Float[Tensor, "n *c"]
OtherOutputs = Float[Tensor, "m *c"]
Values = Float[Tensor, "..."]


@dataclass(frozen=True, eq=False)
class GaussianLaw:
    """𝒩(mean, covariance) at m points: mean [m] or [m, c]; covariance [m, m], the same for each independent output.

    ``rounding`` is how far below 0 an eigenvalue of the covariance may lie and still mean 0: a covariance is a
    difference of kernels, and where the law is certain nothing but their rounding is left.

    Chapter: 06_least_squares_dynamics.
    """

    mean: OtherOutputs
    covariance: TestSquare
    rounding: float = 0.0

    @property
    def deviation(self) -> Float[Tensor, " m"]:
        """√ of the diagonal; 0 where rounding has left a negative variance."""
        variance: Tensor = self.covariance.diagonal().clamp(min=0)
        return variance.sqrt()

    def percentiles(self, *shares: float | int) -> Values:
        """mean + deviation · Φ⁻¹(p/100) at each point, for p in percent between 0 and 100; 10 and 90 if left out.

        Returns: [p, m] or [p, m, c]. Raises: DomainError for a p that is not strictly between.
        """
        asked = shares or (10.0, 90.0)
        for share in asked:
            if not 0 < check_scale(share, name="percentile", where="GaussianLaw.percentiles") < 100:
                do = "give percent, 50 for the median"
                raise DomainError(sentence("GaussianLaw.percentiles", "0 < p < 100", repr(share), do))
        quantiles = torch.special.ndtri(torch.tensor(asked, dtype=torch.float64) / 100).to(self.mean)  # [p]
        band = quantiles[:, None] * self.deviation  # [p, m]
        values: Tensor = self.mean + (band if self.mean.ndim == 1 else band[:, :, None])
        return values

    def sample(self, count: int, *, seed: int) -> Values:
        """``count`` draws, mean + √covariance · z; one seed is one draw on every device and in every dtype.

        Returns: [count, m] or [count, m, c]. Raises: DomainError where the covariance has a negative direction.
        Cost: one eigendecomposition, ~9 m³, then count · m² c.
        """
        where = "GaussianLaw.sample"
        check_count(count, name="count", where=where)
        check_count(seed, name="seed", where=where, minimum=0)
        values, vectors = torch.linalg.eigh(self.covariance)
        if float(values[0]) < -max(self.rounding, _rounding(values)):
            received, do = f"λ_min = {float(values[0]):.3g}", "check the kernels that it was made from"
            raise DomainError(sentence(where, "a positive semidefinite covariance", received, do))
        # The symmetric root, because eigenvectors have no sign of their own and the draw must not depend on it.
        root = vectors * values.clamp(min=0).sqrt() @ vectors.T
        generator = torch.Generator().manual_seed(seed)
        z = torch.randn(count, *self.mean.shape, generator=generator, dtype=torch.float64).to(self.mean)
        return self.mean + torch.einsum("ij,bj...->bi...", root, z)


def limit_law(
    y: Outputs,
    *,
    ntk: Square,
    nngp: Square,
    ntk_test: Cross,
    nngp_test: Cross,
    nngp_test_test: TestSquare,
    t: float | int = math.inf,
    ridge: float | int = 0.0,
) -> GaussianLaw:
    """f_t(x) = f_0(x) + M_t (y − f_0(X)) with f_0 ~ 𝒩(0, Σ) and M_t = Θ(x, X) Θ⁻¹ (1 − e^{−tΘ/N}): the law over starts.

    Mean M_t y; covariance Σ(x, x') + M_t Σ(X, X) M_t'ᵀ − M_t Σ(X, x') − Σ(x, X) M_t'ᵀ. No kernel chosen before the
    data has it as posterior: its covariance is never below that of ``nngp_posterior`` (Gauss–Markov). With Σ in place
    of Θ it is the law of networks of which only the last layer is trained, and at t = ∞ their posterior.

    Args:
        y: targets [n] or [n, c].
        ntk, nngp: Θ(X, X) and Σ(X, X), [n, n], as in ``k = arch.kernel(x)``.
        ntk_test, nngp_test: Θ(x, X) and Σ(x, X), [m, n], rows at the points of evaluation.
        nngp_test_test: Σ(x, x') between the points of evaluation, [m, m].
        t: training time in units of 1/lr; ∞ allowed. Compare with networks at the same t.
        ridge: of Θ(X, X), as in ``LeastSquares.fit``; Σ is left as it is.

    Returns: GaussianLaw with mean [m] or [m, c]. Raises: ShapeError, DtypeError, DomainError.

    Cost: one eigendecomposition ~9 n³ and a few products m n².

    Source: Lee et al. 2019, equations 14 and 15, for the mean over the data in place of the sum.
    Chapter: 06_least_squares_dynamics.
    """
    moved = LeastSquares.fit(ntk, y, ridge).response(ntk_test, t)
    return _pushed(moved, y, nngp, nngp_test, nngp_test_test, where="limit_law")


def limit_law_after(
    y: Outputs,
    *,
    ntk: Square,
    nngp: Square,
    ntk_test: Cross,
    nngp_test: Cross,
    nngp_test_test: TestSquare,
    steps: int,
    lr: float | int = 1.0,
    ridge: float | int = 0.0,
) -> GaussianLaw:
    """The ``limit_law`` after whole steps of gradient descent, (1 − lr Θ/N)^k in place of e^{−tΘ/N}.

    Args: steps, a whole number k; lr, dimensionless; all others as ``limit_law``. Returns: GaussianLaw.

    Source: Lee et al. 2019, with discrete time. Chapter: 06_least_squares_dynamics.
    """
    moved = LeastSquares.fit(ntk, y, ridge).response_after(ntk_test, steps, lr)
    return _pushed(moved, y, nngp, nngp_test, nngp_test_test, where="limit_law_after")


def nngp_posterior(
    y: Outputs, *, nngp: Square, nngp_test: Cross, nngp_test_test: TestSquare, noise: float | int = 0.0
) -> GaussianLaw:
    """f | f(X) + σ ε = y for the prior f ~ 𝒩(0, Σ): mean Σ(x, X) A y, covariance Σ(x, x') − Σ(x, X) A Σ(X, x').

    with A = (Σ(X, X) + σ² Id)⁻¹. A Bayesian reads it; gradient descent on all layers does not sample it. Given Θ in
    place of Σ it returns the "NTK-GP" posterior: its mean is that of the trained ensemble, its covariance that of
    nothing which is trained here. For four points on the circle its variance is, on average, twelve times too large.

    Args: y [n] or [n, c]; nngp [n, n], nngp_test [m, n], nngp_test_test [m, m]; noise σ, a standard deviation in
        the units of y.

    Returns: GaussianLaw of f, without the noise of a new observation. Raises: ShapeError, DtypeError, DomainError.

    Cost: one eigendecomposition ~9 n³. Source: Rasmussen & Williams 2006, section 2.2; for networks Lee et al. 2018
    and Matthews et al. 2018. Chapter: 04_gaussian_process_limit.
    """
    where = "nngp_posterior"
    noise = check_scale(noise, name="noise", where=where)
    nngp = check_gram(nngp, name="nngp", where=where)
    mean_variance = float(nngp.diagonal().mean())
    ridge = noise**2 / mean_variance if mean_variance > 0 else 0.0
    weights = LeastSquares.fit(nngp, y, ridge).response(nngp_test)  # [m, n]
    prior = _check_tests(nngp_test_test, weights, where=where)
    return GaussianLaw(weights @ y, _symmetric(prior - weights @ nngp_test.T), _rounding(prior))


def sample_then_optimize(
    y: Float[Tensor, " n"],
    *,
    k: Square,
    k_test: Cross,
    f0: Float[Tensor, "draws n"],
    f0_test: Float[Tensor, "draws m"],
    t: float | int = math.inf,
) -> Float[Tensor, "draws m"]:
    """f_t = f_0(x) + M_t (y − f_0(X)) for many starts f_0 at once; at t = ∞, M = K(x, X) K⁻¹.

    Draw functions, then train each: if f_0 is drawn with covariance K itself (only the last layer trained), the ends
    are exact samples of the posterior of K given y, without noise. If all layers are trained, K is Θ while f_0 has the
    covariance Σ, and the ends follow the ``limit_law``.

    Args: y [n]; k [n, n]; k_test [m, n]; f0 and f0_test, the same draws on the data [draws, n] and off it [draws, m];
        t in units of 1/lr.

    Returns: [draws, m]. Raises: ShapeError, DtypeError, DomainError. Cost: ~9 n³ + m n² + draws · m n.

    Source: Matthews et al. 2017 (sample-then-optimize); Lee et al. 2019 for all layers.
    Chapter: 04_gaussian_process_limit.
    """
    where = "sample_then_optimize"
    moved = LeastSquares.fit(k, y).response(k_test, t)  # [m, n]
    for name, draws, points in (("f0", f0, moved.shape[1]), ("f0_test", f0_test, moved.shape[0])):
        check_same(k, check_array(draws, name=name, shape="[draws, n]", where=where), names=("k", name), where=where)
        if draws.ndim != 2 or draws.shape != (len(f0), points):
            expected, do = f"draws of shape [draws, {points}]", "draw f on the data and off it together"
            raise ShapeError(sentence(f"{where}, {name}", expected, str(list(draws.shape)), do))
    if y.ndim != 1:
        do = "outputs are independent: treat them one by one"
        raise ShapeError(sentence(f"{where}, y", "targets [n] of one output", str(list(y.shape)), do))
    return f0_test + (y - f0) @ moved.T


def _pushed(
    moved: Cross, y: Outputs, nngp: Square, nngp_test: Cross, nngp_test_test: TestSquare, *, where: str
) -> GaussianLaw:
    """The law of f_0(x) + M (y − f_0(X)) for f_0 ~ 𝒩(0, Σ) and any fixed M [m, n]."""
    nngp = check_gram(nngp, name="nngp", where=where)
    nngp_test = check_cross(nngp_test, nngp, name="nngp_test", where=where)
    if nngp_test.shape != moved.shape:
        received, do = f"{list(nngp_test.shape)} and {list(moved.shape)}", "use the same points for both"
        raise ShapeError(sentence(where, "nngp_test and ntk_test of one shape", received, do))
    check_same(moved, nngp, names=("ntk", "nngp"), where=where)
    prior = _check_tests(nngp_test_test, moved, where=where)
    mixed = moved @ nngp_test.T  # M Σ(X, x'), [m, m]
    covariance = _symmetric(prior + moved @ nngp @ moved.T - mixed - mixed.T)
    return GaussianLaw(moved @ y, covariance, _rounding(prior))


def _check_tests(nngp_test_test: object, moved: Tensor, *, where: str) -> Tensor:
    prior, m = check_gram(nngp_test_test, name="nngp_test_test", where=where), moved.shape[0]
    if len(prior) != m:
        do = "one row and one column for each row of nngp_test"
        place, expected = f"{where}, nngp_test_test", f"a kernel [{m}, {m}]"
        raise ShapeError(sentence(place, expected, str(list(prior.shape)), do))
    check_same(moved, prior, names=("nngp_test", "nngp_test_test"), where=where)
    return prior


def _symmetric(k: Tensor) -> Tensor:
    return (k + k.T) / 2


def _rounding(k: Tensor) -> float:
    return math.sqrt(torch.finfo(k.dtype).eps) * float(k.abs().max())
