"""The primer's formulas and its folded answers."""

import math

import torch

torch64 = torch.float64


def test_outputs_move_by_the_gram_matrix_of_the_jacobian():
    """θ' = −Jᵀ∇C gives F' = −JJᵀ∇C: a small step of gradient descent, to first order."""

    def outputs(t):
        return torch.stack([t[0] * t[1], t[1].exp(), t.sum()])

    theta, g = torch.tensor([2.0, 0.0], dtype=torch64), torch.tensor([0.3, -1.0, 0.5], dtype=torch64)
    j = torch.func.jacrev(outputs)(theta)
    moved = (outputs(theta - 1e-6 * j.T @ g) - outputs(theta)) / 1e-6
    torch.testing.assert_close(moved, -j @ j.T @ g, rtol=1e-4, atol=1e-4)
    assert torch.equal(j, torch.tensor([[0.0, 2.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch64))
    assert torch.linalg.matrix_rank(j @ j.T) == 2
    values = torch.linalg.eigvalsh(j @ j.T)
    torch.testing.assert_close(values[1:], torch.linalg.eigvalsh(j.T @ j), rtol=1e-12, atol=1e-12)
    # Answer 2: nothing moves along (1, −2).
    assert torch.equal(torch.tensor([1.0, -2.0], dtype=torch64) @ j[:2], torch.zeros(2, dtype=torch64))


def test_answers_on_definite_matrices():
    """3: eigenvalues 3 and −1. 5: the ratio at t = 1 is e³."""
    values = torch.linalg.eigvalsh(torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch64))
    torch.testing.assert_close(values, torch.tensor([-1.0, 3.0], dtype=torch64), rtol=1e-12, atol=1e-12)
    r = torch.linalg.matrix_exp(-torch.diag(torch.tensor([4.0, 1.0], dtype=torch64))) @ torch.ones(2, dtype=torch64)
    assert math.isclose(float(r[1] / r[0]), math.exp(3), rel_tol=1e-12)


def test_conditioning_is_the_inverse_of_a_block_of_the_precision():
    """Cov[g|f] = (precision's block of g)⁻¹ and E[g|y] = −that · (its block with f) y, for a random covariance."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(5, 8, generator=generator, dtype=torch64)
    joint = root @ root.T
    a, b, d = joint[:3, :3], joint[3:, :3], joint[3:, 3:]
    y = torch.randn(3, generator=generator, dtype=torch64)
    precision = torch.linalg.inv(joint)
    covariance = torch.linalg.inv(precision[3:, 3:])
    torch.testing.assert_close(d - b @ torch.linalg.solve(a, b.T), covariance, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(b @ torch.linalg.solve(a, y), -covariance @ precision[3:, :3] @ y, rtol=1e-9, atol=1e-9)
    # Answer 6: an observed entry has its own value and no variance left.
    first = a[:1] @ torch.linalg.solve(a, y)
    torch.testing.assert_close(first, y[:1], rtol=1e-9, atol=1e-9)
    assert abs(float(a[0, 0] - a[:1] @ torch.linalg.solve(a, a[:, 0]))) < 1e-9
