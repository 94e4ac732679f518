"""What holds for every architecture and every batch: symmetries, positivity, blocks; hypothesis draws the inputs."""

import hypothesis
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import batches, bias_scales, closed_forms, depths, inputs, perceptron, scales, weight_scales

import ntk_teach as ntk

# Off the diagonal √(1 − ρ²) turns a last digit into 1e-8 where a kinked activation meets nearly collinear inputs.
KINKED = 1e-7


def close(ours, theirs, k: ntk.Kernel, tolerance: float = KINKED) -> None:
    """Equal to ``tolerance`` of the largest entry of Θ, which bounds Σ."""
    size = max(float(k.ntk.diagonal().max()), 1e-300)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance * size)


@given(dense=scales, activation=closed_forms, x=batches())
def test_kernels_are_finite_and_symmetric(dense, activation, x):
    """Θ = Θᵀ and Σ = Σᵀ, and no entry is NaN, whatever is zero, repeated or opposite."""
    arch = perceptron(dense, activation)
    k = arch.kernel(x)
    for gram in (k.nngp, k.ntk):
        assert torch.isfinite(gram).all()
        close(gram, gram.T, k, 1e-13)


@given(dense=scales, activation=closed_forms, x=batches())
def test_kernels_are_positive_semidefinite_and_so_is_their_difference(dense, activation, x):
    """Σ ⪰ 0, Θ ⪰ 0 and Θ − Σ ⪰ 0, the part of the layers before the last; Σ ≤ Θ entry by entry is false."""
    arch = perceptron(dense, activation)
    k = arch.kernel(x)
    for gram in (k.nngp, k.ntk, k.ntk - k.nngp):
        lowest = torch.linalg.eigvalsh((gram + gram.T) / 2)[0]
        assert lowest >= -KINKED * max(float(k.ntk.diagonal().sum()), 1e-300)


def test_the_covariance_may_exceed_the_tangent_kernel():
    """The counterexample that keeps the property above honest: opposite points at depth 2."""
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    k = ntk.zoo.mlp(2).kernel(x)
    assert k.nngp[0, 1] > 0 > k.ntk[0, 1]


@given(dense=scales, activation=closed_forms, x=batches(d=4), seed=st.integers(0, 100))
def test_kernels_are_invariant_under_rotations(dense, activation, x, seed):
    """K(Qx, Qx') = K(x, x') for every orthogonal Q: a fully connected network sees inner products only."""
    arch = perceptron(dense, activation)
    rotation = torch.linalg.qr(inputs(4, 4, seed=seed)).Q
    k, turned = arch.kernel(x), arch.kernel(x @ rotation)
    close(turned.nngp, k.nngp, k)
    close(turned.ntk, k.ntk, k)


@given(depth=depths, sigma_w=weight_scales, x=batches(nonzero=True), c=st.sampled_from([0.25, 0.5, 3.0, 100.0]))
def test_relu_without_bias_is_homogeneous(depth, sigma_w, x, c):
    """K(cx, cx') = c² K(x, x'), and K(cx, x') = c K(x, x') for c > 0: without bias ReLU scales with the input."""
    arch = ntk.zoo.mlp(depth, sigma_w=sigma_w, sigma_b=0.0)
    k, both, one = arch.kernel(x), arch.kernel(c * x), arch.kernel(c * x, x)
    for name in ("nngp", "ntk"):
        close(getattr(both, name) / c**2, getattr(k, name), k)
        close(getattr(one, name) / c, getattr(k, name), k)


@given(dense=scales, activation=closed_forms, x=batches(n=6), order=st.permutations(range(6)))
def test_a_permutation_of_the_inputs_permutes_the_kernel(dense, activation, x, order):
    """Inputs do not know of one another: K(Px) = P K(x) Pᵀ."""
    arch = perceptron(dense, activation)
    k, permuted = arch.kernel(x), arch.kernel(x[order])
    close(permuted.nngp, k.nngp[order][:, order], k)
    close(permuted.ntk, k.ntk[order][:, order], k)


@given(dense=scales, activation=closed_forms, x=batches())
def test_leaving_x2_out_is_giving_x1_twice(dense, activation, x):
    """kernel(x) and kernel(x, x) are the same function; only the first may write its diagonal from the variances."""
    arch = perceptron(dense, activation)
    k, twice = arch.kernel(x), arch.kernel(x, x)
    close(twice.nngp, k.nngp, k)
    close(twice.ntk, k.ntk, k)
    off = ~torch.eye(len(x), dtype=torch.bool)
    close(twice.ntk[off], k.ntk[off], k)


@given(dense=scales, activation=closed_forms, x=batches(n=6), cut=st.integers(1, 5))
def test_a_block_is_a_part_of_the_whole(dense, activation, x, cut):
    """K(x[:a], x[a:]) is the upper right block of K(x)."""
    arch = perceptron(dense, activation)
    k, block = arch.kernel(x), arch.kernel(x[:cut], x[cut:])
    close(block.nngp, k.nngp[:cut, cut:], k)
    close(block.ntk, k.ntk[:cut, cut:], k)
    assert block.ntk.shape == (cut, 6 - cut)


@given(dense=scales, activation=closed_forms, x=batches(nonzero=True))
def test_correlations_stay_within_one(dense, activation, x):
    """|K(x, x')| ≤ √(K(x, x) K(x', x')), the inequality of Cauchy and Schwarz, for Σ and Θ."""
    arch = perceptron(dense, activation)
    k = arch.kernel(x)
    for gram in (k.nngp, k.ntk):
        bound = torch.sqrt(gram.diagonal()[:, None] * gram.diagonal()[None, :])
        assert (gram.abs() <= bound * (1 + KINKED) + 1e-300).all()


@given(x=batches(d=2), sigma_w=weight_scales, sigma_b=bias_scales)
def test_bounded_activations_bound_the_covariance(x, sigma_w, sigma_b):
    """|erf| < 1, so |Σ| ≤ σ_w² + σ_b² behind it, whatever the inputs."""
    arch = ntk.zoo.mlp(3, ntk.erf, sigma_w=sigma_w, sigma_b=sigma_b)
    assert (arch.nngp(100 * x).abs() <= (sigma_w**2 + sigma_b**2) * (1 + 1e-12)).all()


@given(activation=closed_forms, x=batches(nonzero=True), factor=st.sampled_from([0.5, 2.0]))
def test_the_scale_of_the_first_weights_is_a_scale_of_the_inputs(activation, x, factor):
    """σ_w → cσ_w in the first layer equals x → cx."""
    wide = ntk.serial(ntk.Dense(1.2 * factor, 0.3), activation, ntk.Dense())
    arch = ntk.serial(ntk.Dense(1.2, 0.3), activation, ntk.Dense())
    k = wide.kernel(x)
    close(arch.kernel(factor * x).nngp, k.nngp, k)
    close(arch.kernel(factor * x).ntk, k.ntk, k)


@given(x=batches(n=3, d=2, nonzero=True), width=st.integers(1, 5), outputs=st.integers(1, 3), depth=depths)
def test_the_kernel_of_a_network_is_a_gram_matrix(x, width, outputs, depth):
    """Θ_kl(x, x') = Θ_lk(x', x), and Θ as an [nc, nc] matrix is positive semidefinite."""
    network = ntk.zoo.mlp(depth).network(width=width, like=x, out_features=outputs)
    theta = ntk.empirical_ntk(network, x).reshape(3, 3, outputs, outputs)
    torch.testing.assert_close(theta, theta.permute(1, 0, 3, 2), rtol=1e-12, atol=1e-12)
    matrix = theta.permute(0, 2, 1, 3).reshape(3 * outputs, 3 * outputs)
    assert torch.linalg.eigvalsh(matrix)[0] >= -1e-12 * matrix.trace()


PROPERTIES = [value for name, value in globals().items() if hasattr(value, "hypothesis")]


@pytest.mark.soak
@pytest.mark.parametrize("proven", PROPERTIES, ids=lambda p: p.__name__)
def test_properties_over_many_examples(proven):
    """Each property above on five hundred examples that differ from run to run."""
    hypothesis.settings(max_examples=500, derandomize=False, deadline=None)(proven)()
