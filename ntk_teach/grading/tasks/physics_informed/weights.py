"""Task 12.2: the adaptive weights, and the kernel with them."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.physics_informed.blocks import PinnKernels, adaptive_weights

__all__ = ["weights"]


def traces(k: Tensor, nu: int) -> tuple[Tensor, Tensor, Tensor]:
    """tr K, tr K_uu and tr K_rr."""
    diagonal = k.diagonal()
    return diagonal.sum(), diagonal[:nu].sum(), diagonal[nu:].sum()


def roots(k: Tensor, nu: int, u: Tensor | float, r: Tensor | float, power: float = 0.5) -> Tensor:
    """Λ^power as a vector."""
    values = [torch.as_tensor(value, dtype=k.dtype).expand(n) for value, n in ((u, nu), (r, len(k) - nu))]
    return torch.cat(values) ** power


def both_sides(k: Tensor, nu: int, u: Tensor | float, r: Tensor | float) -> Tensor:
    root = roots(k, nu, u, r)
    return root[:, None] * k * root


def reference(k: Tensor, nu: int) -> Tensor:
    kernels = PinnKernels(k[:nu, :nu], k[:nu, nu:], k[nu:, nu:])
    return kernels.weighted(adaptive_weights(kernels))


# ---- inputs


def kernel(rng: np.random.Generator, *, nu: int, nr: int, larger: float) -> Arguments:
    """A kernel whose second block is so many times as large."""
    rows = rng.normal(size=(nu + nr, nu + nr + 2))
    rows[nu:] *= np.sqrt(larger) * rng.uniform(0.9, 1.1)
    return {"k": torch.from_numpy(rows @ rows.T), "nu": nu}


# ---- wrong answers


def upside_down(k: Tensor, nu: int) -> Tensor:
    """Your ratio is upside down: a block with a small trace needs a large weight."""
    whole, u, r = traces(k, nu)
    return both_sides(k, nu, u / whole, r / whole)


def exchanged(k: Tensor, nu: int) -> Tensor:
    """The two weights are exchanged: each belongs to the block whose trace it contains."""
    whole, u, r = traces(k, nu)
    return both_sides(k, nu, whole / r, whole / u)


def means(k: Tensor, nu: int) -> Tensor:
    """You divided each trace by its number of points: here the traces are sums, and unequal numbers are part of the
    imbalance.
    """
    whole, u, r = traces(k, nu)
    n = len(k)
    return both_sides(k, nu, whole / n / (u / nu), whole / n / (r / (n - nu)))


def one_left_alone(k: Tensor, nu: int) -> Tensor:
    """Only the boundary has a weight in your kernel: the equation's is a ratio of traces as well, and never quite 1."""
    whole, u, _ = traces(k, nu)
    return both_sides(k, nu, whole / u, 1.0)


def other_over_own(k: Tensor, nu: int) -> Tensor:
    """You compared each block with the other one: above stands the trace of the whole kernel."""
    _, u, r = traces(k, nu)
    return both_sides(k, nu, r / u, u / r)


def residual_over_boundary(k: Tensor, nu: int) -> Tensor:
    """You took tr K_rr/tr K_uu for the boundary and 1 for the equation: the trace of the whole kernel stands above,
    in both weights.
    """
    _, u, r = traces(k, nu)
    return both_sides(k, nu, r / u, 1.0)


def largest_eigenvalues(k: Tensor, nu: int) -> Tensor:
    """You compared largest eigenvalues: the weights of this method contain traces, the sums of all eigenvalues."""
    top = [torch.linalg.eigvalsh(block)[-1] for block in (k, k[:nu, :nu], k[nu:, nu:])]
    return both_sides(k, nu, top[0] / top[1], top[0] / top[2])


def norms(k: Tensor, nu: int) -> Tensor:
    """You compared Frobenius norms: the weights of this method contain traces, sums over the diagonal."""
    size = [torch.linalg.matrix_norm(block) for block in (k, k[:nu, :nu], k[nu:, nu:])]
    return both_sides(k, nu, size[0] / size[1], size[0] / size[2])


def sums_of_entries(k: Tensor, nu: int) -> Tensor:
    """You summed all entries: a trace is the sum over the diagonal."""
    total = [block.sum() for block in (k, k[:nu, :nu], k[nu:, nu:])]
    return total[0].sign() * both_sides(k, nu, (total[0] / total[1]).abs(), (total[0] / total[2]).abs())


def sizes_of_entries(k: Tensor, nu: int) -> Tensor:
    """You summed the sizes of all entries: a trace is the sum over the diagonal."""
    total = [block.abs().sum() for block in (k, k[:nu, :nu], k[nu:, nu:])]
    return both_sides(k, nu, total[0] / total[1], total[0] / total[2])


def rows_weighted(k: Tensor, nu: int) -> Tensor:
    """You multiplied the rows by λ: ΛK is not symmetric. One root of Λ belongs on each side."""
    whole, u, r = traces(k, nu)
    return roots(k, nu, whole / u, whole / r, 1.0)[:, None] * k


def columns_weighted(k: Tensor, nu: int) -> Tensor:
    """You multiplied the columns by λ: KΛ is not symmetric. One root of Λ belongs on each side."""
    whole, u, r = traces(k, nu)
    return k * roots(k, nu, whole / u, whole / r, 1.0)


def whole_weights_twice(k: Tensor, nu: int) -> Tensor:
    """The weights are there twice: with Λ on both sides a diagonal block is multiplied by λ²."""
    whole, u, r = traces(k, nu)
    return both_sides(k, nu, (whole / u) ** 2, (whole / r) ** 2)


def root_on_one_side(k: Tensor, nu: int) -> Tensor:
    """A root of Λ stands on one side only: it belongs on both."""
    whole, u, r = traces(k, nu)
    return roots(k, nu, whole / u, whole / r)[:, None] * k


def root_on_the_right(k: Tensor, nu: int) -> Tensor:
    """You multiplied the columns alone by the root of Λ: it belongs on the rows as well."""
    whole, u, r = traces(k, nu)
    return k * roots(k, nu, whole / u, whole / r)


def fourth_roots(k: Tensor, nu: int) -> Tensor:
    """You took a root too many: a diagonal block is multiplied by λ itself."""
    whole, u, r = traces(k, nu)
    return both_sides(k, nu, (whole / u).sqrt(), (whole / r).sqrt())


def coupling_left_alone(k: Tensor, nu: int) -> Tensor:
    """The blocks K_ur are not weighted: they are multiplied by the roots of both weights."""
    weighted = k.clone()
    whole, u, r = traces(k, nu)
    weighted[:nu, :nu] *= whole / u
    weighted[nu:, nu:] *= whole / r
    return weighted


def coupling_dropped(k: Tensor, nu: int) -> Tensor:
    """The blocks K_ur are 0: weights do not uncouple boundary and equation."""
    weighted = reference(k, nu).clone()
    weighted[:nu, nu:] = 0
    weighted[nu:, :nu] = 0
    return weighted


def coupling_by_the_product(k: Tensor, nu: int) -> Tensor:
    """You multiplied K_ur by λ_u λ_r: with one root on each side it is the root of that product."""
    whole, u, r = traces(k, nu)
    weighted = reference(k, nu).clone()
    more = (whole / u * whole / r).sqrt()
    weighted[:nu, nu:] *= more
    weighted[nu:, :nu] *= more
    return weighted


def coupling_by_the_mean(k: Tensor, nu: int) -> Tensor:
    """You multiplied K_ur by the mean of both weights: with one root on each side it is their geometric mean."""
    whole, u, r = traces(k, nu)
    weighted = reference(k, nu).clone()
    change = (whole / u + whole / r) / 2 / (whole / u * whole / r).sqrt()
    weighted[:nu, nu:] *= change
    weighted[nu:, :nu] *= change
    return weighted


def counted_from_the_end(k: Tensor, nu: int) -> Tensor:
    """You cut the blocks at the wrong place: the boundary has the first nu rows."""
    return reference(k, len(k) - nu)


def sum_to_one(k: Tensor, nu: int) -> Tensor:
    """You scaled the weights to sum 1: here they are tr K over each trace, and both exceed 1."""
    whole, u, r = traces(k, nu)
    total = whole / u + whole / r
    return both_sides(k, nu, whole / u / total, whole / r / total)


def not_weighted(k: Tensor, nu: int) -> Tensor:
    """You returned K itself: asked is the kernel with the weights, Λ^½KΛ^½."""
    return k.clone()


def trace_of_one(k: Tensor, nu: int) -> Tensor:
    """You brought both traces to 1: the weights bring them to tr K."""
    _, u, r = traces(k, nu)
    return both_sides(k, nu, 1 / u, 1 / r)


def sum_over_mean(k: Tensor, nu: int) -> Tensor:
    """You put the sum over the whole diagonal above and a mean over the block's below: all three traces are sums."""
    whole, u, r = traces(k, nu)
    return both_sides(k, nu, whole * nu / u, whole * (len(k) - nu) / r)


# ---- right answers


def by_matrices(k: Tensor, nu: int) -> NDArray[np.float64]:
    matrix = k.numpy()
    u, r = np.trace(matrix[:nu, :nu]), np.trace(matrix[nu:, nu:])
    root = np.diag([np.sqrt((u + r) / u)] * nu + [np.sqrt((u + r) / r)] * (len(matrix) - nu))
    weighted: NDArray[np.float64] = root @ matrix @ root
    return weighted


def block_by_block(k: Tensor, nu: int) -> Tensor:
    whole = k.trace()
    u, r = whole / k[:nu, :nu].trace(), whole / k[nu:, nu:].trace()
    coupling = (u * r).sqrt() * k[:nu, nu:]
    return torch.cat([torch.cat([u * k[:nu, :nu], coupling], 1), torch.cat([coupling.T, r * k[nu:, nu:]], 1)])


def through_a_jacobian(k: Tensor, nu: int) -> Tensor:
    """Any J with J Jᵀ = K, its rows multiplied by the roots."""
    values, vectors = torch.linalg.eigh(k)
    whole, u, r = traces(k, nu)
    rows = roots(k, nu, whole / u, whole / r)[:, None] * vectors * values.clamp(min=0).sqrt()
    weighted: Tensor = rows @ rows.T
    return weighted


weights = Task(
    id="12.2",
    title="Adaptive weights",
    signature="weighted_kernel(k, nu) -> [n, n]",
    reference=reference,
    credit={"several boundary points": 2, "one boundary point": 1},
    cases=(
        Case("several boundary points", "the equation dominates", partial(kernel, nu=2, nr=5, larger=40.0)),
        Case("several boundary points", "the boundary dominates", partial(kernel, nu=4, nr=3, larger=0.2)),
        Case("one boundary point", "nu = 1", partial(kernel, nu=1, nr=6, larger=3.0)),
    ),
    misconceptions=(
        Misconception(upside_down),
        Misconception(exchanged),
        Misconception(means),
        Misconception(one_left_alone),
        Misconception(other_over_own),
        Misconception(residual_over_boundary),
        Misconception(largest_eigenvalues),
        Misconception(norms),
        Misconception(sums_of_entries),
        Misconception(sizes_of_entries),
        Misconception(rows_weighted),
        Misconception(columns_weighted),
        Misconception(whole_weights_twice),
        Misconception(root_on_one_side),
        Misconception(root_on_the_right),
        Misconception(fourth_roots),
        Misconception(coupling_left_alone),
        Misconception(coupling_dropped),
        Misconception(coupling_by_the_product),
        Misconception(coupling_by_the_mean),
        Misconception(counted_from_the_end),
        Misconception(sum_to_one),
        Misconception(not_weighted),
        Misconception(trace_of_one),
        Misconception(sum_over_mean),
    ),
    alternatives=(by_matrices, block_by_block, through_a_jacobian),
)
