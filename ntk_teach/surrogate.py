"""A trained network as a kernel machine: which training inputs pull a prediction, and how far to believe it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ntk_teach.empirical import empirical_ntk_trace
from ntk_teach.empirical.problem import readable
from ntk_teach.errors import (
    DomainError,
    ShapeError,
    check_accepts,
    check_array,
    check_gram,
    check_same,
    check_scale,
    sentence,
)

__all__ = ["Fidelity", "Surrogate", "fit", "normalized_ntk"]

KernelFunction = Callable[[Tensor, Tensor], Tensor]
RIDGES = tuple(10.0**exponent for exponent in range(-5, 1))
BLOCK = 32  # inputs whose own kernel is formed for the sake of its diagonal


class Fidelity(NamedTuple):
    """How well a surrogate s speaks for its network f, over inputs that neither has been fitted to.

    Args:
        kendall, spearman: rank correlation over the inputs of s and f at the output in question; from −1 to 1.
        agreement: share of inputs at which the largest outputs are the same one; for a single output, the same sign.
        explained: 1 − Σ ‖s − f‖²/Σ ‖f − mean f‖², over all outputs; 1 for a perfect copy.
    """

    kendall: float
    spearman: float
    agreement: float
    explained: float


@dataclass(frozen=True, eq=False)
class Surrogate:
    """s_k(x) = Σ_i a_ik K(x, x_i): a sum of contributions, one for each training input. Made by ``fit``.

    Args: network, a copy of the one explained; x, its training inputs [n, …]; weights a [n, c]; ridge, the one kept;
        leave_one_out, the error at an input that is left out of the fit, ‖·‖²/Σ ‖f‖²; kernel, K.

    Chapter: 14_critique.
    """

    network: nn.Module
    x: Float[Tensor, "n ..."]
    weights: Float[Tensor, "n c"]
    ridge: float
    leave_one_out: float
    kernel: KernelFunction

    def outputs(self, x: Float[Tensor, "m ..."]) -> Float[Tensor, "m c"]:
        """s(x). Raises: ShapeError, DtypeError for inputs that do not fit. Cost: the kernel [m, n]."""
        return self._cross(x, "Surrogate.outputs") @ self.weights

    def contributions(self, x: Float[Tensor, "m ..."]) -> Float[Tensor, "m n c"]:
        """a_ik K(x, x_i): how far training input i pulls output k at x. Summed over i they are ``outputs(x)``.

        Raises: as ``outputs``. Memory: m·n·c numbers.
        """
        return self._cross(x, "Surrogate.contributions")[:, :, None] * self.weights

    def fidelity(self, x: Float[Tensor, "m ..."], labels: Int[Tensor, " m"] | None = None) -> Fidelity:
        """Surrogate against network at inputs x that were not used in the fit.

        Args: labels, the output to be ranked at each input, such as its true class; the network's own choice unless
            given.

        Returns: Fidelity. Raises: as ``outputs``, and ShapeError, DomainError for labels that do not fit.
        Cost: the kernel [m, n], and m² comparisons.
        """
        where = "Surrogate.fidelity"
        s, f = self.outputs(x), _outputs(self.network, x, where)
        m, c = f.shape
        chosen = f.argmax(1) if labels is None else labels
        if chosen.shape != (m,):
            do = "give one label for each input"
            raise ShapeError(sentence(f"{where}, labels", f"shape {[m]}", str(list(chosen.shape)), do))
        if int(chosen.min()) < 0 or int(chosen.max()) >= c:
            received = f"{int(chosen.min())} to {int(chosen.max())}"
            raise DomainError(sentence(f"{where}, labels", f"outputs 0 to {c - 1}", received, "count from 0"))
        ranked = [values.gather(1, chosen[:, None].long())[:, 0].double() for values in (s, f)]
        above = [(values[:, None] - values).sign() for values in ranked]  # [m, m]
        same = s.argmax(1) == f.argmax(1) if c > 1 else s[:, 0].sign() == f[:, 0].sign()
        unexplained = (s - f).square().sum() / (f - f.mean(0)).square().sum()
        return Fidelity(
            kendall=_cosine(*above),
            spearman=_cosine(above[0].sum(1), above[1].sum(1)),  # ranks, but for a factor and a constant
            agreement=float(same.double().mean()),
            explained=1 - float(unexplained),
        )

    def _cross(self, x: Tensor, where: str) -> Tensor:
        check_same(
            self.x, check_array(x, name="x", shape="[m, …]", where=where), names=("training x", "x"), where=where
        )
        if x.shape[1:] != self.x.shape[1:]:
            expected = f"inputs of shape {['m', *self.x.shape[1:]]}".replace("'", "")
            raise ShapeError(sentence(f"{where}, x", expected, str(list(x.shape)), "x[None] is a batch of one"))
        with torch.no_grad():
            return self.kernel(x, self.x)


def normalized_ntk(network: nn.Module, x1: Float[Tensor, "n ..."], x2: Float[Tensor, "m ..."]) -> Float[Tensor, "n m"]:
    """tr Θ(x, x')/√(tr Θ(x, x) · tr Θ(x', x')): the cosine between the gradients of all outputs at two inputs.

    Without the root an input with a large gradient is near to everything. Arguments and errors as ``empirical_ntk``.

    Returns: [n, m], from −1 to 1. Source: Engel et al. 2024 (trNTK). Chapter: 14_critique.
    """
    sizes = [_diagonal(network, x).sqrt() for x in ((x1,) if x2 is x1 else (x1, x2))]
    return empirical_ntk_trace(network, x1, None if x2 is x1 else x2) / (sizes[0][:, None] * sizes[-1])


def fit(
    network: nn.Module,
    x: Float[Tensor, "n ..."],
    *,
    kernel: KernelFunction | None = None,
    ridge: float | Sequence[float] = RIDGES,
) -> Surrogate:
    """Kernel ridge regression on the network's own outputs, a = (K + r Id)⁻¹ f(X), with r = ridge · mean diag K.

    No label enters: the surrogate imitates the network, mistakes included.

    Args:
        network: any module from [n, …] to [n, c], or to [n]; trained, or it has nothing to explain. Kept as a copy.
        x: the inputs that it was trained on, [n, …].
        kernel: (x1 [n, …], x2 [m, …]) ↦ K [n, m], symmetric and positive semidefinite; ``normalized_ntk`` of the
            network unless given.
        ridge: above 0; of several the one with the smallest error at inputs that are left out one at a time.

    Returns: Surrogate. Raises: ShapeError, DtypeError, DomainError.

    Cost: the kernel [n, n] and its eigendecomposition, ~9 n³; all ridges and all left-out inputs come from the one.
    Source: Engel et al. 2024, with ridge regression in place of classifiers. Chapter: 14_critique.
    """
    where = "surrogate.fit"
    ridges = [float(r) for r in ridge] if isinstance(ridge, Sequence) else [ridge]
    if not ridges or min(check_scale(r, name="ridge", where=where) for r in ridges) == 0:
        raise DomainError(sentence(where, "ridges above 0", str(list(ridges)), "choose ridge=1e-3 to begin with"))
    network = copy.deepcopy(network)
    own = (lambda x1, x2: normalized_ntk(network, x1, x2)) if kernel is None else kernel
    check_array(x, name="x", shape="[n, …]", where=where)
    f = _outputs(network, x, where).double()
    with torch.no_grad():
        gram = check_gram(own(x, x), name="kernel(x, x)", where=where).double()
    if len(gram) != len(f):
        do = "kernel(x1, x2) has one row for each input of x1"
        raise ShapeError(sentence(where, f"a kernel {[len(f), len(f)]}", str(list(gram.shape)), do))
    values, vectors = torch.linalg.eigh(gram)
    values, along, mean = values.clamp(min=0), vectors.T @ f, float(gram.diagonal().mean())
    best: tuple[float, float, Tensor] | None = None
    for each in ridges:
        inverse = 1 / (values + each * mean)
        weights = vectors @ (inverse[:, None] * along)  # [n, c]
        left_out = weights / (vectors.square() @ inverse)[:, None]  # f − s at x_i, s fitted without x_i
        error = float(left_out.square().sum() / f.square().sum())
        if best is None or error < best[0]:
            best = error, each, weights
    assert best is not None
    return Surrogate(network, x.detach(), best[2].to(x), best[1], best[0], own)


def _outputs(network: nn.Module, x: Tensor, where: str) -> Tensor:
    """f(x) as [n, c]."""
    check_accepts(network, x, name="x", where=where)
    with torch.no_grad():
        return readable(network(x), x, "x", where)


def _diagonal(network: nn.Module, x: Tensor) -> Tensor:
    """tr Θ(x, x)/c at each input."""
    return torch.cat([empirical_ntk_trace(network, some).diagonal() for some in torch.split(x, BLOCK)])


def _cosine(a: Tensor, b: Tensor) -> float:
    """Of the signs of all pairs it is Kendall's τ_b, of centered ranks Spearman's ρ; nan where one is constant."""
    return float((a * b).sum() / (a.norm() * b.norm()))
