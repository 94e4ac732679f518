"""What ``diagnose`` found, the verdict that follows from it, and both in words."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

__all__ = ["Diagnosis", "LAZY", "TURNED"]

LAZY = 0.1  # a kernel that moves, and a loss curve that errs, by no more than this share: lazy
TURNED = 0.25  # a kernel that turns by at least this sine: feature learning
IDLE = 0.5  # a cost that is still above this share of its start has said little about training to the end
COLUMNS = 78


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """One network before training, as its kernel forecasts it, and after training. Made by ``diagnose``.

    ``print(diagnosis)`` is a report; ``verdict`` is its last word and ``evidence`` the reasons, in sentences.

    Args:
        given, inputs, outputs: inputs that came in, inputs N that were used, outputs c.
        steps, lr, critical_lr: of gradient descent; critical_lr = 2/λ_max(Θ₀/N).
        kappa: κ before training, the relative scale of ``lazy.relative_scale``, a lower bound; dimensionless.
        rates: the N·c eigenvalues of Θ₀/N, falling, in units of 1/t.
        alignment_before, alignment_after: centered alignment of the kernel (mean over outputs) with y yᵀ; nan for
            targets that are the same at all inputs.
        forecast, actual: the cost before each step and after the last, of the tangent and of the network.
        kernel_drift: ‖Θ₁ − Θ₀‖/‖Θ₀‖, Frobenius norms over inputs and outputs.
        kernel_turn: min over s of ‖Θ₁ − sΘ₀‖/‖Θ₁‖, the part of the change that is no change of speed; from 0 to 1.
        parameter_drift: ‖θ₁ − θ₀‖/‖θ₀‖.
        function_gap: ‖f₁ − f_lin‖/‖f_lin − f₀‖ over the inputs, after the last step.

    Chapter: 14_critique.
    """

    given: int
    inputs: int
    outputs: int
    steps: int
    lr: float
    critical_lr: float
    kappa: float
    rates: Float[Tensor, " modes"]
    alignment_before: float
    alignment_after: float
    forecast: Float[Tensor, " times"]
    actual: Float[Tensor, " times"]
    kernel_drift: float
    kernel_turn: float
    parameter_drift: float
    function_gap: float

    @property
    def effective_rank(self) -> float:
        """(Σ λ)²/Σ λ²: how many modes carry the kernel, between 1 and N·c."""
        return float(self.rates.sum() ** 2 / self.rates.square().sum())

    @property
    def condition(self) -> float:
        """λ_max/λ_min; ∞ where λ_min is 0 to rounding."""
        return float(self.rates[0] / self.rates[-1]) if float(self.rates[-1]) > 0 else math.inf

    @property
    def forecast_error(self) -> float:
        """max over the steps of |actual − forecast|, as a share of the first cost."""
        return float((self.actual - self.forecast).abs().max() / self.forecast[0])

    @property
    def verdict(self) -> str:
        """ "lazy", "feature learning" or "between"; the rule stands in ``diagnose``."""
        if self.kernel_drift <= LAZY and self.forecast_error <= LAZY:
            return "lazy"
        return "feature learning" if self.kernel_turn >= TURNED else "between"

    @property
    def evidence(self) -> tuple[str, ...]:
        """The numbers that decide, each beside its threshold, and those that only accompany them."""
        left = float(self.actual[-1] / self.actual[0])
        sentences = [
            f"The kernel moved by {_share(self.kernel_drift)} of its norm (lazy: at most {_share(LAZY)}) and turned by "
            f"{_share(self.kernel_turn)} (feature learning: at least {_share(TURNED)}).",
            f"The loss curve left the forecast by at most {_share(self.forecast_error)} of the first cost "
            f"(lazy: at most {_share(LAZY)}).",
            f"κ = {self.kappa:.2g} before training; far below 1 it promises laziness, but it is a lower bound, knows "
            "nothing of kinks, and decides nothing here.",
        ]
        if math.isfinite(self.alignment_after):
            sentences.append(
                f"Alignment of the kernel with the targets: {self.alignment_before:.2f} before, "
                f"{self.alignment_after:.2f} after."
            )
        if left > IDLE:
            sentences.append(
                f"The cost is still {_share(left)} of what it was: the verdict is about a start. Give more steps."
            )
        return tuple(sentences)

    def __str__(self) -> str:
        used = f"{self.inputs} inputs" + (f" (of {self.given}, drawn)" if self.inputs < self.given else "")
        moments = sorted({round(self.steps * share) for share in (0, 0.01, 0.1, 0.3, 1)})
        lines = [
            f"{used}, {self.outputs} output{'s' if self.outputs > 1 else ''}; {self.steps} steps of lr = {self.lr:.3g}"
            f" ({_share(self.lr / self.critical_lr)} of critical)",
            f"kernel: effective rank {self.effective_rank:.1f} of {len(self.rates)}, condition {self.condition:.2g}",
            "  step   forecast     actual",
            *[f"{k:6d} {float(self.forecast[k]):10.4g} {float(self.actual[k]):10.4g}" for k in moments],
            f"parameters moved by {_share(self.parameter_drift)}; the function is {_share(self.function_gap)} "
            "off its tangent",
            f"verdict: {self.verdict}",
        ]
        wrapped = [part for line in lines for part in textwrap.wrap(line, COLUMNS, drop_whitespace=False)]
        for sentence in self.evidence:
            wrapped += textwrap.wrap(sentence, COLUMNS, initial_indent="  - ", subsequent_indent="    ")
        return "\n".join(line.rstrip() for line in wrapped)


def _share(value: float) -> str:
    """In percent, with two digits that count."""
    percent = 100 * value
    return (
        f"{percent:.0f}\N{NO-BREAK SPACE}%"
        if percent >= 10 or not math.isfinite(percent)
        else f"{percent:.2g}\N{NO-BREAK SPACE}%"
    )
