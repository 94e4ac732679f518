"""Inputs of equal norm: every kernel is a function of one number, the cosine, and the whole network one polynomial.

On a sphere Σ(x, x') and Θ(x, x') depend on ρ = cos(x, x') alone, whatever the depth. The layers are evaluated at a few
Chebyshev points, in ρ for smooth activations and in the angle arccos ρ for kinked ones, whose kernels are smooth
there; a polynomial through these values gives all pairs to the last digits, at a price that no depth changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntk_teach.errors import ConvergenceError
from ntk_teach.gram.plan import rows_in_cache
from ntk_teach.gram.tile import mirror
from ntk_teach.inner_products import refined
from ntk_teach.kernel import Kernel
from ntk_teach.layers import Layer

__all__ = ["SpherePlan", "sphere_plan"]

INNER = 8  # degree of the inner polynomials: one matrix product evaluates them all
DEGREES = (31, 63, 127, 255)
CHUNK = 2**13  # pairs at a time: their powers and inner polynomials stay in the cache
TAIL = 1e-13  # of the largest value: what the last coefficients may amount to


@dataclass(frozen=True)
class SpherePlan:
    """Both kernels as p(u) = Σ_j q_j(u) T_j(T_8(u)) with u = ρ, or u = 1 − 2 arccos(ρ)/π where ``angle``.

    ``x1`` and ``x2`` are unit vectors; ``blocks`` [2, J, 8] holds the coefficients of the q_j in powers T_0 … T_7.
    """

    x1: Tensor
    x2: Tensor
    angle: bool
    blocks: Tensor
    diagonal: tuple[Tensor, Tensor] | None

    @property
    def height(self) -> int:
        return rows_in_cache(self.x1)

    def tile(self, rows: slice, columns: slice, buffers: Sequence[Tensor], both: bool) -> tuple[Tensor, Tensor | None]:
        x1, x2 = self.x1[rows], self.x2[columns]
        same = self.diagonal is not None and rows == columns
        cosine = torch.mm(x1, x2.T, out=buffers[2])
        eps = torch.finfo(cosine.dtype).eps
        if self.angle and (same or float(cosine.abs().max()) > 1 - 4096 * eps):
            cosine = refined(cosine, x1, x2, x1.new_ones(len(x1)), x2.new_ones(len(x2)))
            cosine = torch.where(cosine.abs() > 1 - 8 * eps, cosine.sign(), cosine)
        cosine = cosine.clamp_(-1, 1)
        u = torch.acos(cosine).mul_(-2 / math.pi).add_(1) if self.angle else cosine
        found = [buffers[0], buffers[1]] if both else [buffers[0]]
        for some in range(0, len(u), step := max(1, CHUNK // u.shape[1])):
            part = slice(some, some + step)
            for kernel, values in zip(found, _evaluated(self.blocks[: len(found)], u[part]), strict=True):
                kernel[part] = values
        if same and self.diagonal is not None:
            for kernel, diagonal in zip(found, self.diagonal, strict=False):
                mirror(kernel, diagonal[rows])
        return found[0], found[1] if both else None

    def sliced(self, rows: slice, columns: slice) -> SpherePlan:
        same = self.diagonal is not None and rows == columns
        diagonal = (self.diagonal[0][rows], self.diagonal[1][rows]) if same and self.diagonal is not None else None
        return replace(self, x1=self.x1[rows], x2=self.x2[columns], diagonal=diagonal)

    def signature(self) -> object:
        return self.blocks.tolist()


def _evaluated(blocks: Tensor, u: Tensor) -> list[Tensor]:
    """Σ_j q_j(u) T_j(T_8(u)) for each kernel: powers, one matrix product, Clenshaw's recurrence in T_8."""
    kernels, count, _ = blocks.shape
    powers = u.new_empty(INNER, u.numel())
    flat, twice = u.reshape(-1), 2 * u.reshape(-1)
    powers[0] = 1
    powers[1] = flat
    for k in range(2, INNER):
        torch.mul(twice, powers[k - 1], out=powers[k])
        powers[k].sub_(powers[k - 2])
    inner = (blocks.reshape(kernels * count, INNER) @ powers).reshape(kernels, count, -1)  # q_j(u)
    outer = twice.mul_(powers[INNER - 1]).sub_(powers[INNER - 2]).mul_(2)  # 2 T_8
    found = []
    for q in inner:
        later, last = torch.zeros_like(flat), q[count - 1].clone()  # b_{j+2}, b_{j+1}
        for j in range(count - 2, 0, -1):
            later.neg_().addcmul_(outer, last).add_(q[j])
            later, last = last, later
        if count > 1:
            later.neg_().addcmul_(outer, last, value=0.5).add_(q[0])
            last = later
        found.append(last.reshape(u.shape))
    return found


def sphere_plan(
    layers: Sequence[Layer],
    x1: Tensor,
    x2: Tensor | None,
    own_kernels: Callable[[Sequence[Layer], Tensor], tuple[Tensor, Tensor]],
) -> SpherePlan | None:
    """The plan for inputs of equal norm; None where norms differ or no polynomial of moderate degree fits.

    ``own_kernels`` gives the exact Σ(x, x) and Θ(x, x) from the layers and the variances x·x/d.
    """
    norms = torch.cat([torch.linalg.vector_norm(x, dim=1) for x in ((x1,) if x2 is None else (x1, x2))])
    low, high = torch.aminmax(norms)
    if low == 0 or high - low > 8 * torch.finfo(norms.dtype).eps * high:
        return None
    variance = (high.double() ** 2 / x1.shape[1]).cpu()
    fit = _fitted(layers, variance)
    if fit is None:
        return None
    angle, blocks = fit
    units = [x / torch.linalg.vector_norm(x, dim=1, keepdim=True) for x in ((x1,) if x2 is None else (x1, x2))]
    diagonal = None
    if x2 is None:
        nngp, ntk = own_kernels(layers, variance[None])
        diagonal = (nngp.to(x1).expand(len(x1)), ntk.to(x1).expand(len(x1)))
    return SpherePlan(units[0], units[-1], angle, blocks.to(x1), diagonal)


def _fitted(layers: Sequence[Layer], variance: Tensor) -> tuple[bool, Tensor] | None:
    """(is the variable the angle?, coefficient blocks [2, J, 8]) of the first fit whose tail vanishes."""
    for degree in DEGREES:
        u = torch.cos(math.pi * (torch.arange(degree + 1, dtype=torch.float64) + 0.5) / (degree + 1))
        for angle in (False, True):
            rho = torch.cos(math.pi / 2 * (1 - u)) if angle else u
            k = Kernel(
                (variance * rho)[:, None], torch.zeros(degree + 1, 1, dtype=torch.float64),
                variance.expand(degree + 1), variance[None], gaussian=False, symmetric=False,
            )  # fmt: skip
            try:
                for layer in layers:
                    k = layer.kernel(k)
            except ConvergenceError:
                return None
            values = torch.stack([k.nngp[:, 0], k.ntk[:, 0]], dim=1)  # [degree + 1, 2]
            basis = torch.cos(torch.arange(degree + 1)[:, None] * torch.arccos(u))  # T_k(u_i)
            coefficients = 2 / (degree + 1) * basis @ values
            coefficients[0] /= 2
            size = values.abs().amax(0)
            if bool((coefficients[-4:].abs() <= TAIL * size).all()):
                small = (coefficients.abs() <= TAIL / 100 * size).all(1)
                kept = degree + 1 - int((~small).flip(0).to(torch.int8).argmax())
                return angle, torch.stack([_blocks(c[:kept]) for c in coefficients.T])
    return None


def _blocks(coefficients: Tensor) -> Tensor:
    """q_j from Σ_k c_k T_k:  T_{8j+i} = 2 T_i T_{8j} − T_{8j−i}, from the highest degree down. [J, 8]"""
    count = -(-len(coefficients) // INNER)
    c = torch.zeros(count * INNER, dtype=torch.float64)
    c[: len(coefficients)] = coefficients
    q = c.reshape(count, INNER).clone()
    for j in range(count - 1, 0, -1):
        for i in range(1, INNER):
            top = q[j, i].clone()
            q[j, i] = 2 * top
            below = j * INNER - i
            q[below // INNER, below % INNER] -= top
    return q
