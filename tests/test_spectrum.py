"""Modes, norms and alignment of a kernel matrix: against loops, numpy and what must hold for every kernel."""

import itertools
import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from oracles.flows import circle_problem, coupled, gram, values

from ntk_teach.errors import DomainError, DtypeError, ShapeError
from ntk_teach.spectrum import (
    alignment,
    block_gram,
    centered_alignment,
    decompose,
    is_positive_definite,
    kernel_norm_squared,
    kernel_pca,
    rkhs_norm_squared,
)

K = gram(6, seed=1)
SINGULAR = gram(6, seed=2, rank=3)


@pytest.mark.parametrize("k", [K, SINGULAR], ids=["regular", "singular"])
def test_modes_are_eigenfunctions_of_the_mean_over_the_data(k):
    """1/N K f = λ f with 1/N Σ f(x_j)² = 1, orthogonal, λ falling; the sum of all λ is the trace of K/N."""
    values_, functions = kernel_pca(k, 6)
    torch.testing.assert_close(k @ functions / 6, functions * values_, rtol=0, atol=1e-13 * float(k.norm()))
    torch.testing.assert_close(functions.T @ functions / 6, torch.eye(6, dtype=torch.float64), rtol=0, atol=1e-13)
    assert (values_.diff() <= 0).all()
    assert float(values_.sum()) == pytest.approx(float(k.trace()) / 6, rel=1e-13)
    few = kernel_pca(k, 2)
    assert torch.equal(few.eigenvalues, values_[:2])
    assert torch.equal(few.components, functions[:, :2])


def test_the_paper_s_rates_on_the_circle():
    """The four points of section 6.2: eig(Θ/N) = .1357, .0610, .0490, .0368."""
    rates = kernel_pca(circle_problem().ntk, 4).eigenvalues
    np.testing.assert_allclose(rates, [0.1357, 0.0610, 0.0490, 0.0368], atol=6e-5)


def test_signs_do_not_depend_on_rounding():
    """The entry of largest modulus is positive, also where two entries tie with opposite signs."""
    k = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 2.0, 0.0], [0.0, 0.0, 0.5]], dtype=torch.float64)
    for noise in (0.0, 1e-15, -1e-15):
        moved = k + noise * torch.diag(torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64))
        lead = kernel_pca(moved, 1).components[:, 0]
        assert lead[0] > 0 > lead[1]
    for column in kernel_pca(K, 6).components.T:
        assert column[column.abs().argmax()] > 0


def test_modes_extend_to_other_inputs_and_return_on_the_data():
    """f⁽ⁱ⁾(x) = 1/(Nλ) Σ K(x, x_j) f⁽ⁱ⁾(x_j): at the data themselves it gives the modes back."""
    pca, whole = kernel_pca(K, 4), gram(9, seed=3)
    torch.testing.assert_close(pca.extend(K), pca.components, rtol=0, atol=1e-12)
    assert kernel_pca(whole[:6, :6], 2).extend(whole[6:, :6]).shape == (3, 2)


def test_definite_and_semidefinite_are_told_apart_at_any_scale():
    """A kernel of full rank is positive definite, one of lower rank only semidefinite, at scales 1e-12 to 1e12."""
    indefinite = torch.diag(torch.tensor([1.0, -0.1], dtype=torch.float64))
    for scale in (1e-12, 1.0, 1e12):
        full, low, wrong = (is_positive_definite(scale * k) for k in (K, SINGULAR, indefinite))
        assert full
        assert full.positive
        assert full.semidefinite
        assert not low
        assert low.semidefinite
        assert not wrong
        assert not wrong.semidefinite
        assert wrong.ratio == pytest.approx(-0.1)
    assert full.ratio == pytest.approx(float(np.linalg.eigvalsh(K)[0] / np.linalg.eigvalsh(K)[-1]), rel=1e-9)
    assert is_positive_definite(torch.zeros(2, 2, dtype=torch.float64)).ratio == 0
    for seed in range(10):  # rounding leaves λ_min on either side of 0
        assert not is_positive_definite(gram(6, seed, rank=5))


def test_the_norm_averages_over_two_independent_inputs():
    """‖d‖²_K = 1/N² Σ_ij d_i K_ij d_j, by loops; with several outputs it is the sum of their norms."""
    d = values(6, 2, seed=4)
    by_hand = [sum(float(d[i, c] * K[i, j] * d[j, c]) for i in range(6) for j in range(6)) / 36 for c in range(2)]
    assert float(kernel_norm_squared(K, d[:, 0])) == pytest.approx(by_hand[0], rel=1e-13)
    assert float(kernel_norm_squared(K, d)) == pytest.approx(sum(by_hand), rel=1e-13)


def test_a_kernel_without_coupling_is_its_own_block_kernel():
    """K ⊗ Id as an explicit [n, n, c, c] kernel has the same norm and, as one matrix, is numpy's kron(K, Id)."""
    d, identity = values(6, 2, seed=4), torch.eye(2, dtype=torch.float64)
    blocks = K[:, :, None, None] * identity
    assert float(kernel_norm_squared(blocks, d)) == pytest.approx(float(kernel_norm_squared(K, d)), rel=1e-13)
    np.testing.assert_array_equal(block_gram(blocks), np.kron(K, identity))


def test_blocks_that_are_not_symmetric_still_make_a_symmetric_matrix():
    """Entry (i·c + k, j·c + l) is K_kl(x_i, x_j), by loops; the order of the axes is not a matter of reshape."""
    k = coupled(3, 2, seed=1)
    matrix = block_gram(k)
    for i in range(3):
        for j in range(3):
            for a in range(2):
                for b in range(2):
                    assert matrix[2 * i + a, 2 * j + b] == k[i, j, a, b]
    d = values(3, 2, seed=2)
    expected = d.reshape(-1) @ matrix @ d.reshape(-1) / 9
    assert float(kernel_norm_squared(k, d)) == pytest.approx(float(expected), rel=1e-13)


def test_the_norm_of_a_function_is_the_price_of_its_values():
    """yᵀK⁻¹y against numpy's solver; K(·, x_j) itself has norm K(x_j, x_j); more points never make y cheaper."""
    y = values(6, seed=5)
    assert float(rkhs_norm_squared(K, y)) == pytest.approx(
        float(y.numpy() @ np.linalg.solve(K.numpy(), y.numpy())), rel=1e-10
    )
    assert float(rkhs_norm_squared(K, K[:, 2])) == pytest.approx(float(K[2, 2]), rel=1e-10)
    both = torch.stack([y, 2 * y], dim=1)
    assert float(rkhs_norm_squared(K, both)) == pytest.approx(5 * float(rkhs_norm_squared(K, y)), rel=1e-12)
    prices = [float(rkhs_norm_squared(K[:n, :n], y[:n])) for n in range(1, 7)]
    assert all(first <= second * (1 + 1e-12) for first, second in itertools.pairwise(prices))


def test_a_singular_kernel_still_pays_for_what_lies_in_its_range():
    """For y = K a the norm is aᵀKa; with a ridge every y has one, yᵀ(K + r mean(diag K))⁻¹y."""
    a, y = values(6, seed=6), values(6, seed=7)
    assert float(rkhs_norm_squared(SINGULAR, SINGULAR @ a)) == pytest.approx(float(a @ SINGULAR @ a), rel=1e-9)
    ridged = SINGULAR.numpy() + 0.1 * np.diag(SINGULAR).mean() * np.eye(6)
    price = float(rkhs_norm_squared(SINGULAR, y, ridge=0.1))
    assert price == pytest.approx(float(y.numpy() @ np.linalg.solve(ridged, y.numpy())), rel=1e-10)


@given(seed=st.integers(0, 100), factor=st.floats(0.1, 10))
def test_alignment_is_the_cosine_of_two_kernels(seed, factor):
    """0 ≤ A ≤ 1, A(K, cK) = 1, symmetric; centered alignment does not see a constant added to a kernel."""
    first, second = gram(5, seed), gram(5, seed + 1000)
    assert 0 <= float(alignment(first, second)) <= 1 + 1e-12
    assert float(alignment(first, factor * first)) == pytest.approx(1, rel=1e-12)
    assert float(alignment(first, second)) == pytest.approx(float(alignment(second, first)), rel=1e-12)
    shifted = float(centered_alignment(first + factor, second))
    assert shifted == pytest.approx(float(centered_alignment(first, second)), rel=1e-8)


def test_alignment_and_centering_by_their_formulas():
    """tr(K₁K₂)/√(tr K₁² tr K₂²), and the same of HKH with H = Id − 11ᵀ/N; a cross kernel [n, m] has one too."""
    first, second = K.numpy(), gram(6, 8).numpy()
    h = np.eye(6) - 1 / 6

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.trace(a @ b.T) / math.sqrt(np.trace(a @ a.T) * np.trace(b @ b.T)))

    ours = alignment(K, gram(6, 8)), centered_alignment(K, gram(6, 8)), alignment(K[:2], gram(6, 8)[:2])
    theirs = cosine(first, second), cosine(h @ first @ h, h @ second @ h), cosine(first[:2], second[:2])
    np.testing.assert_allclose([float(a) for a in ours], theirs, rtol=1e-13)


@given(seed=st.integers(0, 100))
def test_a_deviation_is_orthogonal_to_its_line(seed):
    """f − y = g · mode + h with ⟨h, mode⟩ = 0, for one function and for a path; along the line h = 0."""
    mode, y, path = kernel_pca(K, 2).components[:, 1], values(6, seed=seed), values(3, 6, seed=seed + 1)
    g, h = decompose(path, y, mode)
    torch.testing.assert_close(y + g[:, None] * mode + h, path)
    assert float((h @ mode).abs().max()) <= 1e-12
    one = decompose(path[1], y, mode)
    torch.testing.assert_close(one.deviation, h[1])
    line = decompose(y - 0.5 * mode, y, mode)
    assert float(line.along) == pytest.approx(-0.5, rel=1e-12)
    assert float(line.deviation.abs().max()) <= 1e-12
    # A mode of another length names the same line: g mode does not change.
    torch.testing.assert_close(decompose(path, y, 3 * mode).along * 3, g)


def spoiled(value: float) -> torch.Tensor:
    k = K.clone()
    k[0, 1] = value
    return k


REFUSED = {
    "not square": (ShapeError, lambda: kernel_pca(K[:4], 2), r"\[4, 6\]"),
    "not symmetric": (DomainError, lambda: kernel_pca(spoiled(3.0), 2), "max |K"),
    "NaN": (DomainError, lambda: is_positive_definite(spoiled(math.nan)), "1 NaN"),
    "numpy": (DtypeError, lambda: kernel_pca(K.numpy(), 2), "ndarray"),
    "whole numbers": (DtypeError, lambda: kernel_pca(torch.ones(2, 2).long(), 1), "int64"),
    "empty": (DomainError, lambda: kernel_pca(torch.ones(0, 0), 1), r"\[0, 0\]"),
    "too many components": (DomainError, lambda: kernel_pca(K, 7), "7"),
    "no component": (DomainError, lambda: kernel_pca(K, 0), "0"),
    "modes of rate zero": (DomainError, lambda: kernel_pca(SINGULAR, 5).extend(SINGULAR), "λ ="),
    "extension by columns": (ShapeError, lambda: kernel_pca(K, 2).extend(K[:, :2]), r"\[6, 2\]"),
    "no function passes": (DomainError, lambda: rkhs_norm_squared(SINGULAR, values(6)), "3 of 6"),
    "ridge negative": (DomainError, lambda: rkhs_norm_squared(K, values(6), ridge=-1.0), "-1.0"),
    "values of another length": (ShapeError, lambda: kernel_norm_squared(K, values(5)), r"\[5\]"),
    "values of another dtype": (DtypeError, lambda: kernel_norm_squared(K, values(6).float()), "float32"),
    "values for a block kernel": (ShapeError, lambda: kernel_norm_squared(coupled(3, 2), values(3)), r"\[3\]"),
    "blocks of three axes": (ShapeError, lambda: block_gram(values(2, 2, 3)), r"\[2, 2, 3\]"),
    "blocks transposed": (DomainError, lambda: block_gram(values(2, 2, 2, 2)), "max |K"),
    "alignment of two sizes": (ShapeError, lambda: alignment(K, K[:2]), r"\[2, 6\]"),
    "alignment with nothing": (DomainError, lambda: alignment(K, 0 * K), "zero matrix"),
    "alignment of two dtypes": (DtypeError, lambda: alignment(K, K.float()), "float32"),
    "alignment of a vector": (ShapeError, lambda: centered_alignment(K[0], K[0]), r"\[6\]"),
    "a mode of zeros": (DomainError, lambda: decompose(K[0], K[1], 0 * K[1]), "zeros"),
    "a mode elsewhere": (ShapeError, lambda: decompose(K[0], K[1], K[1, :4]), r"\[4\]"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_kernel_is_refused(case):
    """What was received is in the message, and what to do."""
    kind, attempt, received = REFUSED[case]
    with pytest.raises(kind, match=f"expected .*received .*{received.replace('|', '[|]')}.*; ."):
        attempt()
