"""What a kernel matrix says by itself: its modes, its norms, and how it compares with another."""

from __future__ import annotations

import math
from typing import NamedTuple

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
    check_outputs,
    check_same,
    check_scale,
    sentence,
)
from ntk_teach.shapes import Gram

__all__ = [
    "KernelPCA",
    "Definiteness",
    "Decomposition",
    "kernel_pca",
    "is_positive_definite",
    "kernel_norm_squared",
    "rkhs_norm_squared",
    "alignment",
    "centered_alignment",
    "block_gram",
    "decompose",
]

Square = Float[Tensor, "n n"]
BlockKernel = Float[Tensor, "n n c c"]
Cross = Float[Tensor, "m n"]
Outputs = Float[Tensor, "n *c"]


class KernelPCA(NamedTuple):
    """The leading modes of f ↦ 1/N Σ_j K(·, x_j) f(x_j): values λ_1 ≥ λ_2 ≥ … [k] and functions on the data [n, k]."""

    eigenvalues: Float[Tensor, " k"]
    components: Float[Tensor, "n k"]

    def extend(self, k_test: Cross) -> Float[Tensor, "m k"]:
        """f⁽ⁱ⁾(x) = 1/(N λ_i) Σ_j K(x, x_j) f⁽ⁱ⁾(x_j), the same functions at other inputs; k_test [m, n], λ_i > 0."""
        k_test = check_cross(k_test, self.components, where="KernelPCA.extend")
        floor = len(self.components) * torch.finfo(k_test.dtype).eps * float(self.eigenvalues[0])
        if float(self.eigenvalues[-1]) <= floor:
            received, do = f"λ = {float(self.eigenvalues[-1]):.3g}", "ask kernel_pca for fewer components"
            raise DomainError(sentence("KernelPCA.extend", "modes with λ > 0", received, do))
        return k_test @ self.components / (len(self.components) * self.eigenvalues)


def kernel_pca(k: Square, components: int) -> KernelPCA:
    """Kernel principal components: 1/N K f⁽ⁱ⁾ = λ_i f⁽ⁱ⁾ with ‖f⁽ⁱ⁾‖²_pin = 1/N Σ_j f⁽ⁱ⁾(x_j)² = 1, not centered.

    Args: k [n, n], symmetric; components, how many of the largest, at most n.

    Returns: KernelPCA with ``eigenvalues`` [components], falling, in units of 1/t (they are the rates of gradient
        descent on the squared error), and ``components`` [n, components], vectors of norm √n. The entry of largest
        modulus is positive; within a repeated eigenvalue any basis is as good as another.

    Raises: ShapeError, DtypeError, DomainError for a matrix that is no kernel. Cost: one eigendecomposition, ~9 n³.

    Source: Jacot, Gabriel & Hongler 2018, sections 5 and 6.3. Chapter: 06_least_squares_dynamics.
    """
    k = check_gram(k, where="kernel_pca")
    check_count(components, name="components", where="kernel_pca")
    n = len(k)
    if components > n:
        received = str(components)
        raise DomainError(sentence("kernel_pca", f"at most n = {n} components", received, "ask for fewer"))
    values, vectors = torch.linalg.eigh(k)
    values, vectors = values.flip(0)[:components] / n, vectors.flip(1)[:, :components]
    # The first entry that is as large as any: where two tie, as on symmetric data, rounding must not choose the sign.
    size = vectors.abs()
    first = (size >= 0.999 * size.max(0).values).to(torch.uint8).argmax(0)
    signs = torch.sign(vectors.gather(0, first[None]))  # [1, k]
    return KernelPCA(values, math.sqrt(n) * signs * vectors)


class Definiteness(NamedTuple):
    """The verdict on a kernel matrix with the numbers behind it; true as a condition if it is positive definite."""

    smallest: float
    largest: float
    tolerance: float

    @property
    def ratio(self) -> float:
        """λ_min / λ_max; 0 for the zero matrix."""
        return self.smallest / self.largest if self.largest > 0 else 0.0

    @property
    def positive(self) -> bool:
        """λ_min above the tolerance: strictly positive definite, as far as rounding lets one see."""
        return self.smallest > self.tolerance

    @property
    def semidefinite(self) -> bool:
        """λ_min not below minus the tolerance."""
        return self.smallest >= -self.tolerance

    def __bool__(self) -> bool:
        return self.positive


def is_positive_definite(k: Square) -> Definiteness:
    """Is Σ_ij f_i K_ij f_j > 0 for every f ≠ 0 on the data: λ_min > n ε λ_max, with ε the rounding of the dtype?

    Args: k [n, n]. Returns: Definiteness, true if so; it says ``smallest``, ``largest``, ``ratio``, ``tolerance``.

    Raises: as ``kernel_pca``. Cost: the eigenvalues of k, ~4 n³ / 3.

    Source: Jacot, Gabriel & Hongler 2018, section 3 (definition) and Proposition 2.
    Chapter: 02_kernel_gradient_descent.
    """
    k = check_gram(k, where="is_positive_definite")
    values = torch.linalg.eigvalsh(k)
    smallest, largest = float(values[0]), float(values[-1])
    return Definiteness(smallest, largest, len(k) * torch.finfo(k.dtype).eps * max(abs(smallest), abs(largest)))


def block_gram(k: BlockKernel) -> Float[Tensor, "nc nc"]:
    """A matrix-valued kernel K_kl(x_i, x_j) as one symmetric matrix over the pairs (input, output), input first.

    Args: k [n, n, c, c]. Returns: [n·c, n·c]; row i·c + k is output k at input i, so y.reshape(-1) fits.

    Raises: ShapeError for other axes; DomainError unless K_kl(x, x') = K_lk(x', x).
    Chapter: 02_kernel_gradient_descent.
    """
    k = check_array(k, name="k", shape="[n, n, c, c]", where="block_gram")
    if k.ndim != 4 or k.shape[0] != k.shape[1] or k.shape[2] != k.shape[3]:
        do = "pass the kernel of a network with several outputs, empirical_ntk(network, x)"
        raise ShapeError(sentence("block_gram", "a kernel [n, n, c, c]", str(list(k.shape)), do))
    n, c = k.shape[0], k.shape[2]
    return check_gram(k.permute(0, 2, 1, 3).reshape(n * c, n * c), where="block_gram")  # [n·c, n·c]


def kernel_norm_squared(k: Square | BlockKernel, d: Outputs) -> Float[Tensor, ""]:
    """‖d‖²_K = ⟨d, K d⟩ averaged over two independent inputs = 1/N² Σ_ij d(x_i)ᵀ K(x_i, x_j) d(x_j).

    Args: k [n, n], meaning K ⊗ Id over the outputs, or [n, n, c, c]; d [n] or [n, c], values on the data.

    Returns: a scalar tensor, ≥ 0. Raises: ShapeError, DtypeError, DomainError. Cost: n² c.

    Source: Jacot, Gabriel & Hongler 2018, section 3. Chapter: 02_kernel_gradient_descent.
    """
    where = "kernel_norm_squared"
    k = check_array(k, name="k", shape="[n, n] or [n, n, c, c]", where=where)
    matrix = block_gram(k) if k.ndim == 4 else check_gram(k, where=where)
    d = check_outputs(d, k, name="d", where=where)
    if k.ndim == 4 and d.numel() != len(matrix):
        expected, do = f"values {[len(k), k.shape[2]]}", "give one column for each output"
        raise ShapeError(sentence(f"{where}, d", expected, str(list(d.shape)), do))
    vector = d.reshape(len(matrix), -1)  # [n, c], or [n·c, 1]
    return (vector * (matrix @ vector)).sum() / len(d) ** 2


def rkhs_norm_squared(k: Square, y: Outputs, ridge: float | int = 0.0) -> Float[Tensor, ""]:
    """‖f‖²_H = yᵀ K⁻¹ y, the smallest norm of a function of the kernel's space that passes through y.

    Args:
        k: [n, n].
        y: values on the data, [n] or [n, c]; over several outputs the squares are summed.
        ridge: K + ridge · mean(diag K) · Id in place of K. Dimensionless.

    Returns: a scalar tensor. It is what a kernel must pay for y: small for functions along its large modes.

    Raises: DomainError where K is singular and y is not in its range: no function of the space passes through y.

    Cost: one eigendecomposition, ~9 n³. Source: the representer theorem (Kimeldorf & Wahba 1971).
    Chapter: 07_generalization.
    """
    where = "rkhs_norm_squared"
    k = check_gram(k, where=where)
    y = check_outputs(y, k, name="y", where=where)
    values, vectors = torch.linalg.eigh(with_ridge(k, ridge, where=where))
    along = (vectors.T @ y.reshape(len(y), -1)).square().sum(1)  # [n]
    eps = torch.finfo(k.dtype).eps
    seen = values > len(k) * eps * values[-1].clamp(min=0)
    unseen = float(along[~seen].sum())
    if unseen > eps * float(along.sum()):
        received = f"{int((~seen).sum())} of {len(k)} eigenvalues that are 0 to rounding, and y along them"
        raise DomainError(sentence(where, "y in the range of K", received, "the norm is infinite; give ridge > 0"))
    squared: Tensor = (along[seen] / values[seen]).sum()
    return squared


def with_ridge(k: Square, ridge: float | int, *, where: str) -> Square:
    """K + ridge · mean(diag K) · Id."""
    ridge = check_scale(ridge, name="ridge", where=where)
    return torch.diagonal_scatter(k, k.diagonal() + ridge * k.diagonal().mean()) if ridge else k


def alignment(k1: Gram, k2: Gram) -> Float[Tensor, ""]:
    """A(K₁, K₂) = ⟨K₁, K₂⟩_F / (‖K₁‖_F ‖K₂‖_F): 1 if one is a positive multiple of the other; ≥ 0 for two kernels.

    Args: k1, k2 [n, m], on the same pairs; k2 = y yᵀ compares a kernel with the targets.

    Returns: a scalar tensor. Raises: ShapeError, DtypeError, DomainError (also where a kernel is zero). Cost: n m.

    Source: Cristianini, Shawe-Taylor, Elisseeff & Kandola 2002. Chapter: 13_neural_collapse.
    """
    first, second = _pair(k1, k2, where="alignment")
    return _cosine(first, second, where="alignment")


def centered_alignment(k1: Square, k2: Square) -> Float[Tensor, ""]:
    """A(HK₁H, HK₂H) with H = Id − 11ᵀ/N, the alignment of the centered kernels. Arguments and errors as ``alignment``.

    A constant function adds to every kernel and aligns any two of them; centering takes it out.
    Source: Cortes, Mohri & Rostamizadeh 2012. Chapter: 13_neural_collapse.
    """
    first, second = _pair(k1, k2, where="centered_alignment")
    return _cosine(_centered(first), _centered(second), where="centered_alignment")


def _pair(k1: Tensor, k2: Tensor, *, where: str) -> tuple[Tensor, Tensor]:
    first = check_array(k1, name="k1", shape="[n, m]", where=where)
    second = check_array(k2, name="k2", shape="[n, m]", where=where)
    check_same(first, second, names=("k1", "k2"), where=where)
    if first.ndim != 2 or first.shape != second.shape:
        received = f"{list(first.shape)} and {list(second.shape)}"
        raise ShapeError(sentence(where, "two kernels on the same pairs [n, m]", received, "use the same inputs"))
    return first, second


def _centered(k: Tensor) -> Tensor:
    return k - k.mean(0, keepdim=True) - k.mean(1, keepdim=True) + k.mean()


def _cosine(k1: Tensor, k2: Tensor, *, where: str) -> Tensor:
    sizes = k1.norm() * k2.norm()
    if not sizes > 0:
        raise DomainError(sentence(where, "two kernels that are not zero", "a zero matrix", "check the kernels"))
    cosine: Tensor = (k1 * k2).sum() / sizes
    return cosine


class Decomposition(NamedTuple):
    """f − y = g · mode + h with h ⊥ mode: the coordinate g [*t] and the deviation h [*t, n] from the line."""

    along: Float[Tensor, "*t"]
    deviation: Float[Tensor, "*t n"]


def decompose(f: Float[Tensor, "*t n"], y: Float[Tensor, " n"], mode: Float[Tensor, " n"]) -> Decomposition:
    """f_t − y = g_t · f⁽ⁱ⁾ + h_t  with  g_t = ⟨f_t − y, f⁽ⁱ⁾⟩_pin / ‖f⁽ⁱ⁾‖²_pin  and  ⟨h_t, f⁽ⁱ⁾⟩_pin = 0.

    Args: f [n] or a path [T, n]; y [n]; mode [n], a column of ``kernel_pca(k, …).components``.

    Returns: Decomposition with ``along`` g_t ([] or [T], with its sign) and ``deviation`` h_t of the shape of f;
        the norm in the paper's figure is h.square().mean(-1).sqrt().

    Raises: ShapeError, DtypeError; DomainError where the mode is zero.
    Source: Jacot, Gabriel & Hongler 2018, section 6.3. Chapter: 06_least_squares_dynamics.
    """
    where = "decompose"
    f = check_array(f, name="f", shape="[n] or [T, n]", where=where)
    for name, vector in (("y", y), ("mode", mode)):
        check_same(f, check_array(vector, name=name, shape="[n]", where=where), names=("f", name), where=where)
        if vector.shape != f.shape[-1:]:
            do = "one output at a time, on the training inputs"
            raise ShapeError(sentence(f"{where}, {name}", f"{list(f.shape[-1:])}", str(list(vector.shape)), do))
    size = mode.square().mean()
    if not size > 0:
        raise DomainError(sentence(where, "a mode that is not zero", "zeros", "take a column of kernel_pca"))
    gap = f - y
    along = (gap * mode).mean(-1) / size
    return Decomposition(along, gap - along[..., None] * mode)
