"""Wrong answers to the tasks of chapter 06, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import math

import numpy as np
import torch

# 06.1


def solved_without_the_mean(k, k_test, y, f0, f0_test, t):
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(-t * k)
    return f0_test + k_test @ torch.linalg.pinv(k) @ gone @ (y - f0)


def prior_mean_zero(k, k_test, y, f0, f0_test, t):
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(-t * k / len(k))
    return k_test @ torch.linalg.pinv(k) @ gone @ y


def only_the_increment(k, k_test, y, f0, f0_test, t):
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(-t * k / len(k))
    return k_test @ torch.linalg.pinv(k) @ gone @ (y - f0)


def residual_turned_round(k, k_test, y, f0, f0_test, t):
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(-t * k / len(k))
    return f0_test + k_test @ torch.linalg.pinv(k) @ gone @ (f0 - y)


def numpy_exp_of_the_matrix(k, k_test, y, f0, f0_test, t):
    gone = np.eye(len(k)) - np.exp(-t * k.numpy() / len(k))
    return f0_test.numpy() + k_test.numpy() @ np.linalg.pinv(k.numpy()) @ gone @ (y - f0).numpy()


def kernel_regression(k, k_test, y, f0, f0_test, t):
    return f0_test + k_test @ torch.linalg.pinv(k) @ (y - f0)


def exponential_without_minus(k, k_test, y, f0, f0_test, t):
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(t * k / len(k))
    return f0_test + k_test @ torch.linalg.pinv(k) @ gone @ (y - f0)


def values_on_the_data(k, k_test, y, f0, f0_test, t):
    return y + torch.linalg.matrix_exp(-t * k / len(k)) @ (f0 - y)


def one_big_euler_step(k, k_test, y, f0, f0_test, t):
    return f0_test - t * k_test @ (f0 - y) / len(k)


def carries_the_remaining_residual(k, k_test, y, f0, f0_test, t):
    remaining = torch.linalg.matrix_exp(-t * k / len(k)) @ (y - f0)
    return f0_test + k_test @ torch.linalg.pinv(k) @ remaining


def hundred_euler_steps(k, k_test, y, f0, f0_test, t):
    f, f_test, h = f0.clone(), f0_test.clone(), t / 100
    for _ in range(100):
        f, f_test = f - h * k @ (f - y) / len(k), f_test - h * k_test @ (f - y) / len(k)
    return f_test


def moves_the_start_in_place(k, k_test, y, f0, f0_test, t):
    f0 -= y
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(-t * k / len(k))
    return f0_test - k_test @ torch.linalg.pinv(k) @ gone @ f0


def transposed_test_kernel(k, k_test, y, f0, f0_test, t):
    gone = torch.eye(len(k)) - torch.linalg.matrix_exp(-t * k / len(k))
    return f0_test + k_test.T @ torch.linalg.pinv(k) @ gone @ (y - f0)


def one_minus_a_matrix(k, k_test, y, f0, f0_test, t):
    gone = 1 - torch.linalg.matrix_exp(-t * k / len(k))
    return f0_test + k_test @ torch.linalg.pinv(k) @ gone @ (y - f0)


def regression_on_the_trained_values(k, k_test, y, f0, f0_test, t):
    trained = y + torch.linalg.matrix_exp(-t * k / len(k)) @ (f0 - y)
    return k_test @ torch.linalg.pinv(k) @ trained


def integral_over_s(k, k_test, y, f0, f0_test, t):
    rates, vectors = torch.linalg.eigh(k / len(k))
    s = torch.linspace(0, t, 2001, dtype=k.dtype)
    kept = torch.exp(-s[:, None] * rates)
    simpson = (t / 6000) * (kept[0] + 4 * kept[1::2].sum(0) + 2 * kept[2:-1:2].sum(0) + kept[-1])
    return f0_test + k_test @ vectors @ (simpson * (vectors.T @ (y - f0)))


# 06.2


def eigh_as_it_comes(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    return torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2 / (2 * len(k))


def without_dividing_the_kernel(k, residual, t):
    values, vectors = torch.linalg.eigh(k)
    values, vectors = values.flip(0), vectors.flip(1)
    return torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2 / (2 * len(k))


def residual_rate_for_the_cost(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    values, vectors = values.flip(0), vectors.flip(1)
    return torch.exp(-values * t) * (vectors.T @ residual) ** 2 / (2 * len(k))


def unit_eigenvectors_with_mean(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    values, vectors = values.flip(0), vectors.flip(1)
    c = (vectors * residual[:, None]).mean(0)
    return 0.5 * (torch.exp(-values * t) * c) ** 2


def plain_squares(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    values, vectors = values.flip(0), vectors.flip(1)
    return 0.5 * (torch.exp(-values * t) * (vectors.T @ residual)) ** 2


def mean_squares_without_half(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    values, vectors = values.flip(0), vectors.flip(1)
    return (torch.exp(-values * t) * (vectors.T @ residual)) ** 2 / len(k)


def pca_with_centering(k, residual, t):
    n = len(k)
    h = torch.eye(n, dtype=k.dtype) - 1 / n
    values, vectors = torch.linalg.eigh(h @ k @ h / n)
    values, vectors = values.flip(0), vectors.flip(1)
    return torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2 / (2 * n)


def eigenvectors_in_rows(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    return (torch.exp(-2 * values * t) * (vectors @ residual) ** 2 / (2 * len(k))).flip(0)


def total_cost(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    return (torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2).sum() / (2 * len(k))


def squared_residual_by_input(k, residual, t):
    left = torch.linalg.matrix_exp(-t * k / len(k)) @ residual
    return left**2 / (2 * len(k))


def sorted_by_cost(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    cost = torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2 / (2 * len(k))
    return cost.sort(descending=True).values


def sorts_the_values_alone(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    values = values.sort(descending=True).values
    return torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2 / (2 * len(k))


def norm_of_the_function_space(k, residual, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    values, vectors = values.flip(0), vectors.flip(1)
    return torch.exp(-2 * values * t) * (vectors.T @ residual) ** 2 / (2 * len(k) * values)


# 06.3


def sum_of_squares_cost(k):
    n, c = k.shape[0], k.shape[2]
    return float(2 / torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c))[-1])


def one_over_the_rate(k):
    n, c = k.shape[0], k.shape[2]
    return float(1 / torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c) / n)[-1])


def slowest(k):
    n, c = k.shape[0], k.shape[2]
    return float(2 * n / torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c)).min())


def condition_number_rule(k):
    n, c = k.shape[0], k.shape[2]
    values = torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c) / n)
    return float(2 / (values.min() + values.max()))


def two_over_trace(k):
    return float(2 * len(k) / torch.einsum("nncc->", k))


def largest_rate(k):
    n, c = k.shape[0], k.shape[2]
    return float(torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c)).max() / n)


def frobenius(k):
    return float(2 * len(k) / torch.linalg.norm(k.flatten()))


def all_modes(k):
    n, c = k.shape[0], k.shape[2]
    return 2 * n / torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c))


def doubled_cost(k):
    n, c = k.shape[0], k.shape[2]
    return float(4 * n / torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c))[-1])


def largest_entry(k):
    return float(2 * len(k) / k.max())


def first_input(k):
    return float(2 * len(k) / np.linalg.eigvalsh(k[0, 0].numpy()).max())


def half_of_the_largest_rate(k):
    n, c = k.shape[0], k.shape[2]
    return float(torch.linalg.eigvalsh(k.permute(0, 2, 1, 3).reshape(n * c, n * c)).max() / (2 * n))


# 06.4


def bayesian(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    return nngp_test_test - nngp_test @ torch.linalg.inv(nngp) @ nngp_test.T


def ntk_posterior_with_the_prior_given(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    return nngp_test_test - ntk_test @ torch.linalg.inv(ntk) @ ntk_test.T


def m_of(ntk, ntk_test, t):
    values, vectors = torch.linalg.eigh(ntk)
    return ntk_test @ vectors @ torch.diag((1 - torch.exp(-values * t / len(ntk))) / values) @ vectors.T


def drops_the_last_term(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T


def variance_of_the_increment(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return m @ nngp @ m.T


def adds_variances(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return nngp_test_test + m @ nngp @ m.T


def all_plus(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return nngp_test_test + m @ nngp @ m.T + m @ nngp_test.T + nngp_test @ m.T


def trained_for_ever(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = ntk_test @ torch.linalg.inv(ntk)
    return nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T - nngp_test @ m.T


def last_layer_trained(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(nngp, nngp_test, t)
    return nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T - nngp_test @ m.T


def theta_between(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return nngp_test_test + m @ ntk @ m.T - m @ nngp_test.T - nngp_test @ m.T


def sum_cost_time(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t * len(ntk))
    return nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T - nngp_test @ m.T


def variances_only(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return (nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T - nngp_test @ m.T).diagonal()


def standard_deviations(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return (nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T - nngp_test @ m.T).abs().sqrt()


def ones_minus_the_exponential(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    left = torch.zeros_like(ntk) if math.isinf(t) else torch.linalg.matrix_exp(-t * ntk / len(ntk))
    m = ntk_test @ torch.linalg.inv(ntk) @ (1 - left)
    return nngp_test_test + m @ nngp @ m.T - m @ nngp_test.T - nngp_test @ m.T


def doubles_a_cross_term(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    m = m_of(ntk, ntk_test, t)
    return nngp_test_test + m @ nngp @ m.T - 2 * m @ nngp_test.T


def posterior_that_arrives(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    return nngp_test_test - m_of(nngp, nngp_test, t) @ nngp_test.T


# 06.5


def mode_terms(k, target, f0, t):
    values, vectors = torch.linalg.eigh(k / len(k))
    return torch.exp(-t[:, None] * values), vectors.T @ (f0 - target)


def sigma_as_variance(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2 + (1 - left) ** 2 * noise).mean(1)


def error_on_the_labels(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return (left**2 * (b**2 + noise**2)).mean(1)


def no_noise(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2).mean(1)


def test_error_of_new_labels(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2 + (1 - left) ** 2 * noise**2).mean(1) + noise**2


def noise_grows_as_one_minus_square(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2 + (1 - left**2) * noise**2).mean(1)


def sum_over_modes(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2 + (1 - left) ** 2 * noise**2).sum(1)


def as_a_cost(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return 0.5 * ((left * b) ** 2 + (1 - left) ** 2 * noise**2).mean(1)


def eigenvalues_of_k(k, target, f0, noise, t):
    left, b = mode_terms(k * len(k), target, f0, t)
    return ((left * b) ** 2 + (1 - left) ** 2 * noise**2).mean(1)


def entries_as_coordinates(k, target, f0, noise, t):
    left, _ = mode_terms(k, target, f0, t)
    return ((left * (f0 - target)) ** 2 + (1 - left) ** 2 * noise**2).mean(1)


def noise_total(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2).mean(1) + noise**2 * ((1 - left) ** 2).sum(1)


def one_random_draw(k, target, f0, noise, t):
    y = target + noise * torch.randn(len(target), generator=torch.Generator().manual_seed(0), dtype=k.dtype)
    left, b = mode_terms(k, y, f0, t)
    vectors = torch.linalg.eigh(k / len(k)).eigenvectors
    return ((y + (left * b) @ vectors.T - target) ** 2).mean(1)


def one_time_only(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return float(((left * b) ** 2 + (1 - left) ** 2 * noise**2).mean(1).min())


def best_time(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return float(t[((left * b) ** 2 + (1 - left) ** 2 * noise**2).mean(1).argmin()])


def standard_error(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b) ** 2 + (1 - left) ** 2 * noise**2 / len(k)).mean(1)


def roots(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return [math.sqrt(v) for v in ((left * b) ** 2 + (1 - left) ** 2 * noise**2).mean(1)]


def noise_as_a_number(k, target, f0, noise, t):
    left, b = mode_terms(k, target + noise, f0, t)
    return ((left * b) ** 2).mean(1)


def learned_for_left(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return (((1 - left) * b) ** 2 + left**2 * noise**2).mean(1)


def square_of_the_sum(k, target, f0, noise, t):
    left, b = mode_terms(k, target, f0, t)
    return ((left * b.abs() + (1 - left) * noise) ** 2).mean(1)


WRONG = {
    "06.1": [
        (solved_without_the_mean, "lacks the 1/N"),
        (prior_mean_zero, "f_0 is nowhere"),
        (only_the_increment, "training adds to it"),
        (residual_turned_round, "moves away from the targets"),
        (numpy_exp_of_the_matrix, "acts on its eigenvalues"),
        (kernel_regression, "kernel regression, the function at t = ∞"),
        (exponential_without_minus, "The exponential grows"),
        (values_on_the_data, "expected shape [8], received [5]"),
        (one_big_euler_step, "the first slope by t"),
        (carries_the_remaining_residual, "what has been learned"),
        (hundred_euler_steps, None),
        (moves_the_start_in_place, "changes its argument 'f0'"),
        (transposed_test_kernel, "raised"),
        (one_minus_a_matrix, "is the identity matrix"),
        (regression_on_the_trained_values, "only its change travels"),
        (integral_over_s, "ds/N is meant"),
    ],
    "06.2": [
        (eigh_as_it_comes, "reverse order"),
        (without_dividing_the_kernel, "lack the 1/N"),
        (residual_rate_for_the_cost, "decays twice as fast"),
        (unit_eigenvectors_with_mean, "vectors of length 1"),
        (plain_squares, "a sum over the data"),
        (mean_squares_without_half, "factor 1/2"),
        (pca_with_centering, "centered"),
        (eigenvectors_in_rows, "each column is one"),
        (total_cost, "expected shape [6], received []"),
        (squared_residual_by_input, "cost of each input"),
        (sorted_by_cost, None),
        (sorts_the_values_alone, "and not the eigenvectors"),
        (norm_of_the_function_space, "norm of the kernel"),
    ],
    "06.3": [
        (sum_of_squares_cost, "1/N is missing"),
        (one_over_the_rate, "That is half of it"),
        (slowest, "smallest eigenvalue"),
        (condition_number_rule, "shrinks the worst mode most"),
        (two_over_trace, "the trace"),
        (largest_rate, "the rate of the fastest mode"),
        (frobenius, "norm of all entries"),
        (all_modes, "expected shape [], received [6]"),
        (doubled_cost, "twice the critical rate"),
        (largest_entry, None),
        (first_input, "block of one input only"),
        (half_of_the_largest_rate, "turned the fraction round"),
    ],
    "06.4": [
        (bayesian, "posterior of the prior Σ"),
        (ntk_posterior_with_the_prior_given, "as a posterior is written"),
        (drops_the_last_term, "cross terms is missing"),
        (variance_of_the_increment, "learned alone"),
        (adds_variances, "belong to one network"),
        (all_plus, "wrong sign"),
        (trained_for_ever, "time does not enter"),
        (last_layer_trained, "last layer alone"),
        (theta_between, "Between the maps stands Θ"),
        (sum_cost_time, "lacks the 1/N"),
        (variances_only, "expected shape [3, 3], received [3]"),
        (standard_deviations, None),
        (ones_minus_the_exponential, "is the identity matrix"),
        (doubles_a_cross_term, "You doubled the cross term"),
        (posterior_that_arrives, "arrive exponentially"),
    ],
    "06.5": [
        (sigma_as_variance, "standard deviation"),
        (error_on_the_labels, "noisy labels themselves"),
        (no_noise, "The noise is missing"),
        (test_error_of_new_labels, "noise of new labels"),
        (noise_grows_as_one_minus_square, "then its square"),
        (sum_over_modes, "is their mean"),
        (as_a_cost, "factor 1/2"),
        (eigenvalues_of_k, "lack the 1/N"),
        (entries_as_coordinates, "first change to the eigenbasis"),
        (noise_total, "summed over the modes"),
        (one_random_draw, None),
        (one_time_only, "expected shape [9], received []"),
        (best_time, "expected shape [9], received []"),
        (standard_error, "once too often"),
        (roots, "took a root"),
        (noise_as_a_number, "as if it were a number"),
        (learned_for_left, "changed places"),
        (square_of_the_sum, "added the two parts and squared"),
    ],
}
