"""Activations: a function φ with its dual, the two Gaussian expectations that the infinite-width rules need."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ntk_teach.duals import (
    ArcCosine,
    ArcSine,
    ExponentialDual,
    GaussianDual,
    GeluDual,
    HermiteDual,
    PolynomialDual,
    SineDual,
)
from ntk_teach.errors import DomainError, check_count, check_scale, sentence
from ntk_teach.kernel import Dual, Kernel
from ntk_teach.nn import Pointwise

__all__ = [
    "Activation",
    "relu",
    "leaky_relu",
    "abrelu",
    "absolute",
    "identity",
    "monomial",
    "Polynomial",
    "erf",
    "Erf",
    "sigmoid_like",
    "gelu",
    "sin",
    "Sin",
    "cos",
    "Cos",
    "rbf",
    "Rbf",
    "exp",
    "Exp",
    "gaussian",
    "Gaussian",
    "tanh",
    "sigmoid",
    "softplus",
    "silu",
]


@dataclass(frozen=True)
class Activation:
    """A pointwise nonlinearity φ and its dual.

    Args:
        name: how it is called in messages.
        phi: φ, pointwise on a tensor.
        dual: (cov, var1, var2) ↦ E[φ(u)φ(v)], E[φ̇(u)φ̇(v)] for (u, v) ~ 𝒩(0, [[var1, cov], [cov, var2]]);
            the arguments broadcast.
        moments: var ↦ E[φ(u)²], E[φ̇(u)²] for u ~ 𝒩(0, var): the dual at coincident points, free of cancellation.

    Source: Cho & Saul 2009; Daniely, Frostig & Singer 2016. Chapter: 05_neural_tangent_kernel.
    """

    name: str
    phi: Callable[[Tensor], Tensor]
    dual: Callable[[Tensor, Tensor, Tensor], Dual]
    moments: Callable[[Tensor], Dual]
    random = False  # it has no width of its own: as many units leave as enter

    @classmethod
    def from_function(
        cls, function: Callable[[Tensor], Tensor], *, name: str | None = None, tolerance: float = 1e-10
    ) -> Activation:
        """Any smooth φ, by its Hermite series: E[φ(u)φ(v)] = Σ_k a_k(var1) a_k(var2) ρ^k, and φ̇ likewise.

        Args:
            function: φ, a pointwise function of a tensor that torch can differentiate.
            name: how it is called in messages; by default the function's own name.
            tolerance: largest relative tail 1 − Σ_k a_k² / E[φ²], for φ and for φ̇, at every variance met.

        Returns: an activation whose duals are within ``tolerance`` · √(E[φ(u)²] E[φ(v)²]), and exact at u = v.
            ``activation.dual.report(var)`` says how many terms are used and what they leave out.

        Raises: ConvergenceError, when used, if 2048 terms do not reach the tolerance. A kinked function never does:
            give its closed form with ``Activation(name, phi, dual, moments)``. A smooth one is refused where the
            variance makes it steep: tanh above 24, sigmoid above 98, silu above 116, softplus above 180.

        Cost: 4 · terms operations for each pair of inputs, half of it if φ is odd or even; the smallest number of
            terms is found from the tail, and grows about linearly with the variance (at variance 1: sin 14,
            softplus 20, silu 28, gelu 32, tanh 91).

        Source: Daniely, Frostig & Singer 2016, section 4. Chapter: 05_neural_tangent_kernel.
        """
        check_scale(tolerance, name="tolerance", where="Activation.from_function", minimum=1e-14)
        called = name or str(getattr(function, "__name__", "function"))
        series = HermiteDual(function, tolerance)
        return cls(called, function, series, series.moments)

    def kernel(self, k: Kernel) -> Kernel:
        """Infinite width: rule 2."""
        return k.activated(self.dual, self.moments)

    def module(self, fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Module:
        """Finite width: φ itself."""
        return Pointwise(self.phi, self.name)

    def __repr__(self) -> str:
        return self.name


@runtime_checkable
class _ClosedForm(Protocol):
    """A dual that knows its φ. Its methods, unlike lambdas, can be sent to other processes."""

    def phi(self, u: Tensor) -> Tensor: ...

    def __call__(self, cov: Tensor, var1: Tensor, var2: Tensor) -> Dual: ...

    def moments(self, var: Tensor) -> Dual: ...


def _closed(name: str, dual: _ClosedForm, phi: Callable[[Tensor], Tensor] | None = None) -> Activation:
    return Activation(name, phi or dual.phi, dual, dual.moments)


def _numbers(where: str, **values: float) -> list[float]:
    """Finite numbers of either sign, as floats."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise DomainError(sentence(where, f"{name} a finite number", repr(value), "pass a float"))
    return [float(value) for value in values.values()]


def _called(name: str, numbers: Sequence[float]) -> str:
    return f"{name}({', '.join(f'{number:g}' for number in numbers)})"


# One kink at 0.


def abrelu(a: float, b: float) -> Activation:
    """φ(u) = a·min(u, 0) + b·max(u, 0).

    Args: a, b: slopes on the negative and on the positive side. Dimensionless.

    Returns: Activation, in closed form. Raises: DomainError for a slope that is not a finite number.

    Source: Cho & Saul 2009, eqs 3 and 6, for relu = abrelu(0, 1). Chapter: 05_neural_tangent_kernel.
    """
    slopes = _numbers("abrelu", a=a, b=b)
    return _closed(_called("abrelu", slopes), ArcCosine(*slopes))


def leaky_relu(slope: float) -> Activation:
    """φ(u) = max(u, 0) + slope·min(u, 0). Returns and raises as ``abrelu``."""
    (checked,) = _numbers("leaky_relu", slope=slope)
    phi = partial(nn.functional.leaky_relu, negative_slope=checked)
    return _closed(_called("leaky_relu", [checked]), ArcCosine(checked, 1.0), phi)


relu = _closed("relu", ArcCosine(0.0, 1.0), torch.relu)
absolute = _closed("absolute", ArcCosine(-1.0, 1.0), torch.abs)


# Polynomials.


def Polynomial(coefficients: Sequence[float]) -> Activation:  # noqa: N802 (a family, beside its member in lower case)
    """φ(u) = Σ_j coefficients[j] u^j, exact at every variance.

    Args: coefficients: in ascending order, at least one. Dimensionless.

    Returns: Activation, in closed form. Raises: DomainError for no coefficients, or one that is not a finite number.

    Cost: degree² / 2 operations for each input, 4 · degree for each pair. Chapter: 05_neural_tangent_kernel.
    """
    if not isinstance(coefficients, Sequence) or not coefficients:
        do = "list them in ascending order: Polynomial([0, 1, 0.5]) is u + u²/2"
        raise DomainError(sentence("Polynomial", "at least one coefficient", repr(coefficients), do))
    checked = _numbers("Polynomial", **{f"coefficients[{j}]": c for j, c in enumerate(coefficients)})
    name = f"Polynomial([{', '.join(f'{c:g}' for c in checked)}])"
    return _closed(name, PolynomialDual(tuple(checked)))


def monomial(degree: int) -> Activation:
    """φ(u) = u^degree. Returns as ``Polynomial``; raises DomainError unless the degree is a whole number from 0 on."""
    check_count(degree, name="degree", where="monomial", minimum=0)
    return _closed(f"monomial({degree})", PolynomialDual((0.0,) * degree + (1.0,)))


identity = _closed("identity", PolynomialDual((0.0, 1.0)))


# Smooth functions in closed form.


def Erf(a: float = 1.0, b: float = 1.0, c: float = 0.0) -> Activation:  # noqa: N802 (as above)
    """φ(u) = a·erf(b u) + c.

    Args: a, b, c: any numbers. Dimensionless.

    Returns: Activation, in closed form. Raises: DomainError for a number that is not finite.

    Source: Williams 1996, eq. 11. Chapter: 05_neural_tangent_kernel.
    """
    numbers = _numbers("Erf", a=a, b=b, c=c)
    return _closed(_called("Erf", numbers), ArcSine(*numbers))


def Sin(a: float = 1.0, b: float = 1.0, c: float = 0.0) -> Activation:  # noqa: N802 (as above)
    """φ(u) = a·sin(b u + c). Arguments and errors as ``Erf``; in closed form."""
    numbers = _numbers("Sin", a=a, b=b, c=c)
    return _closed(_called("Sin", numbers), SineDual(*numbers))


def Cos(a: float = 1.0, b: float = 1.0, c: float = 0.0) -> Activation:  # noqa: N802 (as above)
    """φ(u) = a·cos(b u + c). Arguments and errors as ``Erf``; in closed form."""
    numbers = _numbers("Cos", a=a, b=b, c=c)
    return _closed(_called("Cos", numbers), _cosine(*numbers))


def Rbf(gamma: float = 1.0) -> Activation:  # noqa: N802 (as above)
    """φ(u) = √2 sin(√(2γ) u + π/4), whose dual is a Gaussian kernel: E[φ(u)φ(v)] = exp(−γ E[(u − v)²]).

    Args: gamma: at least 0; 1/γ is twice a squared length. Dimensionless.

    Returns: Activation, in closed form. Raises: DomainError for gamma below 0.

    Source: Rahimi & Recht 2007 (random Fourier features). Chapter: 03_random_features.
    """
    checked = check_scale(gamma, name="gamma", where="Rbf")
    return _closed(_called("Rbf", [checked]), SineDual(math.sqrt(2), math.sqrt(2 * checked), math.pi / 4))


def Exp(a: float = 1.0, b: float = 1.0) -> Activation:  # noqa: N802 (as above)
    """φ(u) = a·exp(b u). Arguments as ``Erf``; in closed form.

    Raises: DomainError for a number that is not finite and, when used, where exp(2b² var) overflows.
    """
    numbers = _numbers("Exp", a=a, b=b)
    return _closed(_called("Exp", numbers), ExponentialDual(*numbers))


def Gaussian(a: float = 1.0, b: float = -1.0) -> Activation:  # noqa: N802 (as above)
    """φ(u) = a·exp(b u²), a bump for b < 0. Arguments as ``Erf``; in closed form.

    Raises: DomainError for a number that is not finite and, when used, for b > 0 and a variance of 1/(4b) or more.
    """
    numbers = _numbers("Gaussian", a=a, b=b)
    return _closed(_called("Gaussian", numbers), GaussianDual(*numbers))


def _cosine(a: float, b: float, c: float) -> SineDual:
    return SineDual(a, b, c + math.pi / 2)


erf = _closed("erf", ArcSine(1.0, 1.0, 0.0), torch.erf)
sigmoid_like = _closed("sigmoid_like", ArcSine(0.5, 1 / 2.4020563531719796, 0.5))  # within 0.01 of the sigmoid
gelu = _closed("gelu", GeluDual())
sin = _closed("sin", SineDual(1.0, 1.0, 0.0), torch.sin)
cos = _closed("cos", _cosine(1.0, 1.0, 0.0), torch.cos)
rbf = _closed("rbf", SineDual(math.sqrt(2), math.sqrt(2), math.pi / 4))
exp = _closed("exp", ExponentialDual(1.0, 1.0), torch.exp)
gaussian = _closed("gaussian", GaussianDual(1.0, -1.0))


# Smooth functions by their series.


def _log_one_plus_exp(u: Tensor) -> Tensor:
    """Softplus without the jump that torch's has where it turns into the identity."""
    return torch.logaddexp(u, torch.zeros_like(u))


tanh = Activation.from_function(torch.tanh)
sigmoid = Activation.from_function(torch.sigmoid)
silu = Activation.from_function(nn.functional.silu)
softplus = Activation.from_function(_log_one_plus_exp, name="softplus")
