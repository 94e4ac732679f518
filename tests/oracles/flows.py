"""Training with a constant kernel, by matrix exponentials, explicit inverses and loops; independent of the library.

Jacot, Gabriel & Hongler 2018, sections 3 and 5; Lee et al. 2019, equations 14 and 15.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import expm
from torch import Tensor


@dataclass(frozen=True)
class Problem:
    """Four points on the circle and two tests, y = x₁x₂, ReLU of depth 4, β = 0.1 (section 6.2 of the paper)."""

    ntk: Tensor
    nngp: Tensor
    ntk_test: Tensor
    nngp_test: Tensor
    nngp_test_test: Tensor
    ntk_test_test: Tensor
    y: Tensor
    f0: Tensor
    f0_test: Tensor

    @property
    def kernels(self) -> dict[str, Tensor]:
        names = ("ntk", "nngp", "ntk_test", "nngp_test", "nngp_test_test")
        return {name: getattr(self, name) for name in names}


def relu_kernels(x: np.ndarray, depth: int, beta: float) -> tuple[np.ndarray, np.ndarray]:
    """(Σ, Θ) of the paper by its recursion, with the arc-cosine formulas of Cho & Saul."""
    sigma = x @ x.T / x.shape[1] + beta**2
    theta = sigma
    for _ in range(depth - 1):
        norms = np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
        rho = np.clip(sigma / norms, -1, 1)
        angle = np.arccos(rho)
        theta = theta * (np.pi - angle) / (2 * np.pi)
        sigma = norms * (np.sqrt(1 - rho**2) + (np.pi - angle) * rho) / (2 * np.pi) + beta**2
        theta = theta + sigma
    return sigma, theta


def circle_problem() -> Problem:
    angles = np.array([-2.2, -0.8, 0.6, 1.9, 3.0, 0.0])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    sigma, theta = (torch.tensor(k) for k in relu_kernels(x, 4, 0.1))
    return Problem(
        ntk=theta[:4, :4],
        nngp=sigma[:4, :4],
        ntk_test=theta[4:, :4],
        nngp_test=sigma[4:, :4],
        nngp_test_test=sigma[4:, 4:],
        ntk_test_test=theta[4:, 4:],
        y=torch.tensor(x[:4, 0] * x[:4, 1]),
        f0=torch.tensor([0.3, -0.1, 0.2, 0.05], dtype=torch.float64),
        f0_test=torch.tensor([0.4, -0.2], dtype=torch.float64),
    )


def gram(n: int, seed: int = 0, rank: int | None = None) -> Tensor:
    """A random kernel matrix of the given rank, with eigenvalues of very unequal size."""
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(n, rank or n, generator=generator, dtype=torch.float64)
    return factor * torch.logspace(0, -1.5, rank or n, dtype=torch.float64) @ factor.T


def values(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def operator(k_test: Tensor, k: Tensor, t: float) -> np.ndarray:
    """M_t = K(x, X) K⁻¹ (Id − e^{−tK/N}), by scipy's matrix exponential and an explicit inverse."""
    n = len(k)
    return k_test.numpy() @ np.linalg.inv(k.numpy()) @ (np.eye(n) - expm(-t * k.numpy() / n))


def law(p: Problem, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a trained wide network, entry by entry."""
    m = operator(p.ntk_test, p.ntk, t)
    sigma, cross, prior = p.nngp.numpy(), p.nngp_test.numpy(), p.nngp_test_test.numpy()
    covariance = np.zeros_like(prior)
    for a in range(len(prior)):
        for b in range(len(prior)):
            covariance[a, b] = prior[a, b] + m[a] @ sigma @ m[b] - m[a] @ cross[b] - cross[a] @ m[b]
    return m @ p.y.numpy(), covariance


def gradient_by_loops(k: Tensor, d: Tensor) -> Tensor:
    """1/N Σ_j Σ_l K_kl(x_i, x_j) d_l(x_j), from k [m, n, c, c] and d [n, c], number by number."""
    m, n, c, _ = k.shape
    moved = torch.zeros(m, c, dtype=k.dtype)
    for i in range(m):
        for j in range(n):
            for a in range(c):
                for b in range(c):
                    moved[i, a] += k[i, j, a, b] * d[j, b] / n
    return moved


def coupled(n: int, c: int, seed: int = 0) -> Tensor:
    """A matrix-valued kernel [n, n, c, c] whose blocks are not symmetric, K_kl(x, x') = K_lk(x', x)."""
    features = values(n, c, 3 * n * c, seed=seed)
    return torch.einsum("ikp,jlp->ijkl", features, features) / features.shape[2]
