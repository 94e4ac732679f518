"""Convex costs on the outputs of a network, and the direction in which each output should move."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, DtypeError, ShapeError, sentence

__all__ = ["Cost", "squared_error", "logistic", "cross_entropy"]

Outputs = Float[Tensor, "n *c"]


def _unchanged(f: Tensor, y: Tensor) -> Tensor:
    return y


@dataclass(frozen=True, repr=False)
class Cost:
    """C(f) = 1/N Σ_i c(f(x_i), y_i), with c convex in its first argument, and d|_f(x_i) = ∂c(f(x_i), y_i)/∂f(x_i).

    Args:
        name: for messages and plots.
        each: c for each example, from f [n] or [n, c] and targets to [n].
        slope: ∂c/∂f for each example, of the shape of f.
        smoothness: the largest curvature of c in f, the most that an eigenvalue of ∂²c/∂f² can be; nan if unknown.
            Gradient descent is stable for lr < 2 / (smoothness · λ_max(K/N)).
        targets: checks y against f and writes it as ``each`` and ``slope`` want it.

    Source: Jacot, Gabriel & Hongler 2018, section 3. Chapter: 02_kernel_gradient_descent.
    """

    name: str
    each: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    smoothness: float = math.nan
    targets: Callable[[Tensor, Tensor], Tensor] = _unchanged

    @classmethod
    def from_function(cls, each: Callable[[Tensor, Tensor], Tensor], name: str | None = None) -> Cost:
        """Any differentiable convex cost c(f, y), the slope by automatic differentiation.

        Args:
            each: from f [n] or [n, c] and y to one number for each example, [n]; examples must not mix.
            name: for messages; the function's own name if left out.

        Returns: Cost. That c is convex is not checked. Example: ``Cost.from_function(lambda f, y: (f - y) ** 4)``.
        """

        def slope(f: Tensor, y: Tensor) -> Tensor:
            with torch.enable_grad():
                moving = f.detach().requires_grad_()
                values = each(moving, y)
                if values.shape != f.shape[:1]:
                    do = "do not average over the examples; the cost does that"
                    raise ShapeError(sentence("Cost", f"one cost for each example {[len(f)]}", _shape(values), do))
                return torch.autograd.grad(values.sum(), moving)[0]

        return cls(name or str(getattr(each, "__name__", "cost")), each, slope)

    def value(self, f: Outputs, y: Tensor) -> Float[Tensor, ""]:
        """C(f) = 1/N Σ_i c(f(x_i), y_i). Args: f [n] or [n, c]; y as the cost wants it. Returns: a scalar tensor."""
        return self.each(f, self.targets(f, y)).mean()

    def gradient(self, f: Outputs, y: Tensor) -> Outputs:
        """d|_f(x_i) = ∂c/∂f(x_i) = N ∂C/∂f(x_i), the functional derivative at the data. Arguments as ``value``.

        Returns: of the shape of f. The 1/N is not in it: it belongs to the mean over the data, df/dt = −1/N Σ K d.
        """
        return self.slope(f, self.targets(f, y))

    def __repr__(self) -> str:
        return self.name


def _shape(x: Tensor) -> str:
    return str(list(x.shape))


def _same(f: Tensor, y: Tensor) -> Tensor:
    if f.shape != y.shape:
        # [n] against [n, 1] would broadcast to [n, n] and be wrong without a word.
        do = "give y and f the same axes"
        raise ShapeError(sentence("Cost, y", f"targets of the shape of f, {_shape(f)}", _shape(y), do))
    return y


def _signs(f: Tensor, y: Tensor) -> Tensor:
    if not bool((_same(f, y).abs() == 1).all()):
        do = "write classes as −1 and +1: 2 * y - 1 turns {0, 1} into them"
        raise DomainError(
            sentence("logistic, y", "targets −1 and +1", f"values from {float(y.min()):g} to {float(y.max()):g}", do)
        )
    return y.to(f.dtype)


def _shares(f: Tensor, y: Tensor) -> Tensor:
    """Class indices [n] as one-hot rows; rows of shares [n, c] as they are."""
    if f.ndim != 2:
        do = "one column for each class; use logistic for two classes with one output"
        raise ShapeError(sentence("cross_entropy, f", "outputs of shape [n, c]", _shape(f), do))
    if y.ndim == 2:
        shares = _same(f, y).to(f.dtype)
        if not bool((shares >= 0).all()) or not torch.allclose(shares.sum(1), shares.new_ones(len(shares))):
            do = "give one-hot rows, or rows of probabilities"
            raise DomainError(sentence("cross_entropy, y", "rows that sum to 1", "others", do))
        return shares
    if y.is_floating_point() or y.is_complex():
        do = "call .long() on class indices, or give one-hot rows [n, c]"
        raise DtypeError(sentence("cross_entropy, y", "class indices of a whole-number dtype", str(y.dtype), do))
    if y.shape != f.shape[:1]:
        raise ShapeError(sentence("cross_entropy, y", f"class indices {[len(f)]}", _shape(y), "one for each row of f"))
    if bool((y < 0).any()) or bool((y >= f.shape[1]).any()):
        received = f"{int(y.min())} to {int(y.max())}"
        raise DomainError(sentence("cross_entropy, y", f"classes 0 to {f.shape[1] - 1}", received, "count from 0"))
    return torch.nn.functional.one_hot(y.long(), f.shape[1]).to(f.dtype)  # [n, c]


def _summed(per_output: Tensor) -> Tensor:
    return per_output.reshape(len(per_output), -1).sum(1)  # [n]


squared_error = Cost(
    "squared_error",
    each=lambda f, y: _summed((f - y).square()) / 2,
    slope=lambda f, y: f - y,
    smoothness=1.0,
    targets=_same,
)
"""c(f, y) = ½ ‖f − y‖², d = f − y. The ½ is the convention of the whole library: rates are eig(K)/N, without a 2."""

logistic = Cost(
    "logistic",
    each=lambda f, y: _summed(torch.nn.functional.softplus(-y * f)),
    slope=lambda f, y: -y * torch.sigmoid(-y * f),
    smoothness=0.25,
    targets=_signs,
)
"""c(f, y) = log(1 + e^(−y f)) with y ∈ {−1, +1}, d = −y / (1 + e^(y f)); on separable data it has no minimizer."""

cross_entropy = Cost(
    "cross_entropy",
    each=lambda f, y: torch.logsumexp(f, 1) - (y * f).sum(1),
    slope=lambda f, y: torch.softmax(f, 1) - y,
    smoothness=0.5,
    targets=_shares,
)
"""c(f, y) = log Σ_k e^(f_k) − f_y, d = softmax(f) − onehot(y); y holds class indices [n] or rows of shares [n, c]."""
