"""Gradient descent on the squared error with a constant kernel: solved once, evaluated at any time.

In the eigenbasis of K/N every coordinate of f − y decays alone, e^{−λ_i t}. That is all that training does here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntk_teach.errors import (
    DomainError,
    ShapeError,
    check_array,
    check_count,
    check_cross,
    check_gram,
    check_outputs,
    check_same,
    check_scale,
    sentence,
)
from ntk_teach.spectrum import with_ridge

__all__ = ["LeastSquares", "Stopping"]

Square = Float[Tensor, "n n"]
Cross = Float[Tensor, "m n"]
Outputs = Float[Tensor, "n *c"]
OtherOutputs = Float[Tensor, "m *c"]
Values = Float[Tensor, "..."]
Times = float | int | Float[Tensor, "*t"]
Steps = int | Int[Tensor, "*t"]


class Stopping(NamedTuple):
    """When to stop, t in units of 1/lr, and the mean squared error there."""

    t: float
    risk: float


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """f_t = y + e^{−tK/N} (f_0 − y) on the data and f_t(x) = f_0(x) − K(x, X) (1 − e^{−tK/N}) K⁻¹ (f_0 − y) elsewhere.

    Make it with ``LeastSquares.fit``. Wherever K stands between two training inputs, the ridge is in it.

    Args: rates λ_i = eig_i(K)/N [n], falling, in units of 1/t, exactly 0 where K is singular to rounding;
        eigenvectors [n, n], orthonormal columns; y [n] or [n, c].

    Source: Jacot, Gabriel & Hongler 2018, section 5. Chapter: 06_least_squares_dynamics.
    """

    rates: Float[Tensor, " n"]
    eigenvectors: Square
    y: Outputs

    @classmethod
    def fit(cls, k: Square, y: Outputs, ridge: float | int = 0.0) -> LeastSquares:
        """The modes of gradient descent on C = 1/(2N) Σ_i ‖f(x_i) − y_i‖² with the kernel K ⊗ Id.

        Args:
            k: the kernel on the training inputs, [n, n], symmetric and positive semidefinite.
            y: targets [n] or [n, c].
            ridge: K + ridge · mean(diag K) · Id in place of K, dimensionless. It reads each label as a value with
                noise of its own: off the data t = ∞ is ridge regression, on the data the noisy labels are reached.

        Returns: LeastSquares. Modes with λ ≤ n ε λ_max do not move, at any t.

        Raises: ShapeError, DtypeError; DomainError where K is not finite, symmetric and positive semidefinite.

        Cost: one eigendecomposition, ~9 n³; afterwards a thousand times t are little more than one.

        Source: Jacot, Gabriel & Hongler 2018, section 5. Chapter: 06_least_squares_dynamics.
        """
        where = "LeastSquares.fit"
        if isinstance(k, Tensor) and k.ndim == 4:
            do = "use kernel_gradient_flow, which takes kernels that couple the outputs"
            raise ShapeError(sentence(f"{where}, k", "a kernel [n, n], for K ⊗ Id", str(list(k.shape)), do))
        k = check_gram(k, where=where)
        y = check_outputs(y, k, name="y", where=where)
        values, vectors = torch.linalg.eigh(with_ridge(k, ridge, where=where))
        eps, largest = torch.finfo(k.dtype).eps, float(values.abs().max())
        if float(values[0]) < -math.sqrt(eps) * largest:
            received = f"λ_min = {float(values[0]):.3g} beside λ_max = {float(values[-1]):.3g}"
            do = "check the kernel: along a negative mode gradient descent would run away from y"
            raise DomainError(sentence(where, "a positive semidefinite kernel", received, do))
        values = torch.where(values > len(k) * eps * largest, values, 0.0)
        return cls(values.flip(0) / len(k), vectors.flip(1), y)

    @property
    def modes(self) -> Square:
        """f⁽ⁱ⁾ on the data, the columns of √n · ``eigenvectors``, so that 1/N Σ_j f⁽ⁱ⁾(x_j)² = 1."""
        return math.sqrt(len(self.rates)) * self.eigenvectors

    @property
    def critical_lr(self) -> float:
        """2/λ_max(K/N). Below it every mode decays; from half of it on the fastest ones change sign at each step."""
        largest = float(self.rates[0])
        return 2 / largest if largest > 0 else math.inf

    def times(self, count: int = 200) -> Float[Tensor, " count"]:
        """0, then ``count`` − 2 times evenly spaced in log t, from before the fastest mode moves to after the slowest
        has arrived, then ∞. In units of 1/lr."""
        count = check_count(count, name="count", where="LeastSquares.times", minimum=3)
        moving = self.rates[self.rates > 0]
        fast, slow = (float(moving[0]), float(moving[-1])) if len(moving) else (1.0, 1.0)
        between = torch.logspace(math.log10(0.01 / fast), math.log10(40 / slow), count - 2, dtype=torch.float64)
        return torch.cat([torch.zeros(1), between, torch.full((1,), math.inf)]).to(self.rates)

    def decay(self, t: Times) -> Float[Tensor, "*t n"]:
        """e^{−λ_i t}, what is left of each mode of f − y at time t. Args: t ≥ 0, [*t], may be ∞. Returns [*t, n]."""
        return torch.exp(-self._elapsed(t))

    def loss(self, t: Times, f0: float | int | Outputs = 0.0) -> Float[Tensor, "*t"]:
        """C(f_t) = 1/(2N) Σ_i e^{−2λ_i t} ‖r_i‖², with r_i the coordinates of f_0 − y in the eigenbasis. [*t]"""
        return self.decay(t).square() @ self._residual(f0).square().sum(1) / (2 * len(self.rates))

    def at(self, t: Times, f0: float | int | Outputs = 0.0) -> Values:
        """f_t = y + e^{−tK/N} (f_0 − y) on the data.

        Args: t ≥ 0 in units of 1/lr, a number or [*t], ∞ allowed; f0 [n] or [n, c] or one number for all.

        Returns: [*t, n] or [*t, n, c]. Raises: ShapeError, DtypeError, DomainError. Cost: n² c T operations.

        Source: Jacot, Gabriel & Hongler 2018, section 5. Chapter: 06_least_squares_dynamics.
        """
        return self._on_data(self.decay(t), f0)

    def predict(
        self, k_test: Cross, t: Times = math.inf, f0: float | int | Outputs = 0.0, f0_test: float | int | Tensor = 0.0
    ) -> Values:
        """f_t(x) = f_0(x) + K(x, X) K⁻¹ (1 − e^{−tK/N}) (y − f_0(X)): the trained function off the data.

        Args:
            k_test: K(x, X), rows at the points of evaluation, [m, n]. Any block of rows may be given by itself.
            t: time in units of 1/lr, a number or [*t]; ∞ is kernel regression.
            f0, f0_test: the function at t = 0 on the data, [n] or [n, c], and at the points of evaluation.

        Returns: [*t, m] or [*t, m, c]. Raises: ShapeError, DtypeError, DomainError.

        Cost: n² min(m, c T) + m n c T operations for all T times together.

        Source: Jacot, Gabriel & Hongler 2018, section 5. Chapter: 06_least_squares_dynamics.
        """
        return self._off_data(k_test, self._approach(t), f0, f0_test)

    def response(self, k_test: Cross, t: float | int = math.inf) -> Cross:
        """M_t = K(x, X) K⁻¹ (1 − e^{−tK/N}), so that f_t(x) = f_0(x) + M_t (y − f_0(X)). Returns [m, n]; cost m n²."""
        return self._linear(k_test, self._approach(t))

    def response_after(self, k_test: Cross, steps: int, lr: float | int = 1.0) -> Cross:
        """M_k = K(x, X) K⁻¹ (1 − (1 − lr K/N)^k), the same for k steps of gradient descent. Returns [m, n]."""
        return self._linear(k_test, self._shrunk(steps, lr)[1])

    def after_steps(self, steps: Steps, lr: float | int = 1.0, f0: float | int | Outputs = 0.0) -> Values:
        """f_k = y + (1 − lr K/N)^k (f_0 − y), k steps of gradient descent, on the data.

        Below ``critical_lr`` it follows ``at(t=lr·k)`` and ends at the same place; above, the fastest modes grow.

        Args: steps, a whole number ≥ 0 or a tensor of them [*t]; lr, dimensionless; f0 as in ``at``.

        Returns: [*t, n] or [*t, n, c]. Raises: ShapeError, DtypeError, DomainError. Chapter: 06_least_squares_dynamics.
        """
        return self._on_data(self._shrunk(steps, lr)[0], f0)

    def predict_after(
        self,
        k_test: Cross,
        steps: Steps,
        lr: float | int = 1.0,
        f0: float | int | Outputs = 0.0,
        f0_test: float | int | Tensor = 0.0,
    ) -> Values:
        """f_k(x) = f_0(x) + K(x, X) K⁻¹ (1 − (1 − lr K/N)^k) (y − f_0(X)); see ``predict`` and ``after_steps``."""
        return self._off_data(k_test, self._shrunk(steps, lr)[1], f0, f0_test)

    def risk(
        self, t: Times, *, target: Outputs, noise: float | int, f0: float | int | Outputs = 0.0
    ) -> Float[Tensor, "*t"]:
        """R(t) = 1/N E‖f_t − y*‖² = 1/N Σ_i [ e^{−2λ_i t} b_i² + (1 − e^{−λ_i t})² σ² ], where y = y* + σ 𝒩(0, Id).

        The first term is what is not yet learned of y*, b_i the coordinates of f_0 − y*; the second is learned noise.
        The targets of ``fit`` do not enter.

        Args: t as ``at``; target y* [n] or [n, c], without noise; noise σ, a standard deviation; f0 as ``at``.

        Returns: [*t]; with several outputs their sum. Raises: ShapeError, DtypeError, DomainError.

        Source: Yao, Rosasco & Caponnetto 2007 (bias and variance of early stopping). Chapter: 07_generalization.
        """
        noise = check_scale(noise, name="noise", where="LeastSquares.risk")
        target = check_outputs(target, self.rates, name="target", where="LeastSquares.risk")
        bias = self._residual(f0, target).square()  # [n, c]
        left = self.decay(t)
        variance = bias.shape[1] * noise**2 * (1 - left).square().sum(-1)
        return (left.square() @ bias.sum(1) + variance) / len(self.rates)

    def early_stopping(self, *, target: Outputs, noise: float | int, f0: float | int | Outputs = 0.0) -> Stopping:
        """argmin_t R(t), R the ``risk``: when the fast modes have learned y* and the slow ones not yet the noise.

        For a single mode it is t = log(1 + b²/σ²)/λ. Arguments and errors as ``risk``.

        Returns: Stopping(t, risk); t = 0 where learning only hurts, ∞ where there is no noise.

        Cost: the risk at 400 times, then a one-dimensional search. Chapter: 07_generalization.
        """

        from scipy.optimize import minimize_scalar  # slow to import, and needed here only

        def risk(t: float | int | Tensor) -> Tensor:
            return self.risk(t, target=target, noise=noise, f0=f0)

        times = self.times(400)
        values = risk(times)
        best = int(values.argmin())
        if float(values[-1]) <= float(values[best]):
            return Stopping(math.inf, float(values[-1]))
        if best == 0:
            return Stopping(0.0, float(values[0]))
        low, high = float(times[max(best - 1, 1)]), float(times[min(best + 1, len(times) - 2)])
        found = minimize_scalar(
            lambda s: float(risk(math.exp(s))),
            bounds=(math.log(low), math.log(high)),
            method="bounded",
            options={"xatol": 1e-9},
        )
        return Stopping(math.exp(found.x), float(found.fun))

    def held_out_stopping(
        self,
        k_test: Cross,
        y_test: OtherOutputs,
        f0: float | int | Outputs = 0.0,
        f0_test: float | int | Tensor = 0.0,
    ) -> Stopping:
        """argmin_t 1/M Σ_j ‖f_t(x_j) − y_j‖² over held-out data: early stopping where y* and the noise are not known.

        Args: k_test [m, n] and y_test [m] or [m, c], inputs that ``fit`` has not seen; f0, f0_test as ``predict``.

        Returns: Stopping(t, risk), the best of 400 times spaced evenly in log t; the risk contains the held-out noise
            and is a little too good, for the minimum was chosen on the same data.

        Raises: as ``predict``. Cost: one ``predict`` at 400 times. Chapter: 07_generalization.
        """
        times = self.times(400)
        f = self.predict(k_test, times, f0, f0_test)
        y_test = check_array(y_test, name="y_test", shape="[m] or [m, c]", where="LeastSquares.held_out_stopping")
        if y_test.shape != f.shape[1:]:
            place, do = "LeastSquares.held_out_stopping, y_test", "give one target for each row of k_test"
            raise ShapeError(sentence(place, f"shape {list(f.shape[1:])}", str(list(y_test.shape)), do))
        errors = (f - y_test).square().reshape(len(times), len(y_test), -1).sum(2).mean(1)  # [T]
        best = int(errors.argmin())
        return Stopping(float(times[best]), float(errors[best]))

    def _elapsed(self, t: Times) -> Tensor:
        """λ_i t, [*t, n]; a mode that does not move has aged 0 even at t = ∞."""
        times = torch.as_tensor(t, dtype=self.rates.dtype, device=self.rates.device)
        if bool((torch.isnan(times) | (times < 0)).any()):
            do = "t is training time, lr times the number of steps"
            raise DomainError(sentence("LeastSquares, t", "times t ≥ 0", f"{float(times.min())}", do))
        return torch.where(self.rates > 0, self.rates * times[..., None], 0.0)

    def _approach(self, t: Times) -> Tensor:
        """(1 − e^{−λ_i t}) / λ_i, [*t, n]; 0 for modes that do not move."""
        return self._over_rates(-torch.expm1(-self._elapsed(t)))

    def _shrunk(self, steps: Steps, lr: float | int) -> tuple[Tensor, Tensor]:
        """(1 − lr λ_i)^k and (1 − (1 − lr λ_i)^k) / λ_i, [*t, n]."""
        lr = check_scale(lr, name="lr", where="LeastSquares")
        if not isinstance(steps, Tensor):
            check_count(steps, name="steps", where="LeastSquares", minimum=0)
        count = torch.as_tensor(steps, dtype=self.rates.dtype, device=self.rates.device)[..., None]
        if bool((count < 0).any()) or bool((count != count.round()).any()):
            raise DomainError(sentence("LeastSquares, steps", "whole numbers ≥ 0", str(steps), "count steps from 0"))
        left = (1 - lr * self.rates) ** count
        # Where lr λ is small, 1 − (1 − lr λ)^k cancels.
        small = lr * self.rates < 0.5
        gone = torch.where(
            small, -torch.expm1(count * torch.log1p(-torch.where(small, lr * self.rates, 0.0))), 1 - left
        )
        return left, self._over_rates(gone)

    def _over_rates(self, gone: Tensor) -> Tensor:
        return torch.where(self.rates > 0, gone / torch.where(self.rates > 0, self.rates, 1.0), 0.0)

    def _residual(self, f0: float | int | Tensor, target: Tensor | None = None) -> Tensor:
        """Vᵀ (f_0 − y), [n, c]."""
        target = self.y if target is None else target
        gap = self._start(f0, target.shape, name="f0") - target
        return self.eigenvectors.T @ gap.reshape(len(gap), -1)

    def _start(self, f0: float | int | Tensor, shape: tuple[int, ...], *, name: str) -> Tensor:
        if not isinstance(f0, Tensor):
            return self.rates.new_full(shape, check_scale(f0, name=name, where="LeastSquares", minimum=-math.inf))
        values = check_array(f0, name=name, shape=str(list(shape)), where="LeastSquares")
        check_same(self.rates, values, names=("k", name), where="LeastSquares")
        if values.shape != shape:
            do = "give one value for each point and output"
            raise ShapeError(sentence(f"LeastSquares, {name}", f"shape {list(shape)}", str(list(values.shape)), do))
        return values

    def _on_data(self, left: Tensor, f0: float | int | Tensor) -> Tensor:
        return self.y + self._spread([self.eigenvectors], left, self._residual(f0))

    def _off_data(
        self, k_test: Tensor, gone: Tensor, f0: float | int | Tensor, f0_test: float | int | Tensor
    ) -> Tensor:
        k_test = check_cross(k_test, self.rates, where="LeastSquares.predict")
        start = self._start(f0_test, (len(k_test), *self.y.shape[1:]), name="f0_test")
        return start - self._spread([k_test, self.eigenvectors], gone, self._residual(f0)) / len(self.rates)

    def _linear(self, k_test: Tensor, gone: Tensor) -> Tensor:
        k_test = check_cross(k_test, self.rates, where="LeastSquares.response")
        return (k_test @ self.eigenvectors * gone) @ self.eigenvectors.T / len(self.rates)

    def _spread(self, factors: list[Tensor], filters: Tensor, residual: Tensor) -> Tensor:
        """factors · (filter ⊙ residual) for every filter at once; many times are columns of one matrix product.

        Args: factors, matrices whose product is [m, n]; filters [*t, n]; residual [n, c].

        Returns: [*t, m] or [*t, m, c].
        """
        times, n = filters.shape[:-1], len(residual)
        flat, m = filters.reshape(-1, n), len(factors[0])  # [T, n]
        if m < len(flat):  # the array of n·c·min(m, T) numbers is the largest: make the smaller of the two
            rows = torch.linalg.multi_dot(factors) if len(factors) > 1 else factors[0]  # [m, n]
            weighted = rows * residual.T[:, None, :]  # [c, m, n]
            moved: Tensor = (flat @ weighted.mT).movedim(0, -1)  # [T, m, c]
        else:
            columns = flat.T[:, :, None] * residual[:, None, :]  # [n, T, c]
            product: Tensor = torch.linalg.multi_dot([*factors, columns.reshape(n, -1)])  # [m, T·c]
            moved = product.reshape(m, *columns.shape[1:]).transpose(0, 1)  # [T, m, c]
        return moved.reshape(*times, m, *self.y.shape[1:])  # [*t, m] or [*t, m, c]
